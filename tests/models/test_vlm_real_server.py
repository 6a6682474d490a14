"""Real servers holding the sketch model: what the test server of `vlm_server.py` claims is true of them.

The same model asked in this process says what the answers and their probabilities should be.
"""

from __future__ import annotations

import base64
import io
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

pytest.importorskip("torch")

from lib_extend.errors import ImageError, ModelError
from lib_extend.models.vlms import api
from lib_extend.models.vlms.dialects import JSON_SCHEMA, PLAIN, Style
from lib_extend.models.vlms.loading import load_vlm
from lib_extend.models.vlms.server_model import ServerVlm
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
    draw_folder(folder, 4, 977, namespace="test")
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


class Calls:
    """What goes to servers: the replies, and how many requests were under way at once, at the most."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.replies: list[Any] = []
        self.most = self._now = 0
        chat, lock = api.Api.chat, threading.Lock()

        def counted(of: api.Api, body: Any) -> Any:
            with lock:
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                reply = chat(of, body)
            finally:
                with lock:
                    self._now -= 1
            self.replies.append(reply)
            return reply

        monkeypatch.setattr(api.Api, "chat", counted)


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
    assert asked > 60 and right / asked > 0.9


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


def test_every_picture_is_encoded_once_and_requests_keep_to_the_slots(
    llama: Running, scenes: list[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    vlm = connected(llama)
    assert vlm.parallel == 2, "as many as it was started with"

    def work(asked: Asked) -> None:
        image, prompts, _ = asked
        # Not the picture of an earlier test, which a slot may still hold.
        look = vlm.look(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        half = len(prompts) // 2
        look.ask(prompts[:half])
        look.ask(prompts[half:])

    with ThreadPoolExecutor(vlm.parallel) as pool:
        list(pool.map(work, scenes))
    vlm.close()
    assert calls.most == 2
    assert len(calls.replies) == sum(len(prompts) for _, prompts, _ in scenes)
    anew = [r for r in calls.replies if r["usage"]["prompt_tokens_details"]["cached_tokens"] < 100]
    assert len(anew) == len(scenes), "the others found the picture's 150 tokens and more in their slot"


def test_any_name_survives_llama_servers_grammar(llama: Running, scenes: list[Asked]) -> None:
    names = ('a "quoted" one', "c++ (or c|d)", "half.way\\", "ñandú 世界", "two\nlines", "[a-z]* ::= root")
    vlm = connected(llama)
    look = vlm.look(scenes[0][0])
    for name in names:
        (reply,) = look.ask([Prompt("Which?", ((name,),))])
        assert reply.raw == name
    assert vlm._styles[0].name == "grammar", "it refused none"
    vlm.close()


def test_a_question_too_long_for_llama_server_fails_the_image(llama: Running, scenes: list[Asked]) -> None:
    vlm = connected(llama)
    with pytest.raises(ImageError, match=r"refused the question \(400, .*exceeds the available context size"):
        vlm.look(scenes[0][0]).ask([Prompt("door " * 4000, (("yes",), ("no",)))])
    (reply,) = vlm.look(scenes[0][0]).ask([Prompt("Is there a door?", (("yes",), ("no",)))])
    assert reply.probabilities is not None, "the next is asked as before"
    vlm.close()


def test_a_llama_server_without_the_models_eyes(
    gguf: list[str], scenes: list[Asked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPT_EXTEND_API_KEY", "sesame")
    eyes = gguf.index("--mmproj")
    with running([*gguf[:eyes], *gguf[eyes + 2 :], "--api-key", "sesame"], tmp_path) as server:
        vlm = connected(server)
        with pytest.raises(ModelError, match=r"takes no pictures.*--mmproj"):
            vlm.look(scenes[0][0]).ask([Prompt("Is there a door?", (("yes",), ("no",)))])
        monkeypatch.setenv("PROMPT_EXTEND_API_KEY", "open")
        with pytest.raises(ModelError, match="wants another key"):
            connected(server)
        monkeypatch.setattr(api, "FIRST_PAUSE", 0.01)
        server.process.kill()
        server.process.wait(10)
        with pytest.raises(ImageError, match="cannot be reached any more"):
            vlm.look(scenes[0][0]).ask([Prompt("Is there a door?", (("yes",), ("no",)))])
        vlm.close()


def test_transformers_serve_answers_as_the_model_does_here(
    scenes: list[Asked], local: list[list[Reply]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    command = [transformers_command(), "serve", str(SKETCH), "--device", "cpu", "--dtype", "float32"]
    # It lists what was downloaded, not what it was started with, and fails where nothing ever was.
    nothing = {"HF_HOME": str(tmp_path / "none"), "HF_HUB_OFFLINE": "1"}
    with running(command, tmp_path, nothing) as server:
        with pytest.raises(ModelError, match="lists no models: 500"):
            connected(server)
        vlm = connected(server, vlm_model=str(SKETCH))
        for (image, prompts, _), expected in list(zip(scenes, local, strict=True))[:2]:
            replies = vlm.look(image).ask(prompts)
            assert [r.raw for r in replies] == [r.raw for r in expected]
            assert all(r.probabilities is None for r in replies), "it gives none, whatever it is asked"
        asked = sum(len(prompts) for _, prompts, _ in scenes[:2])
        assert len(calls.replies) == asked, "what it passes over is not asked for twice"
        vlm.close()
        vlm = connected(server, vlm_model="another")
        with pytest.raises(ModelError, match="does not take 'another'.*pinned"):
            vlm.look(scenes[0][0]).ask(scenes[0][1])
        vlm.close()
