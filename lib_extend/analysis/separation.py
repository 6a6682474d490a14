"""Who has which, as plain functions on one picture.

    from lib_extend.analysis.separation import load_separator, separate_people

    separator = load_separator(tagger="wd-swinv2-v3")
    separate_people(Image.open("a.png"), ["2girls", "black_hair", "white_hair", "indoors"], separator=separator)
    # (["2girls"], [["black_hair"], ["white_hair"]], ["indoors"])

The original system's name (分离每个人tags) is an alias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_extend.analysis.person_finder import PersonFinder
from lib_extend.captions.lettering import rules
from lib_extend.captions.thresholds import Thresholds, agreed, passing
from lib_extend.config import TagConfig
from lib_extend.people.separating import Separation, separate
from lib_extend.records import SCORE_FLOOR, Analysis, Drop, Person, Tag, tag_names
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import canonical

if TYPE_CHECKING:
    from PIL import Image

    from lib_extend.models.ports import Detector, Tagger


@dataclass(frozen=True)
class Looked:
    """What was found in one picture: its tags, all that the tagger named, its persons, and who has which."""

    tags: tuple[Tag, ...]
    every: tuple[Tag, ...]
    found: tuple[Person, ...]
    separation: Separation


class Separator:
    """A tagger and a person detector with the settings that bring them together.

    Args:
        tagger, detector: anything with the ports `Tagger` and `Detector` (`lib_extend.models.ports`).
        config: thresholds, overlap, letters and the like; `people` and the models in it do not matter.
    """

    def __init__(self, tagger: Tagger, detector: Detector, config: TagConfig | None = None) -> None:
        self.tagger, self.detector = tagger, detector
        self.config = config or TagConfig()
        self._finder = PersonFinder(detector, tagger)
        self._own = Thresholds(
            tagger.threshold,
            tagger.character_threshold,
            tagger.tag_thresholds,
            getattr(tagger, "limits", {}),
        )

    def look(self, image: Image.Image, tags: Sequence[Tag] | None = None) -> Looked:
        """Tags, persons and who has which of one upright image of any mode and size.

        `tags`: those of the picture; None: the tagger's, by the thresholds.
        """
        said = self.tagger.tag([self.tagger.prepare(image)], SCORE_FLOOR)[0]
        found = self._finder.find([image], [self._finder.prepare(image)], [image.size], SCORE_FLOOR)[0]
        seen = agreed(Analysis(*image.size, said, persons=found), self.config, self._own)
        every, found = seen.tags, seen.persons
        if tags is None:
            passed = passing(every, self.config, self._own, lambda name: None)
            tags = [t for t in passed if not isinstance(t, Drop)]
        result = separate(tags, every, found, rules(self.config, self._own))
        return Looked(tuple(tags), tuple(every), found, result)

    def close(self) -> None:
        """Give the models' memory back."""
        self._finder.close()
        self.detector.close()
        self.tagger.close()


def load_separator(
    tagger: str = "wd-swinv2-v3",
    detector: str = "auto",
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    config: TagConfig | None = None,
) -> Separator:
    """A separator of models by name or folder, as `--tagger` and `--detector` take them.

    Raises:
        UserError: there is no such model. ModelError: it cannot be downloaded or loaded.
    """
    from lib_extend.models.model_loading import load_detector, load_tagger

    names = TagConfig(tagger=tagger, detector=detector, people=True)
    loaded = load_tagger(tagger, device=device, offline=offline, models_dir=models_dir)
    finder = load_detector(names.person_detector, device=device, offline=offline, models_dir=models_dir)
    return Separator(loaded, finder, config)


def separate_people(
    image: Image.Image, tags: Sequence[str], *, separator: Separator
) -> tuple[list[str], list[list[str]], list[str]]:
    """(people tags, tags of each person left to right, remaining tags), names with underscores.

    Only `tags` are divided, in their order; `Separator.look` also finds what the picture's tagging missed. Where the
    picture cannot be separated there are no persons and all other tags remain; `Separator.look` says why. What all
    persons have remains, unless the separator's setting `shared_tags` is "each"; what a better tag contradicts on
    everybody is left out.
    """
    given = [Tag(canonical(t)) for t in tags]
    result = separator.look(image, given).separation
    rest = [t for t in given if not is_people(t.name)]
    if result.reason:
        return [t.name for t in given if is_people(t.name)], [], tag_names(rest)
    own = [set(tag_names(p.tags)) for p in result.persons]
    each = [[t.name for t in rest if t.name in names] for names in own]
    remaining = [t.name for t in rest if t.name not in result.taken and t.name not in result.ruled_out]
    return tag_names(result.people), each, remaining


分离每个人tags = separate_people
