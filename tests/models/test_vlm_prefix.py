"""The shared prefix gives the logits of asking each question alone, on every architecture it is made for.

Answers are not compared alone: with wrong positions the likeliest token often stays the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from lib_extend.models.vlms import answering, engines, prefix, tree  # noqa: E402
from lib_extend.models.vlms.local import LocalVlm  # noqa: E402
from lib_extend.models.vlms.plain import PlainLook, forget_positions  # noqa: E402
from lib_extend.models.vlms.prefix import PrefixEngine, PrefixLook  # noqa: E402
from lib_extend.records import Prompt  # noqa: E402
from tests.models import vlm_tiny  # noqa: E402

TOLERANCE = 1e-4
YES_NO = (("yes", "true"), ("no", "false"))
COUNTS = (("0", "none"), *((str(n),) for n in range(1, 13)))
QUESTIONS: list[tuple[str, tuple[int, ...]]] = [
    ("Is it red? Answer yes or no.", ()),
    ("How many cakes are in the image? Answer with one number.", ()),
    ("How many cakes are in the image? Answer with one number.", (40, 41, 42)),
    ("How many chairs?", ()),
    ("?", (9,)),
]


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


WIDE, TALL = noise(240, 90), noise(64, 200, seed=1)


@pytest.fixture(scope="module", params=vlm_tiny.ARCHITECTURES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if request.param not in vlm_tiny.available():
        pytest.skip(f"this transformers has no {request.param}")
    folder = vlm_tiny.build_folder(request.param, tmp_path_factory.mktemp(request.param))
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # faster for models as small as these
    vlm = LocalVlm(folder, device="cpu")
    yield vlm._engine
    vlm.close()
    torch.set_num_threads(before)


def difference(engine: PrefixEngine, image: Image.Image) -> float:
    ours = PrefixLook(engine, image).logits(QUESTIONS)
    plain = PlainLook(engine, image).logits(QUESTIONS)
    assert ours.shape == plain.shape and float(plain.abs().max()) > 1.0
    return float((ours - plain).abs().max())


@pytest.mark.parametrize("image", [WIDE, TALL], ids=["wide", "tall"])
def test_packed_logits_equal_those_of_each_question_alone(engine: PrefixEngine, image: Image.Image) -> None:
    assert isinstance(engine, PrefixEngine)
    assert difference(engine, image) <= TOLERANCE


def test_the_comparison_fails_without_the_position_offset(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = tree.positions

    def forgetful(ids: Any, *rest: int) -> tuple[Any, int]:
        return honest(ids, *rest)[0], ids.shape[0]  # the index in the cache instead of the position

    monkeypatch.setattr(prefix, "positions", forgetful)
    assert difference(engine, WIDE) > 100 * TOLERANCE


def test_the_comparison_fails_when_questions_see_each_other(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = PrefixEngine.grow

    def leaky(self: Any, cache: Any, ids: Any, places: Any, sees: Any) -> Any:
        return honest(self, cache, ids, places, torch.ones_like(sees).tril(sees.shape[1] - sees.shape[0]))

    monkeypatch.setattr(PrefixEngine, "grow", leaky)
    assert difference(engine, WIDE) > 100 * TOLERANCE


def test_positions_are_those_of_the_model(engine: PrefixEngine) -> None:
    inputs = engine.chat.inputs(WIDE, "Is it red?")
    ids, grid = inputs["input_ids"], inputs["image_grid_thw"]
    places, follow = tree.positions(
        ids[0], engine.model.config.image_token_id, int(grid[0, 1]) // 2, int(grid[0, 2]) // 2
    )
    inner = engine.model if hasattr(engine.model, "get_rope_index") else engine.model.model
    kinds = {"mm_token_type_ids": inputs["mm_token_type_ids"]} if "mm_token_type_ids" in inputs else {}
    theirs, delta = inner.get_rope_index(input_ids=ids, image_grid_thw=grid, **kinds)
    assert torch.equal(places, theirs[:, 0].long())
    assert follow == ids.shape[1] + int(delta)


def test_other_pictures_and_earlier_questions_leave_no_trace(engine: PrefixEngine) -> None:
    alone = PrefixLook(engine, WIDE).logits(QUESTIONS)
    look, other = PrefixLook(engine, WIDE), PrefixLook(engine, TALL)
    look.ask([Prompt("How many?", COUNTS), Prompt("What is it?", (), 4)])
    other.ask([Prompt("Is it?", YES_NO)])
    PlainLook(engine, TALL).logits(QUESTIONS[:1])  # leaves its own rope_deltas in the model
    assert float((look.logits(QUESTIONS) - alone).abs().max()) <= TOLERANCE
    assert float((look.logits(QUESTIONS[::-1]).flip(0) - alone).abs().max()) <= TOLERANCE
    forget_positions(engine.model)


class OldPart:
    """A part of a model with the signature of transformers 4.x."""

    def forward(self, position_ids: Any = None, past_key_values: Any = None, use_cache: Any = None,
                cache_position: Any = None) -> Any:  # fmt: skip
        self.got = past_key_values, cache_position.tolist()
        return SimpleNamespace(last_hidden_state="old")

    __call__ = forward


class NewPart:
    """With that of 5.40, which takes no `past_key_values` any more."""

    def forward(self, position_ids: Any = None, cache: Any = None, use_cache: Any = None) -> Any:
        self.got = cache
        return SimpleNamespace(last_hidden_state="new")

    __call__ = forward


def test_the_cache_goes_by_the_name_that_the_model_has(engine: PrefixEngine) -> None:
    from transformers import DynamicCache

    cache, places = DynamicCache(), torch.zeros((3, 1, 4), dtype=torch.long)
    old, new = OldPart(), NewPart()
    assert engine._call(old, cache, position_ids=places) == "old" and old.got == (cache, [0, 1, 2, 3])
    assert engine._call(new, cache, position_ids=places) == "new" and new.got is cache


def test_asking_warns_of_nothing(engine: PrefixEngine, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        look = engine.look(WIDE)
        look.ask([Prompt("How many?", COUNTS), Prompt("What is it?", (), 4)])
        PlainLook(engine, WIDE).ask([Prompt("How many?", COUNTS), Prompt("What is it?", (), 4)])
    assert capfd.readouterr().err == ""


def test_small_chunks_give_the_same(engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "CHUNK", 7)
    monkeypatch.setattr(prefix, "ROWS", 2)
    monkeypatch.setattr(answering, "ROWS", 2)
    assert difference(engine, WIDE) <= TOLERANCE


def test_replies_equal_the_plain_ones(engine: PrefixEngine) -> None:
    prompts = [
        Prompt("What is in the image?", (), 7),
        Prompt("Is it red? Answer yes or no.", YES_NO),
        Prompt("How many cakes are in the image?", COUNTS),
        Prompt("What color is the chair?", (), 3),
        Prompt("How many chairs are in the image?", COUNTS),
    ]
    look, plain = PrefixLook(engine, WIDE), PlainLook(engine, WIDE)
    for ours, theirs in zip(look.ask(prompts), plain.ask(prompts), strict=True):
        assert ours.raw == theirs.raw
        assert (ours.probabilities is None) == (theirs.probabilities is None)
        if ours.probabilities and theirs.probabilities:
            assert sum(ours.probabilities) == pytest.approx(1.0)
            assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-4)


def test_forward_passes_are_few(engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    honest = PrefixEngine._call

    def counted(self: Any, part: Any, cache: Any, **given: Any) -> Any:
        passes.append(given["position_ids"].shape[-1])
        return honest(self, part, cache, **given)

    monkeypatch.setattr(PrefixEngine, "_call", counted)
    look = PrefixLook(engine, WIDE)
    look.ask([Prompt(f"How many of number {n} are in it?", COUNTS) for n in range(20)])
    assert len(passes) == 3, "the picture, the questions, the answers of several tokens"
    passes.clear()
    prompts = [Prompt(f"Is it the number {n}?", (("1",), ("2",))) for n in range(5)]
    look.ask(prompts)
    # The leading space of " 1" is a token of its own: the second pass runs behind it.
    own = sum(len(engine.suffix(p.text)) + 1 for p in prompts)
    assert len(passes) == 2 and sum(passes) <= own, "a follow-up costs its own tokens and no picture"


def test_end_of_text_stops_decoding(engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = Prompt("What is in the image?", (), 6)
    full = PrefixLook(engine, WIDE)
    ids: list[list[int]] = []
    monkeypatch.setattr(engine.chat, "decode", lambda tokens: ids.append(list(tokens)) or "")
    full.ask([prompt])
    monkeypatch.setattr(engine, "ends", frozenset({ids[0][2]}))
    full.ask([prompt])
    assert ids[1] == ids[0][: ids[0].index(ids[0][2])]


def test_a_closed_look_answers_no_more(engine: PrefixEngine) -> None:
    look = PrefixLook(engine, WIDE)
    look.close()
    with pytest.raises(RuntimeError, match="closed"):
        look.ask([Prompt("Is it?", YES_NO)])


def test_a_pass_that_broke_off_spoils_nothing(engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    look = PrefixLook(engine, WIDE)
    before = look.logits(QUESTIONS)
    with monkeypatch.context() as m:
        m.setattr(engine, "head", lambda states: (_ for _ in ()).throw(RuntimeError("no memory")))
        with pytest.raises(RuntimeError, match="no memory"):
            look.logits(QUESTIONS)
    assert float((look.logits(QUESTIONS) - before).abs().max()) <= TOLERANCE


@pytest.mark.parametrize("attention", ["flash_attention_2", "flex_attention"])
def test_attention_without_masks_of_our_own_falls_back(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch, attention: str
) -> None:
    monkeypatch.setattr(engine.model.config, "_attn_implementation_internal", attention)
    chosen, way = engines.choose_engine(engine.model, engine.chat, 1.0)
    assert not isinstance(chosen, PrefixEngine)
    assert "one question at a time" in way and attention in way


def test_a_template_with_the_question_first_falls_back(
    engine: PrefixEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = "<|im_start|>user\n{}<|vision_start|><|image_pad|><|vision_end|><|im_end|>\n"
    monkeypatch.setattr(engine.chat, "render", turned.format)
    assert "before the picture" in engines.obstacle(engine.model, engine.chat)


def test_the_folder_is_written_as_published(tmp_path: Path) -> None:
    folder = vlm_tiny.build_folder("qwen2_vl", tmp_path / "m")
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {f.name for f in folder.iterdir()}
