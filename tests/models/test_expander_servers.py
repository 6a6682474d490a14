"""Expanders behind a server's `/completions`, and GGUF files that transformers cannot read."""

from __future__ import annotations

import http.server
import json
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extend.errors import ModelError
from lib_extend.expanding.expansion_request import Request, expanded, wish_of
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.expanders.text_drafting import write_texts
from lib_extend.models.expanders.text_sources import MARKS
from lib_extend.models.expanders.tipo import plan_of
from lib_extend.models.expanders.token_choice import draw, options_of, seeded
from lib_extend.models.model_loading import load_expander
from lib_extend.models.registry import SKETCH
from lib_extend.prompt_expansion import Given, Length, Sampling, Wanted, Wish, told_to_nobody
from lib_extend.sketch.vocabulary import COLORS
from tests.models.expander_gguf import convert

FOLDER = SKETCH / "expander"


def complete(model: LanguageModel, body: dict[str, Any]) -> dict[str, Any]:
    """What llama.cpp answers, with our own model."""
    import torch

    ids = model.encode(body["prompt"])
    sampling = Sampling(body["temperature"], body["top_p"], body["top_k"], body["min_p"])
    made: list[int] = []
    with torch.inference_mode():
        reader, randomness = model.reader(ids, 1), seeded(body["seed"])
        logits = reader.first()[0]
        while len(made) < body["n_predict"]:
            (options,) = options_of(logits[None], sampling)
            token = draw(options, sampling, randomness, {model.end} if body["ignore_eos"] else ())
            assert token is not None
            if token == model.end:
                break
            made.append(token)
            logits = reader.read([token], [0])[0]
    # a text that goes on begins with a space, as llama.cpp's does
    text = model.decode([*model.encode_within("a"), *made])[1:]
    reason = "length" if len(made) == body["n_predict"] else "stop"
    return {"choices": [{"text": text, "finish_reason": reason}]}


class Handler(http.server.BaseHTTPRequestHandler):
    model: LanguageModel
    bodies: list[dict[str, Any]]

    def log_message(self, *args: Any) -> None: ...

    def do_GET(self) -> None:
        self._send({"data": [{"id": "tipo.gguf"}]} if self.path == "/v1/models" else {"total_slots": 2})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            self._send({"tokens": self.model.tokenizer(body["content"], add_special_tokens=False).input_ids})
        elif len(body["prompt"]) > 6000:
            self._send({"error": {"message": "the request exceeds the available context size"}}, 400)
        else:
            self.bodies.append(body)
            self._send(complete(self.model, body))

    def _send(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    handler = type("Own", (Handler,), {"model": load(FOLDER, "cpu"), "bodies": []})
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}", handler.bodies
    made.shutdown()
    made.server_close()


def test_drafts_of_a_server_obey_the_same_rules(server: tuple[str, list[dict[str, Any]]]) -> None:
    url, bodies = server
    expander = load_expander(url)
    request = Request(
        url, "1girl, black hair, (cake:1.2)", Length.VERY_SHORT, drafts=2, ban=("*eyes",),
        sampling=Sampling(seed=5, temperature=0.8), force=("smile",),
    )  # fmt: skip
    drafts = expanded(expander, request)
    for draft in drafts:
        assert draft.text.startswith("1girl, black hair, (cake:1.2), smile, ")
        assert 6 <= len(draft.tags) + 3 <= 18 and len({*draft.tags}) == len(draft.tags)
        colors = {f"{color}_hair" for color in COLORS} - {"black_hair"}
        assert not {*draft.tags} & {*colors, "black_hair", "2girls", "1boy"}
        assert not [t for t in draft.tags if t.endswith("eyes") or "<" in t or ":" in t]
    assert bodies[0]["prompt"] == "target: <|very_short|>\ntag: 1girl, black hair, cake, smile,"
    assert all(b["prompt"].startswith(bodies[0]["prompt"]) for b in bodies[1:])
    assert [d.tags for d in expanded(expander, request)] == [d.tags for d in drafts]
    with pytest.raises(ModelError, match=r"refused the prompt \(400\).*exceeds the available context"):
        expander.expand(Wish(Given(general=tuple(f"tag_{i}" for i in range(900)))))


class Said:
    """A source with answers that were written down."""

    device, at_once = "cpu", 1

    def __init__(self, *answers: tuple[str, bool]) -> None:
        self.answers, self.prompts = list(answers), []  # type: ignore[var-annotated]

    def complete(self, prompt: str, *rest: Any) -> tuple[str, bool]:
        self.prompts.append(prompt)
        return self.answers.pop(0) if self.answers else ("", True)


def test_colons_new_lines_and_cut_ends() -> None:
    source = Said(
        (" re:zero, Blue Eyes, two\n", False),
        (" hats</s>", True),
        (" It says: note: a girl! She said 3.5 words. An unfin", False),
        ("\nrating: explicit", False),
    )
    wish = Wish(
        Given(people=("1girl",)), Length.VERY_SHORT, Wanted.BOTH, task="tag_to_long", forced=("a", "b")
    )
    draft = write_texts(source, plan_of(wish), wish, told_to_nobody)[0]
    assert draft.tags == ("a", "b", "re:zero", "blue_eyes", "two")
    assert source.prompts[1].endswith("tag: 1girl, a, b, re:zero, Blue Eyes, two\nlong:")
    assert draft.prose == "It says: note: a girl! She said 3.5 words."


def test_a_sentence_that_contradicts_is_asked_for_again() -> None:
    source = Said(
        (" She has red hair. It rains.", True), (" She has black hair. It", False), (" rains.\ntag: x", False)
    )
    request = Request("x", "1girl, black hair", Length.VERY_SHORT, Wanted.PROSE)
    wish = wish_of(request)
    draft = write_texts(source, plan_of(wish), wish, told_to_nobody)[0]
    assert (draft.prose, draft.redrawn) == ("She has black hair. rains.", 1)
    assert source.prompts == [
        source.prompts[0],
        source.prompts[0],
        f"{source.prompts[0]} She has black hair.",
    ]


def test_a_gguf_that_transformers_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = convert(FOLDER, tmp_path, architecture="something")
    with pytest.raises(ModelError, match=r"start `llama-server -m model\.gguf` .* or install xllamacpp"):
        load_expander(str(file))
    model = load(FOLDER, "cpu")

    class Parameters:
        model = types.SimpleNamespace(path="")
        n_ctx = n_gpu_layers = -1

    class Server:
        def __init__(self, parameters: Parameters) -> None:
            assert parameters.model.path == str(file) and parameters.n_ctx == 2048

        def handle_completions(self, body: dict[str, Any]) -> dict[str, Any]:
            return complete(model, body)

    double = types.ModuleType("xllamacpp")
    double.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    double.CommonParams, double.Server = Parameters, Server  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xllamacpp", double)
    draft = load_expander(str(file)).expand(Wish(Given(people=("1girl",)), Length.VERY_SHORT))[0]
    assert 6 <= len(draft.tags) + 1 <= 18


def test_no_server(server: tuple[str, list[dict[str, Any]]]) -> None:
    with pytest.raises(ModelError, match=r"No server answers at http://127\.0\.0\.1:9/v1"):
        load_expander("http://127.0.0.1:9")
    assert len(MARKS) == len({*MARKS})
