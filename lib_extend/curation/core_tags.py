"""What a character has on most of its pictures: its core tags.

They are counted over the pictures that show just this character, from tags that nothing has been left out of, so that a
second run counts the same. Idea and defaults: stage 5 of anime_screenshot_pipeline.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lib_extend.config import TagConfig
from lib_extend.curation.curation_reason import Reason
from lib_extend.records import Record
from lib_extend.vocabulary.character_names import embedding_name

DROPPED, KEPT = "dropped", "kept"
_NO_TRAITS = frozenset(
    "solo 1girl 1boy 2girls 2boys 3girls 3boys girls boys body background quality chibi monochrome comic looking text "
    "signature peeking focus smile mouth anime screenshot sky wall tree cloud day night indoors outdoors window curtains "
    "forest sitting standing portrait".split()
)
"""Words of tags that say nothing of a character, however often they stand beside it."""
_PHRASES = frozenset({"close_up", "multiple_views"})
_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class CoreTag(Record):
    """One core tag: on how many of the character's pictures it is, and on what share (0…1).

    Attributes:
        use: "dropped" or "kept". init: whether an embedding starts from it; such a tag goes from captions too.
        difficulty: the level of the trait, None for what is none.
    """

    name: str
    count: int
    share: float
    use: str = KEPT
    init: bool = False
    difficulty: int | None = None

    @property
    def goes(self) -> bool:
        return self.use == DROPPED or self.init


@dataclass(frozen=True)
class CoreTags(Record):
    """The core tags of one character (and form), most frequent first.

    Attributes:
        pictures: how many show it alone; 0 where a file says what is core. enough: whether they suffice to drop anything.
    """

    character: str
    pictures: int
    tags: tuple[CoreTag, ...] = ()
    enough: bool = True

    @cached_property
    def going(self) -> Mapping[str, Reason]:
        """Those that go from captions, and why; none where too few pictures show the character."""
        return {
            t.name: Reason(
                "core_tag", {"character": self.character, "share": t.share, "pictures": self.pictures}
            )
            for t in self.tags
            if t.goes and self.enough
        }

    def of(self, use: str) -> list[str]:
        """The names of those of one use."""
        return [t.name for t in self.tags if t.use == use]

    @property
    def init(self) -> list[str]:
        """The names of those that an embedding starts from."""
        return [t.name for t in self.tags if t.init]


@dataclass(frozen=True)
class CoreTable(Record):
    """The core tags by the folder they were counted over ("" for the dataset) and the character."""

    folders: Mapping[str, Mapping[str, CoreTags]] = field(default_factory=dict)

    def of(self, folder: str) -> Mapping[str, CoreTags]:
        """Those of one folder; what a file or the whole dataset says counts where it says nothing."""
        found = self.folders.get(folder)
        return self.folders.get("", {}) if found is None else found

    @classmethod
    def from_json(cls, data: object) -> CoreTable:
        """The inverse of `to_json`. Raises ValueError or TypeError for anything else."""
        if not isinstance(data, Mapping) or not isinstance(data.get("folders"), Mapping):
            raise TypeError("folders are missing")
        return cls(
            {
                str(folder): {str(c): CoreTags.from_json(t) for c, t in table.items()}
                for folder, table in data["folders"].items()
            }
        )


class CoreCounter:
    """Counts tags on the pictures of each character alone; each picture is added once."""

    def __init__(self) -> None:
        self._pictures: Counter[tuple[str, str]] = Counter()
        self._tags: dict[tuple[str, str], Counter[str]] = {}

    def add(self, folder: str, character: str, names: Iterable[str], pictures: int = 1) -> None:
        """A picture that shows one character, with its tags; or `pictures` of one with the same tags."""
        self.add_counts(folder, character, pictures, dict.fromkeys(names, pictures))

    def add_counts(self, folder: str, character: str, pictures: int, counts: Mapping[str, int]) -> None:
        """Many pictures at once: how many there are and how many of them have each tag."""
        place = folder, character
        self._pictures[place] += pictures
        self._tags.setdefault(place, Counter()).update(counts)

    def table(self, config: TagConfig, difficulty: Callable[[str], int | None]) -> CoreTable:
        """The core tags of all that was counted."""
        folders: dict[str, dict[str, CoreTags]] = {}
        for (folder, character), pictures in sorted(self._pictures.items()):
            least = config.core_threshold * pictures
            found = [
                core_tag(name, count, count / pictures, config, difficulty)
                for name, count in self._tags[folder, character].items()
                if count >= least and count and may_be_core(name, difficulty)
            ]
            found.sort(key=lambda t: (-t.count, t.name))
            enough = pictures >= config.core_min_pictures
            folders.setdefault(folder, {})[character] = CoreTags(character, pictures, tuple(found), enough)
        return CoreTable({folder: _shared_init(table) for folder, table in folders.items()})


def core_tag(
    name: str, count: int, share: float, config: TagConfig, difficulty: Callable[[str], int | None]
) -> CoreTag:
    """What becomes of a core tag by its level."""
    level = difficulty(name)
    drops = config.drop_all_core or (level is not None and level < config.drop_difficulty)
    init = config.emb_init_all_core or (
        level is not None and config.emb_min_difficulty <= level < config.emb_max_difficulty
    )
    return CoreTag(name, count, round(share, 4), DROPPED if drops else KEPT, init, level)


def may_be_core(name: str, difficulty: Callable[[str], int | None]) -> bool:
    """Whether a tag can say what a character is: a trait, or none of the words of place, picture and pose."""
    if difficulty(name) is not None:
        return True  # a mole under the mouth is a trait, a mouth is none
    words = [w for w in _WORDS.split(name.lower()) if w]
    return not _NO_TRAITS.intersection(words) and "_".join(words) not in _PHRASES


def _shared_init(table: Mapping[str, CoreTags]) -> dict[str, CoreTags]:
    """Forms of one embedding start it from what all of them have."""
    forms: dict[str, list[CoreTags]] = {}
    for core in table.values():
        forms.setdefault(embedding_name(core.character), []).append(core)
    result = {}
    for character, core in table.items():
        same = forms[embedding_name(character)]
        if len(same) > 1:
            common = set.intersection(*(set(c.init) for c in same))
            tags = tuple(
                CoreTag(t.name, t.count, t.share, t.use, t.name in common, t.difficulty) for t in core.tags
            )
            core = CoreTags(core.character, core.pictures, tags, core.enough)
        result[character] = core
    return result
