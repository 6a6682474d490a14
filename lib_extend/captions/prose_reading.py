"""Reading a description back: a small grammar of what it says of numbers, colors, sides and names.

A description is natural language, and most of it is passed over. What is understood are noun phrases of things and
people that the caller names: "two bright red balloons", "the balloons are red", "a black-haired girl in a red dress",
"on the left", "left of". What may be meant otherwise is not read: "several", "two of the cups", "red or blue".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lib_extend.captions import prose_words as w
from lib_extend.captions.prose_phrases import colors, phrase
from lib_extend.vocabulary.objects import GARMENTS
from lib_extend.vocabulary.plurals import plural

GIRL, BOY, SOMEBODY = "girl", "boy", ""


@dataclass(frozen=True)
class Thing:
    """A thing that is spoken of: `number` is how many (None: not said); `others`: its sentence speaks of others besides."""

    name: str
    number: int | None
    colors: tuple[str, ...]
    others: bool = False


@dataclass(frozen=True)
class Who:
    """Somebody who is spoken of.

    Attributes:
        gender: girl or boy, "" where it is not said. name: a character's canonical name.
        number: how many ("three girls"), None where it is not said. again: "another girl", "the other girl".
        side: left, right or middle, "" where it is not said.
        colors: what of theirs (hair, eyes, a garment) has which colors.
    """

    gender: str
    name: str = ""
    number: int | None = None
    again: bool = False
    side: str = ""
    colors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    new: bool = False
    sentence: int = 0


@dataclass(frozen=True)
class Beside:
    """Somebody (`first`) is said to be left of somebody (`second`)."""

    first: Who
    second: Who


@dataclass(frozen=True)
class Said:
    """What a description says. `floors`: what the floor is said to be of."""

    things: tuple[Thing, ...] = ()
    people: tuple[Who, ...] = ()
    beside: tuple[Beside, ...] = ()
    floors: tuple[str, ...] = ()


FLOORS = {
    "wooden": "wooden", "wood": "wooden", "hardwood": "wooden", "tile": "tile", "tiled": "tile", "tiles": "tile",
    "carpet": "carpet", "carpeted": "carpet", "stone": "stone", "tatami": "tatami", "concrete": "concrete",
    "marble": "marble", "brick": "brick",
}  # fmt: skip


def read_prose(text: str, things: Iterable[str] = (), names: Iterable[str] = ()) -> Said:
    """What a text says of these things (canonical names), of people and of these characters."""
    nouns = _nouns(things)
    called = {tuple(n.partition("_(")[0].split("_")): n for n in names}
    reader = _Reader(nouns, called)
    sentences = w.sentences_of(text)
    for i, sentence in enumerate(sentences):
        following = sentences[i + 1] if i + 1 < len(sentences) else []
        reader.read(sentence, others=bool(w.OTHERS & {*sentence}) or bool(w.OTHERS & {*following[:2]}))
    return Said(tuple(reader.things), tuple(reader.people), tuple(reader.beside), tuple(reader.floors))


def _nouns(things: Iterable[str]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for thing in things:
        bare = thing.partition("_(")[0]
        for form in (bare, plural(bare)):
            found[tuple(form.split("_"))] = thing
    return found


@dataclass
class _Somebody:
    """Somebody while the sentence is read; `at` is the place of the noun, `start` that of the noun phrase."""

    who: Who
    at: int
    start: int
    colors: dict[str, tuple[str, ...]]
    side: str = ""

    def made(self) -> Who:
        return replace(self.who, side=self.side, colors=tuple(self.colors.items()))


class _Reader:
    """Reads sentences one after another; "she" is who the sentence before was about, if that was one girl."""

    def __init__(self, nouns: Mapping[tuple[str, ...], str], names: Mapping[tuple[str, ...], str]) -> None:
        self._nouns, self._names = nouns, names
        self.things: list[Thing] = []
        self.people: list[Who] = []
        self.beside: list[Beside] = []
        self.floors: list[str] = []
        self._before: list[_Somebody] = []
        self._sentence = 0

    def read(self, words: list[str], others: bool) -> None:
        """Takes up one sentence. `others`: it, or the beginning of the next, speaks of others than those it names."""
        self._sentence += 1
        people = self._people(words)
        spoken_of = people or self._pronoun(words)
        self._sides(words, people)
        self._features(words, spoken_of)
        self._things(words, others)
        self._floor(words)
        made = {id(p): p.made() for p in spoken_of}
        self.people += made.values()
        self._relations(words, people, made)
        if people:
            self._before = people

    # people

    def _people(self, words: list[str]) -> list[_Somebody]:
        found: list[_Somebody] = []
        taken = -1
        for i, word in enumerate(words):
            if i <= taken:
                continue
            name, length = _match(words, i, self._names)
            if name:
                taken = i + length - 1
                found.append(_Somebody(Who("", name, sentence=self._sentence), taken, i, {}))
                continue
            bare = word.removesuffix("'s")
            gender = GIRL if bare in w.GIRLS else BOY if bare in w.BOYS else SOMEBODY
            looks = bare in w.LOOKS and bare != "redheaded" and not _goes_on(words, i)
            if not (gender or bare in w.ANYBODY or looks):
                continue
            front = phrase(words, i)
            no = front.number == 0 or (front.start > 0 and words[front.start - 1] == "no")
            if not no:
                found.append(self._somebody(words, i, bare, gender))
        return found

    def _somebody(self, words: list[str], i: int, noun: str, gender: str) -> _Somebody:
        front = phrase(words, i)
        new = front.lead in ("a", "an", "one") and noun not in w.PLURAL_PEOPLE
        again = front.lead in ("another", "other", "second")
        who = Who(gender, number=front.number, again=again, new=new, sentence=self._sentence)
        person = _Somebody(who, i, front.start, {})
        if noun in w.LOOKS:
            person.colors["hair"] = (w.LOOKS[noun],)
        for adjective in front.adjectives:
            part, _, end = adjective.rpartition("-")
            if end in ("haired", "eyed") and (color := w.color_of(part.rpartition("-")[2])):
                person.colors["hair" if end == "haired" else "eyes"] = (color,)
            elif adjective in w.LOOKS:
                person.colors["hair"] = (w.LOOKS[adjective],)
            elif adjective in w.SIDES:
                person.side = w.SIDES[adjective]
        return person

    def _pronoun(self, words: list[str]) -> list[_Somebody]:
        """Who "she" and "he" are, where the sentence before speaks of one such person only."""
        for gender, pronouns in ((GIRL, w.SHE), (BOY, w.HE)):
            if words[0] in pronouns and len(self._before) == 1:
                old = self._before[0]
                if old.who.gender in (gender, SOMEBODY) and old.who.number in (None, 1):
                    who = replace(old.who, number=None, again=False, new=False, sentence=self._sentence)
                    return [_Somebody(who, -1, -1, dict(old.colors), old.side)]
        return []

    def _sides(self, words: list[str], people: list[_Somebody]) -> None:
        """Whose place a side is: a leading one that of who follows, any other that of who stands before it."""
        for i, word in enumerate(words):
            side = w.SIDES.get(word)
            if side is None or not people or not _is_place(words, i):
                continue
            behind = [p for p in people if p.start > i]
            before = [p for p in people if p.at < i]
            if not (behind or before):
                continue  # within the noun phrase itself: "the leftmost girl"
            begins = _place_start(words, i)
            breaks = begins == 0 or words[begins - 1] in (",", "and", "while", "whereas", "but")
            next_word = words[i + 1] if i + 1 < len(words) else ""
            leads = next_word in (",", "is", "stands", "sits") or bool(behind and behind[0].start == i + 1)
            owner = behind[0] if behind and (not before or (breaks and leads)) else before[-1]
            owner.side = owner.side or side

    def _features(self, words: list[str], people: list[_Somebody]) -> None:
        """Colors of hair, eyes and clothes go to who is spoken of last before them."""
        for i, word in enumerate(words):
            what = "hair" if word in w.HAIR else "eyes" if word in ("eyes", "eye") else _garment(word)
            owner = next((p for p in reversed(people) if p.at < i), None)
            if not what or owner is None or owner.who.number not in (None, 1) or what in owner.colors:
                continue
            if {"other", "another", "others"} & {*words[owner.at + 1 : i]}:
                continue  # "while the other has white hair": somebody else's
            if found := colors(words, i):
                owner.colors[what] = found

    def _relations(self, words: list[str], people: list[_Somebody], made: Mapping[int, Who]) -> None:
        """ "A left of B", and "to the left of B stands A"."""
        for i, word in enumerate(words):
            side = w.SIDES.get(word)
            if side not in ("left", "right") or words[i + 1 : i + 2] != ["of"]:
                continue
            before = [made[id(p)] for p in people if p.at < i]
            behind = [p for p in people if p.start > i]
            if not behind or behind[0].start > i + 3:
                continue
            others = [made[id(p)] for p in behind]
            if not before and len(others) == 2 and _place_start(words, i) == 0:
                first, second = others[1], others[0]
            elif before:
                first, second = before[-1], others[0]
            else:
                continue
            self.beside.append(Beside(first, second) if side == "left" else Beside(second, first))

    # things

    def _things(self, words: list[str], others: bool) -> None:
        taken = -1
        for i in range(len(words)):
            name, length = _match(words, i, self._nouns)
            if not name or i <= taken:
                continue
            taken = i + length - 1
            if self._is_part_of_another(words, taken):
                continue
            front = phrase(words, i)
            if {*words[max(0, front.start - 3) : front.start], *front.adjectives} & w.NO_CLAIM:
                continue
            there = words[max(0, front.start - 2) : front.start]
            number = 1 if front.lead in ("a", "an") and there == ["there", "is"] else front.number
            self.things.append(Thing(name, number, colors(words, i, taken), others))

    def _is_part_of_another(self, words: list[str], last: int) -> bool:
        """Whether the noun that ends at `last` only says what kind of a thing the next one is: a cake stand."""
        behind = words[last + 1] if last + 1 < len(words) else ""
        verb = behind in ("stand", "light", "top", "back") and words[last].endswith("s")
        return (behind in w.HEADS and not verb) or bool(_match(words, last + 1, self._nouns)[0])

    def _floor(self, words: list[str]) -> None:
        for i, word in enumerate(words):
            if word not in ("floor", "floors", "flooring"):
                continue
            said = [FLOORS[x] for x in words[max(0, i - 2) : i] if x in FLOORS]
            behind = words[i + 1 : i + 6]
            states = behind[:1] and (behind[0] in w.BE or behind[0] in ("of", "made", "covered"))
            if not said and states and "not" not in behind[:2]:
                said = [FLOORS[x] for x in behind[1:] if x in FLOORS][:1]
            self.floors += said


def _match(words: list[str], i: int, table: Mapping[tuple[str, ...], str]) -> tuple[str, int]:
    """The longest name in a table that stands at place `i`, and its words; ("", 0) for none."""
    longest = max(map(len, table), default=0)
    for length in range(min(longest, len(words) - i), 0, -1):
        found = table.get(tuple(words[i : i + length]))
        if found is not None:
            return found, length
    return "", 0


def _goes_on(words: list[str], i: int) -> bool:
    """Whether the word at `i` is an adjective of a noun behind it."""
    behind = words[i + 1] if i + 1 < len(words) else ","
    return behind not in w.STOPS and behind != ","


_GARMENTS = frozenset(g for g in GARMENTS if "_" not in g)


def _garment(word: str) -> str:
    """The garment that a word names, as a canonical name; "" for other words."""
    return next((n for n in (word, word.removesuffix("s")) if n in _GARMENTS), "")


def _is_place(words: list[str], i: int) -> bool:
    """Whether a side is a place in the picture: "on the left", "at left", not "her left hand" and not "left of her"."""
    behind = words[i + 1 : i + 2]
    if behind == ["of"] and not {*words[i + 2 : i + 4]} & w.WHOLE:
        return False
    before = words[max(0, i - 3) : i]
    if {"her", "his", "their"} & {*before[-2:]}:
        return False
    if behind and behind[0] in ("hand", "arm", "leg", "eye", "foot", "shoulder", "edge", "corner"):
        return False
    return bool({"on", "at", "in", "to"} & {*before}) or words[i].endswith("most")


def _place_start(words: list[str], i: int) -> int:
    """Where "on the far left" begins."""
    while i > 0 and words[i - 1] in ("the", "far", "on", "at", "in", "to", "very"):
        i -= 1
    return i
