"""What OpenAI-compatible servers differ in: how an answer is held to the allowed ones, and how it comes back.

Sources: the servers' own documentation (vLLM structured outputs; SGLang structured outputs; llama.cpp's
server and GBNF; Ollama's and LM Studio's `response_format`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.files import outside_json

Body = dict[str, Any]

_REASONED = re.compile(r"(?:</\w+>|◁/think▷|\[/THINK\]|<channel\|>)\s*$")

MOST_TOKENS = 1024
"""Tokens of a reply, and alternatives to one, that are looked at: no answer that counts is so long."""

LEAST_MASS = 0.02
"""Probability the allowed answers must have together; below it a model's scores say nothing about them."""


def _structured_outputs(names: Sequence[str]) -> Body:
    return {"structured_outputs": {"choice": list(names)}}


def _guided_choice(names: Sequence[str]) -> Body:
    return {"guided_choice": list(names)}


def _regex(names: Sequence[str]) -> Body:
    return {"regex": "(" + "|".join(re.escape(n) for n in names) + ")"}


def _grammar(names: Sequence[str]) -> Body:
    # GBNF strings are escaped as JSON's are.
    return {"grammar": "root ::= " + " | ".join(json.dumps(n, ensure_ascii=False) for n in names)}


def _json_schema(names: Sequence[str]) -> Body:
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(names)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": schema},
        }
    }


def _nothing(names: Sequence[str]) -> Body:
    return {}


@dataclass(frozen=True)
class Style:
    """One way of holding an answer to the allowed ones.

    Attributes:
        name: for messages and tests.
        fields: the allowed answers → fields of the request.
        wrapped: whether the answer comes as {"answer": …}.
    """

    name: str
    fields: Callable[[Sequence[str]], Body]
    wrapped: bool = False


PLAIN = Style("plain", _nothing)
JSON_SCHEMA = Style("json_schema", _json_schema, wrapped=True)


@dataclass(frozen=True)
class Dialect:
    """A kind of server.

    Attributes:
        name: for messages.
        styles: those worth trying with it, best first, `PLAIN` last.
        slots: whether it keeps prompts in slots, each the last it had, instead of in one cache. A picture
            asked about in several slots is encoded in each, and two that take turns in one every time.
    """

    name: str
    styles: tuple[Style, ...]
    slots: bool = False


VLLM = Dialect(
    "vLLM",
    # `guided_choice` is the older name; releases that know one of them refuse or ignore the other.
    (Style("structured_outputs", _structured_outputs), Style("guided_choice", _guided_choice), PLAIN),
)
SGLANG = Dialect("SGLang", (Style("regex", _regex), PLAIN))
LLAMA_CPP = Dialect("llama.cpp", (Style("grammar", _grammar), JSON_SCHEMA, PLAIN), slots=True)
OLLAMA = Dialect("Ollama", (JSON_SCHEMA, PLAIN), slots=True)
LM_STUDIO = Dialect("LM Studio", (JSON_SCHEMA, PLAIN), slots=True)
OTHER = Dialect("OpenAI-compatible", (JSON_SCHEMA, PLAIN))

_OWNERS = {
    "vllm": VLLM,
    "sglang": SGLANG,
    "llamacpp": LLAMA_CPP,
    "library": OLLAMA,
    "organization_owner": LM_STUDIO,
    "organization-owner": LM_STUDIO,
}


def recognise(models: Sequence[Mapping[str, Any]], headers: Mapping[str, str]) -> Dialect:
    """The kind of a server, told by what its list of models says about itself; no further request."""
    for model in models:
        found = _OWNERS.get(str(model.get("owned_by", "")).lower())
        if found:
            return found
    return LLAMA_CPP if "llama.cpp" in headers.get("server", "").lower() else OTHER


def unwrap(text: str, style: Style, names: Sequence[str]) -> tuple[str, bool]:
    """The answer in a message's text, and whether it has the form that `style` asks for.

    A server that does not know a style may pass over it in silence: the form then tells.
    """
    if not style.wrapped:
        return text, style is PLAIN or text.strip() in names
    try:
        value = outside_json.loads(text)["answer"]
    except (ValueError, TypeError, KeyError):
        return text, False
    return str(value), value in names


@dataclass(frozen=True)
class Token:
    """A generated token: its text, its log-probability, and the likeliest ones there, with theirs."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...]


def tokens_of(logprobs: Any) -> list[Token]:
    """The tokens of a reply's `logprobs`; empty when the server gave none or something else."""
    try:
        return [
            Token(
                str(entry["token"]),
                float(entry["logprob"]),
                tuple(
                    (str(t["token"]), float(t["logprob"]))
                    for t in (entry.get("top_logprobs") or ())[:MOST_TOKENS]
                ),
            )
            for entry in logprobs["content"][:MOST_TOKENS]
        ]
    except (KeyError, TypeError, ValueError):
        return []


def behind_reasoning(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of the answer alone, where a model reasoned first; none where its end is not among the tokens."""
    text = ""
    for i, token in enumerate(tokens):
        text = (text + token.text)[-40:]
        if _REASONED.search(text):
            return list(tokens[i + 1 :])
    return []


def probabilities(
    tokens: Sequence[Token], choices: Sequence[Sequence[str]], style: Style
) -> tuple[float, ...] | None:
    """The choices' probabilities, in order, summing to 1; None when the tokens do not tell.

    Along the generated tokens, every alternative that a server names counts for the choice it begins; one
    that begins several counts for the one it spells out, else in equal parts. That is exact where a
    choice's first token is its own, and close elsewhere.
    """
    rows = _after_opening(tokens) if style.wrapped else list(tokens)
    if not any(t.top for t in rows):
        return None
    spelled = [tuple(_plain(s) for s in choice) for choice in choices]
    masses = [0.0] * len(choices)
    _walk(rows, spelled, masses)
    total = sum(masses)
    return tuple(m / total for m in masses) if total >= LEAST_MASS else None


def _walk(tokens: Sequence[Token], spelled: Sequence[Sequence[str]], masses: list[float]) -> None:
    """Adds to `masses` what the tokens and their alternatives say."""
    text, sure = "", 1.0
    for token in tokens:
        complete = any(_plain(text) in ways for ways in spelled)
        for alternative, logprob in token.top:
            mass = sure * math.exp(min(0.0, logprob))
            if alternative == token.text:
                continue
            if _begun(spelled, text + alternative):
                _count(masses, spelled, text + alternative, mass)
            elif complete and not alternative[:1].isalnum():
                _count(masses, spelled, text, mass)  # "1" and then a full stop, or the end
        longer = text + token.text
        sure *= math.exp(min(0.0, token.logprob))
        if complete and (not _begun(spelled, longer) or _plain(longer) == _plain(text)):
            break
        text = longer
        if _plain(text) and len(_begun(spelled, text)) <= 1:
            break
    _count(masses, spelled, text, sure)


def _plain(text: str) -> str:
    """Lower case, without the spaces, quotes and punctuation around."""
    return text.strip(" \t\r\n\"'`*.,;:!}▁Ġ").lower()


def _begun(spelled: Sequence[Sequence[str]], text: str) -> list[int]:
    """The choices that `text` is or begins."""
    words = _plain(text)
    return [i for i, ways in enumerate(spelled) if any(w.startswith(words) for w in ways)]


def _count(masses: list[float], spelled: Sequence[Sequence[str]], text: str, mass: float) -> None:
    words = _plain(text)
    if not words:
        return  # a space says nothing yet
    exact = [i for i, ways in enumerate(spelled) if words in ways]
    found = exact[:1] or _begun(spelled, text)
    for i in found:
        masses[i] += mass / len(found)


def _after_opening(tokens: Sequence[Token]) -> list[Token]:
    """The tokens from the value of {"answer": "…"} on, what stands before it in its first token cut off."""
    before = ""
    for i, token in enumerate(tokens):
        here = before + token.text
        opening = re.search(r'"answer"\s*:\s*"', here)
        if opening:
            cut = here[len(before) : opening.end()]
            if len(here) == opening.end():
                return list(tokens[i + 1 :])
            top = tuple((t[len(cut) :], p) for t, p in token.top if t.startswith(cut))
            return [Token(token.text[len(cut) :], token.logprob, top), *tokens[i + 1 :]]
        before = here
    return []
