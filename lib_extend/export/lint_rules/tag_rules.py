"""Tags that are spelled in two ways, repeated, or cannot all be true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

from lib_extend.captions.text import Kind, Piece
from lib_extend.errors import Message
from lib_extend.export.caption_mending import repeated, respelled, without_repeats
from lib_extend.export.lint_finding import Change, Finding, Level, Mend, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder
from lib_extend.people.contradictions import contradicted
from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.people_tags import NO_HUMANS, SOLO, count_people, is_people, people_count
from lib_extend.vocabulary.tag_names import key

SPELLING = Message(
    "spelling", "One tag is written in {ways} ways ({spellings}): a trainer takes them for different words."
)
SPELLINGS = Message(
    "spelling",
    "{tags} tags are written in several ways ({spellings}): a trainer takes them for different words.",
)
REPEATED = Message("repeated_tag", "{captions} {has} a tag twice.")
CONTRADICTION = Message("contradiction", "{captions} {has} tags that cannot both be true of one person.")
PEOPLE = Message("people_contradiction", "{captions} {has} people counts that contradict each other.")
PERSONS = Message(
    "persons_contradiction", "{captions} {has} another number of people than were found in the picture."
)
_LETTERS = 4
"""Letters from which a name without blanks and hyphens says which tag it is."""
_SHOWN = 4


def _spelling(folder: LintedFolder) -> Iterable[Finding]:
    cased = folder.base is not None and folder.base.tokenizer != "clip"  # CLIP knows no capitals
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for picture in folder.captioned:
        for name, piece in picture.tags.items():
            words = piece.raw[len(piece.before) : len(piece.raw) - len(piece.after)]
            forms[_plain(name)][words if cased else words.lower()] += 1
    varied = {plain: counts for plain, counts in forms.items() if len(counts) > 1}
    if not varied:
        return
    spots: dict[str, list[Spot]] = defaultdict(list)
    for picture in folder.captioned:
        for name, piece in picture.tags.items():
            plain = _plain(name)
            if plain in varied:
                words = piece.raw[len(piece.before) : len(piece.raw) - len(piece.after)]
                if (words if cased else words.lower()) != _best(varied[plain]):
                    spots[plain].append(Spot(picture.name, words))
    if sum(_swapped(counts) for counts in varied.values()) > 1:
        # report one finding for this habit, not one for each tag: some captions have underscores, others blanks
        yield from _of_habit(varied, spots)
        return
    for plain, counts in sorted(varied.items(), key=lambda row: (-len(spots[row[0]]), row[0])):
        yield from _of_one(plain, counts, spots[plain])


def _of_one(plain: str, counts: Counter[str], spots: list[Spot]) -> Iterable[Finding]:
    best = _best(counts)
    mend = Mend(f"Write {best} everywhere", _speller({plain: best}))
    spellings = ", ".join(f"{s} {n:,}×" for s, n in counts.most_common(_SHOWN))
    yield from found(SPELLING, Level.WARNING, spots, mend, ways=len(counts), spellings=spellings)


def _of_habit(varied: Mapping[str, Counter[str]], spots: Mapping[str, list[Spot]]) -> Iterable[Finding]:
    by_picture: dict[str, list[str]] = defaultdict(list)
    for listed in spots.values():
        for spot in listed:
            by_picture[spot.name].append(spot.detail)
    mend = Mend("Write each as most captions do", _speller({p: _best(c) for p, c in varied.items()}))
    rows = (Spot(name, ", ".join(words[:_SHOWN])) for name, words in sorted(by_picture.items()))
    example = next(iter(varied.values()))
    spellings = ", ".join(form for form, _ in example.most_common(2))
    yield from found(SPELLINGS, Level.WARNING, rows, mend, tags=len(varied), spellings=spellings)


def _swapped(counts: Counter[str]) -> bool:
    """Whether the spellings differ by underscores and backslashes only."""
    return len({form.replace("_", " ").replace("\\", "") for form in counts}) == 1


def _speller(best: Mapping[str, str]) -> Change:
    def spell(piece: Piece) -> str:
        words = best.get(_plain(key(piece.name))) if piece.kind is Kind.TAG else None
        now = piece.raw[len(piece.before) : len(piece.raw) - len(piece.after)]
        return piece.raw if words is None or now.lower() == words.lower() == words else piece.spelled(words)

    return lambda text, style: respelled(text, style, spell)


def _best(counts: Counter[str]) -> str:
    return min(counts, key=lambda form: (-counts[form], form))


@lru_cache(maxsize=1 << 16)
def _plain(name: str) -> str:
    """What all ways of writing a tag have in common: other words for it, blanks, hyphens and backslashes aside."""
    bare = key(own().resolve(name)).replace("_", "").replace("-", "").replace("\\", "")
    return bare if sum(c.isalpha() for c in bare) >= _LETTERS and not is_people(name) else name


def _repeats(folder: LintedFolder) -> Iterable[Finding]:
    spots = (
        Spot(p.name, ", ".join(again[:_SHOWN]))
        for p in folder.captioned
        if (again := [r for line in p.read.lines for r in repeated(line)])
    )
    mend = Mend("Keep the first of each", without_repeats)
    yield from found(REPEATED, Level.WARNING, spots, mend)


def _contradictions(folder: LintedFolder) -> Iterable[Finding]:
    tags, counts, persons = [], [], []
    for picture in folder.captioned:
        names = picture.tags
        people = count_people(names)
        if wrong := _wrong_counts(list(names)):
            counts.append(Spot(picture.name, wrong))
        elif people == 1:
            losers = contradicted(dict.fromkeys(names, 1.0))
            if losers:
                pairs = [f"{names[a].raw} and {names[b].raw}" for a, b in list(losers.items())[:_SHOWN]]
                tags.append(Spot(picture.name, "; ".join(pairs)))
        found_here = folder.persons.get(picture.name)
        exact = people and not any(n.startswith("multiple_") or "+" in n for n in names if is_people(n))
        if found_here is not None and exact and found_here != people and not wrong:
            persons.append(Spot(picture.name, f"{people} in the caption, {found_here} found"))
    yield from found(CONTRADICTION, Level.WARNING, tags)
    yield from found(PEOPLE, Level.WARNING, counts)
    yield from found(PERSONS, Level.NOTE, persons)


def _wrong_counts(names: list[str]) -> str:
    """The people tags that contradict each other, "" when none do."""
    people = [n for n in names if is_people(n)]
    if len(people) < 2:
        return ""
    by_gender: dict[str, set[int]] = defaultdict(set)
    for name in people:
        said = people_count(name)
        if said and not said.least:
            by_gender[said.gender].add(said.number)
    several = [n for n in people if people_count(n)]
    if any(len(numbers) > 1 for numbers in by_gender.values()):
        return ", ".join(several)
    if NO_HUMANS in people and several:
        return ", ".join([NO_HUMANS, *several])
    if SOLO in people and count_people(names) > 1:
        return ", ".join([SOLO, *several])
    return ""


RULES = (
    Rule("spelling", "tags written in several ways", _spelling),
    Rule("repeated_tag", "tags that a caption has twice", _repeats),
    Rule("contradiction", "tags that contradict each other or the persons", _contradictions),
)
