"""Read the program's own word lists from this folder's text files: tags by group, aliases, implications.

`tags/*.txt` has a section a group, `[hair color | one of person | unless multicolored_hair]`, and in it lines of a rough
number of pictures and the tags that have about so many, most frequent first: `1M black_hair brown_hair`. `aliases.txt`
and `implications.txt` have lines `tag <- other other`. `{black,white}_hair` are two tags everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lib_extend.records import Category
from lib_extend.vocabulary.braces import expanded
from lib_extend.vocabulary.exclusive_groups import ExclusiveGroup, Of
from lib_extend.vocabulary.tag_list import Pair, TagList, TagRow

_HERE = Path(__file__).parent
_TAGS = _HERE / "tags"
_THOUSANDS = {"M": 1_000_000, "k": 1000}
_ONE_OF, _UNLESS = "one of ", "unless "


class _Section(NamedTuple):
    name: str
    category: Category
    one_of: Of | None
    unless: frozenset[str]
    rows: list[tuple[str, int]]


@lru_cache(maxsize=1)
def own_list() -> TagList:
    """All tags of ours with category, rough count, group and aliases; and what follows from what."""
    others: dict[str, list[str]] = {}
    for alias, name in pairs_of((_HERE / "aliases.txt").read_text(encoding="utf-8")):
        others.setdefault(name, []).append(alias)
    rows = [
        TagRow(name, section.category, count, True, tuple(others.get(name, ())), section.name)
        for section in _sections()
        for name, count in section.rows
    ]
    implications = tuple(pairs_of((_HERE / "implications.txt").read_text(encoding="utf-8")))
    return TagList("own", rows, implications)


@lru_cache(maxsize=1)
def own_exclusive_groups() -> tuple[ExclusiveGroup, ...]:
    """The groups of ours of which one tag is right at the most."""
    return tuple(
        ExclusiveGroup(s.name, frozenset(name for name, _ in s.rows), s.one_of, s.unless)
        for s in _sections()
        if s.one_of is not None
    )


def pairs_of(text: str) -> Iterator[Pair]:
    """The pairs (special, general) of lines `general <- special special`."""
    for line in text.splitlines():
        general, arrow, specials = line.partition(" <- ")
        if arrow and not line.startswith("#"):
            for word in specials.split():
                for special in expanded(word):
                    yield special, general


@lru_cache(maxsize=1)
def _sections() -> tuple[_Section, ...]:
    found: list[_Section] = []
    for path in sorted(_TAGS.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                found.append(_section(line))
            elif line and not line.startswith("# "):
                number, *words = line.split()
                found[-1].rows.extend((name, _count(number)) for word in words for name in expanded(word))
    return tuple(found)


def _section(title: str) -> _Section:
    name, *rest = (part.strip() for part in title.strip("[]").split("|"))
    category, one_of, unless = Category.GENERAL, None, frozenset[str]()
    for part in rest:
        if part.startswith(_ONE_OF):
            one_of = Of(part.removeprefix(_ONE_OF))
        elif part.startswith(_UNLESS):
            unless = frozenset(n for w in part.removeprefix(_UNLESS).split() for n in expanded(w))
        else:
            category = Category(part)
    return _Section(name, category, one_of, unless, [])


def _count(number: str) -> int:
    """`300k` as a number."""
    return int(number.rstrip("Mk")) * _THOUSANDS.get(number[-1], 1)
