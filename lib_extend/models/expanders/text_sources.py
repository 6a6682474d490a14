"""Models that continue a text elsewhere: a llama-server (or any server with `/completions`), and xllamacpp in this process.

The prompt goes raw, without a chat template. Both keep what they have read of a text that is continued again.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from lib_extend.errors import ModelError
from lib_extend.models.expanders.tipo_format import TASKS
from lib_extend.models.vlms.api import ATTEMPTS, BUSY, Api, Endless
from lib_extend.prompt_expansion import SEEDS, Sampling

MARKS = (*(f"<|{task}|>" for task in TASKS), "<|input_end|>")
"""Tokens by which a family knows its own."""
PAUSE = 0.5
"""Seconds before a request is made again; twice as long each time."""


class TextSource(Protocol):
    """What continues a text.

    Attributes:
        device: where it runs, in words. at_once: how many texts it continues side by side.
    """

    device: str
    at_once: int

    def complete(
        self, prompt: str, sampling: Sampling, seed: int, most: int, may_end: bool
    ) -> tuple[str, bool]:
        """A continuation of at most `most` tokens, and whether the model ended it. `may_end` False: it may not.

        Raises ModelError.
        """
        ...


def body_of(prompt: str, sampling: Sampling, seed: int, most: int, may_end: bool) -> dict[str, Any]:
    """A request as llama.cpp understands it, and servers that know fewer members."""
    return {
        "prompt": prompt,
        "n_predict": most,
        "max_tokens": most,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": 1.0,
        "seed": seed % SEEDS,
        "ignore_eos": not may_end,
        "cache_prompt": True,
        "stream": False,
    }


def read(answer: Any, whose: str) -> tuple[str, bool]:
    """The text of an answer, and whether the model ended it. Raises ModelError where it is no completion."""
    try:
        choice: Mapping[str, Any] = answer["choices"][0]
        return str(choice["text"]), choice.get("finish_reason") == "stop"
    except (KeyError, TypeError, IndexError):
        said = str(answer.get("error") if isinstance(answer, Mapping) and "error" in answer else answer)[:300]
        raise ModelError(f"{whose} sent a reply that is no completion: {said}") from None


class CompletionServer:
    """See `TextSource`."""

    def __init__(self, url: str) -> None:
        """Raises ModelError when nothing answers at the address."""
        self._api = Api(url.rstrip("/").removesuffix("/completions"))
        rows, _ = self._api.models(needed=False)
        self.model = str(rows[0]["id"]) if rows else ""
        self.device = self._api.base
        self.at_once = max(1, self._api.slots())

    def marks(self) -> frozenset[str]:
        """Those of `MARKS` that are tokens of its model; guessed by the model's name where the server does not say."""
        try:
            return frozenset(mark for mark in MARKS if self._is_token(mark))
        except (ValueError, KeyError, TypeError):
            name = self.model.lower()
            known = {"tipo": MARKS[:-1], "dantaggen": MARKS[-1:]}
            return frozenset(mark for word, marks in known.items() if word in name for mark in marks)

    def complete(
        self, prompt: str, sampling: Sampling, seed: int, most: int, may_end: bool
    ) -> tuple[str, bool]:
        body = {"model": self.model, **body_of(prompt, sampling, seed, most, may_end)}
        return read(self._post(f"{self._api.base}/completions", body), f"The server at {self._api.base}")

    def _is_token(self, text: str) -> bool:
        url = f"{self._api.base.removesuffix('/v1')}/tokenize"
        asked = {"content": text, "add_special": False, "parse_special": True}
        return len(self._post(url, asked)["tokens"]) == 1

    def _post(self, url: str, body: Mapping[str, Any]) -> Any:
        """The JSON value of the answer; {} where there is no such route. Raises ModelError."""
        import httpx

        trouble = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE * 2**attempt)
            try:
                got = self._api._receive("POST", url, self._api._answer_seconds, json=body)
            except (httpx.HTTPError, Endless) as error:
                trouble = f"does not answer ({str(error)[:200] or type(error).__name__})"
                continue
            self._api._let_in(got)
            if got.status_code == 200:
                return got.json()
            if got.status_code in (404, 405, 501) and not url.endswith("/completions"):
                return {}
            trouble = f"refused the prompt ({got.status_code}): {' '.join(got.text.split())[:300]}"
            if got.status_code not in BUSY:
                break
        raise ModelError(
            f"The server at {self._api.base} {trouble}.", code="server_failed", server=self._api.base
        )


class Xllamacpp:
    """See `TextSource`: llama.cpp from xllamacpp's wheels."""

    at_once = 1

    def __init__(self, file: Path, context: int, device: str) -> None:
        """Raises ModelError when llama.cpp cannot read the file."""
        import xllamacpp

        self._file = file
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(file)
        parameters.n_ctx = context
        if device == "cpu":
            parameters.n_gpu_layers = 0
        self.device = device
        try:
            self._server: Any = xllamacpp.Server(parameters)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0][:300]
            raise ModelError(f"The expander {file} cannot be loaded by xllamacpp: {reason}") from error

    def complete(
        self, prompt: str, sampling: Sampling, seed: int, most: int, may_end: bool
    ) -> tuple[str, bool]:
        answer = self._server.handle_completions(body_of(prompt, sampling, seed, most, may_end))
        return read(answer, f"xllamacpp with {self._file.name}")


def has_xllamacpp() -> bool:
    """Whether its wheels are installed."""
    return importlib.util.find_spec("xllamacpp") is not None
