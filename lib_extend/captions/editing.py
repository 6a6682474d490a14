"""Changing single tags of a caption that stands: all that is not meant stays letter by letter.

Each line is a caption of its own. Only tags are changed: prose, groups, wildcards and separators stay as they are. What
a person types is written as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lib_extend.captions.person_edits import Written
from lib_extend.captions.placed_pieces import Standing, joined, place_of_new, standing
from lib_extend.captions.structured_editing import changed_line, structured, without_letter
from lib_extend.captions.style_table import style_of
from lib_extend.captions.text import CaptionText, Kind, Line, Piece, parse
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, key, written

_BREAKS = re.compile(r"(\r\n|\n|\r)")
_ESCAPED = re.compile(r"\\[()]")


@dataclass(frozen=True)
class Style:
    """How a caption is written: what separates its tags, and how new ones are to be spelled.

    Attributes:
        separator: "" to take over what the caption itself has between its tags.
        marks: what a template put between its fields besides the separator (`|`).
        underscores, escape_brackets: as the settings of the same names, where the caption itself does not show.
        lines: "first" or "every": which lines of several get new tags.
        memory: what is remembered of the caption.
    """

    separator: str = ""
    marks: tuple[str, ...] = ()
    underscores: bool = False
    escape_brackets: bool = False
    lines: str = "first"
    memory: Written | None = field(default=None, compare=False)

    def read(self, text: str) -> CaptionText:
        """A caption of this style."""
        if self.memory is not None:
            return self.memory.read(text)
        return parse(text, self.separator or ", ", self.marks)

    def is_structured(self, text: str) -> bool:
        """Whether a caption is more than a list: clauses, XML, JSON."""
        if self.memory is None or style_of(self.memory.style).fielded:
            return False
        return structured(text, self.memory) is not None


def with_tags(text: str, names: Sequence[str], style: Style = Style(), *, first: bool = False) -> str:
    """The caption with those of `names` (as they are to be written) that it lacks, after its tags, or before them.

    New tags go into the first line that has any, or into every one.
    """
    read = style.read(text)
    if style.is_structured(text) and style.memory is not None and read.head >= 0:
        memory = style.memory
        return _changed(
            read,
            lambda line: changed_line(line, memory, {}, _missing(line, names)),
            None if style.lines == "every" else read.head,
        )
    if read.head < 0:
        new = [n.strip() for n in _distinct(names).values()]
        return (style.separator or ", ").join(new) + text[len(text.rstrip()) :]

    def change(line: Line) -> str:
        there = {key(n) for p in line.pieces for n in (p.name, *p.names)}
        new = [Standing(n, None) for k, n in _distinct(names).items() if k not in there]
        if not new:
            return _text(line)
        shown = _shown(line, style)
        items = _all(line, style)
        at = 0 if first else place_of_new(items, len(items))
        items[at:at] = new
        if at < len(items) - len(new) and not items[at + len(new)].separates:
            items[at + len(new)] = replace(items[at + len(new)], gap=None)
        return joined(items, line, shown.separator)

    return _changed(read, change, None if style.lines == "every" else read.head)


def renamed(
    text: str, new_name: Callable[[str], str], style: Style = Style(), *, as_written: bool = True
) -> str:
    """The caption with each tag named `new_name(canonical name)`; "" takes it out, the same name lets it be.

    A tag that gets the name of one that is there already goes. Weights and brackets around it stay.

    Args:
        as_written: new names are written letter by letter; otherwise they are canonical, and are spelled as the
            caption spells its tags.
    """
    if style.memory is not None and style.is_structured(text):
        memory = style.memory
        return _changed(style.read(text), lambda line: _renamed_in(line, new_name, memory, as_written))
    return _changed(style.read(text), lambda line: _renamed(line, new_name, style, as_written))


def _renamed_in(line: Line, new_name: Callable[[str], str], memory: Written, as_written: bool) -> str:
    """The same for a caption in clauses, XML or JSON."""
    targets = {i: new_name(p.name) for i, p in enumerate(line.pieces) if p.kind is Kind.TAG}
    targets = {i: t for i, t in targets.items() if t != line.pieces[i].name}
    if not targets:
        return _text(line)
    taken = {key(p.name) for i, p in enumerate(line.pieces) if i not in targets}
    texts: dict[int, str | None] = {}
    for i, target in targets.items():
        bare = without_letter(canonical(target), memory)
        start = line.pieces[i].name[: -len(without_letter(line.pieces[i].name, memory)) or None]
        name = key(start + bare)
        goes = not target or name in taken or key(canonical(target)) in taken
        taken.add(name)
        words = target if as_written and bare == canonical(target) else written(bare)
        texts[i] = None if goes else line.pieces[i].spelled(words)
    return changed_line(line, memory, texts)


def _missing(line: Line, names: Sequence[str]) -> list[str]:
    there = {key(n) for p in line.pieces for n in (p.name, *p.names)}
    return [n.strip() for k, n in _distinct(names).items() if k not in there]


def _renamed(line: Line, new_name: Callable[[str], str], style: Style, as_written: bool) -> str:
    targets = {i: new_name(p.name) for i, p in enumerate(line.pieces) if p.kind is Kind.TAG}
    if all(t == line.pieces[i].name for i, t in targets.items()):
        return _text(line)
    shown = _shown(line, style)
    taken = {key(p.name) for i, p in enumerate(line.pieces) if targets.get(i, p.name) == p.name}

    def kept(i: int, piece: Piece) -> tuple[str, None] | None:
        target = targets.get(i, piece.name)
        if target == piece.name:
            return piece.raw, None
        name = key(canonical(target))
        if not target or name in taken:
            return None
        taken.add(name)
        words = target if as_written else written(target, shown.underscores, shown.escape_brackets)
        return piece.spelled(words), None

    items = standing(line, kept, shown.separator, marks=style.marks)
    if not items:
        tail = line.gaps[-1]
        return line.gaps[0] + tail[len(tail.rstrip()) :]
    lead = line.gaps[0]
    return joined(items, replace(line, gaps=(lead, *line.gaps[1:])), shown.separator)


def fronted(text: str, names: Sequence[str], style: Style = Style()) -> str:
    """The caption with those of `names` that a line has first in it, in the order of `names`.

    Captions in clauses, XML or JSON have an order of their own, and keep it.
    """
    if style.is_structured(text):
        return text
    return _changed(style.read(text), lambda line: _fronted(line, names, style))


def _fronted(line: Line, names: Sequence[str], style: Style) -> str:
    places: dict[str, int] = {}
    for i, piece in enumerate(line.pieces):
        if piece.kind is Kind.TAG:
            places.setdefault(key(piece.name), i)
    moved = [places[k] for k in _distinct(names) if k in places]
    if not moved or moved == list(range(len(moved))):
        return _text(line)
    gone = set(moved)
    rest = standing(
        line, lambda i, p: None if i in gone else (p.raw, None), style.separator or ", ", marks=style.marks
    )
    items = [Standing(line.pieces[i].raw, None, line.pieces[i]) for i in moved]
    return joined([replace(items[0], first=True), *items[1:], *rest], line, _shown(line, style).separator)


def ordered(text: str, first: Sequence[str] = (), style: Style = Style()) -> str:
    """The caption with the tags of each line in alphabetical order, `first` before all.

    Captions in clauses, XML or JSON have an order of their own, and keep it. Sentences, groups and wildcards stay in their places. Between separators that stay (`|||`), and between a template's
    marks, each part is ordered by itself.
    """
    place = {key(canonical(n)): i for i, n in enumerate(first)}
    if style.is_structured(text):
        return text
    return _changed(style.read(text), lambda line: _ordered(line, place, style))


def _ordered(line: Line, place: dict[str, int], style: Style) -> str:
    raws = [p.raw for p in line.pieces]
    for field_ in _fields(line, style):
        pieces = [line.pieces[i] for i in field_]
        pieces.sort(key=lambda p: (place.get(key(p.name), len(place)), key(p.name)))
        for i, piece in zip(field_, pieces, strict=True):
            raws[i] = piece.raw
    return _text(line, raws)


def _fields(line: Line, style: Style) -> list[list[int]]:
    """The places of tags that may change places with each other."""
    fields: list[list[int]] = [[]]
    for i, piece in enumerate(line.pieces):
        if piece.kind is Kind.SEPARATOR or any(mark in line.gaps[i] for mark in style.marks):
            fields.append([])
        # tags with sd-scripts' secondary separator between them belong together
        tied = ";;;" in line.gaps[i] or ";;;" in line.gaps[i + 1]
        if piece.kind is Kind.TAG and not tied:
            fields[-1].append(i)
    return fields


def lines_of(text: str) -> list[str]:
    """The lines of a text that are not empty, without their breaks."""
    return [part for part in _BREAKS.split(text)[::2] if part]


def by_lines(text: str, change: Callable[[str], str]) -> str:
    """`text` with each line's words changed, and all line breaks where they are."""
    parts = _BREAKS.split(text)
    return "".join(part if i % 2 or not part else change(part) for i, part in enumerate(parts))


def _changed(read: CaptionText, change: Callable[[Line], str], only: int | None = None) -> str:
    return "".join(
        change(line) + line.ending if line.pieces and only in (None, i) else line.write()
        for i, line in enumerate(read.lines)
    )


def _text(line: Line, raws: Sequence[str] | None = None) -> str:
    """A line without its ending, the pieces spelled `raws`."""
    texts = raws if raws is not None else [p.raw for p in line.pieces]
    return line.gaps[0] + "".join(r + g for r, g in zip(texts, line.gaps[1:], strict=True))


def _all(line: Line, style: Style) -> list[Standing]:
    return standing(line, lambda i, p: (p.raw, None), style.separator or ", ", marks=style.marks)


def _shown(line: Line, style: Style) -> Style:
    """`style` as the line itself shows it."""
    separator = style.separator
    if not separator:
        kinds = [p.kind for p in line.pieces]
        gaps = [
            gap
            for gap, *around in zip(line.gaps[1:-1], kinds[1:], kinds, strict=False)
            if Kind.SEPARATOR not in around and ";;;" not in gap
        ]
        separator = max(gaps, key=gaps.count) if gaps else "\n" if line.one_a_line else ", "
    tags = [p for p in line.pieces if p.kind is Kind.TAG and "_" in p.name and p.name not in KAOMOJI]
    underscores, escape = style.underscores, style.escape_brackets
    if tags:
        underscores = sum("_" in p.raw for p in tags) * 2 > len(tags)
    if any("(" in p.name for p in tags):
        escape = any(_ESCAPED.search(p.raw) for p in tags)
    return replace(style, separator=separator, underscores=underscores, escape_brackets=escape)


def _distinct(names: Sequence[str]) -> dict[str, str]:
    """The names as they are written by their keys, the first of each."""
    result: dict[str, str] = {}
    for name in names:
        pieces = parse(name).lines[0].pieces
        meant = pieces[0].name if len(pieces) == 1 else canonical(name)
        result.setdefault(key(meant), name)
    return result
