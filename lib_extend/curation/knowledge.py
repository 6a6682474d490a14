"""What steps know: the words, the user's lists, what the folder's characters look like, and what the user said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from lib_extend.captions.patterns import Patterns
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreTable
from lib_extend.records import Category
from lib_extend.vocabulary.tag_names import key

KEEP, DROP = "keep", "drop"
"""What a user may say of a tag for a folder."""
ALIAS_STEPS = 8
"""Names on the way from an alias to its tag, at the most."""


class Words(Protocol):
    """What is known of words: the vocabulary. What is found out of its words is remembered by it."""

    def __hash__(self) -> int: ...

    def resolve(self, name: str) -> str:
        """The tag that an alias stands for; another name as it is."""
        ...

    def category(self, name: str) -> Category | None:
        """The category of a tag, None where nobody says."""
        ...

    def implied(self, name: str) -> Set[str]:
        """All that follows from a tag, without itself."""
        ...

    def says_more(self, special: str, general: str) -> str:
        """How a tag makes another needless ("implication", "words"); "" where it does not."""
        ...


class Traits(Protocol):
    """What is a trait of a character."""

    def difficulty(self, name: str) -> int | None:
        """How deep a trait is (0 hair and eyes, 1 ears and horns …); None for what is none."""
        ...


class ExclusiveGroup(Protocol):
    """Tags of which one at the most is right. `of`: "picture", or "person"; `unless`: with one of these several are.

    Two that follow from each other do not contradict each other.
    """

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> Set[str]: ...
    @property
    def of(self) -> str: ...
    @property
    def unless(self) -> Set[str]: ...


@dataclass(frozen=True)
class UserLists:
    """What the user's own files say.

    Attributes:
        blacklists: the patterns of each file, with its name. overlaps: the tags that make each tag needless.
        aliases: tags by their other names. traits: instead of ours.
    """

    blacklists: tuple[tuple[str, Patterns], ...] = ()
    overlaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    traits: Traits | None = None


class Concerned:
    """Of which names something is true, found out once a name: most steps have nothing to do with most tags.

    Args:
        test: whether it is true of a name.
    """

    def __init__(self, test: Callable[[str], object]) -> None:
        self._test = test
        self._yes: set[str] = set()
        self._no: set[str] = set()

    def among(self, names: Mapping[str, object]) -> list[str]:
        """Those of the names of which it is true, by the alphabet."""
        left = names.keys() - self._no
        if not left <= self._yes:
            for name in left - self._yes:
                (self._yes if self._test(name) else self._no).add(name)
            left &= self._yes
        return sorted(left)


@dataclass(frozen=True)
class Knowledge:
    """What steps know.

    Attributes:
        config: the settings. words, own_traits, groups, own_blacklist: what comes with us.
        lists: the user's. core: the core tags of the folder's characters. overrules: what the user said of single tags.
    """

    config: TagConfig
    words: Words
    own_traits: Traits
    groups: Sequence[ExclusiveGroup] = ()
    own_blacklist: Patterns = field(default_factory=lambda: Patterns((), "blacklist"))
    lists: UserLists = field(default_factory=UserLists)
    core: CoreTable = field(default_factory=CoreTable)
    overrules: Mapping[str, str] = field(default_factory=dict)
    _concerned: dict[str, Concerned] = field(default_factory=dict, init=False, compare=False)

    def concerned(self, what: str, test: Callable[[str], object]) -> Concerned:
        """The names of which `test` is true, kept under `what`."""
        found = self._concerned.get(what)
        if found is None:
            found = self._concerned[what] = Concerned(test)
        return found

    @property
    def pruning(self) -> str:
        return self.config.pruning

    @property
    def traits(self) -> Traits:
        return self.lists.traits or self.own_traits

    @cached_property
    def kept(self) -> frozenset[str]:
        """Tags that stay whatever the steps say."""
        return frozenset(name for name, said in self.overrules.items() if said == KEEP)

    @cached_property
    def groups_of(self) -> Mapping[str, Sequence[int]]:
        """The places of the exclusive groups that each tag is in."""
        found: dict[str, list[int]] = {}
        for i, group in enumerate(self.groups):
            for name in group.tags:
                found.setdefault(name, []).append(i)
        return found

    @cached_property
    def resolve(self) -> Callable[[str], str]:
        """The tag that a name stands for: by the user's aliases, then by the vocabulary's."""
        seen: dict[str, str] = {}
        aliases, own = self.lists.aliases, not self.config.only_my_lists

        def resolve(name: str) -> str:
            found = seen.get(name)
            if found is None:
                found = name
                for _ in range(ALIAS_STEPS):
                    if found not in aliases:
                        break
                    found = aliases[found]
                if own:
                    found = self.words.resolve(found)
                seen[name] = found
            return found

        return resolve

    @cached_property
    def countable(self) -> Callable[[str], str]:
        """The name under which a tag is counted as one that may be core; "" for names of characters and the like."""
        seen: dict[str, str] = {}
        resolve, category = self.resolve, self.words.category

        def countable(name: str) -> str:
            found = seen.get(name)
            if found is None:
                general = category(name) in (None, Category.GENERAL)
                found = seen[name] = resolve(key(name)) if general else ""
            return found

        return countable

    @cached_property
    def difficulty(self) -> Callable[[str], int | None]:
        """The level of a trait, looked up once a name."""
        seen: dict[str, int | None] = {}

        def difficulty(name: str) -> int | None:
            if name not in seen:
                seen[name] = self.traits.difficulty(name)
            return seen[name]

        return difficulty
