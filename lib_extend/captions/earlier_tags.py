"""What earlier runs found and this one does not ask for: it stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib_extend.captions.existing import Existing
from lib_extend.captions.person_edits import ADOPTED, UNKNOWN
from lib_extend.captions.style_table import style_of, styles
from lib_extend.config import TagConfig
from lib_extend.records import Category, Drop, Source, Tag
from lib_extend.vocabulary.tag_names import key, written

Asked = Mapping[str, tuple[bool, "float | None"]]
"""Keys of tags that answers ever gave: whether this run puts their questions again, and the answer's probability."""


def earlier_tags(existing: Existing, config: TagConfig, asked: Asked) -> list[Tag]:
    """The tags of ours in a line that this run neither looks for nor leaves out by itself."""
    if config.drop_earlier:
        return []
    result = []
    style = style_of(config.format)
    starts = (*(s for s, _ in existing.heads if s), *_starts(config))
    kinds = {**existing.kinds, **{key(n): kind for n, kind in existing.pruned.items()}}
    for name in (*existing.ours, *existing.pruned):
        kind = kinds.get(key(name), UNKNOWN)
        if kind == UNKNOWN:
            kind = _guessed(name, config, asked)
        source, _, category = kind.partition(" ")
        described = category == Category.PROSE.value and source == Source.QUESTION.value
        if described or _stays(source, key(name), config, asked):
            bare = _without_start(name, starts)
            if any(s.makes(bare) for s in styles().values()) and (bare == name or not style.makes(bare)):
                continue  # of an only person the style says it anew; another style has no place for it
            tag_source = Source.TAGGER if source == ADOPTED else Source(source)
            # with the answer's probability it keeps its place among the others
            score = asked[key(name)][1] if key(name) in asked else None
            result.append(Tag(name, Category(category or "general"), score, source=tag_source))
    return result


def unlettered(
    machine: Sequence[Tag], earlier: Sequence[Tag], config: TagConfig, dropped: list[Drop]
) -> list[Tag]:
    """The tags of this run without those that an earlier one gave to a person."""
    taken: dict[str, str] = {}
    for tag in earlier:
        if tag.source is Source.PERSON:
            taken.setdefault(_without_letter(tag.name, config), tag.name)
    result = []
    for tag in machine:
        if tag.name in taken:
            other = taken[tag.name]
            dropped.append(Drop(tag.name, f"already there as {written(other)}", "same", {"by": other}))
        else:
            result.append(tag)
    return result


def _stays(source: str, name: str, config: TagConfig, asked: Asked) -> bool:
    if source == ADOPTED:
        return True
    if source == Source.TAGGER.value:
        return config.tagger == "none"
    if source == Source.PERSON.value:
        return not config.people
    return source == Source.QUESTION.value and not asked.get(name, (config.vlm != "none", None))[0]


def _guessed(name: str, config: TagConfig, asked: Asked) -> str:
    """How a tag came about that an older version wrote: some answer gave it, or a letter stands in front."""
    if key(name) in asked:
        return Source.QUESTION.value
    if name.startswith(_starts(config)):
        return Source.PERSON.value
    return Source.TAGGER.value if config.tagger == "none" else UNKNOWN


def _starts(config: TagConfig) -> tuple[str, ...]:
    return tuple(f"{letter}{config.letter_separator}".replace(" ", "_") for letter in config.letters)


def _without_letter(name: str, config: TagConfig) -> str:
    bare = _without_start(name, _starts(config))
    return bare if bare != name else name.partition("_")[2]


def _without_start(name: str, starts: tuple[str, ...]) -> str:
    return name[len(next((s for s in starts if name.startswith(s)), "")) :]
