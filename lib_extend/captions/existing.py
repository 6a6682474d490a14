"""The caption that is there, and adding to it without touching it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib_extend.captions.layout import Arranged
from lib_extend.captions.lists import limited, rewritten
from lib_extend.captions.reading import pieces
from lib_extend.config import TagConfig
from lib_extend.records import Caption, Drop, Source, Tag
from lib_extend.vocabulary.tag_names import key


@dataclass(frozen=True)
class Existing:
    """The caption that is there, with what is known of who wrote what.

    Attributes:
        text: as it stands in the file.
        added: a person's tags, in the file's order. forms: how each stands there, by canonical name.
        leading: names of those that stand before anything we wrote.
        ours: names of tags we wrote that are still there, in the file's order.
        removed: names of tags a person took out; they never come back by themselves.
    """

    text: str
    added: tuple[Tag, ...] = ()
    forms: tuple[tuple[str, str], ...] = ()
    leading: frozenset[str] = frozenset()
    ours: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()


def extended(
    existing: Existing,
    by_hand: Sequence[tuple[str, Tag]],
    machine: Arranged,
    prefix: Sequence[Tag],
    suffix: Sequence[Tag],
    config: TagConfig,
    form: Callable[[Tag], str],
    dropped: list[Drop],
) -> Caption:
    """Append or prepend: the tags of the file in their places, and those of `machine` it has not.

    A file whose every tag stays as it is keeps its text letter by letter.

    Args:
        by_hand: a person's tags, each with its name in the file.
        machine: ours, in the order in which new ones are added.
        prefix, suffix: the user's options; those that are in the file stay where they are.
        form: how a tag is written.
    """
    there, words = _there(existing, by_hand, [*machine.tags, *prefix, *suffix], config)
    present = {key(t.name) for t in there}
    new, first, last = (
        [t for t in tags if key(t.name) not in present] for tags in (machine.tags, prefix, suffix)
    )
    middle = [*there, *new] if config.existing == "append" else [*new, *there]
    # a template's own words are no tags: they do not count
    most = None if config.max_tags is None else config.max_tags + len(words)
    tags = limited([*first, *middle, *last], most, dropped)
    stays = {key(t.name) for t in tags}
    dropped += [d for d in machine.dropped if key(d.name) not in stays]
    kept = [t for t in there if key(t.name) in stays]
    before = [form(t) for t in tags[: tags.index(kept[0])]] if kept else [*map(form, tags)]
    after = [form(t) for t in tags[len(before) + len(kept) :]]
    raws = [form(t) for t in kept]
    joined = config.separator.join([*before, *raws, *after])
    if raws == [raw for _, raw in existing.forms]:
        text = existing.text.strip()
        if after:
            text = text.rstrip(",").rstrip()
        text = config.separator.join([*before, text, *after])
        # written with another separator, the next run would not find the tags of the file
        if pieces(text, config.separator) == pieces(joined, config.separator):
            joined = text
    return Caption(joined, tuple(t for t in tags if key(t.name) not in words), tuple(dropped))


def _there(
    existing: Existing, by_hand: Sequence[tuple[str, Tag]], known: Sequence[Tag], config: TagConfig
) -> tuple[list[Tag], set[str]]:
    """The tags of the file in their order, and the keys of those that are words of the template that wrote it.

    Tags of ours that nobody names any more stay, unless `exclude` or `replace` name them.
    """
    by_key = {key(t.name): t for t in known}
    human = dict(by_hand)
    own = {t.name for t in existing.added}
    by_person = {key(t.name) for _, t in by_hand}
    forms = existing.forms or tuple((t.name, t.name) for t in existing.added)
    rest = [Tag(n) for n, _ in forms if n not in own and key(n) not in by_key]
    removed = {key(n) for n in existing.removed}
    ours = {
        n: t for n, t in rewritten(rest, config, [], again=True) if t.name == n or key(t.name) not in removed
    }
    there: dict[str, Tag] = {}
    words: set[str] = set()
    for name, _ in forms:
        tag = human.get(name) if name in own else by_key.get(key(name)) or ours.get(name)
        if tag is None or key(tag.name) in there or (name not in own and key(tag.name) in by_person):
            continue
        tag = tag if name in own else by_key.get(key(tag.name), tag)
        if name in ours and name not in existing.ours:
            words.add(key(tag.name))
            tag = Tag(tag.name, source=Source.OPTION)
        there[key(tag.name)] = tag
    return list(there.values()), words
