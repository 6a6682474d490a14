"""A vision-language model behind an OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, LM Studio, …

One request a prompt, some side by side. The picture comes first in each, so that a server that caches
prefixes encodes it once. Closed answers are held to the allowed ones in the server's own way, and their
probabilities are read from its logprobs where it gives any. What a server refuses is left out from then
on.
"""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from lib_extend.errors import ImageError, ModelError
from lib_extend.models.vlms import dialects
from lib_extend.models.vlms.api import ANSWER_SECONDS, Api, Refused, is_local, normal_url
from lib_extend.models.vlms.dialects import PLAIN, Dialect, Style
from lib_extend.models.vlms.prepared_pictures import shrink, to_rgb
from lib_extend.records import Prompt, Reply
from lib_extend.vocabulary.replies import reasons, spoken

if TYPE_CHECKING:
    from PIL import Image

WAY = 1
"""Version of the way of asking; raise it when the same model would answer otherwise."""

LIMIT = 8
"""Requests under way at once, over all pictures."""

TOP = 20
"""Alternatives asked for at each token: the most that OpenAI's protocol allows."""

CLOSED_TOKENS = 32
"""Tokens a closed answer may take beside those of the longest allowed one, which are at most its bytes."""

OBJECT_TOKENS = 32
"""Tokens more for the object around it: a tokenizer may not know the word "answer", and spaces count."""

LOSSLESS = 256 * 256
"""Pixels up to which a picture is sent as PNG; larger ones as JPEG, at 1 megapixel a tenth of the bytes."""


def connect(
    url: str,
    *,
    model: str = "",
    max_pixels: int = 1_048_576,
    offline: bool = False,
    limit: int = LIMIT,
    answer_seconds: float = ANSWER_SECONDS,
) -> ServerVlm:
    """The model of a running server.

    Args:
        url: `http(s)://host:port/v1`; the API key comes from PROMPT_EXTEND_API_KEY or OPENAI_API_KEY.
        model: its name; "" takes the first the server lists.
        max_pixels: pixels of a picture that are sent at the most.
        offline: only a server on this machine is asked.
        limit: requests under way at once, ≥ 1; fewer where the server says that it takes fewer.
        answer_seconds: how long one answer may take.

    Raises:
        ModelError: no server, no such model, or no way in.
    """
    if offline and not is_local(normal_url(url)):
        raise ModelError(
            f"Working offline, so the server at {normal_url(url)} is not asked; one on this machine is.",
            code="offline",
        )
    api = Api(url, answer_seconds=answer_seconds)
    try:
        models, headers = api.models(needed=not model)
        dialect = dialects.recognise(models, headers)
        names = [str(m["id"]) for m in models]
        name = _choose(names, model, api.base, complete=dialect is not dialects.OTHER)
    except ModelError:
        api.close()
        raise
    slots = api.slots() if dialect.slots else 0
    return ServerVlm(
        api, name, dialect, max_pixels=max_pixels, limit=limit, slots=slots, listed=name in names
    )


def _choose(names: Sequence[str], wanted: str, base: str, *, complete: bool) -> str:
    """The model to ask for.

    Raises ModelError naming those there are, where the list is `complete`: some servers take names that
    they do not list (`transformers serve` that of the folder it was started with).
    """
    if not wanted:
        # Servers list embedding models too, which cannot answer.
        chat = [n for n in names if "embed" not in n.lower()]
        if not chat:
            raise ModelError(
                f"The server at {base} names no model: load one there, or name it with --vlm-model.",
                code="server_no_model",
                server=base,
            )
        return chat[0]
    for name in (wanted, f"{wanted}:latest"):  # Ollama's default tag
        if name in names or not names:
            return name
    if not complete:
        return wanted
    raise ModelError(
        f"The server at {base} has no model {wanted!r}; it has: {', '.join(names)}.",
        code="server_no_model",
        server=base,
        model=wanted,
    )


class ServerVlm:
    """A server's model as a `Vlm`.

    Attributes: those of `lib_extend.models.ports.Vlm`, and
        dialect: the kind of the server.
    """

    def __init__(
        self,
        api: Api,
        model: str,
        dialect: Dialect,
        *,
        max_pixels: int,
        limit: int,
        slots: int,
        listed: bool,
    ) -> None:
        self.dialect = dialect
        self.pixels = max_pixels
        self._in_turn = slots > 0  # a picture stays in one slot; others go on in the others
        if slots:
            limit = self.parallel = min(limit, slots)
        else:
            self.parallel = 1 if dialect.slots else max(1, limit // 2)
        self.key = f"server-{model}-{WAY}-{max_pixels}"
        self.device = f"server {api.base} ({dialect.name}), model {model}"
        self._api = api
        self._model = model
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="vlm-server")
        self._lock = threading.Lock()
        self._styles = dialect.styles
        self._logprobs = True
        self._known = listed  # the server has this model: it lists it, or has answered

    def look(self, image: Image.Image) -> ServerLook:
        """Takes one upright image of any mode and size; transparency becomes white."""
        return ServerLook(self, _picture(shrink(to_rgb(image), self.pixels)))

    def close(self) -> None:
        """Ends the connections; requests under way are given up."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._api.close()

    def ask_all(self, picture: str, prompts: Sequence[Prompt], *, first: bool) -> list[Reply]:
        """The replies to prompts about a picture (a data URL), in order.

        Where it is the picture's `first` round one prompt goes ahead: the others then find the picture
        in the server's cache instead of having it encoded many times at once. Where the server has slots
        they all go one after another, for the same reason.
        """
        alone = len(prompts) if self._in_turn else int(first and len(prompts) > 2)
        ahead = [self._pool.submit(self.ask_one, picture, p).result() for p in prompts[:alone]]
        rest = [self._pool.submit(self.ask_one, picture, p) for p in prompts[len(ahead) :]]
        try:
            return ahead + [f.result() for f in rest]
        finally:
            for future in rest:
                future.cancel()

    def ask_one(self, picture: str, prompt: Prompt) -> Reply:
        """The reply to one prompt. Raises ImageError, or ModelError where no other would fare better."""
        body = {
            "model": self._model,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": prompt.text},
                    ],
                }
            ],
            "temperature": 0,
            "max_tokens": max(prompt.max_new_tokens, _room(prompt)),
            "stream": False,
        }
        return self._closed(body, prompt) if prompt.choices else self._free(body)

    def _chat(self, body: dict[str, Any]) -> Any:
        message = self._api.chat(body)["choices"][0]
        self._known = True
        return message

    def _free(self, body: dict[str, Any]) -> Reply:
        try:
            message = self._chat(body)
        except Refused as refusal:
            raise self._declined(refusal) from refusal
        text = _text(message)
        if not _says(text):
            raise self._nothing_said(message)
        return Reply(text)

    def _closed(self, body: dict[str, Any], prompt: Prompt) -> Reply:
        names = [c[0] for c in prompt.choices]
        styles, logprobs = self._styles, self._logprobs
        while True:
            style = styles[0]
            asked = {**body, **style.fields(names)}
            if style.wrapped:
                asked["max_tokens"] += OBJECT_TOKENS
            if logprobs:
                asked |= {"logprobs": True, "top_logprobs": TOP}
            try:
                message = self._chat(asked)
            except Refused as refusal:
                # Left out one by one: first what the server names, then the style, then the logprobs.
                if logprobs and ("logprob" in str(refusal).lower() or style is PLAIN):
                    logprobs = False
                elif len(styles) > 1:
                    styles = styles[1:]
                else:
                    raise self._declined(refusal) from refusal
                continue
            said = _text(message)
            # Some servers leave the reasoning in the text, before the answer.
            text, formed = dialects.unwrap(spoken(said) if reasons(said) else said, style, names)
            cut = message.get("finish_reason") == "length"
            if cut and style.wrapped and text.lstrip().startswith("{"):
                raise ImageError(
                    f"The model's answer was cut before its end ({text[:80]!r}).", code="answer_cut"
                )
            if not formed and not cut:
                styles = styles[1:]  # passed over in silence
                if len(styles) > 1:
                    continue
                style = PLAIN
            self._remember(styles, logprobs)
            return self._reply(message, text if style.wrapped and formed else said, prompt, style)

    def _reply(self, message: Any, text: str, prompt: Prompt, style: Style) -> Reply:
        if not _says(text):
            raise self._nothing_said(message)
        tokens = dialects.tokens_of(message.get("logprobs"))
        if _reasoning(message):
            tokens = dialects.behind_reasoning(tokens)
        return Reply(text, dialects.probabilities(tokens, prompt.choices, style))

    def _nothing_said(self, message: Any) -> ImageError | ModelError:
        if _reasoning(message):
            return ModelError(
                f"The model {self._model} of the server at {self._api.base} only thinks aloud and never comes to an "
                "answer: switch its thinking off in the server, or take a model that does not think.",
                code="model_thinks_aloud",
                server=self._api.base,
                model=self._model,
            )
        if message.get("finish_reason") == "length":
            return ImageError(
                "The model's answer was cut before it said anything: it thinks aloud; take one that does not, or "
                "switch its thinking off in the server.",
                code="answer_cut",
            )
        return ImageError("The model's answer was empty.", code="answer_empty")

    def _remember(self, styles: tuple[Style, ...], logprobs: bool) -> None:
        """Keeps what a server refused from being tried again."""
        with self._lock:
            if len(styles) < len(self._styles):
                self._styles = styles
            self._logprobs &= logprobs

    def _declined(self, refusal: Refused) -> ImageError | ModelError:
        if not self._known:
            return ModelError(
                f"The server at {self._api.base} does not take {self._model!r} ({refusal}).",
                code="server_no_model",
                server=self._api.base,
                model=self._model,
            )
        return ImageError(
            f"The server at {self._api.base} refused the question ({refusal}).",
            code="question_refused",
            server=self._api.base,
        )


class ServerLook:
    """One picture, encoded once and sent with every question."""

    def __init__(self, vlm: ServerVlm, picture: str) -> None:
        self._vlm = vlm
        self._picture = picture
        self._first = True

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """One reply a prompt, in order.

        Raises:
            ImageError: a request failed for good. ModelError: so would every other.
        """
        if not self._picture:
            raise RuntimeError("the look is closed")
        replies = self._vlm.ask_all(self._picture, prompts, first=self._first)
        self._first = False
        return replies

    def close(self) -> None:
        """Lets the picture go."""
        self._picture = ""


def _picture(image: Image.Image) -> str:
    """An RGB picture as a data URL, in a format that every server takes."""
    data = io.BytesIO()
    if image.width * image.height <= LOSSLESS:
        image.save(data, "PNG")
        kind = "png"
    else:
        image.save(data, "JPEG", quality=95, subsampling=0)  # small colored things keep their color
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"


def _room(prompt: Prompt) -> int:
    """Tokens the answer may need at the most, where its choices tell."""
    longest = max((len(c[0].encode()) for c in prompt.choices), default=0)
    return CLOSED_TOKENS + longest if prompt.choices else 1


def _text(message: Any) -> str:
    content = message["message"].get("content")
    if isinstance(content, list):  # some servers answer in parts, as they are asked
        content = "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    return str(content or "")


def _says(text: str) -> bool:
    """Whether a reply's text has an answer, not only reasoning. "!!!" is one that says nothing."""
    return bool(text.strip()) and (not reasons(text) or bool(spoken(text)))


def _reasoning(message: Any) -> str:
    """What the model reasoned, wherever the server puts it."""
    fields = (message["message"].get(name) for name in ("reasoning_content", "reasoning", "thinking"))
    text = _text(message)
    return next((str(f) for f in fields if f), text if reasons(text) else "")
