"""A local server that speaks the dialects of the OpenAI-compatible vision-language servers, over real HTTP.

It has no model: a table says how likely each answer to a question is. What the real servers check is
checked here (parts of the message, the picture, known fields), and what they differ in differs here.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

Fault = Callable[[BaseHTTPRequestHandler], None]

OWNERS = {
    "vllm": "vllm",
    "old-vllm": "vllm",
    "sglang": "sglang",
    "llama.cpp": "llamacpp",
    "ollama": "library",
    "lm-studio": "organization_owner",
    "other": "someone",
}
CONSTRAINTS = {
    "vllm": {"structured_outputs"},
    "old-vllm": {"guided_choice"},
    "sglang": {"regex"},
    "llama.cpp": {"grammar", "response_format"},
    "ollama": {"response_format"},
    "lm-studio": {"response_format"},
    "other": set[str](),
}
ALL_CONSTRAINTS = set[str]().union(*CONSTRAINTS.values())


def status(code: int, message: str = "no", **headers: str) -> Fault:
    """A fault: an error reply; headers by their names with underscores."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        send(handler, code, {"error": {"message": message}}, named)

    return reply


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """A fault: the connection ends without a reply."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def silence(seconds: float) -> Fault:
    """A fault: nothing is said for a time, then the connection ends."""

    def wait(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        hang_up(handler)

    return wait


def endless(piece: bytes, pause: float = 0.0) -> Fault:
    """A fault: an answer that begins well and does not end. `pause`: seconds between its pieces."""

    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(b'{"choices": [{"message": {"content": "')
            while True:
                handler.wfile.write(piece)
                time.sleep(pause)

    return pour


def raw(body: bytes) -> Fault:
    """A fault: just these bytes."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def garbage(handler: BaseHTTPRequestHandler) -> None:
    """A fault: a reply of another protocol."""
    send(handler, 200, {"hello": "world"})


def send(
    handler: BaseHTTPRequestHandler, code: int, body: Any, headers: Mapping[str, str] | None = None
) -> None:
    data = json.dumps(body).encode()
    handler.send_response(code)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@dataclass
class VlmServer:
    """The server; use it as a context manager.

    Attributes:
        dialect: a key of `OWNERS`.
        answers: question (a part of it) → answer → probability.
        models: the names it lists. unlisted: one more that it takes. slots: those it tells of, if llama.cpp.
        loading: how often it says that it is. blind: its model takes no pictures. key: the API key it wants, "" for none.
        logprobs: gives them. refuses: fields answered with 400; other unknown constraints are ignored.
        thinks: says nothing within any number of tokens. reasoning: stands in the text before the answer, or where
            `apart` is a field's name in that field; with `echo` there is no answer besides. spaces: as many stand in an object. delay: seconds a reply takes.
        faults: what goes wrong with the next requests, one each. listing: what goes wrong with all lists of models.
        requests: the bodies of all chat requests. pictures: the pictures in them, decoded.
        most: requests under way at once, at the most.
    """

    dialect: str = "vllm"
    answers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    models: tuple[str, ...] = ("text-embed-1", "seer-2b")
    unlisted: str = ""
    slots: int = 4
    loading: int = 0
    blind: bool = False
    key: str = ""
    logprobs: bool = True
    refuses: frozenset[str] = frozenset()
    thinks: bool = False
    reasoning: str = ""
    apart: str = ""
    echo: bool = False
    spaces: int = 0
    delay: float = 0.0
    listing: Fault | None = None
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Image.Image] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most: int = 0

    def __enter__(self) -> VlmServer:
        outer = self
        self._lock, self._now = threading.Lock(), 0
        self._connections: list[socket.socket] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                outer._connections.append(self.connection)

            def do_GET(self) -> None:
                outer._get(self)

            def do_POST(self) -> None:
                outer._post(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in self._connections:  # those kept open for the next request
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def _let_in(self, handler: BaseHTTPRequestHandler) -> bool:
        self.headers.append(dict(handler.headers.items()))
        if self.key and handler.headers.get("Authorization") != f"Bearer {self.key}":
            send(handler, 401, {"error": {"message": "invalid key"}})
            return False
        return True

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        if not self._let_in(handler):
            return
        if self.loading:
            self.loading -= 1
            send(
                handler,
                503,
                {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
            )
            return
        if handler.path == "/props" and self.dialect == "llama.cpp":
            send(handler, 200, {"total_slots": self.slots, "modalities": {"vision": not self.blind}})
            return
        if self.listing is not None and handler.path == "/v1/models":
            self.listing(handler)
            return
        if handler.path != "/v1/models":
            send(handler, 404, {"error": {"message": "no such page"}})
            return
        rows = [{"id": m, "object": "model", "owned_by": OWNERS[self.dialect]} for m in self.models]
        send(handler, 200, {"object": "list", "data": rows})

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if not self._let_in(handler):
            return
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.requests.append(body)
            fault = self.faults.popleft() if self.faults else None
        try:
            if self.delay:
                time.sleep(self.delay)
            if fault:
                fault(handler)
            elif handler.path != "/v1/chat/completions":
                send(handler, 404, {"error": {"message": "no such page"}})
            else:
                code, reply = self._chat(body)
                send(handler, code, reply)
        finally:
            with self._lock:
                self._now -= 1

    def _chat(self, body: dict[str, Any]) -> tuple[int, Any]:
        if self.unlisted and body["model"] != self.unlisted:
            said = f"Server is pinned to '{self.unlisted}'; requested '{body['model']}'."
            return 400, {"detail": said}  # FastAPI's way
        if body["model"] not in (*self.models, self.unlisted):
            return 404, {"error": {"message": f"model {body['model']} not found"}}
        for name in self.refuses & body.keys():
            return 400, {"error": {"message": f"{name} is not supported"}}
        if self.blind:
            said = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
            return 500, {"error": {"code": 500, "message": said, "type": "server_error"}}
        parts = body["messages"][-1]["content"]
        if [p["type"] for p in parts] != ["image_url", "text"]:
            return 400, {"error": {"message": "image first, then text"}}
        kind, data = re.fullmatch(r"data:image/(\w+);base64,(.+)", parts[0]["image_url"]["url"]).groups()  # type: ignore[union-attr]
        if kind not in ("png", "jpeg", "bmp", "gif"):
            return 400, {"error": {"message": f"{kind} is no known picture format"}}
        picture = Image.open(io.BytesIO(base64.b64decode(data)))
        picture.load()
        with self._lock:
            self.pictures.append(picture)
        question = parts[1]["text"]
        table = next((t for q, t in self.answers.items() if q in question), {"I see a picture.": 1.0})
        return 200, self._complete(body, table)

    def _complete(self, body: dict[str, Any], table: Mapping[str, float]) -> Any:
        used = CONSTRAINTS[self.dialect] & body.keys()
        allowed, wrapped = _allowed(body, used)
        likely = max(allowed or table, key=lambda a: table.get(a, 0.0))
        tokens = _tokens(likely)
        if wrapped:
            tokens = ["{", *[" "] * self.spaces, '"', "answer", '":', ' "', *tokens, '"}']
        tokens = [] if self.echo else tokens
        before = _tokens(self.reasoning) if not self.apart else []
        tokens = [*before, *tokens]
        finish = "stop"
        if self.thinks or len(tokens) > body["max_tokens"]:
            finish, tokens = "length", [] if self.thinks else tokens[: body["max_tokens"]]
        apart = {self.apart: self.reasoning} if self.apart else {}
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(tokens), **apart},
            "finish_reason": finish,
        }
        if body.get("logprobs") and self.logprobs:
            choice["logprobs"] = {
                "content": _logprobs(
                    tokens, table, len(before) + (5 + self.spaces if wrapped else 0), body["top_logprobs"]
                )
            }
        return {"object": "chat.completion", "model": body["model"], "choices": [choice]}


def _allowed(body: dict[str, Any], used: set[str]) -> tuple[list[str], bool]:
    """The answers a request's constraint allows, and whether it wants them in an object."""
    if "structured_outputs" in used:
        return body["structured_outputs"]["choice"], False
    if "guided_choice" in used:
        return body["guided_choice"], False
    if "regex" in used:
        return [re.sub(r"\\(.)", r"\1", a) for a in body["regex"][1:-1].split("|")], False
    if "grammar" in used:
        rule = body["grammar"].removeprefix("root ::= ")
        return [json.loads(a) for a in rule.split(" | ")], False
    if "response_format" in used:
        schema = body["response_format"]["json_schema"]["schema"]
        assert schema["required"] == ["answer"]
        return schema["properties"]["answer"]["enum"], True
    return [], False


def _tokens(text: str) -> list[str]:
    """Digits one by one, words with the space before them, as Qwen's tokenizer splits."""
    return re.findall(r"\d| ?[^\W\d]+|\W", text)


def _logprobs(tokens: list[str], table: Mapping[str, float], start: int, top: int) -> list[Any]:
    """Log-probabilities as the table has them, for the answer's tokens from `start` on."""
    rows = []
    for i, token in enumerate(tokens):
        found = {token: 1.0}
        begun = tokens[start:i]
        if i >= start and token != '"}':
            ways = {a: p for a, p in table.items() if _tokens(a)[: len(begun)] == begun}
            total = sum(ways.values()) or 1.0
            found = {}
            for answer, p in ways.items():
                rest = _tokens(answer)[len(begun) :]
                first = rest[0] if rest else "<|im_end|>"
                found[first] = found.get(first, 0.0) + p / total
            found.setdefault(token, 1e-9)
        best = sorted(found.items(), key=lambda f: -f[1])[:top]
        logs = [{"token": t, "logprob": math.log(p)} for t, p in best]
        rows.append({"token": token, "logprob": math.log(found[token]), "top_logprobs": logs})
    return rows
