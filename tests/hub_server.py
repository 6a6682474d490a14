"""A hub on 127.0.0.1 that speaks the hub's protocol to the real huggingface_hub client.

    with HubServer() as hub:
        hub.add("owner/name", {"model.onnx": b"…", "selected_tags.csv": b"…"})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)

What it answers: HEAD and GET of `/{repo}/resolve/{revision}/{path}` with ETag, X-Repo-Commit and for large files
(LFS: *.onnx, *.safetensors) X-Linked-Etag, X-Linked-Size and a redirect to another host, else a relative redirect
into a cache; GET with Range; `/api/models/{repo}/revision/{revision}`; refusals with X-Error-Code. `faults` says
what goes wrong with which file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

LFS = (".onnx", ".safetensors", ".bin")
CHUNK = 64 * 1024


@dataclass
class Fault:
    """What goes wrong when a file's bytes are sent.

    Attributes:
        after: bytes of an answer after which the connection breaks.
        times: how often; after that all is well.
        reset: the connection is reset, else ended.
        wrong: the bytes are others, of the same number.
        status: the answer is this HTTP status instead.
        no_range: the server sends the whole file whatever was asked for.
        unsized: nothing says how large the file is.
        slow: seconds between two pieces of 64 KiB.
    """

    after: int | None = None
    times: int = 1
    reset: bool = False
    wrong: bool = False
    status: int | None = None
    no_range: bool = False
    unsized: bool = False
    slow: float = 0.0


@dataclass
class Repo:
    files: dict[str, bytes]
    gated: bool = False
    private: bool = False

    @property
    def commit(self) -> str:
        state = hashlib.sha1(usedforsecurity=False)
        for path, content in sorted(self.files.items()):
            state.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
        return state.hexdigest()


@dataclass
class Request:
    method: str
    path: str
    headers: Message

    @property
    def range(self) -> int:
        """First byte asked for."""
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0


@dataclass
class HubServer:
    """Attributes:
    repos: what there is. faults: by path within a repository. token: who may read gated repositories.
    requests: everything asked so far. etag: sent instead of every large file's own.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    token: str = "hf_good"
    etag: str = ""
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> HubServer:
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cdn(self) -> str:
        """Another host, for the client."""
        return f"http://localhost:{self.port}/cdn"

    def add(self, name: str, files: dict[str, bytes], *, gated: bool = False, private: bool = False) -> Repo:
        self.repos[name] = Repo(dict(files), gated, private)
        return self.repos[name]

    def downloads(self) -> list[Request]:
        """The GETs of files' bytes, redirects not counted."""
        return [
            r
            for r in self.requests
            if r.method == "GET" and r.path.startswith(("/cdn/", "/api/resolve-cache/"))
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none."""


class _Handler(BaseHTTPRequestHandler):
    server_state: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        self.server_state.requests.append(Request(self.command, path, self.headers))
        for pattern, method in (
            (r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", self._info),
            (r"/api/resolve-cache/models/([^/]+/[^/]+)/([^/]+)/(.+)", self._bytes),
            (r"/cdn/([^/]+/[^/]+)/([^/]+)/(.+)", self._bytes),
            (r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._resolve),
        ):
            found = re.fullmatch(pattern, path)
            if found:
                method(*found.groups())
                return
        if path.startswith("/portal/"):
            self._send(200, {"Content-Type": "text/html"}, b"<title>Log in</title>")
        else:
            self._refuse(404, "", "no such page")

    def _repo(self, name: str, revision: str) -> Repo | None:
        """The repository, if it is there and the client may see it; otherwise the refusal is sent."""
        repo = self.server_state.repos.get(name)
        known = self.headers.get("Authorization") == f"Bearer {self.server_state.token}"
        if repo is None or (repo.private and not known):
            # The hub tells strangers that they are strangers, not what there is.
            self._refuse(404 if known else 401, "RepoNotFound", "Repository not found")
        elif repo.gated and not known:
            stranger = not self.headers.get("Authorization")
            self._refuse(401 if stranger else 403, "GatedRepo", f"Access to model {name} is restricted.")
        elif revision not in ("main", repo.commit):
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return repo
        return None

    def _info(self, name: str, revision: str | None) -> None:
        repo = self._repo(name, revision or "main")
        if repo is None:
            return
        siblings = [{"rfilename": path} for path in sorted(repo.files)]
        body = {"_id": "1", "id": name, "modelId": name, "sha": repo.commit, "siblings": siblings, "tags": []}
        self._send(200, {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _resolve(self, name: str, revision: str, path: str) -> None:
        repo = self._repo(name, revision)
        if repo is None:
            return
        headers = {"X-Repo-Commit": repo.commit}
        if path not in repo.files:
            self._refuse(404, "EntryNotFound", "Entry not found", headers)
            return
        content = repo.files[path]
        quoted = urllib.parse.quote(path)
        if path.endswith(LFS):
            headers["X-Linked-Etag"] = f'"{self.server_state.etag or hashlib.sha256(content).hexdigest()}"'
            if not self._fault(path).unsized:
                headers["X-Linked-Size"] = str(len(content))
            headers["Location"] = f"{self.server_state.cdn}/{name}/{repo.commit}/{quoted}?Signature=secret"
            self._send(302, headers)
        else:
            headers["Location"] = f"/api/resolve-cache/models/{name}/{repo.commit}/{quoted}"
            self._send(307, headers)

    def _fault(self, path: str) -> Fault:
        return self.server_state.faults.get(path, Fault())

    def _bytes(self, name: str, revision: str, path: str) -> None:
        repo = self.server_state.repos[name]
        content, fault = repo.files[path], self._fault(path)
        name_in_git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{name_in_git}"', "X-Repo-Commit": repo.commit, "Accept-Ranges": "bytes"}
        if fault.status is not None and fault.times > 0:
            fault.times -= 1
            self._refuse(fault.status, "", "")
            return
        if fault.wrong and fault.times > 0:
            fault.times -= self.command == "GET"
            content = bytes(255 - b for b in content)
        start, status = 0, 200
        if self.headers.get("Range") and not fault.no_range:
            start, status = Request(self.command, "", self.headers).range, 206
            if start >= len(content):
                self._send(416, {"Content-Range": f"bytes */{len(content)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        broken = fault.after if fault.times > 0 and self.command == "GET" else None
        if broken is None:
            self._send(status, headers, content[start:], pause=fault.slow)
            return
        fault.times -= 1
        self._send(status, headers, content[start:], sent=broken)
        if fault.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _refuse(self, status: int, code: str, message: str, more: dict[str, str] | None = None) -> None:
        headers = dict(more or {})
        if code:
            headers |= {"X-Error-Code": code, "X-Error-Message": message}
        body = json.dumps({"error": message}).encode()
        self._send(status, headers | {"Content-Type": "application/json"}, body)

    def _send(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        sent: int | None = None,
        pause: float = 0.0,
    ) -> None:
        """`sent`: how much of the body really goes out."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = body if sent is None else body[:sent]
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(body), CHUNK):
                self.wfile.write(body[start : start + CHUNK])
                time.sleep(pause)
            self.wfile.flush()
