"""Look up tags: names, categories, numbers of pictures, aliases, implications, exclusions.

    words = own()
    words.resolve("peace_sign")                    "v"
    words.implied("white_shirt")                   frozenset({"shirt"})
    words.says_more("white_shirt", "shirt")        "words"

Names go in and come out in canonical form (`tag_names.canonical`) and are the same whatever their case.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from lib_extend.records import Category, Record
from lib_extend.vocabulary import word_rule
from lib_extend.vocabulary.exclusive_groups import ExclusiveGroup
from lib_extend.vocabulary.implications import Implications
from lib_extend.vocabulary.tag_names import key

UNKNOWN = -1
"""In `counts`: nobody says on how many pictures it is."""
IMPLICATION, WORDS = "implication", "words"
"""Why a tag says more than another."""
_CATEGORIES = tuple(Category)


@dataclass(frozen=True)
class TagFacts(Record):
    """What is known of one tag.

    Attributes:
        name: its canonical name.
        category: None where no list says it.
        count: on how many pictures of a site it is; None where no list says it. rough: only about so many.
        group: what kind of thing it is ("hair color"); "" where none is known.
        aliases: other words for it. translation: its name in the language of the user's file, or "".
    """

    name: str
    category: Category | None
    count: int | None
    rough: bool
    group: str
    aliases: tuple[str, ...] = ()
    translation: str = ""


@dataclass(frozen=True)
class Columns:
    """The tags of a vocabulary, most frequent first, one place a tag.

    Attributes:
        names: canonical names. categories: places in `tuple(Category)` plus one, 0 where nobody says it.
        counts: numbers of pictures, `UNKNOWN` where nobody says them. rough: 1 where the number is only about right.
        groups: by place, where there is one. aliases: the key of another word → the place of its tag.
        translations: by place.
    """

    names: Sequence[str]
    categories: bytes
    counts: array[int]
    rough: bytes
    groups: Mapping[int, str]
    aliases: Mapping[str, int]
    translations: Mapping[int, str]

    def category(self, place: int) -> Category | None:
        """The category of the tag at a place."""
        number = self.categories[place]
        return _CATEGORIES[number - 1] if number else None

    @staticmethod
    def number(category: Category | None) -> int:
        """What stands in `categories` for a category."""
        return 0 if category is None else _CATEGORIES.index(category) + 1


class Vocabulary:
    """See the module. `merging.merged` makes one from lists, `merging.own` has our own words."""

    def __init__(
        self, columns: Columns, implications: Implications, groups: Sequence[ExclusiveGroup] = ()
    ) -> None:
        self.columns = columns
        self.exclusive_groups = tuple(groups)
        self._implications = implications
        self._places = {key(name): place for place, name in enumerate(columns.names)}
        self._exclusive: dict[str, list[ExclusiveGroup]] = {}
        for group in groups:
            for name in group.tags:
                self._exclusive.setdefault(name, []).append(group)
        self.implied = lru_cache(maxsize=1 << 16)(self._implied)

    def __len__(self) -> int:
        return len(self.columns.names)

    def __contains__(self, name: str) -> bool:
        return key(name) in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns.names)

    def place(self, name: str) -> int | None:
        """The place in `columns` of a tag, or of the tag that this name is an alias of; None where it is unknown."""
        place = self._places.get(key(name))
        return self.columns.aliases.get(key(name)) if place is None else place

    def resolve(self, name: str) -> str:
        """The tag that a name is another word for; anything else comes back as it is."""
        if key(name) in self._places:
            return name
        place = self.columns.aliases.get(key(name))
        return name if place is None else self.columns.names[place]

    def facts(self, name: str) -> TagFacts | None:
        """The facts of a tag, or of the tag that this name is an alias of; None where it is unknown."""
        place = self.place(name)
        return None if place is None else self.facts_at(place)

    def facts_at(self, place: int) -> TagFacts:
        """What is known of the tag at a place of `columns`."""
        c = self.columns
        count = c.counts[place]
        return TagFacts(
            c.names[place],
            c.category(place),
            None if count == UNKNOWN else count,
            bool(c.rough[place]),
            c.groups.get(place, ""),
            tuple(self._aliases_of.get(place, ())),
            c.translations.get(place, ""),
        )

    def category(self, name: str) -> Category | None:
        """A tag's category; None where no list says it."""
        place = self.place(name)
        return None if place is None else self.columns.category(place)

    def group(self, name: str) -> str:
        """What kind of thing a tag is ("hair color"); "" where none is known."""
        place = self.place(name)
        return "" if place is None else self.columns.groups.get(place, "")

    def exclusive(self, name: str) -> tuple[ExclusiveGroup, ...]:
        """The groups of which one tag is right at the most, and to which this tag belongs."""
        return tuple(self._exclusive.get(self.resolve(name), ()))

    def excludes(self, one: str, other: str) -> tuple[ExclusiveGroup, ...]:
        """The groups in which two tags contradict each other: both belong to them, and neither follows from the other."""
        a, b = self.resolve(one), self.resolve(other)
        if a == b or a in self.implied(b) or b in self.implied(a):
            return ()
        others = self._exclusive.get(b, ())
        return tuple(group for group in self._exclusive.get(a, ()) if group in others)

    def says_more(self, special: str, general: str) -> str:
        """Why a tag says more than another: `IMPLICATION` (a list says it), `WORDS` (`white_shirt`, `shirt`), or ""."""
        a, b = self.resolve(special), self.resolve(general)
        if a == b:
            return ""
        if b in self._implications.of(a):
            return IMPLICATION
        if word_rule.says_more(a, b):
            return WORDS
        return IMPLICATION if b in self.implied(a) else ""

    def _implied(self, name: str) -> frozenset[str]:
        """All tags that follow from a tag, without the tag itself: from the lists, and from its last words where they
        are known."""
        start = self.resolve(name)
        found: set[str] = set()
        todo = [start]
        while todo:
            one = todo.pop()
            for other in (*self._implications.of(one), *(e for e in word_rule.ends(one) if e in self)):
                if other not in found and other != start:
                    found.add(other)
                    todo.append(other)
        return frozenset(found)

    @cached_property
    def _aliases_of(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for alias, place in self.columns.aliases.items():
            found.setdefault(place, []).append(alias)
        return found
