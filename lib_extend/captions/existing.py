"""The caption that is there: its pieces, and what is known of who wrote which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lib_extend.captions.text import Kind, Line, Piece
from lib_extend.records import Source, Tag
from lib_extend.vocabulary.tag_names import key


@dataclass(frozen=True)
class Existing:
    """The caption that is there, with what is known of who wrote what.

    A file may have several lines, each a caption of its own: this is the first one with words, which trainers read, and
    `later` are the others.

    Attributes:
        text: the whole file.
        line: the caption's pieces. human: which of them are a person's.
        before, after: what stands in the file in front of the line and behind it, to the letter.
        kinds: how each tag of ours came about, by its key: a source and a category (`tagger character`).
        words: keys of what else we wrote (a template's own words).
        removed: names of tags a person took out; they never come back by themselves.
        pruned: tags that curation left out of the line and nothing else knows: how each came about, by its name.
        style: the structured style (a value of the setting `format`) that it is read as; "" for a list.
        heads: of each person in it, what the names of its tags begin with and how its part of the caption is called.
        also: of a further line that the setting `also` made, what it is called there.
        unreadable: it was written in `style` and cannot be read as that any more.
        later: the captions of further lines; `before` of each is what stands between it and the line above.
    """

    text: str = ""
    line: Line = Line((), ("",))  # noqa: RUF009
    human: tuple[bool, ...] = ()
    before: str = ""
    after: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    pruned: Mapping[str, str] = field(default_factory=dict)
    style: str = ""
    heads: tuple[tuple[str, str], ...] = ()
    also: str = ""
    unreadable: bool = False
    later: tuple[Existing, ...] = ()

    @cached_property
    def own(self) -> tuple[Piece, ...]:
        """A person's pieces, in the file's order."""
        return tuple(p for p, h in zip(self.line.pieces, self.human, strict=True) if h)

    @cached_property
    def added(self) -> tuple[Tag, ...]:
        """A person's pieces as tags, without separators."""
        return tuple(Tag(p.name, source=Source.HUMAN) for p in self.own if p.kind is not Kind.SEPARATOR)

    @property
    def forms(self) -> tuple[tuple[str, str], ...]:
        """Name and spelling of each piece, separators aside."""
        return tuple((p.name, p.raw) for p in self.line.tags)

    @cached_property
    def ours(self) -> tuple[str, ...]:
        """Names of tags we wrote that are still there, in the file's order."""
        return tuple(
            p.name
            for p, h in zip(self.line.pieces, self.human, strict=True)
            if not h and key(p.name) in self.kinds and p.kind is not Kind.SEPARATOR
        )

    @property
    def captions(self) -> int:
        """How many captions the file has, without those that the setting `also` made."""
        return bool(self.line.pieces) + sum(not line.also for line in self.later)


def as_list(existing: Existing) -> Existing:
    """A structured caption as a list of tags, to be written in another style: a person's tags with their letter."""
    starts = [start for start, _ in existing.heads if start]
    pieces = []
    for piece in existing.line.pieces:
        start = next((s for s in starts if piece.name.startswith(s)), "")
        pieces.append(replace(piece, raw=start.replace("_", " ") + piece.text, place="", said=""))
    gaps = ("", *(", " for _ in pieces[1:]), "")
    line = Line(tuple(pieces), gaps if pieces else ("",))
    later = tuple(map(as_list, existing.later))
    return replace(existing, line=line, style="", later=later)
