"""The shipped sketch vision-language model, loaded as any other model is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from lib_extend.sketch import vlm_questions as questions  # noqa: E402
from lib_extend.sketch.folder import draw_folder, read_truth  # noqa: E402
from lib_extend.sketch.scenes import ASPECTS  # noqa: E402
from lib_extend.sketch.scores import on_white  # noqa: E402
from lib_extend.sketch.vlm_data import Lessons, Snippets, grid_of  # noqa: E402
from lib_extend.sketch.vlm_loading import load_model, load_processor  # noqa: E402
from lib_extend.sketch.vlm_model import CELL, MAX_PIXELS, MIN_PIXELS, make_config, save_model  # noqa: E402
from lib_extend.sketch.vlm_scores import Examiner, calibrate, evaluate_vlm  # noqa: E402
from lib_extend.sketch.vlm_tokenizer import build_tokenizer  # noqa: E402

SHIPPED = Path(questions.__file__).parent / "weights" / "vlm"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw_folder(folder, 20, 977, namespace="test")
    return folder


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the same layout with random weights, large enough that nothing is hidden by zeros."""
    from transformers import Qwen2VLForConditionalGeneration

    folder = tmp_path_factory.mktemp("blank")
    tokenizer = build_tokenizer(questions.corpus(), questions.answer_words(), 768)
    torch.manual_seed(0)
    model = Qwen2VLForConditionalGeneration(make_config(tokenizer.get_vocab_size()))
    for value in model.parameters():
        if value.dim() > 1:
            value.data.normal_(0, value.shape[-1] ** -0.5 if value.dim() == 2 else 0.05)
    save_model(model, tokenizer, folder)
    return folder


def test_the_folder_is_small_and_holds_no_pickle() -> None:
    files = [f for f in SHIPPED.iterdir() if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 8_000_000
    assert {f.suffix for f in files} <= {".json", ".safetensors"}
    settings = json.loads((SHIPPED / "config.json").read_text(encoding="utf-8"))
    assert settings["architectures"] == ["Qwen2VLForConditionalGeneration"]


def test_it_answers_about_pictures_it_has_never_seen(drawn: Path) -> None:
    scores = evaluate_vlm(SHIPPED, read_truth(drawn), drawn, packed=True)
    shares = {kind: right / asked for kind, (right, asked) in scores.accuracy().items()}
    assert shares["color"] >= 0.9, scores.table()
    assert shares["count"] >= 0.55, scores.table()
    assert min(shares["present"], shares["floor"], shares["door"]) >= 0.95, scores.table()
    assert scores.calibration_error() <= 0.1, scores.table()


def test_it_writes_one_word_and_stops(drawn: Path) -> None:
    processor, model = load_processor(SHIPPED), load_model(SHIPPED)
    row = next(r for r in read_truth(drawn) if r["counts"])
    name = next(iter(row["counts"]))
    content = [{"type": "image"}, {"type": "text", "text": questions.phrase("color", name)}]
    prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = processor(text=[prompt], images=[on_white(drawn / row["file"])], return_tensors="pt")
    with torch.inference_mode():
        out = model.generate(**inputs, max_new_tokens=8)
    said = processor.tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert said in questions.COLORS


def test_packed_questions_score_as_questions_asked_alone(blank: Path, drawn: Path) -> None:
    examiner = Examiner(blank)
    for row in read_truth(drawn)[:2]:
        image = on_white(drawn / row["file"])
        asked = questions.examination(row, random.Random(0))
        together = examiner.ask_packed(image, asked)[:4]
        for one, other in zip(together, examiner.ask(image, asked[:4]), strict=True):
            assert max(abs(a - b) for a, b in zip(one.logits, other.logits, strict=True)) < 1e-4


def test_a_temperature_is_stored_with_the_model(blank: Path, drawn: Path) -> None:
    heat = calibrate(blank, drawn)
    assert 0.3 <= heat <= 3.0
    assert json.loads((blank / "prompt_extend.json").read_text(encoding="utf-8"))["temperature"] == heat


TEXTS = ("", " ", "3 cakes", "naïve 世界 🍰👩‍👧", "\x00\x7f\t\r\n\n", "ẞ½\u200b\ufeff", "<|im_end|>")


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_can_be_encoded(text: str) -> None:
    tokenizer = load_processor(SHIPPED).tokenizer
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False).input_ids) == text


def test_every_answer_is_one_token() -> None:
    tokenizer = load_processor(SHIPPED).tokenizer
    for word in questions.answer_words():
        assert len(tokenizer(word, add_special_tokens=False).input_ids) == 1, word


def test_the_first_phrasings_are_those_of_the_built_in_questions() -> None:
    builtin = pytest.importorskip("lib_extend.questions.builtin")
    asks = {q.name: q.ask.replace("{answer}", "{object}") for q in builtin.BUILTIN}
    names = {"count": "count", "color": "color", "present": "furniture", "floor": "floor"}
    names |= {"material": "floor_material", "door": "door"}
    for kind, name in names.items():
        assert questions.TEMPLATES[kind][0] == asks[name]
    assert questions.FURNITURE == builtin.FURNITURE


def test_training_sizes_are_those_of_the_processor(blank: Path) -> None:
    from PIL import Image

    processor = load_processor(blank).image_processor
    for aspect in ASPECTS:
        for height in (150, 317, 900):
            size = round(height * aspect), height
            grid = processor(images=[Image.new("RGB", size)], return_tensors="pt")["image_grid_thw"][0]
            rows, columns = grid_of(*size)
            assert grid.tolist() == [1, 2 * rows, 2 * columns]
            assert MIN_PIXELS <= rows * columns * CELL * CELL <= 1.25 * MAX_PIXELS


def test_lessons_are_the_same_for_the_same_seed() -> None:
    tokenizer = build_tokenizer(questions.corpus(), questions.answer_words(), 768).to_str()
    for one, two in (
        (Lessons(tokenizer, 3, 9, batch=2, most=18)[4], Lessons(tokenizer, 3, 9, batch=2, most=18)[4]),
        (Snippets(3, 9)[4], Snippets(3, 9)[4]),
    ):
        assert all(torch.equal(one[name].nan_to_num(99), two[name].nan_to_num(99)) for name in one)
    assert not torch.equal(Snippets(3, 9)[4]["pixels"], Snippets(3, 9)[5]["pixels"])


@pytest.mark.slow
@pytest.mark.timeout(900)  # seconds on one processor, minutes on another
def test_training_is_reproducible(tmp_path: Path) -> None:
    from lib_extend.sketch.vlm_training import train_vlm

    lines: list[str] = []
    for name in ("one", "two"):
        train_vlm(tmp_path / name, seed=5, steps=3, report=lines.append)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two
    assert lines[-1] == "done after 3 steps"
    Examiner(tmp_path / "one")
