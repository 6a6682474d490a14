"""Reading captions that are already there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib_extend.records import Source, Tag
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import canonical, is_sentence, key

PROSE_WORDS = 2
"""Words that the parts of a sentence between its commas have on average, at the least."""
PROSE_PARTS = 40
"""Parts between commas that a sentence has at the most."""


@dataclass(frozen=True)
class Piece:
    """One tag of a caption: its canonical name, and how it stands there (`raw`, spaces trimmed)."""

    name: str
    raw: str


def pieces(text: str, separator: str = ", ") -> list[Piece]:
    """The tags of a caption in order, without empty ones and repetitions.

    `separator` is what the caption was written with; commas always separate too. A sentence is one piece
    with all its commas. Lines stay together (what a person wrote on a second line is part of the last
    tag and survives as it is), except in a file with one tag a line.
    """
    found: dict[str, Piece] = {}
    for name, start, end in places(text, separator):
        if key(name) not in found:
            found[key(name)] = Piece(name, text[start:end])
    return list(found.values())


def places(text: str, separator: str = ", ", marks: Sequence[str] = ()) -> list[tuple[str, int, int]]:
    """The tags of a caption as in `pieces`, repetitions too: canonical name, start and end in `text`.

    `marks` separate like commas (what a template put between its fields).
    """
    cuts = [",", *map(re.escape, marks)]
    if separator.strip(" ") not in ("", ","):
        cuts.append(re.escape(separator))
    if _one_a_line(text) and not any(mark in text for mark in marks):
        cuts.append(r"[\r\n]+")
    spans = _whole_sentences(text, _parts(text, "|".join(cuts)))
    return [(name, start, end) for start, end in spans if (name := canonical(text[start:end]))]


def parse(text: str, separator: str = ", ") -> list[Tag]:
    """The tags of a caption a person wrote."""
    return [Tag(p.name, source=Source.HUMAN) for p in pieces(text, separator)]


def _one_a_line(text: str) -> bool:
    """Whether a caption has one tag a line: several lines, no comma, no sentence."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and "," not in text
        and not any(is_sentence(x.strip()) or x.rstrip().endswith(".") for x in lines)
    )


def _parts(text: str, cut: str) -> list[tuple[int, int]]:
    """Where the parts between separators start and end, trimmed, without empty ones."""
    parts = []
    start = 0
    for match in [*re.finditer(cut, text), None]:
        end = match.start() if match else len(text)
        part = text[start:end]
        if part.strip():
            left = start + len(part) - len(part.lstrip())
            parts.append((left, left + len(part.strip())))
        start = match.end() if match else end
    return parts


def _whole_sentences(text: str, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where the parts start and end, those that make up one sentence put together again."""
    result = []
    i = 0
    while i < len(parts):
        end = _sentence_end(text, parts, i)
        result.append((parts[i][0], parts[end][1]))
        i = end + 1
    return result


def _sentence_end(text: str, parts: list[tuple[int, int]], first: int) -> int:
    """The index of the part that ends the sentence which `first` begins; `first` itself when none does.

    A sentence begins with a capital and a small word after it ("A girl"), ends with a full stop, and has
    no part that only a tag can be (`1girl`, `2 boxes`, `saber_(fate)`): a caption that merely begins with
    a trigger word is none.
    """
    start = text[slice(*parts[first])]
    words = start.split()
    if len(words) < 2 or not start[0].isupper() or not words[1][0].islower():
        return first
    total = 0
    for i in range(first, min(first + PROSE_PARTS, len(parts))):
        part = text[slice(*parts[i])]
        if part[0].isdigit() or "_" in part or "(" in part or is_people(canonical(part)):
            return first
        total += len(part.split())
        if part.endswith((".", "!", "?")):
            return i if total >= PROSE_WORDS * (i - first + 1) else first
    return first
