"""Requests to a model server: keys, retries with back-off, and each failure as one sentence."""

from __future__ import annotations

import contextlib
import email.utils
import ipaddress
import os
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lib_extend.errors import ImageError, ModelError
from lib_extend.files import outside_json

ATTEMPTS = 5
"""Times a request is made before it is given up."""

SLOW_ATTEMPTS = 2
"""Of these, times that may end in a timeout."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Seconds; the pause doubles each time unless the server says how long to wait (`Retry-After`)."""

CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 180.0

MOST_BYTES = 16_000_000
"""Bytes of an answer at the most. A long one with all its alternatives has one million."""

LOADING_SECONDS = 120.0
"""How long a server is waited for that says it is loading its model, with status 503."""

BLIND = "image input is not supported"
"""What llama.cpp says, with status 500, of a model that was loaded without its eyes."""

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may pass."""


class Refused(Exception):
    """The server understood and declined: status 400, 415, 422 or 501, with its own words."""


class Endless(Exception):
    """An answer that is longer than any real one, or does not come to its end in time."""


@dataclass(frozen=True)
class Received:
    """An answer that is here: `headers` by their names in lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Its value. Raises ValueError."""
        return outside_json.loads(self.content)


class Api:
    """The `/v1` of a server.

    Attributes:
        base: its URL, without a slash at the end.
    """

    def __init__(self, url: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Raises ModelError for a URL that is none."""
        import httpx

        self.base = normal_url(url)
        self._closed = threading.Event()
        self._answer_seconds = answer_seconds
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if (key := api_key(self.base)) else {},
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            # A proxy set up for the web does not know this machine's own servers.
            trust_env=not is_local(self.base),
        )

    def close(self) -> None:
        """Closes the connections; requests under way fail at once instead of being tried again."""
        self._closed.set()
        self._client.close()

    def models(self, *, needed: bool = True) -> tuple[list[Mapping[str, Any]], Mapping[str, str]]:
        """The server's models as it lists them (none where it keeps no list) and its headers.

        One that is loading its model is waited for, for `LOADING_SECONDS`.

        Args:
            needed: the list is, too; otherwise a server that fails to make one is said to keep none.

        Raises ModelError when it cannot be reached or lets nobody in.
        """
        until = time.monotonic() + LOADING_SECONDS
        while _loading(response := self._list()) and time.monotonic() < until:
            if self._closed.wait(_retry_after(response.headers.get("retry-after")) or FIRST_PAUSE):
                break
        self._let_in(response)
        if response.status_code in (404, 405, 501) or (response.status_code == 500 and not needed):
            return [], response.headers
        if response.status_code != 200:
            raise ModelError(
                f"The server at {self.base} lists no models: {_said(response)}.",
                code="server_no_list",
                server=self.base,
            )
        try:
            rows = response.json()["data"]
            return [row for row in rows or () if isinstance(row, dict) and "id" in row], response.headers
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"What answers at {self.base} is no OpenAI-compatible server: is the address right, with /v1?",
                code="server_no_api",
                server=self.base,
            ) from error

    def _receive(self, method: str, url: str, seconds: float, **request: Any) -> Received:
        """The whole answer to a request.

        Args:
            seconds: it may take, connecting aside: until its first byte, between two, and to its end.

        Raises httpx's errors, and Endless.
        """
        import httpx

        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        # Uncompressed, so that few bytes cannot become many.
        headers = {"Accept-Encoding": "identity"}
        data = bytearray()
        with self._client.stream(method, url, timeout=timeout, headers=headers, **request) as response:
            until = time.monotonic() + seconds
            for piece in response.iter_bytes():
                data += piece
                if len(data) > MOST_BYTES:
                    raise Endless(f"an answer of more than {MOST_BYTES / 1e6:g} MB")
                if time.monotonic() > until or self._closed.is_set():
                    raise Endless(f"an answer that did not end within {seconds:g} s")
            return Received(response.status_code, dict(response.headers), bytes(data))

    def _list(self) -> Received:
        """The server's reply to the question for its models. Raises ModelError where there is none."""
        import httpx

        try:
            return self._receive("GET", f"{self.base}/models", CONNECT_SECONDS)
        except Endless as error:
            raise ModelError(
                f"What answers at {self.base} sends {error}: it is no OpenAI-compatible server; is the address right, "
                "with /v1?",
                code="server_no_api",
                server=self.base,
            ) from error
        except httpx.TimeoutException as error:
            raise ModelError(
                f"The server at {self.base} does not answer within {CONNECT_SECONDS:g} s.",
                code="server_unreachable",
                server=self.base,
            ) from error
        except httpx.HTTPError as error:
            raise ModelError(
                f"No server answers at {self.base} ({_why(error)}): start it, or check the address and the port.",
                code="server_unreachable",
                server=self.base,
            ) from error

    def slots(self) -> int:
        """How many prompts the server works on at once, each in a slot of its own; 0 where it does not say."""
        import httpx

        with contextlib.suppress(httpx.HTTPError, Endless, ValueError, KeyError, TypeError, OverflowError):
            root = self.base.removesuffix("/v1")
            props = self._receive("GET", f"{root}/props", CONNECT_SECONDS).json()
            return max(0, int(props["total_slots"]))
        return 0

    def chat(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The reply to a chat completion, tried again while the trouble may pass.

        Raises:
            Refused: the server declined the request as it stands.
            ModelError: no request will succeed (key, model).
            ImageError: this one did not.
        """
        import httpx

        slow = 0
        for attempt in range(1, ATTEMPTS + 1):
            wait: float | None = None
            try:
                response = self._receive(
                    "POST", f"{self.base}/chat/completions", self._answer_seconds, json=body
                )
            except Endless as error:
                raise ImageError(
                    f"The server at {self.base} sent {error}: lower its limit of tokens, or take another model.",
                    code="answer_endless",
                    server=self.base,
                ) from error
            except httpx.TimeoutException as error:
                slow += 1
                trouble = "did not answer in time"
                if slow >= SLOW_ATTEMPTS:
                    raise ImageError(
                        f"The server at {self.base} {trouble}, {slow} times: it may be overloaded, or the model too "
                        "large for it.",
                        code="server_slow",
                        server=self.base,
                    ) from error
            except httpx.HTTPError as error:
                trouble = f"cannot be reached any more ({_why(error)})"
            else:
                if response.status_code not in BUSY or BLIND in response.text:
                    return self._read(response)
                wait = _retry_after(response.headers.get("retry-after"))
                trouble = f"is busy or out of order: {_said(response)}"
            if attempt < ATTEMPTS and self._closed.wait(_pause(attempt) if wait is None else wait):
                break
        raise ImageError(
            f"The server at {self.base} {trouble}; tried {ATTEMPTS} times.",
            code="server_busy",
            server=self.base,
        )

    def _read(self, response: Received) -> Mapping[str, Any]:
        self._let_in(response)
        if response.status_code != 200 and BLIND in response.text:
            raise ModelError(
                f"The model of the server at {self.base} takes no pictures: start it with its vision part (llama.cpp: "
                "--mmproj).",
                code="model_blind",
                server=self.base,
            )
        if response.status_code in (400, 415, 422, 501):
            raise Refused(_said(response))
        if response.status_code == 404:
            raise ModelError(
                f"The server at {self.base} has no such model or no chat: {_said(response)}.",
                code="server_no_model",
                server=self.base,
            )
        if response.status_code == 413:
            raise ImageError(
                f"The picture is too large for the server at {self.base}: lower max_pixels.",
                code="picture_too_large",
                server=self.base,
            )
        if response.status_code != 200:
            raise ImageError(
                f"The server at {self.base} failed: {_said(response)}.",
                code="server_failed",
                server=self.base,
            )
        try:
            reply: Mapping[str, Any] = response.json()
            if not isinstance(reply["choices"][0]["message"], dict):
                raise TypeError
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ImageError(
                f"The server at {self.base} sent a reply that is no chat completion.",
                code="answer_foreign",
                server=self.base,
            ) from error
        return reply

    def _let_in(self, response: Received) -> None:
        if response.status_code in (401, 403):
            raise ModelError(
                f"The server at {self.base} wants another key ({response.status_code}): set the environment variable "
                "PROMPT_EXTEND_API_KEY.",
                code="server_key",
                server=self.base,
            )


def normal_url(url: str) -> str:
    """The address of a server's API, `/v1` added where there is no path. Raises ModelError."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.username or parts.query or parts.fragment:
        raise ModelError(
            f"{_shown(url)!r} is no server address: write it as http://host:port/v1.", code="server_address"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
    return f"{parts.scheme.lower()}://{parts.netloc}{path or '/v1'}"


def is_local(url: str) -> bool:
    """Whether an address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def api_key(url: str) -> str:
    """The key for a server, "" for none.

    `PROMPT_EXTEND_API_KEY` is meant for whatever server was named. `OPENAI_API_KEY` belongs to other
    programs: it is never sent unencrypted to another machine.
    """
    key = os.environ.get("PROMPT_EXTEND_API_KEY", "")
    if not key and (url.startswith("https://") or is_local(url)):
        key = os.environ.get("OPENAI_API_KEY", "")
    return key.strip()


def _shown(url: str) -> str:
    """A URL without a password in it."""
    scheme, mark, rest = url.partition("://")
    return scheme + mark + rest.rpartition("@")[2]


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _said(response: Received) -> str:
    """The server's own words about a failure, on one line, with the status."""
    text = ""
    try:
        data = response.json()
        error = data.get("error", data) if isinstance(data, dict) else data
        if isinstance(error, dict):
            error = error.get("message") or error.get("detail") or ""
        text = str(error)
    except ValueError:
        if "html" not in response.headers.get("content-type", ""):
            text = response.text
    text = " ".join(text.split())[:300].rstrip(".")
    return f"{response.status_code}, {text}" if text else f"status {response.status_code}"


def _loading(response: Received) -> bool:
    return response.status_code == 503 and "loading" in response.text.lower()


def _retry_after(value: str | None) -> float | None:
    """Seconds a server asks to wait: `Retry-After` is a number of them or a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _pause(attempt: int) -> float:
    """Seconds to wait after a failed attempt: doubling, with some chance so that requests spread."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1)) * random.uniform(0.7, 1.3)
