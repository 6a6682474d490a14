"""Real servers holding the sketch model: what the test server of `vlm_server.py` claims is true of them.

The same model asked in this process says what the answers and their probabilities should be.
"""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

pytest.importorskip("torch")

from lib_extend.models.vlms import api
from lib_extend.models.vlms.dialects import JSON_SCHEMA, PLAIN, Style
from lib_extend.models.vlms.loading import load_vlm
from lib_extend.models.vlms.server import ServerVlm
from lib_extend.records import Prompt, Reply
from lib_extend.sketch import vlm_questions as questions
from lib_extend.sketch.folder import draw_folder, read_truth
from lib_extend.sketch.scores import on_white
from lib_extend.sketch.vlm_loading import temperature
from lib_extend.sketch.vlm_model import CELL, MAX_PIXELS, MIN_PIXELS
from tests.models.real_servers import SKETCH, Running, llama_server, running, transformers_command

pytestmark = pytest.mark.slow

Asked = tuple[Image.Image, list[Prompt], list[str]]
"""A picture, what is asked about it, and the right answers."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    """Drawn scenes of sizes that no processor changes: how each resizes is not what is compared."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_folder(folder, 5, 977, namespace="test")
    made = []
    for row in read_truth(folder):
        asked = questions.examination(row, random.Random(0))
        prompts = [Prompt(a.text, tuple((c,) for c in questions.CHOICES[a.kind])) for a in asked]
        made.append((fitted(on_white(folder / row["file"])), prompts, [a.answer for a in asked]))
    return made


@pytest.fixture(scope="module")
def local(scenes: list[Asked]) -> list[list[Reply]]:
    """What the model answers in this process."""
    vlm = load_vlm(str(SKETCH), device="cpu")
    try:
        return [vlm.look(image).ask(prompts) for image, prompts, _ in scenes]
    finally:
        vlm.close()


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """`llama-server` and the arguments that give it the sketch model."""
    binary = llama_server()
    pytest.importorskip("gguf")
    from tests.models.sketch_gguf import convert

    text, mmproj = convert(SKETCH, tmp_path_factory.mktemp("gguf"))
    tokens = ["--image-min-tokens", "160", "--image-max-tokens", str(MAX_PIXELS // CELL**2)]
    return [
        binary,
        "-m",
        str(text),
        "--mmproj",
        str(mmproj),
        *tokens,
        "--alias",
        "sketch",
        "-t",
        "1",
        "-c",
        "4096",
    ]


@pytest.fixture(scope="module")
def llama(gguf: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running([*gguf, "-np", "2"], tmp_path_factory.mktemp("llama")) as server:
        yield server


def fitted(image: Image.Image) -> Image.Image:
    """`image` at whole cells, as many as the model's processor wants."""
    scale = (150_000 / (image.width * image.height)) ** 0.5
    size = tuple(max(1, round(side * scale / CELL)) * CELL for side in image.size)
    assert MIN_PIXELS <= size[0] * size[1] <= MAX_PIXELS
    return image.resize(size, Image.Resampling.BICUBIC)  # type: ignore[arg-type]


def connected(server: Running, **options: Any) -> ServerVlm:
    vlm = load_vlm(server.url, **options)
    assert isinstance(vlm, ServerVlm)
    return vlm


def cooled(probabilities: tuple[float, ...]) -> list[float]:
    """A server's probabilities at the temperature that the local model answers with."""
    powers = [p ** (1 / temperature(SKETCH)) for p in probabilities]
    return [p / sum(powers) for p in powers]


def as_url(image: Image.Image, kind: str) -> str:
    data = io.BytesIO()
    image.save(data, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def test_llama_server_answers_as_the_model_does_here(
    llama: Running, scenes: list[Asked], local: list[list[Reply]]
) -> None:
    vlm = connected(llama)
    assert "llama.cpp" in vlm.device and "sketch" in vlm.device
    right = asked = 0
    for (image, prompts, truth), expected in zip(scenes, local, strict=True):
        look = vlm.look(image)
        for reply, other, answer in zip(look.ask(prompts), expected, truth, strict=True):
            assert reply.raw == other.raw
            assert reply.probabilities is not None and other.probabilities is not None
            # The picture went as a JPEG.
            assert cooled(reply.probabilities) == pytest.approx(other.probabilities, abs=0.03)
            right += reply.raw == answer
            asked += 1
        look.close()
    vlm.close()
    assert asked > 80 and right / asked > 0.9


@pytest.mark.parametrize("style", [JSON_SCHEMA, PLAIN], ids=lambda style: style.name)
def test_llama_servers_other_ways_of_holding_an_answer(
    llama: Running, scenes: list[Asked], local: list[list[Reply]], style: Style
) -> None:
    vlm = connected(llama)
    vlm._styles = (style, PLAIN)
    image, prompts, _ = scenes[0]
    replies = vlm.look(image).ask(prompts)
    vlm.close()
    assert vlm._styles[0] is style, "it was neither refused nor passed over"
    for prompt, reply, other in zip(prompts, replies, local[0], strict=True):
        assert reply.raw in [c[0] for c in prompt.choices]
        # In an object the model, which has never written one, is not itself.
        if style is PLAIN:
            assert reply.raw == other.raw
            assert reply.probabilities is not None and other.probabilities is not None
            assert cooled(reply.probabilities) == pytest.approx(other.probabilities, abs=0.03)


def test_llama_server_says_a_word_of_its_own(llama: Running, scenes: list[Asked]) -> None:
    image, prompts, truth = scenes[0]
    vlm = connected(llama)
    colors = [i for i, p in enumerate(prompts) if "color" in p.text]
    replies = vlm.look(image).ask([Prompt(prompts[i].text, (), 8) for i in colors])
    vlm.close()
    said = [r.raw for r in replies]
    assert sum(a == truth[i] for a, i in zip(said, colors, strict=True)) >= len(colors) - 1
    assert all(r.probabilities is None for r in replies)


def test_a_picture_that_llama_server_does_not_know_reaches_it(
    llama: Running, scenes: list[Asked], local: list[list[Reply]]
) -> None:
    image, prompts, _ = scenes[1]
    data = io.BytesIO()
    image.save(data, "WEBP", lossless=True)
    content = [{"type": "image_url", "image_url": {"url": as_url(image, "WEBP")}}]
    body = {"messages": [{"role": "user", "content": content}], "max_tokens": 1}
    refusal = httpx.post(f"{llama.url}/chat/completions", json=body, timeout=30, trust_env=False)
    assert refusal.status_code == 400 and "Failed to load image" in refusal.text
    vlm = connected(llama)
    replies = vlm.look(Image.open(data)).ask(prompts)
    vlm.close()
    assert [r.raw for r in replies] == [r.raw for r in local[1]]


def test_transformers_serve_answers_as_the_model_does_here(
    scenes: list[Asked], local: list[list[Reply]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub").mkdir()  # it lists what is downloaded, and fails where nothing ever was
    offline = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [transformers_command(), "serve", str(SKETCH), "--device", "cpu", "--dtype", "float32"]
    calls: list[dict[str, Any]] = []
    chat = api.Api.chat

    def recorded(self: api.Api, body: Any) -> Any:
        calls.append(body)
        return chat(self, body)

    monkeypatch.setattr(api.Api, "chat", recorded)
    with running(command, tmp_path, offline) as server:
        vlm = connected(server, vlm_model=str(SKETCH))
        for (image, prompts, _), expected in list(zip(scenes, local, strict=True))[:2]:
            replies = vlm.look(image).ask(prompts)
            assert [r.raw for r in replies] == [r.raw for r in expected]
            assert all(r.probabilities is None for r in replies), "it gives none, whatever it is asked"
        vlm.close()
    asked = sum(len(prompts) for _, prompts, _ in scenes[:2])
    assert len(calls) == asked, "what it passes over is not asked for twice"
