"""Joining what threads ask of one model: who runs it, how much at once, and whose trouble an error is."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("torch")

from lib_extend.errors import ImageError
from lib_extend.models.vlms import batcher as module
from lib_extend.models.vlms.answering import alike
from lib_extend.models.vlms.batcher import Batcher


class Doubling:
    """A model that doubles numbers, one batch at a time, in memory for `room` of them."""

    def __init__(self, room: int = 1000) -> None:
        self.room = room
        self.batches: list[list[int]] = []
        self.refused: list[int] = []
        self._inside = threading.Lock()

    def __call__(self, jobs: Sequence[int]) -> list[int]:
        assert self._inside.acquire(blocking=False), "two threads in the model at once"
        try:
            time.sleep(0.01)
            if len(jobs) > self.room:
                self.refused.append(len(jobs))
                raise RuntimeError("CUDA error: out of memory")
            if 13 in jobs:
                raise ValueError("13 is no number")
            self.batches.append(list(jobs))
            return [2 * j for j in jobs]
        finally:
            self._inside.release()


def ask_all(batcher: Batcher[int, int], jobs: Sequence[int], threads: int) -> list[object]:
    def one(job: int) -> object:
        try:
            return batcher(job)
        except (ImageError, ValueError) as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, jobs))


def test_everyone_gets_their_own_result() -> None:
    model = Doubling()
    jobs = list(range(100, 180))
    assert ask_all(Batcher(model, most=5), jobs, 8) == [2 * j for j in jobs]
    assert sorted(j for b in model.batches for j in b) == jobs
    assert max(map(len, model.batches)) == 5
    # Eight threads ask again and again: nearly all batches are full.
    assert len(model.batches) <= 2 * len(jobs) / 5


def test_one_caller_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER", 30.0)
    batcher = Batcher(Doubling(), most=8)
    start = time.monotonic()
    assert [batcher(n) for n in range(5)] == [0, 2, 4, 6, 8]
    assert time.monotonic() - start < 10


def test_a_batch_waits_for_those_of_the_one_before_but_not_for_long() -> None:
    model = Doubling()
    batcher = Batcher(model, most=4)
    ask_all(batcher, range(40), 4)
    assert len(model.batches[-2]) >= 2
    start = time.monotonic()
    assert batcher(7) == 14
    assert time.monotonic() - start < 5
    assert batcher._expected == 1, "and then no more"


def test_out_of_memory_is_halved_until_it_fits_and_remembered() -> None:
    model = Doubling(room=2)
    batcher = Batcher(model, most=8)
    jobs = list(range(100, 140))
    assert ask_all(batcher, jobs, 8) == [2 * j for j in jobs]
    assert model.refused and batcher.largest is not None and batcher.largest <= 4
    refused = len(model.refused)
    assert refused <= 6, "a few attempts in all, not a few a batch"
    ask_all(batcher, jobs, 8)
    assert len(model.refused) <= refused + 2


def test_no_memory_for_one_is_that_ones_trouble() -> None:
    batcher = Batcher(Doubling(room=0), most=4)
    found = ask_all(batcher, range(2), 2)
    assert all(isinstance(f, ImageError) and "memory" in str(f) for f in found)


def test_an_error_is_that_of_the_job_that_caused_it() -> None:
    model = Doubling()
    found = ask_all(Batcher(model, most=6), [1, 13, 2, 3, 4, 5], 6)
    assert isinstance(found[1], ValueError)
    assert [f for i, f in enumerate(found) if i != 1] == [2, 4, 6, 8, 10]


def test_the_room_is_that_of_the_moment() -> None:
    model = Doubling()
    batcher = Batcher(model, most=8)
    batcher.room = lambda: 35
    gate = threading.Barrier(8)

    def one(job: int) -> int:
        gate.wait(10)
        return batcher(job, 10)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [2 * j for j in range(8)]
    assert max(map(len, model.batches)) <= 3, "3 × 10 fit into 35, 4 × 10 do not"


def test_an_interrupted_batch_leaves_nobody_waiting() -> None:
    inside, go = threading.Event(), threading.Event()

    def run(jobs: Sequence[int]) -> list[int]:
        inside.set()
        if jobs[0] == 0:
            go.wait(10)
            raise KeyboardInterrupt
        return list(jobs)

    batcher: Batcher[int, int] = Batcher(run, most=2)
    batcher._expected = 2
    errors: list[BaseException] = []

    def ask(job: int) -> None:
        try:
            batcher(job)
        except BaseException as error:  # noqa: BLE001 - it is what is looked at
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(0,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert inside.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(type(e).__name__ for e in errors) in (
        ["ImageError", "KeyboardInterrupt"],
        ["KeyboardInterrupt"] * 2,
    )
    assert batcher(5) == 5


def test_a_room_that_cannot_be_told_stops_nobody_for_good() -> None:
    batcher = Batcher(Doubling(), most=2)

    def gone() -> int:
        raise RuntimeError("the driver is gone")

    batcher.room = gone
    for _ in range(2):
        with pytest.raises(RuntimeError, match="driver"):
            batcher(1)
    batcher.room = lambda: None
    assert batcher(2) == 4 and not batcher._waiting


def test_groups_are_alike() -> None:
    assert alike([10, 3, 8, 5, 2], lambda n: n) == [[10, 8, 5], [3, 2]]
    assert alike([0, 0], lambda n: n) == [[0, 0]]
    assert alike([], len) == []
