"""GitHub's releases and Civitai's models on 127.0.0.1, with what goes wrong between them and a user.

    with LoraServer() as server:
        server.release("owner/name", "V1", {"a.safetensors": data})
        server.model(123, "v1", {"a.safetensors": data})

Answers: `/repos/{repo}/releases` page by page with a Link header, `/api/v1/models/{id}`, and the files, by a
redirect to another host as both do, with ranges. `faults` says what goes wrong with a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import urllib.parse
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Fault:
    """`after`: bytes of the body after which the connection breaks, `times` often. `wrong`: so many
    bytes at the end are others. `status`: this answer instead. `page`: a web page instead. `no_range`, `unsized`: as they say."""

    after: int | None = None
    times: int = 1
    wrong: int = 0
    status: int | None = None
    page: bool = False
    no_range: bool = False
    unsized: bool = False


@dataclass
class LoraServer:
    """Attributes:
    pages: JSON by path. files: bytes by name. token: who may have files, "" is anybody. requests: what was asked.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    token: str = ""
    digests: bool = True
    page_size: int = 2
    requests: list[tuple[str, Message]] = field(default_factory=list)
    releases: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    models: dict[int, dict[str, Any]] = field(default_factory=dict)
    limited: bool = False

    def __enter__(self) -> LoraServer:
        state = self

        class Handler(_Handler):
            server_state = state

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def cdn(self) -> str:
        """Another host, for the client."""
        return f"http://localhost:{self._server.server_address[1]}/cdn"

    def release(self, repo: str, tag: str, files: dict[str, bytes], **more: Any) -> None:
        assets = []
        for name, data in files.items():
            self.files[f"{tag}/{name}"] = data
            digest = {"digest": f"sha256:{hashlib.sha256(data).hexdigest()}"} if self.digests else {}
            url = f"{self.url}/{repo}/releases/download/{urllib.parse.quote(tag)}/{urllib.parse.quote(name)}"
            assets.append(
                {
                    "name": name,
                    "size": len(data),
                    "state": "uploaded",
                    "browser_download_url": url,
                    **digest,
                    **more,
                }
            )
        self.releases.setdefault(repo, []).append(
            {"tag_name": tag, "name": f"Release {tag}", "assets": assets}
        )

    def model(self, number: int, version: str, files: dict[str, bytes], base: str = "Illustrious") -> None:
        entries = []
        for name, data in files.items():
            self.files[f"{version}/{name}"] = data
            entries.append(
                {
                    "name": name,
                    "type": "Model" if name.endswith(".safetensors") else "Training Data",
                    "sizeKB": len(data) / 1024,
                    "metadata": {"format": "SafeTensor"},
                    "hashes": {"SHA256": hashlib.sha256(data).hexdigest().upper(), "CRC32": "0"},
                    "downloadUrl": f"{self.url}/api/download/{version}/{urllib.parse.quote(name)}",
                    "primary": True,
                }
            )
        page = self.models.setdefault(
            number, {"id": number, "name": "A model", "type": "LORA", "modelVersions": []}
        )
        page["modelVersions"].insert(0, {"name": version, "baseModel": base, "files": entries})

    def downloads(self) -> list[Message]:
        """The headers of the requests for bytes."""
        return [headers for path, headers in self.requests if path.startswith("/cdn/")]


class _Handler(BaseHTTPRequestHandler):
    server_state: LoraServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        state = self.server_state
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        state.requests.append((path, self.headers))
        if state.limited:
            self._json({"message": "API rate limit exceeded"}, 403, {"X-RateLimit-Remaining": "0"})
        elif found := re.fullmatch(r"/repos/([^/]+/[^/]+)/releases", path):
            self._releases(found[1], int(dict(urllib.parse.parse_qsl(query)).get("page", 1)))
        elif found := re.fullmatch(r"/api/v1/models/(\d+)", path):
            page = state.models.get(int(found[1]))
            self._json(page or {"error": "No model with id"}, 200 if page else 404)
        elif found := re.fullmatch(r"/(?:[^/]+/[^/]+/releases|api)/download/(.+)", path):
            self._redirect(found[1])
        elif path.startswith("/cdn/"):
            self._file(path[len("/cdn/") :])
        elif path == "/portal":
            self._send(200, {"Content-Type": "text/html"}, b"<title>Log in</title>")
        else:
            self._json({"message": "Not Found"}, 404)

    def _releases(self, repo: str, page: int) -> None:
        releases = self.server_state.releases.get(repo)
        if releases is None:
            self._json({"message": "Not Found"}, 404)
            return
        size = self.server_state.page_size
        more = {}
        if page * size < len(releases):
            more["Link"] = (
                f'<{self.server_state.url}/repos/{repo}/releases?per_page=100&page={page + 1}>; rel="next"'
            )
        self._json(releases[(page - 1) * size : page * size], 200, more)

    def _redirect(self, name: str) -> None:
        state = self.server_state
        if state.token and self.headers.get("Authorization") != f"Bearer {state.token}":
            self._json({"error": "Unauthorized"}, 401)
        else:
            self._send(302, {"Location": f"{state.cdn}/{urllib.parse.quote(name)}?signature=1"})

    def _file(self, name: str) -> None:
        data, fault = self.server_state.files[name], self.server_state.faults.get(name, Fault())
        if fault.status is not None:
            self._json({}, fault.status)
            return
        if fault.page:
            self._send(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>")
            return
        if fault.wrong:
            data = data[: -fault.wrong] + bytes(255 - b for b in data[-fault.wrong :])
        start, status, headers = 0, 200, {"Content-Type": "application/octet-stream"}
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and not fault.no_range:
            start, status = int(asked[1]), 206
            if start >= len(data):
                self._send(416, {"Content-Range": f"bytes */{len(data)}"})
                return
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        broken = fault.after if fault.after is not None and fault.times > 0 else None
        fault.times -= broken is not None
        self._send(status, headers, data[start:], sent=broken, sized=not fault.unsized)

    def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self._send(status, {"Content-Type": "application/json", **(headers or {})}, body)

    def _send(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes = b"",
        *,
        sent: int | None = None,
        sized: bool = True,
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if sized:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body if sent is None else body[:sent])
            self.wfile.flush()
        if sent is not None or not sized:
            self.close_connection = True
