"""Reading captions that are already there."""

from __future__ import annotations

from dataclasses import dataclass

from lib_extend.captions.names import canonical, key
from lib_extend.records import Source, Tag


@dataclass(frozen=True)
class Piece:
    """One tag of a caption: its canonical name, and how it stands there (`raw`, spaces trimmed)."""

    name: str
    raw: str


def pieces(text: str, separator: str = ", ") -> list[Piece]:
    """The tags of a caption in order, without empty ones and repetitions.

    `separator` is what the caption was written with; commas always separate too. Lines stay together:
    what a person wrote on a second line is part of the last tag and survives as it is.
    """
    if separator.strip() not in ("", ",") or (separator and separator.isspace() and separator != " "):
        text = text.replace(separator, ",")
    found: dict[str, Piece] = {}
    for part in text.split(","):
        raw = part.strip()
        name = canonical(raw)
        if name and key(name) not in found:
            found[key(name)] = Piece(name, raw)
    return list(found.values())


def parse(text: str, separator: str = ", ") -> list[Tag]:
    """The tags of a caption a person wrote."""
    return [Tag(p.name, source=Source.HUMAN) for p in pieces(text, separator)]
