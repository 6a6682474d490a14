"""The order of the fields: the published background LoRA's captions, and templates of one's own."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lib_extend.captions.style import filled
from lib_extend.captions.style_table import style_of
from lib_extend.config import TEMPLATE_FIELDS, TagConfig
from lib_extend.records import Drop, Source, Tag
from lib_extend.vocabulary.people_tags import group, people_order
from lib_extend.vocabulary.tag_names import written

_PLAIN = ("people", "characters", "copyright", "persons", "general", "artist", "year", "meta", "rating")
SAMPLE_ABOVE = 14
"""The background recipe thins out general tags when there are more than this."""

# where tags go whose own field is not in the template
_INSTEAD = {
    "new": "general",
    "persons": "general",
    "people": "general",
    "characters": "general",
    "copyright": "general",
}


@dataclass(frozen=True)
class Arranged:
    """Tags in their order, their text, and what found no place."""

    tags: tuple[Tag, ...]
    text: str
    dropped: tuple[Drop, ...] = ()


def grouped(tags: Iterable[Tag], config: TagConfig) -> dict[str, list[Tag]]:
    """The tags of each template field, people in their usual order, the rest as given.

    A lettered tag is a person's whoever wrote it.
    """
    result: dict[str, list[Tag]] = {name: [] for name in TEMPLATE_FIELDS}
    starts = _starts(config)
    for tag in tags:
        result["persons" if starts and tag.name.startswith(starts) else group(tag)].append(tag)
    result["persons"].sort(key=lambda t: _letter(t, starts))
    result["people"].sort(key=lambda t: people_order(t.name))
    return result


def plain_order(tags: Sequence[Tag], config: TagConfig, rng: random.Random) -> list[Tag]:
    """People, characters and copyrights first, then the rest as `sort` says, ratings last."""
    groups = grouped(tags, config)
    if groups["new"] or groups["persons"]:
        # one list, so that what the questions found is sorted in with the rest
        groups["general"] = [t for t in tags if group(t) in ("general", "new")]
        groups["new"] = []
    if config.sort != "original":
        _sort(groups, config, rng)
    return [t for name in _PLAIN for t in groups[name]]


def arrange(
    tags: Sequence[Tag],
    config: TagConfig,
    rng: random.Random,
    form: Callable[[Tag], str] | None = None,
    cut: Callable[[Sequence[Tag]], Sequence[Tag]] | None = None,
) -> Arranged:
    """Lay out `tags` by `config.format`. A person's tags always find a place, at the end if need be.

    `cut` chooses from the tags that have a place which ones stay.
    """
    if config.format == "plain":
        return Arranged(tuple(plain_order(tags, config, rng)), "")
    style = style_of(config.format)
    groups = grouped(tags, config)
    dropped: list[Drop] = []
    template = style.template if style.is_own else style.template.replace(", ", config.separator)
    if style.thins:
        groups = _background(groups, rng, dropped)
    elif config.sort != "original":
        _sort(groups, config, rng)
    fields = re.findall(r"\{(\w+)\}", template)
    for name in TEMPLATE_FIELDS:
        target = _INSTEAD.get(name, "")
        if name not in fields and groups[name]:
            if target in fields:
                groups[target] += groups[name]
            else:
                dropped += [
                    Drop(t.name, f"the format has no {{{name}}}", "no_field", {"field": name})
                    for t in groups[name]
                    if t.source is not Source.HUMAN
                ]
                groups.setdefault("", []).extend(t for t in groups[name] if t.source is Source.HUMAN)
            groups[name] = []
    if cut:
        stay = {
            t.name for t in cut([t for name in dict.fromkeys((*fields, "")) for t in groups.get(name, ())])
        }
        groups = {name: [t for t in items if t.name in stay] for name, items in groups.items()}
    write = form or (lambda t: written(t.name, config.underscores, config.escape_brackets))
    text = filled(template, {n: config.separator.join(map(write, groups[n])) for n in fields})
    order = [t for n in dict.fromkeys(fields) for t in groups[n]]
    homeless = groups.get("", [])
    if homeless:
        text = config.separator.join([*([text] if text else []), *map(write, homeless)])
        order += homeless
    return Arranged(tuple(order), text, tuple(dropped))


def _starts(config: TagConfig) -> tuple[str, ...]:
    """What the names of each person's tags begin with, left to right; nothing where no persons are wanted."""
    if not config.people:
        return ()
    return tuple(f"{letter}{config.letter_separator}".replace(" ", "_") for letter in config.letters)


def _letter(tag: Tag, starts: Sequence[str]) -> int:
    """The place of the tag's letter; tags without one come first."""
    return next((i for i, s in enumerate(starts) if tag.name.startswith(s)), -1)


def _sort(groups: dict[str, list[Tag]], config: TagConfig, rng: random.Random) -> None:
    """Sorts the fields in place; persons stay apart from each other."""
    if config.sort == "score":
        for name in ("characters", "copyright", "general", "new"):
            groups[name].sort(key=lambda t: -1.0 if t.score is None else -t.score)
        return
    for name in ("general", "new"):
        groups[name].sort(key=lambda t: t.name)
        if config.sort == "shuffle":
            rng.shuffle(groups[name])
    starts = _starts(config)
    groups["persons"].sort(key=lambda t: t.name)
    if config.sort == "shuffle":
        rng.shuffle(groups["persons"])
    groups["persons"].sort(key=lambda t: _letter(t, starts))


def _background(
    groups: dict[str, list[Tag]], rng: random.Random, dropped: list[Drop]
) -> dict[str, list[Tag]]:
    """The recipe of the published background LoRA: general tags thinned out, mixed with the new ones.

    Of n > 14 general tags a random 14 … (14 + n) / 2 stay. A person's own tags always stay.
    """
    general = sorted(groups["general"], key=lambda t: t.name)
    own = [t for t in general if t.source is Source.HUMAN]
    rest = [t for t in general if t.source is not Source.HUMAN]
    n = len(general)
    if n > SAMPLE_ABOVE:
        stay = max(0, rng.randint(SAMPLE_ABOVE, (SAMPLE_ABOVE + n) // 2) - len(own))
        chosen = {t.name for t in rng.sample(rest, min(stay, len(rest)))}
        dropped += [
            Drop(t.name, "thinned out for the background format", "thinned_out")
            for t in rest
            if t.name not in chosen
        ]
        rest = [t for t in rest if t.name in chosen]
    mixed = [*own, *rest, *sorted(groups["new"], key=lambda t: t.name)]
    rng.shuffle(mixed)
    return {**groups, "general": mixed, "new": []}
