"""What captions in XML and in JSON have in common: lists and prose as values, words in their places, persons by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.clauses import TAIL, read_clauses
from lib_extend.captions.scene import Word
from lib_extend.captions.style import Known, lines_read, spots_in
from lib_extend.captions.text import CaptionText, Kind, Line, Piece, Spot, line_of
from lib_extend.config import LETTERS
from lib_extend.vocabulary.tag_names import canonical, is_sentence


@dataclass(frozen=True)
class Escapes:
    """How a kind of document writes characters of its own inside of a value."""

    escaped: Callable[[str], str]
    unescaped: Callable[[str], str]


def document(text: str, known: Known, read: Callable[[str], Sequence[Spot] | None]) -> CaptionText | None:
    """A caption that is one document over the whole file, or one a line."""
    if "\n" in text.strip() or "\r" in text.strip():
        spots = read(text)
        if spots is not None:
            # what ends the file is no part of the caption
            body = text.rstrip("\r\n")
            return CaptionText((replace(line_of(body, spots), ending=text[len(body) :]),))
    return lines_read(text, known, read)


def start_of(head: str, number: int, of: int, known: Known) -> str:
    """What the names of a person's tags begin with: as remembered, else by number; "" where there is one person."""
    start = known.start_of(head)
    if start is not None:
        return start
    if known.heads or of > 1:
        return f"{LETTERS[min(number, len(LETTERS)) - 1]}_"
    return ""


def list_spots(
    text: str, start: int, end: int, known: Known, escapes: Escapes, lead: str = "", place: str = ""
) -> list[Spot]:
    """The tags of a value that is a list with commas."""
    return [_said(s, escapes, lead) for s in spots_in(text, start, end, known, lead, place)]


def item_spot(
    text: str, start: int, end: int, escapes: Escapes, lead: str = "", place: str = ""
) -> list[Spot]:
    """A value that is one tag, or one text."""
    raw = text[start:end]
    stripped = raw.strip()
    if not stripped:
        return []
    at = start + raw.index(stripped)
    said = escapes.unescaped(stripped)
    name = lead + (canonical(said) if "," not in said else said)
    kind = Kind.TAG if "," not in said else Kind.GROUP
    return [
        (
            at,
            at + len(stripped),
            Piece(name, stripped, kind, place=place, said=said if said != stripped else ""),
        )
    ]


def prose_spots(text: str, start: int, end: int, known: Known, escapes: Escapes, place: str) -> list[Spot]:
    """The texts of a value that is prose: each that is remembered, and what is between them."""
    found: list[tuple[int, int]] = []
    for whole in sorted((escapes.escaped(w) for w in known.whole), key=len, reverse=True):
        at = text.find(whole, start, end) if whole.strip() else -1
        if at >= 0 and not any(a < at + len(whole) and at < b for a, b in found):
            found.append((at, at + len(whole)))
    spots: list[Spot] = []
    at = start
    for a, b in [*sorted(found), (end, end)]:
        raw = text[at:a]
        if raw.strip(" \t\r\n.,"):
            left = at + len(raw) - len(raw.lstrip())
            spots.append(_prose(text, left, left + len(raw.strip()), escapes, place))
        if b > a:
            spots.append(_prose(text, a, b, escapes, place))
        at = b
    return spots


def clause_spots(text: str, start: int, end: int, known: Known, escapes: Escapes, place: str) -> list[Spot]:
    """The tags of persons, and the prose, of a value that has clauses."""
    spots = read_clauses(text, start, end, known)
    told = [s for s in spots if any(s[2].name.startswith(lead) for lead, _ in known.heads if lead)]
    # what belongs to no clause is prose
    result: list[Spot] = []
    at = start
    for first, last, piece in told:
        result += _between(text, at, first, known, escapes, place)
        result.append(_said((first, last, replace(piece, place=place)), escapes, _lead(piece.name, known)))
        at = last
    return result + _between(text, at, end, known, escapes, place)


def _between(text: str, start: int, end: int, known: Known, escapes: Escapes, place: str) -> list[Spot]:
    heads = [h for _, h in known.heads]
    raw = text[start:end].strip(" ,.")
    if raw.rstrip(",:") in heads or not raw:
        return []
    head = next((h for h in heads if raw.endswith(h)), "")
    stop = text.rindex(head, start, end) if head else end
    first = start
    while first < stop and text[first] in " .,":
        first += 1
    return prose_spots(text, first, stop, known, escapes, place)


def _lead(name: str, known: Known) -> str:
    return next((lead for lead, _ in known.heads if lead and name.startswith(lead)), "")


def _prose(text: str, start: int, end: int, escapes: Escapes, place: str) -> Spot:
    raw = text[start:end]
    said = escapes.unescaped(raw)
    shown = said if said != raw else ""
    if not place and not is_sentence(said) and not said.endswith(".") and "," not in said:
        return start, end, Piece(canonical(said), raw, said=shown)
    return start, end, Piece(said, raw, Kind.PROSE, place=place, said=shown)


def _said(spot: Spot, escapes: Escapes, lead: str) -> Spot:
    start, end, piece = spot
    said = escapes.unescaped(piece.raw)
    if said == piece.raw:
        return spot
    name = lead + canonical(said) if piece.kind is Kind.TAG and not piece.before else said
    return start, end, replace(piece, name=name, said=said, before="", after="")


def in_place(words: Sequence[Word], places: dict[str, list[Word]], default: Callable[[Word], str]) -> None:
    """Puts each word where a person put it, else where the style does; `places` are filled."""
    for word in words:
        place = word.place if word.place in places else default(word)
        places.setdefault(place, []).append(word)


def whole_line(text: str) -> Line:
    """A line that is one piece of a person's."""
    stripped = text.strip()
    left = text.index(stripped)
    piece = Piece(stripped, stripped, Kind.PROSE)
    return Line((piece,), (text[:left], text[left + len(stripped) :]))


__all__ = [
    "TAIL",
    "Escapes",
    "clause_spots",
    "document",
    "in_place",
    "item_spot",
    "list_spots",
    "prose_spots",
    "start_of",
    "whole_line",
]
