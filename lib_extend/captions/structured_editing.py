"""Changing single tags of a caption in clauses, XML or JSON: it is written anew with all its words in their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib_extend.captions.existing import Existing
from lib_extend.captions.person_edits import Written
from lib_extend.captions.structured_writing import StructuredWriter
from lib_extend.captions.style_table import style_of
from lib_extend.captions.text import CaptionText, Kind, Line
from lib_extend.config import TagConfig
from lib_extend.records import Source, Tag
from lib_extend.vocabulary.tag_names import canonical


def structured(text: str, memory: Written | None) -> CaptionText | None:
    """The caption as its structured style reads it; None where it is a list."""
    return memory.structured(text) if memory is not None else None


def changed_line(
    line: Line, memory: Written, texts: Mapping[int, str | None], new: Sequence[str] = ()
) -> str:
    """A line with other words for some of its pieces, without its ending.

    Args:
        texts: by the pieces' places, how each is written now; None takes it out. new: tags that are added.
    """
    by_hand: dict[int, tuple[str, Tag | None]] = {}
    for i, piece in enumerate(line.pieces):
        text = texts.get(i, piece.text)
        if text is not None:
            tag = None if piece.kind is Kind.SEPARATOR else Tag(piece.name, source=Source.HUMAN)
            by_hand[i] = text, tag
    existing = Existing(line=line, human=(True,) * len(line.pieces), style=memory.style, heads=memory.persons)
    tags = [Tag(canonical(n), source=Source.OPTION) for n in new]
    typed = {t.name: n for t, n in zip(tags, new, strict=True)}
    config = TagConfig(keep_tokens_separator=memory.marks[0] if memory.marks else "")
    writer = StructuredWriter(style_of(memory.style), existing, by_hand, (), (), typed, (), config, [])
    return writer.rewritten(tags)


def without_letter(name: str, memory: Written) -> str:
    """A tag's name without what says whose it is."""
    start = next((s for s, _ in memory.persons if s and name.startswith(s)), "")
    return name[len(start) :]
