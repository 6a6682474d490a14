"""A list of tags from one source; `merging` combines several lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lib_extend.records import Category, Record

Pair = tuple[str, str]
"""Two names: what is special and what is general, or another word and its tag."""


class TagRow(NamedTuple):
    """One tag of a list.

    `name` is canonical; `category` and `pictures` (how many have it) are None where the list says nothing of them;
    `rough`: their number is only about right; `aliases` are other words for it; `group` is what kind of thing it is.
    """

    name: str
    category: Category | None = None
    pictures: int | None = None
    rough: bool = False
    aliases: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True)
class ListProblem(Record):
    """An entry of a list that could not be used.

    Attributes:
        code: "row", "count", "encoding", "json", "alias_cycle", "implication_cycle", "format", "size" …
        file: the list's name. line: where it stands, from 1; 0 for the whole.
        words: one sentence that names the file and the mend.
    """

    code: str
    file: str
    line: int
    words: str


@dataclass(frozen=True)
class TagList:
    """One source's tags.

    Attributes:
        name: what to call it in a message: "danbooru.csv", "wd-swinv2-v3".
        rows: its tags, in its order.
        implications: (special, general): where the special tag is, the general one is true as well.
        translations: names in another language, by canonical name or alias.
        problems: what of it could not be used.
    """

    name: str
    rows: Sequence[TagRow] = ()
    implications: Sequence[Pair] = ()
    translations: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[ListProblem] = ()
