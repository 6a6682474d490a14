"""Putting new tags into a line that a person may have written, without touching what the person wrote."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.existing import Existing
from lib_extend.captions.field_order import Arranged, arrange
from lib_extend.captions.lists import limited, rewritten
from lib_extend.captions.placed_pieces import (
    Standing,
    is_plain,
    joined,
    joined_new,
    new,
    place_of_new,
    standing,
)
from lib_extend.captions.text import Kind, Piece
from lib_extend.config import TagConfig
from lib_extend.records import Drop, Source, Tag
from lib_extend.vocabulary.tag_names import key


@dataclass
class LineWriter:
    """What goes into one line besides the models' tags.

    Attributes:
        existing: the line that is there.
        by_hand: a person's pieces by their place in the line: how each is written, and as a tag (None: a separator).
        prefix, suffix: the user's options.
        form: how a tag that is no person's is written.
        dropped: what is left out is added here.
    """

    existing: Existing
    by_hand: Mapping[int, tuple[str, Tag | None]]
    prefix: Sequence[Tag]
    suffix: Sequence[Tag]
    config: TagConfig
    form: Callable[[Tag], str]
    dropped: list[Drop]

    def extended(self, machine: Arranged) -> Arranged:
        """Append or prepend: what stands in the line in its place, and those of `machine` that it has not."""
        ours, words = self._staying([*machine.tags, *self.prefix, *self.suffix])

        def kept(i: int, piece: Piece) -> tuple[str, Tag | None] | None:
            if i in self.by_hand:
                return self.by_hand[i]
            tag = ours.get(i)
            return None if tag is None else (piece.raw if tag.name in words else self.form(tag), tag)

        items = standing(self.existing.line, kept, self.config.separator)
        there = {key(i.tag.name) for i in items if i.tag} | {
            key(n) for p in self.existing.own for n in p.holds
        }
        more, first, last = (
            new((t for t in tags if key(t.name) not in there), self._written)
            for tags in (machine.tags, self.prefix, self.suffix)
        )
        items = [*items, *more] if self.config.existing == "append" else [*more, *items]
        made = self._whole([*first, *items, *last], words)
        stay = {t.name for t in made.tags}
        return Arranged(made.tags, made.text, tuple(d for d in machine.dropped if d.name not in stay))

    def around(self, machine: Arranged) -> Arranged:
        """What a person wrote in its place, and between or behind it all tags of the models.

        `machine.text` is how they are laid out, "" where they simply follow each other.
        """
        moved = self._in_options() if not machine.text else {}
        items = standing(
            self.existing.line,
            lambda i, _: None if i in moved else self.by_hand.get(i),
            self.config.separator,
            commas=False,
        )
        if not (items or machine.text or self.prefix or self.suffix):
            tags = limited(list(machine.tags), self.config.max_tags, self.dropped)
            text = joined_new([self.form(t) for t in tags], self.existing.line, self.config.separator)
            return Arranged(tuple(tags), text)
        names = {key(t.name) for t in machine.tags}
        at = place_of_new(items, self._leading(names, moved))
        if machine.text:
            middle = [Standing(machine.text, None)] if machine.tags else []
        else:
            middle = new(machine.tags, self._written)
        there = {key(i.tag.name) for i in items if i.tag}
        taken = {key(t.name): (text, t) for text, t in moved.values()}
        ends = [
            [
                Standing(*taken.get(key(t.name), (self._written(t), t)))
                for t in tags
                if key(t.name) not in there
            ]
            for tags in (self.prefix, self.suffix)
        ]
        behind = [replace(i, gap=None) if n == 0 and middle else i for n, i in enumerate(items[at:])]
        made = self._whole([*ends[0], *items[:at], *middle, *behind, *ends[1]], frozenset())
        if not machine.text:
            return made
        order = [*(i.tag for i in (*ends[0], *items[:at]) if i.tag), *machine.tags]
        order += [i.tag for i in (*items[at:], *ends[1]) if i.tag]
        return Arranged(tuple(order), made.text, machine.dropped)

    def laid_out(self, machine: Sequence[Tag], rng: random.Random) -> Arranged:
        """A format's fields, filled with a person's tags and the models' alike."""
        moved = self._in_options()
        own = {t.name: text for text, t in self.by_hand.values() if t is not None}
        rest = [t for i, (_, t) in self.by_hand.items() if t is not None and i not in moved]
        taken = {key(t.name): t for _, t in moved.values()}
        ends = [[taken.get(key(t.name), t) for t in tags] for tags in (self.prefix, self.suffix)]

        def form(tag: Tag) -> str:
            return own[tag.name] if tag.source is Source.HUMAN and tag.name in own else self.form(tag)

        arranged = arrange([*rest, *machine], self.config, rng, form, self.cut)
        text = [Standing(form(t), t) for t in ends[0]]
        text += [Standing(arranged.text, None)] if arranged.text else []
        text += [Standing(form(t), t) for t in ends[1]]
        return Arranged(
            (*ends[0], *arranged.tags, *ends[1]),
            joined(text, self.existing.line, self.config.separator),
            arranged.dropped,
        )

    def cut(self, tags: Sequence[Tag]) -> list[Tag]:
        """Those of the tags that a limit leaves, beside all else that is in the line."""
        there = {id(t) for t in tags}
        beside = [t for _, t in self.by_hand.values() if t is not None and id(t) not in there]
        keys = {key(t.name) for t in (*tags, *beside)}
        options = [t for t in (*self.prefix, *self.suffix) if key(t.name) not in keys]
        kept = limited([*options, *beside, *tags], self.config.max_tags, self.dropped)
        stay = {id(t) for t in kept}
        return [t for t in tags if id(t) in stay]

    # parts

    def _whole(self, items: Sequence[Standing], words: Iterable[str]) -> Arranged:
        """The line of these items, cut to the limit; a template's own words do not count."""
        uncounted = set(words)
        tags = [i.tag for i in items if i.tag is not None and i.tag.name not in uncounted]
        kept = {id(t) for t in limited(tags, self.config.max_tags, self.dropped)}
        left = [i for i in items if i.tag is None or i.tag.name in uncounted or id(i.tag) in kept]
        text = joined(_regapped(items, left), self.existing.line, self.config.separator)
        return Arranged(tuple(t for t in tags if id(t) in kept), text)

    def _written(self, tag: Tag) -> str:
        return self.form(tag)

    def _leading(self, machine: set[str], moved: Mapping[int, object]) -> int:
        """How many of a person's pieces stand before any of ours that is still written.

        The user's own prefix does not count, nor what goes: else a second run would move them.
        """
        count = 0
        for i, piece in enumerate(self.existing.line.pieces):
            if i in self.by_hand:
                count += i not in moved
            elif not self.existing.human[i] and key(piece.name) in machine:
                break
        return count

    def _in_options(self) -> dict[int, tuple[str, Tag]]:
        """A person's tags that are options too: these take the options' places, but remain the person's.

        Only in a mere list of tags: elsewhere they stay where they are.
        """
        options = {key(t.name) for t in (*self.prefix, *self.suffix)}
        if not options or not is_plain(self.existing.line, self.existing.human):
            return {}
        return {
            i: (text, t) for i, (text, t) in self.by_hand.items() if t is not None and key(t.name) in options
        }

    def _staying(self, known: Sequence[Tag]) -> tuple[dict[int, Tag], set[str]]:
        """Which pieces that are no person's stay, by their places, and the names of a template's own words.

        Tags of ours that nobody names any more stay, unless `exclude` or `replace` name them.
        """
        by_key = {key(t.name): t for t in known}
        taken = {key(t.name) for _, t in self.by_hand.values() if t is not None}
        removed = {key(n) for n in self.existing.removed}
        result: dict[int, Tag] = {}
        words: set[str] = set()
        for i, piece in enumerate(self.existing.line.pieces):
            if self.existing.human[i] or (piece.kind is Kind.SEPARATOR and key(piece.name) not in by_key):
                continue
            tag = by_key.get(key(piece.name))
            if tag is None:
                for name, made in rewritten([Tag(piece.name)], self.config, [], again=True):
                    if made.name == name or key(made.name) not in removed:
                        tag = by_key.get(key(made.name), made)
                        if key(piece.name) in self.existing.words:
                            words.add(tag.name)
                            tag = Tag(tag.name, source=Source.OPTION)
            if tag is None or key(tag.name) in taken:
                continue
            taken.add(key(tag.name))
            result[i] = tag
        return result, words


def _regapped(items: Sequence[Standing], left: Sequence[Standing]) -> list[Standing]:
    """`left`, where an item that lost its neighbour is joined anew."""
    if len(left) == len(items):
        return list(left)
    before: dict[int, Standing | None] = {}
    previous: Standing | None = None
    for item in items:
        before[id(item)] = previous
        previous = item
    result: list[Standing] = []
    for item in left:
        lost = item.gap is not None and (not result or before[id(item)] is not left[len(result) - 1])
        result.append(
            Standing(item.text, item.tag, item.piece, None, item.first, item.last) if lost else item
        )
    return result
