"""Which tags are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

from lib_extend.config.setting import setting
from lib_extend.errors import UserError

WAYS = ("mean", "union", "intersection", "vote")
_s = partial(setting, group="tags")


@dataclass(frozen=True)
class TagSettings:
    """Which tags are written."""

    threshold: float | None = _s(
        None,
        "score a general tag needs (default: the model's own)",
        low=0.0,
        high=1.0,
        recompose=True,
        label="General tags above",
    )
    character_threshold: float | None = _s(
        None,
        "score a character tag needs (default: the model's own)",
        low=0.0,
        high=1.0,
        recompose=True,
        label="Character tags above",
    )
    tagger_agreement: str = _s(
        "mean",
        "of several taggers: mean takes the mean of their scores, union what one of them is sure of, intersection what all "
        "are sure of, vote what more than half are sure of; of each tag those count that know it",
        choices=WAYS,
        recompose=True,
        label="Several taggers: agreement",
    )
    tagger_thresholds: tuple[str, ...] = _s(
        (),
        "of several taggers: scores that tags of each need, as NAME=0.5 or NAME=0.5/0.85 (general tags/characters), "
        "separated by commas (default: --threshold, else each model's own)",
        metavar="LIST",
        recompose=True,
        label="Several taggers: thresholds of each",
    )
    mcut: bool = _s(
        False,
        "find the thresholds in each image's largest score gap (MCut) instead",
        recompose=True,
        label="Find thresholds by MCut",
    )
    rating: bool = _s(
        False,
        "write the rating as a tag",
        recompose=True,
        label="Write the rating",
    )
    exclude: tuple[str, ...] = _s(
        (),
        "tags never written: names, wildcards (*_background) or /regular expressions/, separated by commas",
        metavar="LIST",
        recompose=True,
        label="Never write",
    )
    keep: tuple[str, ...] = _s(
        (),
        "tags written whatever their score, when the tagger names them at all; same forms as --exclude",
        metavar="LIST",
        recompose=True,
        label="Always write",
    )
    replace: tuple[str, ...] = _s(
        (),
        "replacements old=new, separated by commas; old may be a wildcard or a /regular expression/, an "
        "empty new removes",
        metavar="LIST",
        recompose=True,
        label="Replace",
    )
    prefix_tags: tuple[str, ...] = _s(
        (),
        "tags put first in every caption (a trigger word)",
        metavar="LIST",
        recompose=True,
        label="Put first",
    )
    suffix_tags: tuple[str, ...] = _s(
        (),
        "tags put last in every caption",
        metavar="LIST",
        recompose=True,
        label="Put last",
    )
    max_tags: int | None = _s(
        None,
        "most tags in a caption",
        low=1,
        high=1000,
        recompose=True,
        label="Most tags",
    )

    def thresholds_of(self, tagger: str) -> tuple[float | None, float | None]:
        """What the user says that general tags and characters of one of several taggers need; None: nothing."""
        return self.thresholds_each.get(tagger) or self.thresholds_each.get(last_part(tagger)) or (None, None)

    @cached_property
    def thresholds_each(self) -> dict[str, tuple[float | None, float | None]]:
        """`tagger_thresholds` by the taggers' names. Raises UserError for what cannot be read."""
        found: dict[str, tuple[float | None, float | None]] = {}
        for text in self.tagger_thresholds:
            name, _, values = text.rpartition("=")
            general, _, character = values.partition("/")
            found[name.strip()] = _number(general, text), _number(character, text)
        return found


def last_part(tagger: str) -> str:
    """The last part of a folder's path."""
    return tagger.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _number(text: str, whole: str) -> float | None:
    """A score in 0…1; None for nothing. Raises UserError for anything else."""
    try:
        value = float(text) if text.strip() else None
    except ValueError:
        value = -1.0
    if value is not None and not 0 <= value <= 1:
        raise UserError(
            f"tagger_thresholds has {whole!r}, but each must be like wd-swinv2-v3=0.35 or wd-swinv2-v3=0.35/0.85.",
            field="tagger_thresholds",
        )
    return value
