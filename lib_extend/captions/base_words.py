"""A base model's own words for ratings, quality and years."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from lib_extend.captions.style import Style
from lib_extend.config import TagConfig
from lib_extend.records import Category, Source, Tag
from lib_extend.vocabulary.base_models import Base, base, quality_in, rating_word, year_words

_YEAR = re.compile(r"year_(\d{4})")


def base_of(config: TagConfig, style: Style) -> Base | None:
    """The base model that captions are written for: the settings' own, else the style's; None where nobody says."""
    name = config.base if config.base != "any" else style.base
    return base(name) if name else None


def in_words_of(tags: Iterable[Tag], of: Base | None) -> list[Tag]:
    """The models' tags with the base's words for rating, quality and year; without a base as they are."""
    if of is None:
        return list(tags)
    result: list[Tag] = []
    quality: list[Tag] = []
    for tag in tags:
        year = _YEAR.fullmatch(tag.name)
        if tag.source is Source.HUMAN:
            result.append(tag)
        elif tag.category is Category.RATING:
            word = rating_word(tag.name, of)
            result += [replace(tag, name=word)] if word else []
        elif tag.category is Category.QUALITY and of.qualities:
            quality.append(tag)
        elif year and (of.years or of.eras):
            result += [replace(tag, name=n, category=Category.YEAR) for n in year_words(int(year[1]), of)]
        else:
            result.append(tag)
    if quality:
        words = quality_in([t.name for t in quality], of)
        result += [replace(quality[0], name=w) for w in words] if words else quality
    return result
