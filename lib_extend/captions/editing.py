"""Changing single tags of a caption that stands: all that is not meant stays letter by letter.

A caption is its tags and the gaps between them (separators, spaces, a template's own marks).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.reading import places
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, is_sentence, key, written

_ESCAPED = re.compile(r"\\[()]")


@dataclass(frozen=True)
class Style:
    """How a caption is written: what separates its tags, and how new ones are to be spelled.

    Attributes:
        separator: "" to take over what the caption itself has between its tags.
        marks: what a template put between its fields besides the separator (`|`).
        underscores, escape_brackets: as the settings of the same names, where the caption itself does not show.
    """

    separator: str = ""
    marks: tuple[str, ...] = ()
    underscores: bool = False
    escape_brackets: bool = False


@dataclass(frozen=True)
class _Part:
    """A tag as it stands (`raw`), after `gap`."""

    gap: str
    raw: str
    name: str


def with_tags(text: str, names: Sequence[str], style: Style = Style(), *, first: bool = False) -> str:
    """The caption with those of `names` (canonical) that it lacks, after its tags, or before them."""
    parts, tail = _split(text, style)
    there = {key(p.name) for p in parts}
    new = [n for n in _unique(names) if key(n) not in there]
    if not new:
        return text
    style = _shown(text, parts, style)
    written_new = style.separator.join(_spelled(n, style) for n in new)
    if not parts:
        return written_new + text[len(text.rstrip()) :]
    if first:
        lead = parts[0].gap
        return lead + written_new + style.separator + text[len(lead) :]
    # a comma that ended the caption is the separator now; a closing newline stays at the end
    end = tail[len(tail.rstrip()) :]
    return text[: len(text) - len(tail)] + style.separator + written_new + end


def renamed(text: str, new_name: Callable[[str], str], style: Style = Style()) -> str:
    """The caption with each tag named `new_name(canonical name)`; "" takes it out, the same name lets it be.

    A tag that gets the name of one that is there already goes.
    """
    parts, tail = _split(text, style)
    targets = [new_name(p.name) for p in parts]
    if all(t == p.name for t, p in zip(targets, parts, strict=True)):
        return text
    shown = _shown(text, parts, style)
    taken = {key(p.name) for t, p in zip(targets, parts, strict=True) if t == p.name}
    kept: list[_Part] = []
    gap = ""
    for i, (target, part) in enumerate(zip(targets, parts, strict=True)):
        gap = _joined_gap(gap, part.gap, style) if i else part.gap
        if target != part.name:
            if not target or key(target) in taken:
                continue
            taken.add(key(target))
            part = replace(part, raw=_spelled(target, shown))
        kept.append(replace(part, gap=gap if kept else parts[0].gap))
        gap = ""
    if not kept:
        return parts[0].gap + tail[len(tail.rstrip()) :] if parts else text
    return "".join(p.gap + p.raw for p in kept) + tail


def fronted(text: str, names: Sequence[str], style: Style = Style()) -> str:
    """The caption with those of `names` that it has first, in the order of `names`."""
    parts, _ = _split(text, style)
    standing = {key(p.name): p for p in reversed(parts)}
    moved = [standing[key(n)] for n in _unique(names) if key(n) in standing]
    if not moved or parts[: len(moved)] == moved:
        return text
    wanted = {key(p.name) for p in moved}
    rest = renamed(text, lambda n: "" if key(n) in wanted else n, style)
    shown = _shown(text, parts, style)
    lead = parts[0].gap
    first = shown.separator.join(p.raw for p in moved)
    body = rest[len(lead) :]
    return lead + first + (shown.separator + body if body.strip() else body)


def ordered(text: str, first: Sequence[str] = (), style: Style = Style()) -> str:
    """The caption with its tags in alphabetical order, `first` before all, sentences last.

    Between a template's marks each field is ordered by itself.
    """
    parts, tail = _split(text, style)
    place = {key(n): i for i, n in enumerate(first)}
    result = []
    for field in _fields(parts, style):
        raws = sorted(
            field, key=lambda p: (place.get(key(p.name), len(place)), is_sentence(p.name), _order(p.name))
        )
        result += [p.gap + r.raw for p, r in zip(field, raws, strict=True)]
    return "".join(result) + tail


def _order(name: str) -> str:
    return "" if is_sentence(name) else key(name)


def _fields(parts: Sequence[_Part], style: Style) -> list[list[_Part]]:
    fields: list[list[_Part]] = []
    for part in parts:
        if not fields or any(mark in part.gap for mark in style.marks):
            fields.append([])
        fields[-1].append(part)
    return fields


def _split(text: str, style: Style) -> tuple[list[_Part], str]:
    """The tags with the gap before each, and what follows the last."""
    parts = []
    at = 0
    for name, start, end in places(text, style.separator or ", ", style.marks):
        parts.append(_Part(text[at:start], text[start:end], name))
        at = end
    return parts, text[at:]


def _joined_gap(before: str, after: str, style: Style) -> str:
    """What stands between two tags when the one between them goes: a template's mark outlives a comma."""
    if not before or any(mark in after for mark in style.marks):
        return after
    return before


def _shown(text: str, parts: Sequence[_Part], style: Style) -> Style:
    """`style` as the caption itself shows it."""
    separator = style.separator
    if not separator:
        gaps = [p.gap for p in parts[1:]]
        separator = max(gaps, key=gaps.count) if gaps else ", "
    tags = [p for p in parts if "_" in p.name and p.name not in KAOMOJI and not is_sentence(p.name)]
    underscores, escape = style.underscores, style.escape_brackets
    if tags:
        underscores = sum("_" in p.raw for p in tags) * 2 > len(tags)
    if any("(" in p.name for p in tags):
        escape = _ESCAPED.search(text) is not None
    return replace(style, separator=separator, underscores=underscores, escape_brackets=escape)


def _spelled(name: str, style: Style) -> str:
    return written(name, style.underscores, style.escape_brackets)


def _unique(names: Sequence[str]) -> list[str]:
    return list({key(canonical(n)): canonical(n) for n in reversed(names)}.values())[::-1]
