"""The pipeline with small models that implement the ports: order, batches, failures, questions, memory."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extend.analysis import answer_making
from lib_extend.analysis import pipeline as module
from lib_extend.analysis.answer_making import likely
from lib_extend.analysis.making import Picture, Workplace
from lib_extend.analysis.pipeline import Analysed, NotAnalysed, Outcome, Pipeline, explain
from lib_extend.errors import ModelError
from lib_extend.parts.part_table import makers
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Kind, Question
from lib_extend.records import SCORE_FLOOR, Category, Prompt, Reply, Source, Tag


@dataclass
class Tagger:
    """Tags a picture with `n<red>` of its first pixel; red 250 fails, alone or in a batch."""

    batch: int = 4
    seconds: float = 0.0
    side: int = 16
    key: str = "t"
    device: str = "CPU"
    threshold: float = 0.35
    character_threshold: float = 0.85
    tag_thresholds: dict[str, float] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    prepared: int = 0
    refuses: int = 250

    def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
        self.prepared += 1
        assert image.mode in ("RGB", "RGBA")
        return np.asarray(image.convert("RGB").resize((16, 16), Image.Resampling.NEAREST)).astype(np.float32)

    def tag(self, batch: Sequence[np.ndarray[Any, Any]], floor: float) -> list[list[Tag]]:
        assert floor == SCORE_FLOOR and 1 <= len(batch) <= self.batch
        self.sizes.append(len(batch))
        time.sleep(self.seconds)
        reds = [int(one[0, 0, 0]) for one in batch]
        if self.refuses in reds:
            raise RuntimeError("bad input\nand a long story")
        return [[Tag(f"n{r}", score=0.9), Tag("indoors", score=0.6), Tag("cake", score=0.2)] for r in reds]

    def close(self) -> None: ...


@dataclass
class Vlm:
    """Says yes to each yes/no question and `reply` to everything else; counts what is open."""

    pixels: int = 10_000
    parallel: int = 1
    reply: str = "2"
    key: str = "v"
    device: str = "CPU"
    seconds: float = 0.0
    fails: str = ""
    asked: list[list[str]] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def look(self, image: Image.Image) -> Look:
        with self.lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.sizes.append(image.size)
        return Look(self)

    def close(self) -> None: ...


@dataclass
class Look:
    vlm: Vlm

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        time.sleep(self.vlm.seconds)
        if self.vlm.fails:
            raise RuntimeError(self.vlm.fails)
        self.vlm.asked.append([p.text for p in prompts])
        return [Reply("yes" if "yes or no" in p.text else self.vlm.reply) for p in prompts]

    def close(self) -> None:
        with self.vlm.lock:
            self.vlm.open -= 1


class Runner:
    """Runs tasks through a pipeline and collects what it emits."""

    def __init__(self) -> None:
        self.results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.beats = 0
        self.pipelines: list[Pipeline] = []

    def make(
        self,
        tagger: Any,
        vlm: Any = None,
        questions: Sequence[Question] = (),
        threads: int | None = None,
        **options: Any,
    ) -> Pipeline:
        def beat() -> None:
            self.beats += 1

        workplace = Workplace(tagger=tagger, vlm=vlm, questions=questions, beat=beat, **options)
        pipeline = Pipeline(makers(workplace), self.results.put, threads=threads, beat=beat)
        self.pipelines.append(pipeline)
        return pipeline

    def __call__(self, tasks: Sequence[Picture], *args: Any, **options: Any) -> dict[str, Outcome]:
        pipeline = self.make(*args, **options)
        for task in tasks:
            pipeline.submit(task)
        got = [self.results.get(timeout=20) for _ in tasks]
        assert len({r.id for r in got}) == len(tasks) and self.results.empty()
        deadline = time.monotonic() + 5
        while pipeline.open and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pipeline.open == 0
        return {r.id: r for r in got}


@pytest.fixture
def run() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    for pipeline in runner.pipelines:
        pipeline.close()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    def make(
        red: int,
        size: tuple[int, int] = (40, 30),
        suffix: str = "png",
        parts: Sequence[str] = ("tags", "answers"),
        **known: Any,
    ) -> Picture:
        path = tmp_path / f"{red}.{suffix}"
        Image.new("RGB", size, (red, 0, 0)).save(path)
        return Picture(str(red), str(path), frozenset(parts), known)

    return make


MakePicture = Callable[..., Picture]


def done(result: Outcome) -> Analysed:
    assert isinstance(result, Analysed), result
    return result


def test_each_image_gets_its_own_tags(run: Runner, picture: MakePicture) -> None:
    tagger = Tagger(seconds=0.01)
    got = run([picture(i) for i in range(50)], tagger)
    for i in range(50):
        one = done(got[str(i)])
        assert one.parts["tags"][0].name == f"n{i}"
        assert (one.width, one.height, set(one.parts)) == (40, 30, {"tags"})
    assert max(tagger.sizes) == 4 and sum(tagger.sizes) == 50, "batches are filled"
    assert run.beats >= 50


def test_a_small_batch_is_not_kept_waiting(run: Runner, picture: MakePicture) -> None:
    tagger = Tagger(batch=32)
    began = time.monotonic()
    run([picture(1), picture(2), picture(3)], tagger)
    assert time.monotonic() - began < module.LINGER + 1.0
    assert max(tagger.sizes) <= 3


def test_inputs_of_different_shapes(run: Runner, picture: MakePicture) -> None:
    class Ragged(Tagger):
        def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
            red = image.convert("RGB").getpixel((0, 0))[0]
            return np.full((4 + red % 2, 4, 3), red, np.float32)

    got = run([picture(i) for i in range(12)], Ragged())
    assert all(done(got[str(i)]).parts["tags"][0].name == f"n{i}" for i in range(12))


def test_a_batch_fails_for_the_guilty_image_only(run: Runner, picture: MakePicture) -> None:
    got = run([picture(i) for i in (1, 2, 250, 3, 4, 5)], Tagger())
    assert isinstance(got["250"], NotAnalysed)
    assert got["250"].reason == "The tagger failed on 250.png (RuntimeError: bad input)."
    assert all(isinstance(got[i], Analysed) for i in "12345")


def test_bad_files_and_bugs(run: Runner, picture: MakePicture, tmp_path: Path) -> None:
    class Fragile(Tagger):
        def prepare(self, image: Image.Image) -> np.ndarray[Any, Any]:
            if image.size == (7, 7):
                raise ZeroDivisionError("seven")
            return super().prepare(image)

    empty, gone = picture(1), Picture("9", str(tmp_path / "nothing.png"), frozenset(("tags",)))
    Path(empty.path).write_bytes(b"")
    got = run([empty, picture(2, (7, 7)), picture(3), gone], Fragile())
    assert {k: r.reason for k, r in got.items() if isinstance(r, NotAnalysed)} == {
        "1": "1.png is empty (0 bytes): copy it again from where it came.",
        "2": "The picture could not be prepared on 2.png (ZeroDivisionError: seven).",
        "9": "nothing.png is gone: it was moved or deleted, put it back or leave it out.",
    }


def test_out_of_memory_has_its_mend() -> None:
    error = RuntimeError("CUDA out of memory. Tried to allocate")
    assert "--batch-size" in explain(error, "The tagger failed", "/a/b.png")
    assert "b.png" in explain(error, "The tagger failed", "/a/b.png")
    assert explain(ModelError("The server is gone."), "x", "y") == "The server is gone."


# --- questions


def test_questions_follow_tags_and_answers(run: Runner, picture: MakePicture) -> None:
    vlm = Vlm(reply="wooden")
    questions = [q for q in BUILTIN if q.group == "floor" or q.name == "floor"]
    got = done(run([picture(1)], Tagger(), vlm, questions)["1"])
    assert [(a.question, a.answer, a.tag) for a in got.parts["answers"]] == [
        ("floor", "yes", ""),
        ("floor_material", "wooden", "wooden_floor"),
    ]
    assert len(vlm.asked) == 2, "the material in a second round, on the same look"
    assert len(vlm.sizes) == 1 and vlm.open == 0


def test_which_tags_call_for_questions(run: Runner, picture: MakePicture) -> None:
    count = [q for q in BUILTIN if q.name == "count"]
    known = (Tag("cake", source=Source.HUMAN), Tag("apple", score=0.1))
    # The tagger's own `cake` has 0.2, too little; a person's has no score and is certain.
    assert done(run([picture(1)], Tagger(), Vlm(), count)["1"]).parts["answers"] == ()
    got = done(run([picture(2, tags=known)], Tagger(), Vlm(), count)["2"])
    assert [a.object for a in got.parts["answers"]] == ["cake"]
    got = done(run([picture(3)], Tagger(), Vlm(), count, question_threshold=0.15)["3"])
    assert [a.tag for a in got.parts["answers"]] == ["2_cakes"]
    assert likely([Tag("general", Category.RATING, 0.9), Tag("a", score=0.3), Tag("a", score=0.5)], 0.2) == {
        "a": 0.5
    }


def test_what_is_not_needed_is_not_done(run: Runner, picture: MakePicture) -> None:
    tagger, vlm = Tagger(), Vlm()
    count = [q for q in BUILTIN if q.name == "count"]
    cake = (Tag("cake", score=0.9),)
    got = run(
        [
            picture(1, parts=["tags"], tags=cake),
            picture(2, parts=["answers"], tags=cake),
            picture(3, parts=[]),
        ],
        tagger,
        vlm,
        count,
    )
    assert set(done(got["1"]).parts) == {"tags"} and done(got["1"]).parts["tags"]
    assert set(done(got["2"]).parts) == {"answers"} and len(done(got["2"]).parts["answers"]) == 1
    assert (done(got["3"]).width, done(got["3"]).parts) == (40, {})
    assert tagger.prepared == 1 and len(vlm.asked) == 1


def test_the_vlm_sees_no_more_pixels_than_are_of_use(run: Runner, picture: MakePicture) -> None:
    vlm = Vlm(pixels=10_000)
    cake = (Tag("cake"),)
    got = run([picture(1, (2000, 1000), "jpg", tags=cake)], Tagger(), vlm, BUILTIN)
    assert (done(got["1"]).width, done(got["1"]).height) == (2000, 1000)
    (width, height) = vlm.sizes[0]
    assert 40_000 <= width * height < 200_000


def test_a_failing_vlm(run: Runner, picture: MakePicture) -> None:
    cake = (Tag("cake"),)
    vlm = Vlm(fails="no CUDA today")
    one = done(run([picture(1, tags=cake)], Tagger(), vlm, BUILTIN)["1"])
    assert one.parts["tags"][0].name == "n1" and "answers" not in one.parts, "the tags are there all the same"
    assert one.unmade["answers"].reason == (
        "The questions could not be asked on 1.png (RuntimeError: no CUDA today)."
    )
    assert not one.unmade["answers"].everywhere
    assert vlm.open == 0


@pytest.mark.parametrize("parts", [("tags", "answers"), ("answers",)])
def test_a_model_without_eyes_is_named_alike_for_all_and_not_asked_for_ever(
    run: Runner, picture: MakePicture, parts: Sequence[str]
) -> None:
    vlm = Vlm(reply="I'm sorry, but there is no image.")
    got = run([picture(i, parts=parts, tags=(Tag("cake"),)) for i in range(12)], Tagger(), vlm, BUILTIN)
    (why,) = {done(one).unmade["answers"] for one in got.values()}
    assert why.everywhere and "“I'm sorry, but there is no image.”" in why.reason
    assert all(set(done(one).parts) == set(parts) - {"answers"} for one in got.values())
    assert len(vlm.sizes) == answer_making.BLIND


def test_a_thing_that_is_not_there_is_no_missing_picture(run: Runner, picture: MakePicture) -> None:
    vlm = Vlm(reply="There is no cake in the image.")
    count = [q for q in BUILTIN if q.name == "count"]
    got = done(run([picture(1, tags=(Tag("cake"),))], Tagger(), vlm, count)["1"])
    assert [a.answer for a in got.parts["answers"]] == ["0"] and not got.unmade


def test_questions_that_follow_one_another_for_ever(
    run: Runner, picture: MakePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = answer_making.next_round(BUILTIN, {"cake": 1.0}, [])
    monkeypatch.setattr(answer_making, "next_round", lambda *_: first)
    got = done(run([picture(1)], Tagger(), Vlm(), BUILTIN)["1"])
    assert "in a circle" in got.unmade["answers"].reason


def test_a_server_gets_several_images_at_once(run: Runner, picture: MakePicture) -> None:
    vlm = Vlm(parallel=4, seconds=0.05)
    free = [Question("mood", Kind.FREE, "What is the mood?", tag="{answer}")]
    run([picture(i) for i in range(16)], None, vlm, free)
    assert 2 <= vlm.most_open <= 4


# --- flow


def test_results_come_before_all_is_read(run: Runner, picture: MakePicture) -> None:
    pipeline = run.make(Tagger(seconds=0.01))
    for i in range(3):
        pipeline.submit(picture(i))
    assert run.results.get(timeout=5)
    pipeline.submit(picture(7))
    assert {run.results.get(timeout=5).id for _ in range(3)} >= {"7"}


def test_memory_is_bounded(run: Runner, picture: MakePicture) -> None:
    class Stuck(Tagger):
        def tag(self, batch: Sequence[np.ndarray[Any, Any]], floor: float) -> list[list[Tag]]:
            release.wait(20)
            return super().tag(batch, floor)

    release = threading.Event()
    tagger = Stuck(batch=2)
    pipeline = run.make(tagger, threads=3)
    tasks = [picture(i) for i in range(40)]
    for task in tasks:
        pipeline.submit(task)
    time.sleep(0.5)
    assert tagger.prepared <= 3 + 2 * 2
    release.set()
    assert len({run.results.get(timeout=5).id for _ in tasks}) == 40


def test_cancel_drops_what_is_left(run: Runner, picture: MakePicture) -> None:
    pipeline = run.make(Tagger(seconds=0.02, batch=1))
    for i in range(100):
        pipeline.submit(picture(i))
    run.results.get(timeout=5)
    pipeline.cancel()
    deadline = time.monotonic() + 5
    while pipeline.open and time.monotonic() < deadline:
        time.sleep(0.01)
    assert pipeline.open == 0
    while not run.results.empty():
        run.results.get()
    pipeline.submit(picture(200))
    assert run.results.get(timeout=5).id == "200"


def test_close_ends_every_thread(picture: MakePicture) -> None:
    before = threading.active_count()
    made = makers(Workplace(tagger=Tagger(), vlm=Vlm(), questions=BUILTIN))
    pipeline = Pipeline(made, lambda _: None, threads=3)
    for i in range(20):
        pipeline.submit(picture(i))
    pipeline.close()
    assert threading.active_count() == before
