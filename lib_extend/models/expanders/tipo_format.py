"""TIPO's prompts as they were trained (KohakuBlueleaf's TIPO: `kgen/executor/tipo.py` and the training code).

Each line is `key: value`. The last line is left open: the model continues it.
"""

from __future__ import annotations

from dataclasses import dataclass

from lib_extend.prompt_expansion import Given, Length, Wanted, spoken

LEAST_TAGS = {Length.VERY_SHORT: 6, Length.SHORT: 18, Length.LONG: 36, Length.VERY_LONG: 54}
MOST_TAGS = {Length.VERY_SHORT: 18, Length.SHORT: 36, Length.LONG: 54, Length.VERY_LONG: 72}
LEAST_SENTENCES = {Length.VERY_SHORT: 1, Length.SHORT: 2, Length.LONG: 4, Length.VERY_LONG: 8}
MOST_SENTENCES = {Length.VERY_SHORT: 2, Length.SHORT: 4, Length.LONG: 8, Length.VERY_LONG: 10_000}
SHORT_SENTENCES = 2
"""Prose of up to this many sentences is what the model calls `short`."""


@dataclass(frozen=True)
class Pass:
    """One text to be continued.

    Attributes:
        text: the prompt. parts: what the continuation consists of: "tags", "prose" or both in this order; between them
            stands a new line and `key`.
        key: the key of the prose that follows tags, "" where none does.
    """

    text: str
    parts: tuple[str, ...]
    key: str = ""


def prompt(given: Given, length: Length, wanted: Wanted) -> Pass:
    """The prompt of one wish.

    Tags are written as a continuation of the given ones; prose of what the tags say; tags of given prose before that.
    """
    prose = " ".join(given.prose.split())
    short = prose.count(". ") + 1 <= SHORT_SENTENCES
    kind = "short" if short else "long"
    tags = f"tag: {', '.join(map(spoken, given.tags))}".rstrip()
    if wanted is Wanted.TAGS:
        if not prose:
            return Pass(_head(given, f"<|{length.value}|>") + tags, ("tags",))
        target = f"<|{length.value}|> <|{kind}_to_tag|>"
        return Pass(_head(given, target) + f"{kind}: {prose}\n" + tags, ("tags",))
    if prose and not given.tags:
        if wanted is Wanted.PROSE:
            # a task of prose alone has no length
            return Pass(_head(given, "<|short_to_long|>") + f"short: {prose}\nlong:", ("prose",))
        target = f"<|{length.value}|> <|long_to_tag|>"
        return Pass(_head(given, target) + f"long: {prose}\n" + tags, ("tags",))
    if prose and short:
        target = f"<|{length.value}|> <|short_to_tag_to_long|>"
        head = _head(given, target) + f"short: {prose}\n" + tags
    else:
        head = _head(given, f"<|{length.value}|> <|tag_to_long|>") + tags
    if wanted is Wanted.PROSE:
        return Pass(f"{head}\nlong:", ("prose",))
    return Pass(head, ("tags", "prose"), "long:")


def _head(given: Given, target: str) -> str:
    """The lines about the whole picture, in the order of the usual front end; those without a value are left out."""
    values = (
        ("meta", given.meta),
        ("rating", given.rating),
        ("artist", given.artist),
        ("characters", given.characters),
        ("copyrights", given.copyrights),
        ("quality", given.quality),
    )
    lines = [f"{key}: {', '.join(map(spoken, names))}" for key, names in values if names]
    if given.aspect is not None:
        lines.append(f"aspect ratio: {given.aspect:.1f}")
    return "".join(f"{line}\n" for line in [*lines, f"target: {target}"])
