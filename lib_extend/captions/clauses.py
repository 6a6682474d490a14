"""A list of tags, a clause for each of several persons, then prose: `2girls, indoors. On the left, black hair. …`

What stands in front of the first clause is the list. A clause begins with where its person is and ends with a full stop
before a capital, before the next clause or at the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from lib_extend.captions.markup import HARD
from lib_extend.captions.scene import ScenePerson, Word, in_order
from lib_extend.captions.style import Known, spots_in
from lib_extend.captions.text import Kind, Piece, Spot
from lib_extend.vocabulary.tag_names import canonical, written

TAIL = "tail"
"""The place of pieces behind the clauses."""

_STOP = re.compile(r"\.(?=\s|$)")
_CUT = re.compile(rf",|;;;|{'|'.join(map(re.escape, HARD))}")
_ENDS = (".", "!", "?", "。", '."', ".”", ".)")


def head_of(person: ScenePerson, number: int) -> str:
    """How a person's clause begins: `On the left`."""
    if person.head:
        return person.head
    words = written(person.place) if person.place else f"person {number}"
    return words[:1].upper() + words[1:]


def clauses(persons: Sequence[ScenePerson], said: Callable[[Word], str]) -> str:
    """One clause a person who has words."""
    result = []
    for i, person in enumerate(persons, 1):
        if person.words:
            text = ", ".join([head_of(person, i), *map(said, in_order(person.words))])
            result.append(text if text.endswith(_ENDS) else text + ".")
    return " ".join(result)


def listed(texts: Sequence[str]) -> str:
    """Tags with commas between them; separators that stay (`|||`) have blanks around them."""
    result = ""
    before = ""
    for text in texts:
        result += ("" if not before else " " if text in HARD or before in HARD else ", ") + text
        before = text
    return result


def with_clauses(listed: str, told: str, tail: Sequence[str]) -> str:
    """The list, the clauses (`told`) and what stands behind them, as one text."""
    behind = ""
    for text in tail:
        apart = text in HARD or behind.endswith(_ENDS) or behind.rpartition(" ")[2] in HARD
        behind += ("" if not behind else " " if apart else ", ") + text
    if listed and (told or behind) and not listed.endswith((*_ENDS, *HARD)):
        listed += "."
    return " ".join(filter(None, (listed, told, behind)))


def read_clauses(text: str, start: int, end: int, known: Known, place: str = "") -> list[Spot]:
    """The pieces of such a text between `start` and `end`; those of the list have the place `place`."""
    marks = _heads(text, start, end, known)
    first = marks[0][0] if marks else end
    stop = first if marks else _list_end(text, start, end, known)
    spots = _listed(text, start, stop, known, place, final=not marks)
    if not marks and stop < end:
        spots += spots_in(text, stop, end, known, place=TAIL)
    for i, (_, body, lead) in enumerate(marks):
        limit = marks[i + 1][0] if i + 1 < len(marks) else end
        close = _clause_end(text, body, limit, known, lead)
        spots += spots_in(text, body, close, known, lead, place)
        behind = close + 1 if close < limit and text[close] == "." else close
        spots += spots_in(text, behind, limit, known, place=TAIL)
    return spots


def _heads(text: str, start: int, end: int, known: Known) -> list[tuple[int, int, str]]:
    """Where each clause begins, where its words do, and what the names of its tags begin with."""
    found = []
    for lead, head in known.heads:
        pattern = re.compile(rf"{re.escape(head)}\s*[,:]", re.IGNORECASE)
        for match in pattern.finditer(text, start, end) if lead else ():
            if match.start() == start or text[match.start() - 1] in " \t.":
                found.append((match.start(), match.end(), lead))
                break
    return sorted(found)


def _listed(text: str, start: int, end: int, known: Known, place: str, final: bool) -> list[Spot]:
    """The pieces of the list; the full stop that ends it is none of them."""
    spots = spots_in(text, start, end, known, place=place)
    if spots and text[: spots[-1][1]].endswith(".") and spots[-1][2].kind is Kind.TAG:
        at, stop, piece = spots[-1]
        if not final or not known.has(piece.name):
            name = canonical(piece.raw[:-1])
            if name and (not final or known.has(name)):
                spots[-1] = (at, stop - 1, Piece(name, piece.raw[:-1], place=place))
    return spots


def _list_end(text: str, start: int, end: int, known: Known) -> int:
    """Where prose behind a list without clauses begins: behind the full stop that follows a tag of ours."""
    for match in _STOP.finditer(text, start, end):
        last = _CUT.split(text[start : match.start()])[-1]
        if known.has(canonical(last)) and not known.has(canonical(last + ".")):
            return match.end()
    return end


def _clause_end(text: str, start: int, end: int, known: Known, lead: str) -> int:
    stripped = start + len(text[start:end].rstrip())
    for match in _STOP.finditer(text, start, stripped):
        at = match.start()
        last = canonical(_CUT.split(text[start:at])[-1])
        if known.has(f"{lead}{last}."):
            continue
        rest = text[at + 1 : stripped].lstrip()
        if not rest or known.has(lead + last) or rest[0].isupper() or rest[0] in '"“(|':
            return at
    return stripped
