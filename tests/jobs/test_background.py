"""Work in a thread: lists of what it gives, gathered, stopped and failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lib_extend.errors import Stopped
from lib_extend.jobs.background_work import pump


def giving(items: int, seconds: float) -> Callable[[Callable[[Any], None]], None]:
    def work(put: Callable[[Any], None]) -> None:
        for i in range(items):
            put(i)
            time.sleep(seconds)

    return work


def test_items_wait_for_others_but_not_for_long() -> None:
    lists = list(pump(giving(8, 0.02), threading.Event(), 64, gather=5.0))
    assert lists == [list(range(8))], "the end of the work is not waited past"
    lists = list(pump(giving(8, 0.02), threading.Event(), 3, gather=5.0))
    assert [len(some) for some in lists] == [3, 3, 2]
    assert next(pump(giving(2, 30.0), threading.Event(), 64, gather=0.1)) == [0]


def test_a_stop_is_noticed_while_items_are_gathered() -> None:
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        for some in pump(giving(2, 30.0), stop, 64, gather=20.0):
            assert some == [0]
    assert time.monotonic() - began < 5


def test_what_was_given_before_a_failure_is_delivered() -> None:
    def work(put: Callable[[Any], None]) -> None:
        put(1)
        raise ValueError("broken")

    got = []
    with pytest.raises(ValueError, match="broken"):
        for some in pump(work, threading.Event(), 64, gather=0.05):
            got += some
    assert got == [1]
