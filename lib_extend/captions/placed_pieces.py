"""Pieces that stay where they stand in a line, and the line that is made of these and new ones.

What a person wrote is carried over to the letter, gaps included; only a gap that another way of writing could not read
again is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.markup import HARD
from lib_extend.captions.text import Kind, Line, Piece, space_separated
from lib_extend.records import Tag
from lib_extend.vocabulary.tag_names import key

KEPT_TOKENS = "|||"
_ANY = re.compile(r"(?:[\s,，、]|;;;)*")
_TAIL = re.compile(r"[,，、]|;;;")


@dataclass(frozen=True)
class Standing:
    """A piece that stays, or a new one (`piece` is None).

    Attributes:
        text: how it is written. tag: None for a separator.
        gap: what stands between it and the standing piece before; None in front of new ones.
        first, last: it is the first or last piece of the line that is there.
    """

    text: str
    tag: Tag | None
    piece: Piece | None = None
    gap: str | None = None
    first: bool = False
    last: bool = False

    @property
    def separates(self) -> bool:
        return self.text in HARD


def standing(
    line: Line,
    kept: Callable[[int, Piece], tuple[str, Tag | None] | None],
    separator: str,
    *,
    marks: Sequence[str] | None = None,
    commas: bool = True,
) -> list[Standing]:
    """The pieces of a line that `kept` gives a text and a tag, with the gaps between them.

    Args:
        separator: of how the line is written from now on.
        marks: a template's own between its fields, where the line is not written anew: then all gaps stay.
        commas: commas between tags stay, whatever `separator` is.
    """
    result: list[Standing] = []
    gaps: list[str] = []
    apart = False  # a separator that stood here is gone
    final = len(line.pieces) - 1
    for i, piece in enumerate(line.pieces):
        gaps.append(line.gaps[i])
        made = kept(i, piece)
        if made is None:
            apart = apart or piece.kind is Kind.SEPARATOR
            continue
        text, tag = made
        gap = None
        if result:
            gap = _remaining(gaps, result[-1], piece, marks or ())
            tags = result[-1].piece is not None and result[-1].piece.kind is piece.kind is Kind.TAG
            if len(gaps) > 1 and not gap.strip(" \t") and (apart or not tags):
                hard = result[-1].separates or piece.kind is Kind.SEPARATOR
                gap = " " if hard else separator
            if marks is None:
                gap = _readable(gap, result[-1], piece, line.one_a_line, separator, commas)
        result.append(Standing(text, tag, piece, gap, i == 0, i == final))
        gaps = []
        apart = False
    return _readable_blanks(result, separator)


def joined(items: Sequence[Standing], line: Line, separator: str) -> str:
    """The line that the items make up, one behind the other."""
    if not items:
        return ""
    lead = line.gaps[0]
    parts = [lead if items[0].first else _blanks(lead)]
    before: Standing | None = None
    for item in items:
        if before is not None:
            parts.append(_between(before, item, separator))
        parts.append(item.text)
        before = item
    return "".join(parts) + (_tail(line) if items[-1].piece is None else line.gaps[-1])


def _blanks(lead: str) -> str:
    return lead[: len(lead) - len(lead.lstrip())]


def _tail(line: Line) -> str:
    """What stays behind a new tag: a comma that ended the line is the separator now."""
    return _TAIL.split(line.gaps[-1])[-1] if line.pieces else ""


def joined_new(texts: Sequence[str], line: Line, separator: str) -> str:
    """As `joined` of new tags alone, which are most captions: at once where none of them is a separator."""
    if not texts or not {*texts}.isdisjoint(HARD):
        return joined([Standing(text, None) for text in texts], line, separator)
    return _blanks(line.gaps[0]) + separator.join(texts) + _tail(line)


def new(tags: Iterable[Tag], form: Callable[[Tag], str]) -> list[Standing]:
    """Tags that are not in the line yet."""
    return [Standing(form(t), t) for t in tags]


def place_of_new(items: Sequence[Standing], leading: int) -> int:
    """Before which of the standing items new tags go, where `leading` of them come first.

    Trainers shuffle what stands behind the first `|||`, up to the second: there.
    """
    marks = [i for i, item in enumerate(items) if item.text == KEPT_TOKENS]
    if len(marks) > 1:
        return marks[1]
    return max(leading, marks[0] + 1) if marks else leading


def is_plain(line: Line, human: Sequence[bool]) -> bool:
    """Whether a person's pieces in a line are a mere list of tags, none twice, which may be put into another order."""
    pieces = [p for p, own in zip(line.pieces, human, strict=True) if own]
    keys = {key(p.name) for p in pieces}
    gaps = [line.gaps[i] for i in range(1, len(human)) if human[i] and human[i - 1]]
    blanks = sum(not g.strip(" ") for g in gaps)
    return (
        all(p.kind is Kind.TAG for p in pieces)
        and len(keys) == len(pieces)
        and blanks in (0, len(gaps))
        and not any(";;;" in g for g in gaps)
    )


def _between(before: Standing, item: Standing, separator: str) -> str:
    if item.gap is not None:
        return item.gap
    return " " if before.separates or item.separates else separator


def _remaining(gaps: Sequence[str], before: Standing, piece: Piece, marks: Sequence[str]) -> str:
    """What stands between two pieces when those between them are gone."""
    if len(gaps) == 1:
        return gaps[0]
    if piece.kind is Kind.SEPARATOR:
        return gaps[-1]
    if before.separates:
        return gaps[0]
    marked = [g for g in gaps if any(m in g for m in marks)]
    # a template's mark outlives a comma, which outlives a blank and sd-scripts' secondary separator
    return (
        marked[-1]
        if marked
        else next((g for g in gaps if "," in g), None) or next((g for g in gaps if ";;;" not in g), gaps[0])
    )


def _readable(
    gap: str, before: Standing, piece: Piece, one_a_line: bool, separator: str, commas: bool
) -> str:
    """The gap as it stays where tags are separated by `separator` from now on."""
    readable = _ANY.fullmatch(gap) is not None and (one_a_line or "\n" not in gap)
    if before.separates or piece.kind is Kind.SEPARATOR:
        return gap if readable else " "
    both = before.piece is not None and before.piece.kind is piece.kind is Kind.TAG
    if not readable or not gap:
        return separator
    other = separator.strip() not in ("", ",") and not one_a_line
    return separator if other and both and not commas and gap.strip() == "," else gap


def _readable_blanks(items: list[Standing], separator: str) -> list[Standing]:
    """The items; where blanks separate too few tags to be read so again, `separator` does."""
    start = 0
    for i in range(1, len(items) + 1):
        if i < len(items) and _blank(items[i - 1], items[i]):
            continue
        if i - start > 1 and not space_separated(" ".join(item.text for item in items[start:i])):
            items[start + 1 : i] = [replace(item, gap=separator) for item in items[start + 1 : i]]
        start = i
    return items


def _blank(before: Standing, item: Standing) -> bool:
    return (
        item.gap is not None
        and not item.gap.strip(" ")
        and not (before.separates or item.separates)
        and item.piece is not None
        and item.piece.kind is Kind.TAG
    )
