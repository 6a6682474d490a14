"""Curates the tags of one caption line: the whole picture is a row, and each person told apart is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from lib_extend.captions.curator import Curated, ToCurate
from lib_extend.captions.patterns import patterns
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.knowledge import DROP, Knowledge
from lib_extend.curation.step_table import curate
from lib_extend.curation.tag_rows import Gone, Renamed, Rows
from lib_extend.records import Category, Drop, Person, Tag
from lib_extend.vocabulary.character_names import without_plain
from lib_extend.vocabulary.people_tags import count_people
from lib_extend.vocabulary.tag_names import canonical, key, written

_GENERAL, _CHARACTER = Category.GENERAL, Category.CHARACTER
TRAIT_STEPS = frozenset({"traits", "core"})
"""Steps whose tags may go to the end instead."""
PROPER = frozenset({Category.CHARACTER, Category.COPYRIGHT, Category.ARTIST})
"""Categories of names, which are no traits."""


@dataclass
class LineCurator:
    """What curates the captions of a folder (see `captions.curator.Curator`).

    Attributes:
        knowledge: the words, the lists and the folder's core tags.
        folder_of: the folder over which a picture's core tags were counted.
    """

    knowledge: Knowledge
    folder_of: Callable[[str], str] = lambda image: ""
    _refused: dict[str, Drop | None] = field(default_factory=dict)

    def refused(self, name: str) -> Drop | None:
        """Why a tag that a person wrote goes; None where no list of theirs names it."""
        if name not in self._refused:
            self._refused[name] = self._refusal(name)
        return self._refused[name]

    def _refusal(self, name: str) -> Drop | None:
        k = self.knowledge
        said = {key(n): v for n, v in k.overrules.items()}.get(key(name))
        if said is not None:
            return Reason("overruled").drop(name) if said == DROP else None
        for file, listed in k.lists.blacklists:
            if listed.match(name):
                return Reason("blacklisted", {"list": file}).drop(name)
        return None

    def curated(self, line: ToCurate) -> Curated:
        """The tags of one line without those that go, each with its reason."""
        split = _Split(line, self.knowledge)
        shown = self.characters(line)
        rows = split.rows(shown)
        rows.folders = {self.folder_of(line.image): (1 << rows.count) - 1}
        keep = self.knowledge.config.keep
        if keep:
            always = patterns(keep, "keep")
            rows.kept = frozenset(n for n in rows.machine if always.match(n))
        curate(rows, self.knowledge)
        return split.result(rows, append=self.knowledge.config.append_dropped)

    def characters(self, line: ToCurate) -> list[str]:
        """The characters that a picture shows; the trigger word stands for all of them."""
        tags = [(t.name, _CHARACTER) for t in line.tags if t.category is _CHARACTER]
        return self.named_characters(tags, [t.name for t in line.said])

    def named_characters(self, tags: Iterable[tuple[str, Category]], said: Iterable[str]) -> list[str]:
        """As `characters`, of names and categories by models and names by a person."""
        trigger = self.knowledge.config.trigger
        if trigger:
            return [canonical(trigger)]
        named = (name for name, category in tags if category is _CHARACTER)
        category = self.knowledge.words.category
        return without_plain((*named, *(name for name in said if category(name) is _CHARACTER)))


class _Split:
    """A line's tags by row: 0 the whole picture, then its persons from left to right."""

    def __init__(self, line: ToCurate, knowledge: Knowledge) -> None:
        self.line = line
        config = knowledge.config
        self.persons = [p for p in line.persons if p.letter]
        separator = config.letter_separator
        self.starts = [canonical(f"{p.letter}{separator}x")[:-1] for p in self.persons]
        self.tags: list[tuple[Tag, str, int]] = (
            [(t, *self._row(t.name)) for t in line.tags]
            if self.starts
            else [(t, t.name, 0) for t in line.tags]
        )

    def _row(self, name: str) -> tuple[str, int]:
        for i, start in enumerate(self.starts):
            if name.startswith(start) and len(name) > len(start):
                return name[len(start) :], i + 1
        return name, 0

    def rows(self, characters: Sequence[str]) -> Rows:
        """The rows of the line, before anything goes."""
        machine: dict[str, int] = {}
        own: dict[str, int] = {}
        for _, base, row in self.tags:
            machine[base] = machine.get(base, 0) | (1 << row)
        for tag in self.line.said:
            base, row = self._row(key(tag.name))
            own[base] = own.get(base, 0) | 1 << row
        shown = dict.fromkeys(characters, 1)
        owners = [self._characters(p, characters) for p in self.persons]
        for i, names in enumerate(owners):
            for name in names:
                shown[name] = shown.get(name, 0) | 1 << (i + 1)
        people = max(
            count_people([*(t.name for t in self.line.tags), *(t.name for t in self.line.said)]),
            len(self.persons),
        )
        several = int(people > 1)
        unnamed = int(people > max(1, len(characters)))
        for i, names in enumerate(owners):
            unnamed |= 0 if len(names) == 1 else 1 << (i + 1)
        has = [{t.name for t in p.tags} for p in self.persons]

        def carriers(name: str, row: int) -> frozenset[str] | None:
            """Whose trait a tag of the whole picture is, where the persons are told apart."""
            if row or not self.persons:
                return None
            holders = [i for i, names in enumerate(has) if name in names]
            if not holders or any(len(owners[i]) != 1 for i in holders):
                return None
            return frozenset(owners[i][0] for i in holders)

        return Rows(
            1 + len(self.persons),
            machine,
            own,
            score=self.score,
            characters=shown,
            several=several,
            unnamed=unnamed,
            carriers=carriers,
            proper=frozenset(
                base for t, base, _ in self.tags if t.category is not _GENERAL and t.category in PROPER
            ),
        )

    @cached_property
    def _scores(self) -> Mapping[tuple[str, int], float | None]:
        return {(base, row): tag.score for tag, base, row in self.tags}

    def score(self, name: str, row: int) -> float | None:
        """The score of a tag on a row; few captions ask for any."""
        return self._scores.get((name, row))

    @staticmethod
    def _characters(person: Person, characters: Sequence[str]) -> list[str]:
        named = [t.name for t in person.tags if t.category is Category.CHARACTER]
        return [n for n in named if n in characters] or named

    def result(self, rows: Rows, *, append: bool) -> Curated:
        """What is left of the line's tags, in their order."""
        names: dict[str, list[Renamed]] = {}
        for r in rows.renamed:
            names.setdefault(r.name, []).append(r)
        gone: dict[str, list[Gone]] = {}
        for g in rows.gone:
            if not g.own:
                gone.setdefault(g.name, []).append(g)
        kept: list[Tag] = []
        last: list[Tag] = []
        dropped: list[Drop] = []
        for tag, base, row in self.tags:
            if base not in gone and base not in names:
                kept.append(tag)
                continue
            now = base
            if base in names:
                now = next((r.to for r in names[base] if r.bits >> row & 1), base)
            why = _on(gone.get(base), row)
            if now != base:
                why = why or _on(gone.get(now), row)
                tag = replace(tag, name=self._lettered(now, row))
            if why is None:
                kept.append(tag)
            elif append and why.step in TRAIT_STEPS:
                last.append(replace(tag, locked=True))
                fields = {"character": why.reason.fields["character"]}
                dropped.append(Reason("moved_to_end", fields).drop(tag.name))
            else:
                dropped.append(why.reason.drop(tag.name))
        last.sort(key=lambda t: -1.0 if t.score is None else -t.score)
        return Curated(kept, last, dropped)

    def _lettered(self, name: str, row: int) -> str:
        return canonical(f"{self.starts[row - 1]}{written(name)}") if row else name


def _on(gone: Sequence[Gone] | None, row: int) -> Gone | None:
    """What took a tag from a row first."""
    return next((g for g in gone if g.bits >> row & 1), None) if gone else None
