"""Any order of runs, edits, undos, redos and crashes: every text that we replaced or wrote can be brought back.

PROMPT_EXTEND_THOROUGH=1 tries hundreds of long sequences instead of some short ones.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lib_extend.captions.editing import with_tags
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.state import State
from lib_extend.errors import UserError
from lib_extend.files import caption_writing as writing
from lib_extend.jobs import edit_runs, tagging
from lib_extend.jobs import job_events as ev
from lib_extend.jobs import undo as undoing
from lib_extend.jobs.caption_history import restore, versions
from lib_extend.jobs.edit_runs import edit_captions, save_caption
from lib_extend.jobs.recovery import tidy
from lib_extend.jobs.tagging import TagJob
from lib_extend.jobs.undo import Undone, list_runs, undo
from lib_extend.jobs.verdict_runs import decide
from lib_extend.worker.protocol import Done, Failed, Ready, Setup, Task

from ..fake_worker import answer
from .conftest import images

PICTURES = ("cake3-red.png", "book1-blue.png", "hat2-green.png", "tea4-white.png")
CAPTIONS = tuple(p.replace(".png", ".txt") for p in PICTURES)
LINKED, TWICE = CAPTIONS[2], CAPTIONS[3]
"""A caption that is a link to a file in another folder, and one that has two names."""
THOROUGH = os.environ.get("PROMPT_EXTEND_THOROUGH") == "1"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A place whose disk takes no time."""
MAY_FORK = hasattr(os, "fork")

captions = st.sampled_from(CAPTIONS)
pictures = st.sampled_from(PICTURES)
thresholds = st.sampled_from([0.35, 0.6])
moments = st.sampled_from(["stage", "replace", "replaced", "rewrite", "settle", "settled"])
"""Where a process ends: before a file is staged or replaced, after it was replaced, in the midst of rewriting it,
before and after the journal is settled."""


class Answering:
    """The worker's client, without a process."""

    def start(self, setup: Setup, on_progress: object = None) -> Ready:
        return Ready("fake fake", "fake fake", "", threshold=0.35, character_threshold=0.85, window=8)

    def run(self, tasks: Iterable[Task]) -> Iterator[Done | Failed]:
        yield from map(answer, tasks)

    def stop(self) -> None: ...

    def close(self, timeout: float = 5.0) -> None: ...


def ended_at(moment: str, countdown: int) -> None:
    """From now on this process ends at a step of the journal, as if it were killed."""
    left = [countdown]

    def dying(function: Callable[..., Any], *, after: bool = False) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                return function(*args, **more)
            if after:
                function(*args, **more)
            os._exit(9)

        return call

    def half(file: int, data: bytes) -> None:
        left[0] -= 1
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, data if left[0] >= 0 else data[: len(data) // 2])
        if left[0] < 0:
            os._exit(9)
        os.ftruncate(file, len(data))

    if moment == "stage":
        writing.stage = dying(writing.stage)
    elif moment in ("replace", "replaced"):
        writing.replace = dying(writing.replace, after=moment == "replaced")
    elif moment == "rewrite":
        writing._overwrite = half
    else:
        State.settle_changes = dying(State.settle_changes, after=moment == "settled")  # type: ignore[method-assign]


class Captions(RuleBasedStateMachine):
    """A folder, and what must be true of it.

    Attributes:
        had: for each caption all texts that we have replaced or written. hand: those whose text a person wrote last.
        pure: nobody but us has touched a caption yet, and nothing was forced.
    """

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp(dir=MEMORY))
        self.root = self.top / "dataset"
        self.root.mkdir()
        self.data = Dataset(self.root)
        self.had: dict[str, set[bytes | None]] = {c: set() for c in CAPTIONS}
        self.hand: set[str] = set()
        self.originals: dict[str, bytes | None] = {}
        self.pure = True
        self.killed = False
        self.count = 0

    def teardown(self) -> None:
        try:
            self._all_can_be_restored()
        finally:
            shutil.rmtree(self.top)

    @initialize(own=st.sets(captions))
    def begin(self, own: set[str]) -> None:
        images(self.root, *PICTURES)
        other = self.top / "other"
        other.mkdir()
        for name in own | {LINKED, TWICE}:
            (self.root / name).write_bytes(f"own {name},  odd\r\n".encode())
        (self.root / LINKED).replace(other / LINKED)
        (self.root / LINKED).symlink_to(other / LINKED)
        os.link(self.root / TWICE, other / TWICE)
        self.originals = self.texts()

    # what is done

    @rule(threshold=thresholds)
    def tag(self, threshold: float) -> None:
        self.do(lambda: self.tagged(threshold), adds=True)

    @rule(threshold=thresholds, after=st.integers(1, 3))
    def tag_and_stop(self, threshold: float, after: int) -> None:
        self.do(lambda: self.tagged(threshold, after), adds=True)

    @rule()
    def preview(self) -> None:
        before = self.texts()
        self.do(lambda: list(self.job(0.35, dry_run=True).events()))
        assert self.texts() == before or self.killed

    @rule(picture=pictures)
    def replace_the_picture(self, picture: str) -> None:
        self.count += 1
        (self.root / picture).write_bytes(b"another picture " + b"!" * self.count)

    @rule(name=captions)
    def write_by_hand(self, name: str) -> None:
        self.count += 1
        (self.root / name).write_bytes(f"mine {self.count}\n".encode())
        self.by_hand(name)

    @rule(name=captions)
    def delete_by_hand(self, name: str) -> None:
        if name not in (LINKED, TWICE):
            (self.root / name).unlink(missing_ok=True)
            self.by_hand(name)

    @rule(some=st.sets(captions, min_size=1))
    def edit(self, some: set[str]) -> None:
        self.do(lambda: self.edited(some), adds=True)

    @rule(name=captions)
    def save(self, name: str) -> None:
        self.count += 1
        now = self.texts()[name]
        text = f"typed {self.count}"
        self.do(lambda: save_caption(self.data, name, text, (now or b"").decode()))

    @rule(picture=pictures, verdict=st.sampled_from(["accept", "reject", "lock", "withdraw"]))
    def judge(self, picture: str, verdict: str) -> None:
        thing = picture.split("-")[0][:-1]
        self.do(lambda: decide(self.data, picture, "color", thing, verdict, client=Answering), adds=True)

    @rule(force=st.sampled_from([False, False, False, True]))
    def undo_the_newest(self, force: bool) -> None:
        self.take_back(None, force)

    @rule(pick=st.integers(0, 9), force=st.sampled_from([False, False, True]))
    def undo_any(self, pick: int, force: bool) -> None:
        runs = list_runs(self.data)
        if runs:
            self.take_back(runs[pick % len(runs)].id, force)

    @rule()
    def redo(self) -> None:
        undos = [r.id for r in list_runs(self.data) if r.kind == "undo" and r.status != "undone"]
        if undos:
            self.take_back(undos[-1], False)

    @rule(name=captions, pick=st.integers(0, 9))
    def restore_any(self, name: str, pick: int) -> None:
        if self.had[name]:
            known = versions(self.data, name)
            wanted = known[pick % len(known)]
            self.pure = False
            self.do(lambda: restore(self.data, name, wanted.number))
            assert self.texts()[name] == wanted.text

    @precondition(lambda self: MAY_FORK)
    @rule(moment=moments, countdown=st.integers(0, 3), what=st.sampled_from(["tag", "edit", "undo", "redo"]))
    def kill(self, moment: str, countdown: int, what: str) -> None:
        undos = [r.id for r in list_runs(self.data) if r.kind == "undo" and r.status != "undone"]

        def work() -> None:
            ended_at(moment, countdown)
            if what == "tag":
                self.tagged(0.35 + self.count % 3 / 10)
            elif what == "edit":
                self.edited(set(CAPTIONS))
            else:
                undo(self.data, undos[-1] if what == "redo" and undos else None)

        self.do(work, apart=True)

    @rule()
    def open_in_the_page(self) -> None:
        self.do(lambda: tidy(self.data))

    @precondition(lambda self: self.pure)
    @rule()
    def undo_all(self) -> None:
        """Where only runs have written, undo after undo leads back to the first byte."""
        for _ in range(100):
            try:
                self.do(lambda: undo(self.data), raising=True)
            except UserError:
                break
        assert self.texts() == self.originals

    # what is true

    @invariant()
    def nothing_is_lost(self) -> None:
        for name, had in self.had.items():
            if had:
                known = {v.text for v in versions(self.data, name)}
                assert had <= known, (name, had - known)

    def _all_can_be_restored(self) -> None:
        for name, had in self.had.items():
            for text in had:
                number = next(v.number for v in versions(self.data, name) if v.text == text)
                restore(self.data, name, number)
                assert self.texts()[name] == text

    @invariant()
    def links_stay(self) -> None:
        if self.originals:
            assert (self.root / LINKED).is_symlink()
            twice = self.top / "other" / TWICE
            if (self.root / TWICE).exists():
                assert twice.samefile(self.root / TWICE)

    # helpers

    def texts(self) -> dict[str, bytes | None]:
        return {c: (self.root / c).read_bytes() if (self.root / c).exists() else None for c in CAPTIONS}

    def job(self, threshold: float, *, dry_run: bool = False) -> TagJob:
        config = TagConfig(tagger="fake", vlm="fake", threshold=threshold)
        return TagJob(self.data, config, dry_run=dry_run, client=Answering)

    def tagged(self, threshold: float, after: int = 0) -> None:
        job = self.job(threshold)
        for event in job.events():
            after -= isinstance(event, ev.Image)
            if after == 0 and isinstance(event, ev.Image):
                job.stop()

    def edited(self, some: set[str]) -> None:
        tag = f"edit {self.count}"
        self.count += 1
        edit_captions(self.data, sorted(some), lambda t, style: with_tags(t, [tag], style), {"tag": tag})

    def by_hand(self, name: str) -> None:
        self.hand.add(name)
        self.pure = False

    def do(
        self, work: Callable[[], object], *, apart: bool = False, raising: bool = False, adds: bool = False
    ) -> None:
        """Do something of ours, and note what it replaced and wrote."""
        before = self.texts()
        refusal = None
        if apart:
            child = os.fork()
            if not child:
                try:
                    work()
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            self.killed = True
            with self.data.state() as state:  # torn files are whole again from the next start on
                opened = {c.name: {c.before, c.after} for c in state.open_changes()}
            tidy(self.data)
            now = self.texts()
            for name, texts in opened.items():
                assert now[name] in texts, "whole, with the text from before or the new one"
        else:
            try:
                work()
            except UserError as e:
                refusal = e
            now = self.texts()
        assert not [*self.root.glob(".prompt-extend-*.tmp"), *(self.top / "other").glob("*.tmp")]
        for name, text in now.items():
            if text != before[name]:
                self.had[name] |= {before[name], text}
                self.hand.discard(name)
                mine = before[name] or b""
                if adds and mine.startswith((b"mine", b"typed")):
                    assert text is not None and mine.split(b",")[0].strip() in text, text
        if raising and refusal is not None:
            raise refusal

    def take_back(self, run: int | None, force: bool) -> None:
        before, hand = self.texts(), set(self.hand)
        done: list[Undone] = []
        self.pure = self.pure and not force
        self.do(lambda: done.append(undo(self.data, run, force=force)))
        now = self.texts()
        if not force:
            written = [name for name in hand if before[name] is not None]
            assert all(now[name] == before[name] for name in written), "an edit was overwritten without force"
        if not done:
            assert now == before
            return
        (report,) = done
        failed = {name for name, _ in report.failed}
        changed = {name for name in now if now[name] != before[name]}
        assert not failed & changed and not (force and failed)
        with self.data.state() as state:
            mine = [c for name in CAPTIONS for c in state.changes_of(name) if c.run == report.by]
        assert report.restored == len({c.name for c in mine}) >= len(changed)
        assert all(now[name] == [c.after for c in mine if c.name == name][-1] for name in changed)
        target = next(r for r in list_runs(self.data) if r.id == report.run)
        assert (target.status == "undone") == (not failed and not report.partly)


Captions.TestCase.settings = settings(
    max_examples=600 if THOROUGH else 15,
    stateful_step_count=40 if THOROUGH else 15,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


class TestHistory(Captions.TestCase):  # type: ignore[misc, name-defined]
    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (tagging, edit_runs, undoing):
            monkeypatch.setattr(module, "CHUNK", 2)
