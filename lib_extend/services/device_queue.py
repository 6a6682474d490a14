"""A queue for each device: one job at a time has the models, the others wait in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from lib_extend.errors import Stopped

_POLL = 0.2
"""Seconds after which one who waits asks whether it was stopped, should nobody have woken it."""
ANY_DEVICE = "auto"


@dataclass(frozen=True)
class Place:
    """A place in the queue. `job`: whose; `name`: what people call it. `device`: as the settings name it."""

    job: str
    name: str
    device: str


class DeviceQueue:
    """The queue of one server. Safe to use from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places: list[Place] = []  # in order; the first place of each device has the device

    def take(
        self,
        place: Place,
        stopped: Callable[[], bool],
        waiting: Callable[[Place], None] = lambda before: None,
    ) -> None:
        """Wait until the device is free for `place`, which keeps it until `give`.

        Args:
            waiting: called with the place that has the device, and again when that changes.

        Raises:
            Stopped: `stopped()` returned true; the place is given up.
        """
        with self._changed:
            self._places.append(place)
        told: Place | None = None
        while True:
            with self._changed:
                before = self._before(place)
                if before is None:
                    return
                if before == told:
                    self._changed.wait(_POLL)
            if stopped():
                self.give(place.job)
                raise Stopped("Stopped while waiting for the models; what is done is kept.")
            if before != told:
                told = before
                waiting(before)

    def give(self, job: str) -> None:
        """Give the device back; a second call does nothing."""
        with self._changed:
            self._places = [p for p in self._places if p.job != job]
            self._changed.notify_all()

    def waits_for(self, job: str) -> str:
        """The job that has the device a job waits for, "" when it waits for none."""
        with self._changed:
            mine = next((p for p in self._places if p.job == job), None)
            before = None if mine is None else self._before(mine)
            return "" if before is None else before.job

    def _before(self, place: Place) -> Place | None:
        """The first place before `place` that wants the same device; None when `place` is first."""
        for other in self._places:
            if other is place:
                return None
            if other.device == place.device or ANY_DEVICE in (other.device, place.device):
                return other
        return None
