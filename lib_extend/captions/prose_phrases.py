"""Noun phrases in a description: the number and the adjectives in front of a noun, the colors in front of it or behind."""

from __future__ import annotations

from dataclasses import dataclass

from lib_extend.captions import prose_words as w

_LONGEST = 6
"""Words in front of a noun that are looked at."""
_LOOK_BEHIND = 6


@dataclass(frozen=True)
class Phrase:
    """What stands in front of a noun.

    Attributes:
        number: how many; None where it is not said, or not for certain.
        adjectives: the words between, the nearest first. start: the place of the first word.
        lead: the first word where it is an article, a number or a vague one ("another").
    """

    number: int | None
    adjectives: tuple[str, ...]
    start: int
    lead: str


def phrase(words: list[str], i: int) -> Phrase:
    """What stands in front of the noun at place `i` of a sentence's words."""
    adjectives: list[str] = []
    j = i - 1
    while j >= 0 and i - j <= _LONGEST:
        word = words[j]
        if word in w.NUMBERS:
            return Phrase(_number(words, j), tuple(adjectives), j, word)
        if word in w.VAGUE:
            return Phrase(None, tuple(adjectives), j, word)
        joins = word in (",", "and") and j > 0 and bool(adjectives) and _describes(words[j - 1])
        if not joins and (word in w.STOPS or word == ","):
            before = words[j - 1] if j else ""
            if word == "of" and before in w.PAIRS:
                return Phrase(w.PAIRS[before], tuple(adjectives), j - 1, before)
            if word in w.SIDES and before == "the":
                return Phrase(None, (*adjectives, word), j - 1, "the")
            if word in w.ARTICLES:
                return Phrase(None, tuple(adjectives), j, word)
            return Phrase(None, tuple(adjectives), j + 1, "")
        adjectives.append(word)
        j -= 1
    return Phrase(None, tuple(adjectives), j + 1, "")


def _number(words: list[str], j: int) -> int | None:
    before = words[j - 1] if j else ""
    behind = words[j + 1] if j + 1 < len(words) else ""
    hedged = before in w.VAGUE or before in ("than", "to", "or", "up") or behind in ("or", "to", "of")
    return None if hedged else w.NUMBERS[words[j]]


def colors(words: list[str], i: int, last: int | None = None) -> tuple[str, ...]:
    """The colors that are said of the noun whose words are `i` … `last`; () where none is, or it is denied."""
    end = i if last is None else last
    front = phrase(words, i)
    found = [c for a in front.adjectives for c in color_words(a)]
    if found:
        near = {*words[max(0, front.start - 2) : front.start + 1], *front.adjectives}
        return () if near & (w.NOT | {"or", "without"}) else tuple(dict.fromkeys(found))
    behind = words[end + 1 : end + 5]
    if behind[:1] and (behind[0] in w.BE or behind[0] in ("colored", "coloured", "dyed", "painted", "of")):
        return _predicate(words, end + 2, bare=behind[0] == "of")
    if (
        behind[:1] == [","]
        and behind[1:2]
        and behind[1] in ("both", "all", "each")
        and behind[2:4] == ["of", "them"]
    ):
        return _predicate(words, end + 5)
    return ()


def _predicate(words: list[str], at: int, bare: bool = False) -> tuple[str, ...]:
    """The colors behind "is". `bare`: no article may stand before them ("chairs of a red kind" says nothing)."""
    found: list[str] = []
    for n, word in enumerate(words[at : at + _LOOK_BEHIND]):
        if word in w.NOT or word == "or":
            return ()
        named = color_words(word)
        following = words[at + n + 1] if at + n + 1 < len(words) else ""
        if named:
            found += named
        elif (found and (word not in ("and", ",") or not color_words(following))) or (
            not found and (word not in w.AFTER_BE or (bare and word in w.ARTICLES))
        ):
            break
    return tuple(dict.fromkeys(found))


def color_words(word: str) -> list[str]:
    """The colors in one word: "red", "red-and-white", "dark-blue", "cherry-red"."""
    if word.endswith(("-haired", "-eyed")):
        return []
    return [c for part in word.split("-") for c in [w.color_of(part)] if c]


def _describes(word: str) -> bool:
    return bool(color_words(word)) or word in w.AFTER_BE
