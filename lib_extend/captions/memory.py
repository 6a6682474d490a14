"""What a person did to a caption since we wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extend.captions.composing import Existing
from lib_extend.captions.reading import Piece, pieces
from lib_extend.records import Record, Source, Tag


@dataclass(frozen=True)
class Written(Record):
    """Our memory of a caption: its text and separator as we wrote it, and whose tags were whose.

    `marks` are what a template put between its fields besides the separator (`|`).
    `ours` are the names we put there, `added` those a person had, `removed` those a person took out.
    """

    text: str
    separator: str
    ours: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    marks: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Written:
        return cls(
            text=data["text"],
            separator=data["separator"],
            ours=tuple(data["ours"]),
            added=tuple(data["added"]),
            removed=tuple(data["removed"]),
            marks=tuple(data.get("marks", ())),
        )

    def pieces(self, text: str) -> list[Piece]:
        """The tags of a caption written the way ours was."""
        for mark in self.marks:
            text = text.replace(mark, ",")
        return pieces(text, self.separator)


def reconcile(written: Written | None, text: str | None) -> Existing | None:
    """The caption that is there now (`text`, None without a file) as composing needs it.

    A caption we never wrote is a person's, every tag of it. A caption file that was deleted starts
    afresh: nothing is held against it.
    """
    if text is None:
        return None
    now = written.pieces(text) if written else pieces(text)
    names = [p.name for p in now]
    then: set[str] = set()
    before: tuple[str, ...] = ()
    if written is not None:
        same = text == written.text  # as nearly always: one reading will do
        then = set(names) if same else {p.name for p in written.pieces(written.text)}
        before = written.added
    added = [n for n in names if n in before or n not in then]
    removed = ({*(written.removed if written else ())} | then) - set(names)
    # tags of ours, and whatever else we wrote around them (a template's own words)
    ours = [n for n in names if n not in added]
    first_ours = names.index(ours[0]) if ours else len(names)
    return Existing(
        text=text,
        added=tuple(Tag(n, source=Source.HUMAN) for n in added),
        forms=tuple((p.name, p.raw) for p in now),
        leading=frozenset(n for n in names[:first_ours] if n in added),
        ours=tuple(n for n in ours if written is not None and n in written.ours),
        removed=frozenset(removed),
    )


def marks_of(format: str) -> tuple[str, ...]:
    """What stands between the fields of a template and is no word: ` | ` gives `|`, a comma nothing."""
    between = re.split(r"\{\w+\}", format)[1:-1]
    found = {m.strip() for m in between} - {"", ","}
    return tuple(sorted(m for m in found if not any(c.isalnum() or c == "_" for c in m)))


def remember(
    text: str, separator: str, tags: tuple[Tag, ...], existing: Existing | None, format: str = "plain"
) -> Written:
    """The memory to keep after writing `text` with `tags`."""
    return Written(
        text=text,
        separator=separator,
        ours=tuple(t.name for t in tags if t.source is not Source.HUMAN),
        added=tuple(t.name for t in tags if t.source is Source.HUMAN),
        removed=tuple(sorted(existing.removed)) if existing else (),
        marks=marks_of(format),
    )


def distance(a: str | None, b: str | None) -> int:
    """How many tags differ between two captions' texts."""
    names_a = {p.name for p in pieces(a)} if a else set()
    names_b = {p.name for p in pieces(b)} if b else set()
    return len(names_a ^ names_b)
