"""A folder that is worked on: where its pictures are and where its state lives."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.state import State
from lib_extend.datasets.state_file import STATE_FOLDER, explain, set_aside
from lib_extend.datasets.state_reading import StateReader
from lib_extend.datasets.state_values import DamagedState
from lib_extend.errors import BusyError, UserError
from lib_extend.files.dataset_names import is_link
from lib_extend.files.lock import locked
from lib_extend.files.scan import Survey, check_folder, show, survey

STATE_FILE = "state.sqlite3"
_LONGEST_REASON = 100

_sound: set[tuple[int, ...]] = set()
"""Databases as jobs of this process left them: looking through a long history takes seconds."""


def _mark(file: Path) -> tuple[int, ...]:
    here = file.stat()
    return here.st_dev, here.st_ino, here.st_size, here.st_mtime_ns


@dataclass(frozen=True)
class Dataset:
    """A dataset: what every job, view and front end works on.

    Attributes:
        root: the folder of the pictures. Names of pictures and captions are relative to it.
        state_dir: the folder for the state instead of `<root>/.prompt-extend`.
    """

    root: Path
    state_dir: Path | None = None

    @property
    def state_folder(self) -> Path:
        """The folder of the database, the lock and the caches."""
        return self.state_dir if self.state_dir is not None else self.root / STATE_FOLDER

    @property
    def state_file(self) -> Path:
        return self.state_folder / STATE_FILE

    @property
    def has_state(self) -> bool:
        """Whether any job ever ran here."""
        return self.state_file.exists()

    def check(self) -> None:
        """Raises UserError when the folder does not exist or is a file."""
        check_folder(self.root)

    def survey(
        self,
        *,
        recursive: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        limit: int | None = None,
    ) -> Survey:
        """The pictures, without those that a person left out of the dataset. Arguments and errors as `files.scan.survey`."""
        with self.reading() as reader:
            left_out = reader.left_out()
        return survey(
            self.root,
            recursive=recursive,
            include=include,
            exclude=exclude,
            left_out=left_out,
            limit=limit,
        )

    @contextlib.contextmanager
    def state(self, *, set_aside: bool = True) -> Iterator[State]:
        """The database, opened (or created) and closed again.

        Args:
            set_aside: whether a damaged database is renamed, if no other job uses it, so that the next start can create
                a new one.

        Raises:
            UserError: the database cannot be read or written, was written by another version, or is damaged.
        """
        try:
            with self._state() as state:
                yield state
        except DamagedState as e:
            try:
                with locked(self.state_folder, self.root):
                    raise self._damaged(set_aside, e) from e
            except BusyError:
                raise self._damaged(False, e) from e

    @contextlib.contextmanager
    def locked_state(self) -> Iterator[State]:
        """The database while no other job may work on the dataset.

        Raises:
            BusyError: another job is running. UserError: as `state`.
        """
        self._check_own_folder()
        with locked(self.state_folder, self.root):
            try:
                with self._state() as state:
                    if _mark(self.state_file) not in _sound:
                        state.check_history()
                    yield state
                with contextlib.suppress(OSError):
                    _sound.add(_mark(self.state_file))
            except DamagedState as e:
                raise self._damaged(True, e) from e

    @contextlib.contextmanager
    def _state(self) -> Iterator[State]:
        self._check_own_folder()
        try:
            with contextlib.closing(State(self.state_file, self.root)) as state:
                yield state
        except sqlite3.DatabaseError as e:
            raise explain(e, self.state_file) from e

    def _check_own_folder(self) -> None:
        if not self.owns_state_folder:
            raise UserError(
                f"{show(str(self.state_folder))} is a link, which is not followed: delete it, or choose a place for "
                "the job's state with --state DIR."
            )

    @property
    def owns_state_folder(self) -> bool:
        """Whether the state's folder may be used: inside the dataset it must not be a link that came with the
        dataset."""
        return self.state_dir is not None or not is_link(self.state_folder)

    def _damaged(self, rename: bool, why: DamagedState) -> UserError:
        name = show(str(self.state_file))
        reason = show(" ".join(str(why).split()))
        reason = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
        if not rename:
            return UserError(
                f"{name} is damaged ({reason}): it is set aside when no other job works with it."
            )
        aside = set_aside(self.state_file)
        return UserError(
            f"{name} is damaged ({reason}) and was renamed to {show(aside.name)}: start again (analyses are made anew; "
            "captions stay)."
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[StateReader]:
        """Read the database beside a running job; everything is empty if there is no database."""
        file = self.state_file if self.owns_state_folder else None
        with contextlib.closing(StateReader(file)) as reader:
            yield reader
