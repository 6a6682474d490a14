"""Leaving tags out of a list, each with its reason: the user's lists, repetitions, the limit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from lib_extend.captions.patterns import patterns, replacements
from lib_extend.config import TagConfig
from lib_extend.records import Drop, Source, Tag
from lib_extend.vocabulary.people_tags import group
from lib_extend.vocabulary.tag_names import canonical, key

# Groups by how readily a limit cuts them; tags of one rank go by score.
_RANKS = {
    "rating": 0,
    "meta": 1,
    "year": 2,
    "artist": 3,
    "general": 4,
    "new": 4,
    "persons": 4,
    "copyright": 5,
}


def rewritten(
    tags: Iterable[Tag], config: TagConfig, dropped: list[Drop], *, again: bool = False
) -> list[tuple[str, Tag]]:
    """The tags after `replace` and `exclude`, each with the name it had before.

    `again`: the names come from a caption, where the rules may have been at work already; a rule that
    would change its own result (`/(.*)/=long_\\1`) leaves them alone.
    """
    rules = replacements(config.replace)
    excluded = patterns(config.exclude, "exclude")
    result = []
    for tag in tags:
        name = tag.name
        if rules:
            name = rules.settled(name) if again else rules.apply(name)
        if not name:
            dropped.append(Drop(tag.name, "replaced by nothing", "replaced_by_nothing"))
            continue
        pattern = excluded.match(name)
        if pattern is not None:
            dropped.append(Drop(name, f"excluded by {pattern}", "excluded", {"pattern": pattern}))
            continue
        result.append((tag.name, tag if name == tag.name else replace(tag, name=name)))
    return result


def by_lists(tags: list[Tag], config: TagConfig, dropped: list[Drop]) -> list[Tag]:
    """The tags after `replace` and `exclude`."""
    if not (config.replace or config.exclude):
        return tags
    return [t for _, t in rewritten(tags, config, dropped)]


def typed(config: TagConfig) -> dict[str, str]:
    """What the user's replacements say to the letter, by the canonical names that they make."""
    result = {}
    for text in map(str.strip, config.replace):
        regex = text.startswith("/")
        new = text[(text.rfind("/=") + 2 if regex else text.find("=") + 1) :].strip()
        if new and not (regex and "\\" in new):
            result[canonical(new)] = new
    return result


def without(tags: Sequence[Tag], removed: Collection[str], dropped: list[Drop]) -> list[Tag]:
    """The tags whose keys a person did not take out."""
    if not removed:
        return list(tags)
    result = []
    for tag in tags:
        if key(tag.name) in removed:
            dropped.append(Drop(tag.name, "removed by hand", "removed_by_hand"))
        else:
            result.append(tag)
    return result


def unique(tags: Iterable[Tag], taken: set[str]) -> list[Tag]:
    """The tags whose keys are not `taken`, the first of each; `taken` grows."""
    result = []
    for tag in tags:
        name = key(tag.name)
        if name not in taken:
            taken.add(name)
            result.append(tag)
    return result


def limited(tags: list[Tag], most: int | None, dropped: list[Drop]) -> list[Tag]:
    """At most `most` tags, in their order, as far as what the models gave can be cut to that.

    The least certain general tags go first, whatever the order; people counts stay longest. A person's tags and the
    user's own are never cut.
    """
    if most is None or len(tags) <= most:
        return tags
    # ties by name, not by place: the same tags stay in a second run that finds them in another order
    by_worth = sorted(
        (i for i, t in enumerate(tags) if not _is_owned(t)),
        key=lambda i: (_worth(tags[i]), key(tags[i].name)),
    )
    gone = set(by_worth[: len(tags) - most])
    reason, facts = f"more than {most} tags", {"most": most}
    dropped += [Drop(t.name, reason, "limit", facts) for i, t in enumerate(tags) if i in gone]
    return [t for i, t in enumerate(tags) if i not in gone]


def _is_owned(tag: Tag) -> bool:
    return tag.locked or tag.source in (Source.HUMAN, Source.OPTION)


def _worth(tag: Tag) -> tuple[bool, int, float]:
    place = group(tag)
    if place == "people":
        return True, 0, 1.0
    return False, _RANKS.get(place, 6), 1.0 if tag.score is None else tag.score
