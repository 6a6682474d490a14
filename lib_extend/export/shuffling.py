"""What of captions comes through a trainer's shuffle whole."""

from __future__ import annotations

from collections.abc import Mapping

from lib_extend.captions.markup import SECONDARY
from lib_extend.captions.style_table import style_of
from lib_extend.captions.text import Kind, Piece, parse
from lib_extend.export.trainer import Trainer

KEPT = "|||"
"""sd-scripts' separator of what is not shuffled: before the first and behind the second all stays."""
Captions = Mapping[str, Mapping[str, tuple[str, ...]]]
"""The captions of each picture by its file's name, by subset."""

__all__ = ["KEPT", "SECONDARY", "shuffled", "without_separators"]


def shuffled(captions: Captions, style: str, trainer: Trainer) -> bool:
    """Whether all of these captions may be shuffled.

    Args:
        style: the style that they are in, "" where that is not known.
    """
    protection = style_of(style).protection.shuffle if style else "free"
    if protection == "never":
        return False
    texts = [t for files in captions.values() for found in files.values() for t in found]
    if protection == "keep" and not (trainer.keeps_separator and all(KEPT in t for t in texts)):
        return all(_is_list(t, trainer) and "." not in t for t in texts)
    return all(_is_list(t, trainer) for t in texts)


def _is_list(text: str, trainer: Trainer) -> bool:
    """Whether what is shuffled of a caption is a mere list of tags."""
    for line in parse(text).lines:
        parts: list[list[Piece]] = [[]]
        for piece in line.pieces:
            if trainer.keeps_separator and piece.kind is Kind.SEPARATOR and piece.raw == KEPT:
                parts.append([])
            else:
                parts[-1].append(piece)
        loose = parts[0] if len(parts) == 1 else parts[1]
        if any(p.kind in (Kind.PROSE, Kind.GROUP) for p in loose):
            return False
    return True


def without_separators(text: str) -> str:
    """A caption for a trainer that does not take the separators out."""
    parts = [part.strip(" ,") for part in text.replace(SECONDARY, ", ").split(KEPT)]
    joined = ""
    for part in filter(None, parts):
        # a clause behind the separator follows a full stop
        between = "" if not joined else ". " if part[:1].isupper() and part.endswith(".") else ", "
        joined += between + part
    return joined
