"""A caption in the form that a trainer reads: in its kind of lines, without signs that it does not understand."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from lib_extend.captions.text import CaptionText, Kind, parse
from lib_extend.export.trainer import Lines

_ESCAPE = re.compile(r"\\([()\[\]{}])")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")


def captions_in(text: str) -> list[str]:
    """The captions of a file: one a line; a file of paragraphs, or with one tag a line, has one."""
    read = parse(text.replace("\r\n", "\n").replace("\r", "\n"))
    if read.head < 0:
        return []
    line = read.lines[read.head]
    if line.one_a_line:
        return [", ".join(p.raw for p in line.pieces)]
    if _is_prose(read) and _PARAGRAPHS.search(text.replace("\r\n", "\n").strip()):
        return [read.write().strip()]
    return [x.write().strip() for x in read.lines if x.pieces]


def _is_prose(read: CaptionText) -> bool:
    return all(any(p.kind is Kind.PROSE for p in line.pieces) for line in read.lines if line.pieces)


def chosen(captions: Sequence[str], how: str, seed: int, name: str) -> list[str]:
    """Which of a picture's captions are exported, see `ExportOptions.lines`; the same ones for a seed and a name."""
    if len(captions) < 2 or how not in ("pick", "wildcard"):
        return list(captions)
    if how == "pick":
        return [random.Random(f"{seed}\n{name}").choice(captions)]
    # a bar or a brace in a caption would be one of the group's
    plain = not any(c in text for text in captions for c in "|{}\n")
    return ["{" + "|".join(captions) + "}"] if plain else list(captions)


def is_group(text: str) -> bool:
    """Whether a caption is a wildcard: one of several that a trainer picks."""
    return text.startswith("{") and text.endswith("}") and "|" in text


def file_text(captions: Sequence[str], lines: Lines, fallback: str = "", *, every: bool = False) -> str:
    """The text of an export's caption file. It is never empty, because sd-scripts refuses files of zero bytes.

    Args:
        captions: as `captions_in` gives them. lines: what lines are to the trainer. fallback: the text where there is none.
        every: all captions, one a line, where only the first line is read: for a trainer that picks one of them.
    """
    ready = [_ESCAPE.sub(r"\1", c) for c in captions] or [fallback]
    if lines is Lines.WHOLE:
        return f"{ready[0]}\n"
    flat = [" ".join(c.split("\n")).replace("  ", " ").strip() for c in ready]
    return "\n".join(flat if lines is Lines.EVERY or every else flat[:1]) + "\n"


def trained(captions: Sequence[str], lines: Lines, text: str, *, every: bool = False) -> list[str]:
    """The captions that a trainer gets from a file with this `text` (see `file_text`), or could get from a list of them."""
    if lines is Lines.WHOLE:
        return [_ESCAPE.sub(r"\1", c) for c in captions] or [text.strip("\n")]
    return text.strip("\n").split("\n") if lines is Lines.EVERY or every else [text.strip("\n")]
