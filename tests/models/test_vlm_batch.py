"""Several pictures side by side: the logits of each alone, within memory, and what happens beyond it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from lib_extend.errors import ImageError  # noqa: E402
from lib_extend.models.vlms import batcher, prefix, tree  # noqa: E402
from lib_extend.models.vlms.local import LocalVlm  # noqa: E402
from lib_extend.models.vlms.plain import PlainLook  # noqa: E402
from lib_extend.models.vlms.prefix import PrefixEngine, PrefixLook  # noqa: E402
from lib_extend.records import Prompt, Reply  # noqa: E402
from tests.models import vlm_tiny  # noqa: E402
from tests.models.test_vlm_prefix import COUNTS, QUESTIONS, TOLERANCE, YES_NO, noise  # noqa: E402

SIZES = ((240, 90), (64, 200), (60, 60), (330, 280))
PICTURES = [noise(w, h, seed) for seed, (w, h) in enumerate(SIZES)]
"""Of 8 to 120 tokens each."""

PROMPTS = [
    [Prompt("How many cakes are in the image?", COUNTS), Prompt("What is in the image?", (), 5)],
    [Prompt(f"Is it the number {n}?", YES_NO) for n in range(9)],
    [Prompt("What color is the chair?", (), 3)],
    [Prompt("Is it red?", YES_NO), Prompt("How many chairs?", COUNTS)],
]


@pytest.fixture(scope="module", params=vlm_tiny.ARCHITECTURES)
def vlm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVlm]:
    if request.param not in vlm_tiny.available():
        pytest.skip(f"this transformers has no {request.param}")
    folder = vlm_tiny.build_folder(request.param, tmp_path_factory.mktemp(request.param))
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # faster for models as small as these
    vlm = LocalVlm(folder, device="cpu", batch=4)
    yield vlm
    vlm.close()
    torch.set_num_threads(before)


@pytest.fixture
def engine(vlm: LocalVlm) -> PrefixEngine:
    assert isinstance(vlm._engine, PrefixEngine)
    return vlm._engine


def difference(engine: PrefixEngine) -> list[float]:
    """Of each picture: the largest difference between logits side by side and of the model's own forward."""
    trunks = engine.encode([engine.prepare(p) for p in PICTURES])
    assert len({t.length for t in trunks}) == len(PICTURES)
    # Questions in turn, so that the rows have different numbers of tokens.
    parts = [QUESTIONS[i:] for i in range(len(PICTURES))]
    found = []
    for ours, picture, part in zip(engine.logits(trunks, parts), PICTURES, parts, strict=True):
        plain = PlainLook(engine, picture).logits(part)
        assert ours.shape == plain.shape and float(plain.abs().max()) > 1.0
        found.append(float((ours - plain).abs().max()))
    return found


def test_logits_side_by_side_equal_those_of_each_question_alone(engine: PrefixEngine) -> None:
    assert max(difference(engine)) <= TOLERANCE


def test_the_comparison_fails_when_the_filling_is_seen(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = PrefixEngine.grow

    def seeing(self: Any, cache: Any, ids: Any, places: Any, sees: Any) -> Any:
        sees = sees.clone()
        sees[:, :, : max(t.length for t in trunks)] = True
        return honest(self, cache, ids, places, sees)

    trunks = engine.encode([engine.prepare(p) for p in PICTURES])
    monkeypatch.setattr(PrefixEngine, "grow", seeing)
    found = difference(engine)
    assert found[-1] <= TOLERANCE, "the longest has none"
    assert min(found[:-1]) > 100 * TOLERANCE


def test_the_comparison_fails_when_rows_are_exchanged(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = tree.split
    monkeypatch.setattr(prefix, "split", lambda cache, lengths: honest(cache, lengths)[::-1])
    with pytest.raises((AssertionError, RuntimeError)):
        assert max(difference(engine)) <= 100 * TOLERANCE


def test_the_comparison_fails_with_the_positions_of_another_row(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = PrefixEngine.grow
    monkeypatch.setattr(
        PrefixEngine, "grow", lambda s, cache, ids, places, sees: honest(s, cache, ids, places[:1].expand_as(places), sees)
    )  # fmt: skip
    found = difference(engine)
    assert found[0] <= TOLERANCE < 100 * TOLERANCE < max(found[1:])


def test_small_chunks_side_by_side_give_the_same(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "CHUNK", 24)
    assert max(difference(engine)) <= TOLERANCE


def together(vlm: LocalVlm, pictures: Sequence[Image.Image], work: Callable[[Any, int], Any]) -> list[Any]:
    """What `work(look, index)` gives for each picture, all begun at the same moment; errors are results."""
    assert isinstance(vlm._engine, PrefixEngine)
    vlm._engine.batcher._expected = len(pictures)  # as after a batch of as many
    barrier = threading.Barrier(len(pictures))

    def one(i: int) -> Any:
        look = vlm.look(pictures[i])
        barrier.wait(10)
        try:
            return work(look, i)
        except ImageError as error:
            return error
        finally:
            look.close()

    with ThreadPoolExecutor(len(pictures)) as pool:
        return list(pool.map(one, range(len(pictures))))


def same(ours: Sequence[Reply], theirs: Sequence[Reply]) -> bool:
    return [r.raw for r in ours] == [r.raw for r in theirs] and all(
        a.probabilities == b.probabilities or a.probabilities == pytest.approx(b.probabilities, abs=1e-4)
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.fixture
def rows(engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """(rows, tokens) of each forward pass of the text model."""
    seen: list[tuple[int, int]] = []
    honest = PrefixEngine._call

    def watched(self: Any, part: Any, cache: Any, **given: Any) -> Any:
        seen.append(tuple(given["position_ids"].shape[1:]))
        return honest(self, part, cache, **given)

    monkeypatch.setattr(PrefixEngine, "_call", watched)
    return seen


def test_threads_that_ask_at_once_share_their_passes(
    fresh: LocalVlm, engine: PrefixEngine, rows: list[tuple[int, int]]
) -> None:
    # (That these are those of the plain way is shown elsewhere.)
    alone = [PrefixLook(engine, p).ask(asked) for p, asked in zip(PICTURES, PROMPTS, strict=True)]
    follow = [PrefixLook(engine, p).ask(PROMPTS[0]) for p in PICTURES]
    assert {r for r, _ in rows} == {1}
    rows.clear()

    def work(look: Any, i: int) -> Any:
        return look.ask(PROMPTS[i]), look.ask(PROMPTS[0])

    for i, (first, second) in enumerate(together(fresh, PICTURES, work)):
        assert same(first, alone[i])
        assert same(second, follow[i]), "a second round goes on behind the picture's own beginning"
    lengths = [len(engine.prepare(p).ids) for p in PICTURES]
    assert any(r > 1 and n in lengths for r, n in rows), "pictures of about one size are encoded in one pass"
    assert any(r == len(PICTURES) for r, _ in rows), "follow-up questions of all in one pass"


def test_one_picture_alone_runs_alone(vlm: LocalVlm, rows: list[tuple[int, int]]) -> None:
    engine = vlm._engine
    assert isinstance(engine, PrefixEngine)
    engine.batcher._expected = 1
    look = vlm.look(PICTURES[0])
    look.ask(PROMPTS[1])
    assert {r for r, _ in rows} == {1}


class Memory:
    """A text model with memory for `tokens` tokens a pass (rows × width) and no more."""

    def __init__(self, engine: PrefixEngine, tokens: int) -> None:
        self.tokens = tokens
        self.refused: list[tuple[int, int]] = []
        self._handle = engine._text.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, _: Any, args: Any, given: Any) -> None:
        rows, width = given["inputs_embeds"].shape[:2]
        if rows * width > self.tokens:
            self.refused.append((rows, width))
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")

    def __enter__(self) -> Memory:
        return self

    def __exit__(self, *_: Any) -> None:
        self._handle.remove()


@pytest.fixture
def fresh(vlm: LocalVlm, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalVlm]:
    """The model without what its batcher has learned."""
    assert isinstance(vlm._engine, PrefixEngine)
    monkeypatch.setattr(batcher, "LINGER", 1.0)  # a busy machine may wake threads late
    yield vlm
    vlm._engine.batcher.largest, vlm._engine.batcher._expected = None, 1


def test_out_of_memory_halves_the_batch_and_goes_on(fresh: LocalVlm, engine: PrefixEngine) -> None:
    alike = [noise(240, 90, seed) for seed in range(4)]
    prompts = [[Prompt("Is it red?", YES_NO)], [Prompt("How many?", COUNTS)]] * 2
    alone = [PrefixLook(engine, p).ask(asked) for p, asked in zip(alike, prompts, strict=True)]
    length = len(engine.prepare(alike[0]).ids)
    with Memory(engine, 2 * length) as memory:
        found = together(fresh, alike, lambda look, i: look.ask(prompts[i]))
        assert all(same(a, b) for a, b in zip(found, alone, strict=True))
        assert memory.refused and all(rows > 2 for rows, _ in memory.refused)
        assert engine.batcher.largest is not None
        tried = len(memory.refused)
        together(fresh, alike, lambda look, i: look.ask(prompts[i]))
        assert len(memory.refused) == tried, "what did not fit is not tried again"


def test_a_picture_too_large_fails_alone(fresh: LocalVlm, engine: PrefixEngine) -> None:
    pictures = [PICTURES[2], PICTURES[3], PICTURES[2]]
    large, small = (len(engine.prepare(p).ids) for p in (PICTURES[3], PICTURES[2]))
    with Memory(engine, large - 1) as memory:
        found = together(fresh, pictures, lambda look, _: look.ask(PROMPTS[2]))
        assert (1, large) in memory.refused and small < large // 2
    assert isinstance(found[1], ImageError) and "max_pixels" in str(found[1])
    alone = PrefixLook(engine, PICTURES[2]).ask(PROMPTS[2])
    assert same(found[0], alone) and same(found[2], alone)


def test_no_numbers_fail_one_picture_of_a_batch(
    fresh: LocalVlm, engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = PrefixEngine.encode
    bad = engine.prepare(PICTURES[1]).ids.shape

    def overflow(self: PrefixEngine, pictures: Any) -> Any:
        return [
            tree.Trunk(tuple((k * torch.nan, v) for k, v in t.layers), t.length, t.follow)
            if p.ids.shape == bad
            else t
            for p, t in zip(pictures, honest(self, pictures), strict=True)
        ]

    monkeypatch.setattr(PrefixEngine, "encode", overflow)
    found = together(fresh, PICTURES, lambda look, i: look.ask([Prompt("Is it red?", YES_NO)]))
    assert [isinstance(f, ImageError) for f in found] == [False, True, False, False]
    assert "no numbers" in str(found[1])


def test_batches_stay_within_the_room_there_is(fresh: LocalVlm, engine: PrefixEngine, rows: list[Any],
                                               monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    alike = [noise(240, 90, seed) for seed in range(4)]
    look = PrefixLook(engine, alike[0])
    size = prefix._Round(engine.asked(PROMPTS[2]), engine.prepare(alike[0]), None).size
    look.close()
    monkeypatch.setattr(engine.batcher, "room", lambda: 3 * size - 1)
    rows.clear()
    together(fresh, alike, lambda look, _: look.ask(PROMPTS[2]))
    assert max(r for r, _ in rows) == 2
    monkeypatch.setattr(engine.batcher, "room", lambda: 0)
    rows.clear()
    together(fresh, alike, lambda look, _: look.ask(PROMPTS[2]))
    assert {r for r, _ in rows} == {1}, "one is always tried"


def test_a_pipeline_batches_and_answers_as_one_by_one(tmp_path: Path) -> None:
    """Many pictures through the real pipeline, by the built-in model."""
    from lib_extend.analysis.making import Picture, Workplace
    from lib_extend.analysis.pipeline import Analysed, Pipeline
    from lib_extend.models.vlms.loading import load_vlm
    from lib_extend.parts.part_table import makers
    from lib_extend.questions.builtin import BUILTIN
    from lib_extend.records import Tag
    from lib_extend.sketch.folder import draw_folder, read_truth

    draw_folder(tmp_path, 6, 77, namespace="test")
    truth = read_truth(tmp_path)

    def run(batch: int) -> dict[str, Analysed]:
        vlm = load_vlm("sketch", device="cpu", offline=True, batch=batch)
        results: list[Any] = []
        finished = threading.Semaphore(0)

        def emit(result: Any) -> None:
            results.append(result)
            finished.release()

        pipeline = Pipeline(makers(Workplace(vlm=vlm, questions=BUILTIN)), emit, threads=2)
        for r in truth:
            known = {"tags": tuple(Tag(o) for o in r["colors"])}
            pipeline.submit(Picture(r["file"], str(tmp_path / r["file"]), frozenset(("answers",)), known))
        for _ in truth:
            assert finished.acquire(timeout=120)
        pipeline.close()
        vlm.close()
        return {r.id: r for r in results}

    one, many = run(1), run(3)
    for r in truth:
        ours, theirs = one[r["file"]].parts["answers"], many[r["file"]].parts["answers"]
        assert ours and theirs
        assert [(a.question, a.object, a.answer) for a in ours] == [
            (a.question, a.object, a.answer) for a in theirs
        ]
        assert [a.probability for a in ours] == pytest.approx([a.probability for a in theirs], abs=1e-3)
