"""Files of other tools beside a picture: one file per field (`a.characters`), and a downloader's tag file
(`a.png.tags`).

A field's file holds values separated by commas. Its values replace the stored ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lib_extend.config import TagConfig
from lib_extend.curation.curation_reason import is_curated
from lib_extend.errors import ImageError, UserError
from lib_extend.files import caption_files as files
from lib_extend.files.atomic_writing import write_text
from lib_extend.files.dataset_names import is_own_file
from lib_extend.files.scan import show
from lib_extend.records import Analysis, Category, Drop, Source, Tag
from lib_extend.vocabulary.tag_names import canonical, key, written

TAGS, PROCESSED = "tags", "processed_tags"
CATEGORIES = {
    "characters": Category.CHARACTER,
    "copyright": Category.COPYRIGHT,
    "artist": Category.ARTIST,
    TAGS: Category.GENERAL,
    PROCESSED: Category.GENERAL,
}
"""The fields that are read, and the category of their tags."""
_GRABBER = {
    "character": "characters",
    "characters": "characters",
    "copyright": "copyright",
    "copyrights": "copyright",
    "artist": "artist",
    "artists": "artist",
    "general": TAGS,
    "tags": TAGS,
}
_NOBODY = frozenset({"unknown", "anonymous"})
_ENDING = re.compile(r"\.\w{1,20}")
TRAITS = "dropped_character_tags"
SAVED = (*CATEGORIES, TRAITS)
"""The fields that are written."""
MOVED = "moved_to_end"

Fields = Mapping[str, tuple[str, ...]]
"""Canonical names by field."""


def load(root: Path, image: str, config: TagConfig) -> Fields:
    """The values of the files beside a picture, by field; a downloader's file has priority.

    Raises ImageError: a file cannot be read, or is no UTF-8 text.
    """
    found: dict[str, tuple[str, ...]] = {}
    for field in config.load_aux:
        text = _text(root / aux_name(image, field))
        if text is not None:
            found[field] = _names(text)
    if config.load_grabber:
        text = _text(root / f"{image}{config.load_grabber}")
        if text is not None:
            found.update(of_grabber(text))
    return found


def of_grabber(text: str) -> dict[str, tuple[str, ...]]:
    """The fields of a Grabber file: lines such as `character: a, b` and `general: c`."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, values = line.partition(":")
        field = _GRABBER.get(name.strip().lower())
        if colon and field:
            found.setdefault(field, []).extend(n for n in _names(values) if key(n) not in _NOBODY)
    return {field: tuple(dict.fromkeys(names)) for field, names in found.items() if names}


def applied(analysis: Analysis, fields: Fields, config: TagConfig) -> Analysis:
    """The analysis with the files' values: edited tags replace the tagger's general tags.

    With `from_original`, edited `processed_tags` are ignored.
    """
    general = None
    if PROCESSED in fields and not config.from_original:
        general = fields[PROCESSED]
    elif TAGS in fields:
        general = fields[TAGS]
    tags = list(analysis.tags)
    if general is not None:
        # an edited list is complete and keeps its order: no threshold removes a tag
        tags = [t for t in tags if t.category is not Category.GENERAL]
        tags += [Tag(n, Category.GENERAL) for n in general]
    for field, names in fields.items():
        category = CATEGORIES.get(field)
        if category is not None and category is not Category.GENERAL:
            tags = [t for t in tags if t.category is not category]
            tags += [Tag(n, category) for n in names]
    return replace(analysis, tags=tuple(tags)) if fields else analysis


def save(root: Path, image: str, fields: Mapping[str, Sequence[str]], wanted: Sequence[str]) -> None:
    """Write the wanted fields that have values, each to its file beside the picture, completely or not at all.

    Raises ImageError: one cannot be written.
    """
    for field in wanted:
        names = fields.get(field)
        if not names:
            continue
        file = root / aux_name(image, field)
        if not is_own_file(file):
            raise ImageError(f"{show(file.name)} is no ordinary file: it is not written.")
        try:
            write_text(file, ", ".join(written(n) for n in names))
        except OSError as e:
            raise ImageError(f"{show(file.name)} cannot be written ({e.strerror}).") from None


def aux_name(image: str, field: str) -> str:
    """The file of a field beside a picture: its name up to the last dot, and the field."""
    return f"{image[: image.rindex('.')]}.{field}"


def check(config: TagConfig) -> None:
    """Raises UserError for an unknown field."""
    for setting, known in (("load_aux", tuple(CATEGORIES)), ("save_aux", SAVED)):
        for name in getattr(config, setting):
            if name not in known:
                raise UserError(
                    f"{setting} is {name!r}, but must be some of: {', '.join(known)}.", field=setting
                )
    if config.load_grabber and not _ENDING.fullmatch(config.load_grabber):
        raise UserError(
            f"load_grabber is {config.load_grabber!r}, but must be an ending such as .tags.",
            field="load_grabber",
        )


def fields_of(tags: Sequence[Tag], dropped: Sequence[Drop]) -> dict[str, list[str]]:
    """The fields that a decided caption has: its tags, what was left out, and names by category."""
    processed = [t.name for t in tags if t.category is Category.GENERAL and t.source is not Source.OPTION]
    before = [*processed, *(d.name for d in dropped if is_curated(d.code) and d.code != MOVED)]
    found = {PROCESSED: processed, TAGS: list(dict.fromkeys(before))}
    for field, category in CATEGORIES.items():
        if category is not Category.GENERAL:
            found[field] = [t.name for t in tags if t.category is category]
    found[TRAITS] = [d.name for d in dropped if d.code in (MOVED, "trait", "core_tag")]
    return found


def _text(file: Path) -> str | None:
    data = files.read_bytes(file)
    if data is None:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImageError(f"{show(file.name)} is no UTF-8 text: save it as UTF-8.") from None


def _names(text: str) -> tuple[str, ...]:
    found = (canonical(part) for part in text.replace("\n", ",").split(","))
    return tuple(dict.fromkeys(n for n in found if n))
