"""Which tags are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

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
