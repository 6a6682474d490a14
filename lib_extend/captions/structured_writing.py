"""Writing one caption in a style that is more than a list: clauses, XML, JSON.

What a person wrote stays in the part where it stands, behind the word that it follows there.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from lib_extend.captions.existing import Existing
from lib_extend.captions.field_order import Arranged, plain_order
from lib_extend.captions.further_lines import in_lines
from lib_extend.captions.lists import limited, rewritten, unique, without
from lib_extend.captions.scene import ScenePerson, Word
from lib_extend.captions.scene_making import Said, field_in_scene, gendered, is_alone, scene_of, starts_of
from lib_extend.captions.sentences import described
from lib_extend.captions.style import Spelling, Style
from lib_extend.captions.text import Kind, Piece
from lib_extend.config import TagConfig, caption_fields, field_name
from lib_extend.records import Category, Drop, Source, Tag
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import key


@dataclass
class StructuredWriter:
    """What goes into one caption besides the models' tags.

    Attributes:
        style: its `structured` is true. existing: the caption that is there, read as this style or as a list.
        by_hand: a person's pieces by their place in it: how each is written, and as a tag (None: a separator).
        prefix, suffix: the user's options. typed: how those and replaced tags are written, by their names.
        persons: those told apart in the picture.
        dropped: what is left out is added here.
    """

    style: Style
    existing: Existing
    by_hand: Mapping[int, tuple[str, Tag | None]]
    prefix: Sequence[Tag]
    suffix: Sequence[Tag]
    typed: Mapping[str, str]
    persons: Sequence[ScenePerson]
    config: TagConfig
    dropped: list[Drop]
    spelling: Spelling | None = None

    def written(self, machine: Sequence[Tag], rng: random.Random) -> tuple[Arranged, tuple[str, ...]]:
        """The caption with these tags of the models, and how its parts are called (see `Caption.heads`)."""
        if self.style.only_prose and self._is_a_persons_prose() and self.existing.style:
            return self._as_it_is()
        if self._is_a_persons_prose():
            # beside a person's sentences a description of ours stays, but none comes
            there = {key(n) for n in self.existing.ours}
            machine = [t for t in machine if t.category is not Category.PROSE or key(t.name) in there]
        self.spelling = self._spelling(rng)
        human = [t for _, t in self.by_hand.values() if t is not None]
        machine = self._with_place([*machine, *self._staying(machine)], human, self.spelling)
        machine = self._with_extras(machine, human)
        options = [t for t in (*self.prefix, *self.suffix) if not self._is_there(t, human)]
        told = [t for t in machine if t.category is Category.PROSE]
        machine = [t for t in machine if t.category is not Category.PROSE]
        kept = {id(t) for t in limited([*options, *human, *machine], self.config.max_tags, self.dropped)}
        machine = plain_order([t for t in machine if id(t) in kept], self.config, rng)
        return self._made([*machine, *told])

    def rewritten(self, new: Sequence[Tag]) -> str:
        """The caption that is there with a person's words (`by_hand`) and some new ones, and nothing else."""
        return self._made(new)[0].text

    def _made(self, machine: Sequence[Tag]) -> tuple[Arranged, tuple[str, ...]]:
        front = [t for t in self.prefix if not self._is_there(t, [])]
        back = [t for t in self.suffix if not self._is_there(t, [])]
        by_hand, tags = self._said_by_hand({key(t.name) for t in (*front, *machine, *back)})
        if self.style.only_prose:
            machine = self._sentences(machine)
            # a person's tags stand in front of the sentences, whosever they were
            by_hand = [Said(s.word.name, replace(s.word, place="")) for s in by_hand]
        said = [*by_hand, *(self._said(t) for t in machine)]
        scene = scene_of(said, self.persons, self.existing.heads, self.config, self.style.alone)
        first, last = (tuple(self._said(t).word for t in options) for options in (front, back))
        scene = replace(scene, persons=self._named(scene.persons), first=first, last=last)
        text = self.style.write(scene, self.spelling or self._spelling(None))
        heads = tuple(f"{p.start} {p.head}" for p in scene.persons)
        return Arranged((*front, *tags, *machine, *back), text), heads

    def _spelling(self, rng: random.Random | None) -> Spelling:
        """How words are written; without `rng` the caption has every field."""
        config = self.config
        fields = caption_fields(config.caption_fields) if self.style.fielded else ()
        # one number a field, whatever the others are: a changed probability moves no other field
        drawn = [f.name for f in fields if rng is None or rng.random() < f.probability]
        return Spelling(
            config.separator,
            config.underscores,
            config.escape_brackets,
            # beside further captions it is a line like them
            indent=bool(self.existing.style)
            and "\n" in replace(self.existing.line, ending="").write()
            and not in_lines(config),
            fields=tuple(drawn),
            left_out=tuple(f.name for f in fields if f.name not in drawn),
            outer=config.outer_separator,
            between_characters=config.character_separator,
            keep_separator=config.keep_tokens_separator,
            keep_before=field_name(config.keep_tokens_before),
        )

    def _with_place(self, machine: Sequence[Tag], human: Sequence[Tag], spelling: Spelling) -> list[Tag]:
        """Those of the tags that the style has a place for."""
        result = []
        removed = {key(n) for n in self.existing.removed}
        fitted = without(self.style.fitted(machine, human, self.config, spelling), removed, [])
        stay = {t.name for t in fitted}
        self.dropped += [
            Drop(t.name, f"{self.style.name} does not say this", "not_said")
            for t in machine
            if t.name not in stay
        ]
        if not self.style.leaves_out:
            return fitted
        for tag in fitted:
            item = self._said(tag)
            field = field_in_scene(item.word)
            if item.name != item.word.name or self.style.has(field, spelling):
                result.append(tag)
            else:
                reason = f"this caption has no {{{field}}}"
                self.dropped.append(Drop(tag.name, reason, "no_field", {"field": field}))
        return result

    def _sentences(self, machine: Sequence[Tag]) -> list[Tag]:
        """The prose that there is, else sentences that these tags make; none beside a person's own."""
        if self._is_a_persons_prose():
            return []
        prose = [t for t in machine if t.category is Category.PROSE]
        if prose:
            return prose
        said = [self._said(t) for t in machine]
        scene = scene_of(said, self.persons, self.existing.heads, self.config, alone=True)
        removed = {key(n) for n in self.existing.removed}
        return [
            Tag(text, Category.PROSE, source=Source.TAGGER)
            for text in described(scene)
            if key(text) not in removed
        ]

    def _is_a_persons_prose(self) -> bool:
        return any(p.kind is Kind.PROSE for p in self.existing.own)

    def _as_it_is(self) -> tuple[Arranged, tuple[str, ...]]:
        """A text of which a person wrote a part: all of it stays."""
        line = self.existing.line
        tags = [
            self.by_hand[i][1] if i in self.by_hand else Tag(p.name, Category.PROSE)
            for i, p in enumerate(line.pieces)
        ]
        return Arranged(tuple(t for t in tags if t is not None), replace(line, ending="").write()), ()

    def _named(self, persons: Sequence[ScenePerson]) -> tuple[ScenePerson, ...]:
        return tuple(replace(p, head=self.style.head(p, i)) for i, p in enumerate(persons, 1))

    def _with_extras(self, machine: Sequence[Tag], human: Sequence[Tag]) -> list[Tag]:
        """The tags with what the style says of each person besides: gender, place, the name among all."""
        counts = [t.name for t in (*human, *machine) if is_people(t.name)]
        persons = gendered(self.persons, counts)
        own = starts_of(self.config)
        extra: list[Tag] = []
        if len(persons) > 1:
            for person in persons:
                extra += [Tag(person.start + n, source=Source.PERSON) for n in self.style.extras(person)]
        elif self.style.alone and is_alone(counts):
            person = replace(persons[0], place="") if persons else ScenePerson()
            (person,) = gendered([person], counts)
            extra += [Tag(n, source=Source.PERSON) for n in self.style.extras(person)]
        if self.style.names_stay:
            for tag in machine:
                start = next((s for s in own if tag.name.startswith(s)), "")
                if start and tag.category is Category.CHARACTER:
                    extra.append(replace(tag, name=tag.name[len(start) :], source=Source.TAGGER))
        removed = {key(n) for n in self.existing.removed}
        taken = {*removed, *(key(t.name) for t in (*human, *machine))}
        return [*machine, *unique(extra, taken)]

    def _staying(self, machine: Sequence[Tag]) -> list[Tag]:
        """What we wrote before and nobody names any more, where captions are only added to."""
        if self.config.existing not in ("append", "prepend"):
            return []
        there = {key(t.name) for t in (*machine, *self.prefix, *self.suffix)}
        found = []
        for name in self.existing.ours:
            _, _, category = self.existing.kinds.get(key(name), "").partition(" ")
            tag = Tag(name, Category(category or "general"))
            found += [t for _, t in rewritten([tag], self.config, [], again=True) if key(t.name) not in there]
        return found

    def _is_there(self, tag: Tag, human: Sequence[Tag]) -> bool:
        mine = [key(text if t is None else t.name) for text, t in self.by_hand.values()]
        return key(tag.name) in {*mine, *(key(t.name) for t in human)}

    def _said(self, tag: Tag) -> Said:
        start = _start_of(tag.name, starts_of(self.config))
        text = tag.name if tag.category is Category.PROSE else self.typed.get(tag.name, "")
        return Said(tag.name, Word(tag.name[len(start) :], text, tag=tag))

    def _said_by_hand(self, others: set[str]) -> tuple[list[Said], list[Tag]]:
        """A person's words in their places, and their tags; `others` are the keys of tags that stand beside them."""
        result: list[Said] = []
        tags: list[Tag] = []
        same = bool(self.existing.style)
        before: dict[str, str] = {}
        for i, piece in enumerate(self.existing.line.pieces):
            start = self._start(piece)
            part = f"{start} {piece.place}"
            bare = piece.name[len(start) :]
            if self.style.fielded:
                # persons' words stand in one list with the others
                part, bare = piece.place, piece.name
            if i in self.by_hand:
                text, tag = self.by_hand[i]
                tags += [tag] if tag is not None else []
                word = self._word(piece, text, tag, before.get(part, "") if same else None)
                gap = self.existing.line.gaps[i]
                if ";;;" in gap and result and i - 1 in self.by_hand:
                    # sd-scripts' secondary separator holds two tags together
                    held = result[-1].word
                    held = replace(held, text=held.text + gap.strip() + word.text, raw="")
                    result[-1] = replace(result[-1], word=held)
                else:
                    result.append(Said(piece.name if tag is None else tag.name, word))
                bare = result[-1].name if self.style.fielded else result[-1].word.name
            elif key(piece.name) not in others:
                continue  # it is gone
            before[part] = bare
        return result, tags

    def _word(self, piece: Piece, text: str, tag: Tag | None, after: str | None) -> Word:
        start = self._start(piece)
        same = bool(self.existing.style)
        shown = next((s for s in (start, start.replace("_", " ")) if s and text.startswith(s)), "")
        name = piece.name if tag is None else tag.name
        if piece.kind is Kind.PROSE and tag is not None:
            tag = replace(tag, category=Category.PROSE)
        raw = piece.raw if same and text == piece.text else ""
        return Word(name[len(start) :], text[len(shown) :], raw, piece.place, tag, after)

    def _start(self, piece: Piece) -> str:
        return _start_of(piece.name, self._piece_starts)

    @cached_property
    def _piece_starts(self) -> tuple[str, ...]:
        return (*(s for s, _ in self.existing.heads if s), *starts_of(self.config))


def _start_of(name: str, starts: tuple[str, ...]) -> str:
    """Which of the starts a tag's name has; "" for a tag of no person."""
    return next(s for s in starts if name.startswith(s)) if name.startswith(starts) else ""
