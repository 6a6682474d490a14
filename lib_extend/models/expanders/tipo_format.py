"""TIPO's prompts as they were trained (KohakuBlueleaf's TIPO: `kgen/executor/tipo.py` and the training code).

Each line is `key: value`. The last line is left open: the model continues it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lib_extend.prompt_expansion import Given, Length, Wanted, spoken

LEAST_TAGS = {Length.VERY_SHORT: 6, Length.SHORT: 18, Length.LONG: 36, Length.VERY_LONG: 54}
MOST_TAGS = {Length.VERY_SHORT: 18, Length.SHORT: 36, Length.LONG: 54, Length.VERY_LONG: 72}
LEAST_SENTENCES = {Length.VERY_SHORT: 1, Length.SHORT: 2, Length.LONG: 4, Length.VERY_LONG: 8}
MOST_SENTENCES = {Length.VERY_SHORT: 2, Length.SHORT: 4, Length.LONG: 8, Length.VERY_LONG: 10_000}
SHORT_SENTENCES = 2
"""Prose of up to this many sentences is what the model calls `short`."""


TASKS = (
    "tag_to_long",
    "long_to_tag",
    "short_to_tag",
    "short_to_long",
    "tag_to_short_to_long",
    "short_to_tag_to_long",
    "short_to_long_to_tag",
)
"""What the models were trained to do besides going on with tags; each is a special token."""
TAG, SHORT, LONG = "tag", "short", "long"


@dataclass(frozen=True)
class Pass:
    """One text to be continued.

    Attributes:
        text: the prompt. parts: what the continuation consists of, `TAG`, `SHORT` and `LONG` in the order of the task.
        leads: by part, what begins it after a new line.
    """

    text: str
    parts: tuple[str, ...]
    leads: Mapping[str, str] = field(default_factory=dict)


def prompt(given: Given, length: Length, wanted: Wanted, task: str = "") -> Pass:
    """The prompt of one wish.

    Tags are written as a continuation of the given ones; prose of what the tags say; tags of given prose before that.

    Args:
        task: one of `TASKS`; "" for the one that fits.
    """
    prose = " ".join(given.prose.split())
    task = task or _task(given, wanted, _is_short(prose))
    chain = task.split("_to_") if task else [TAG]
    lines = {TAG: f"tag: {', '.join(map(spoken, given.tags))}".rstrip(), SHORT: "short:", LONG: "long:"}
    text = _head(given, _target(chain, task, length))
    for place, part in enumerate(chain):
        last = part == chain[-1]
        if part == TAG:
            there = bool(given.tags) and wanted is Wanted.PROSE and not last
            line = lines[TAG]
        else:
            # what is given is the first prose of a task
            there = bool(prose) and place == 0
            line = f"{part}: {prose}"
        if not there:
            return Pass(text + lines[part], tuple(chain[place:]), {p: lines[p] for p in chain[place + 1 :]})
        text += f"{line}\n"
    raise AssertionError(f"{task} leaves nothing to write")


def _task(given: Given, wanted: Wanted, short: bool) -> str:
    if not given.prose.strip():
        return "" if wanted is Wanted.TAGS else "tag_to_long"
    if wanted is Wanted.TAGS:
        return "short_to_tag" if short else "long_to_tag"
    if not given.tags and wanted is Wanted.PROSE:
        return "short_to_long"
    if short:
        return "short_to_tag_to_long"
    return "tag_to_long" if given.tags else "long_to_tag"


def _is_short(prose: str) -> bool:
    return prose.count(". ") + 1 <= SHORT_SENTENCES


def _target(chain: Sequence[str], task: str, length: Length) -> str:
    if not task:
        return f"<|{length.value}|>"
    # a task of prose alone was taught without a length
    return f"<|{length.value}|> <|{task}|>" if TAG in chain else f"<|{task}|>"


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
