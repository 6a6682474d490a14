"""Telling sentences from tags: which parts of a line, cut at its commas, make up natural language.

A tag is rarely more than a few words and has no articles; a sentence has them, with capitals or without. Looked at is
never one word alone but how much of a stretch of parts reads like clauses, so that `a photo of mychar, red hair, smile`
is a phrase and two tags, and `a girl stands in a park, wearing a hat, both smiling` is one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import canonical, is_sentence

LOOK_BACK = 64
"""Parts that one sentence has at the most; it keeps the time linear."""
WORDS_A_PART = 2
"""Words that the parts of a sentence between its commas have on average, at the least."""
CLAUSE_SHARE = 0.5
"""Share of the parts of a sentence that read like clauses, at the least."""
OPEN_SHARE, OPEN_SHARE_WITH_VERB = 0.6, 0.34
"""The same for all that is left of a line, when no full stop says where the sentence ends."""

_INDEFINITE = frozenset("a an another her his their its she he they it both each".split())
_VERBS = frozenset(
    "is are was were has have stands stand sits sit lies wears holds looks smiles walks runs shows features depicts "
    "appears leans kneels rests reads plays gazes poses seems carries sleeps sings".split()
)
_CLAUSE = _INDEFINITE | _VERBS | frozenset("the while who which where there this these those that".split())
_OPENERS = frozenset("and with while or but plus".split())
_LINKS = frozenset(
    "in on at of with to from by for under over near into beside behind between against through as who that".split()
)
_TRIM = ".,;:!?\"'()“”‘’"
_REMEMBERED = 8192


def sentences(parts: Sequence[str], fixed: Sequence[bool]) -> list[tuple[int, int]]:
    """The stretches of `parts` that are prose: first and last index of each, in order, not overlapping.

    Args:
        parts: a line's parts between its commas, trimmed.
        fixed: which of them are certainly no prose (a weighted tag, one that we wrote).
    """
    # nearly all captions are plain lists of tags: a look is enough
    if not may_have_prose(parts):
        return []
    facts = [_facts(text) for text in parts]
    stop = [f or p.is_tag for f, p in zip(fixed, facts, strict=True)]
    for i, part in enumerate(facts):
        # "… 3 persons, 2 cakes, and a bench": between clauses a count is part of the sentence
        if part.counts and not stop[i]:
            around = facts[i - 1 : i] + facts[i + 1 : i + 2]
            stop[i] = not around or not all(p.clause for p in around)
    found: list[tuple[int, int]] = []
    start = 0
    for i in range(len(parts) + 1):
        if i == len(parts) or stop[i]:
            if i > start:
                found += _in_window(facts, start, i)
            start = i + 1
    return found


def may_have_prose(parts: Sequence[str]) -> bool:
    """Whether a closer look is worth while: a capital, a full stop, or a word that sentences have."""
    text = " ".join(parts)
    if "." in text or "。" in text or not _CLAUSE.isdisjoint(text.lower().split()):
        return True
    return any(t[:1].isupper() for t in parts)


class _Part:
    """What one part looks like."""

    __slots__ = (
        "begins",
        "breaks",
        "capital",
        "clause",
        "counts",
        "ends",
        "is_tag",
        "prose",
        "verb",
        "words",
    )

    def __init__(self, text: str) -> None:
        words = text.split()
        lower = [w.strip(_TRIM).lower() for w in words]
        self.words = len(words)
        strong = [w for w in lower if w in _CLAUSE]
        self.verb = any(w in _VERBS for w in strong)
        self.clause = bool(strong) or (self.words > 1 and lower[0] in _OPENERS)
        self.capital = text[:1].isupper()
        self.breaks = ". " in text and any(a.endswith(".") and b[:1].isupper() for a, b in pairwise(words))
        cjk = text.endswith(("。", "。」", "。”"))
        self.ends = cjk or self.breaks or text.endswith((".", "!", "?", '."', ".”", ".)"))
        self.prose = _alone(text, words, lower, strong, self) or cjk
        self.begins = self.capital or self.prose
        self.counts = text[:1].isdigit() and not strong
        marked = "_" in text or "(" in text
        self.is_tag = is_people(canonical(text)) or (marked and not (strong and self.words >= 4))


@lru_cache(maxsize=_REMEMBERED)
def _facts(text: str) -> _Part:
    return _Part(text)


def _alone(text: str, words: Sequence[str], lower: Sequence[str], strong: Sequence[str], part: _Part) -> bool:
    """Whether a part is prose by itself; titles (`the legend of zelda: breath of the wild`) are not."""
    if is_sentence(text) or part.breaks:
        return True
    if part.capital and strong and len(words) > 1 and part.ends:
        return True
    if len(words) < 4 or not strong:
        return False
    indefinite = [w for w in strong if w in _INDEFINITE]
    links = any(w in _LINKS for w in lower[1:])
    if lower[0] in ("a", "an"):
        return links or part.verb or len(strong) > 1
    if lower[0] == "there" and part.verb:
        return True
    return (part.verb and len(strong) > 1) or (len(words) > 4 and bool(indefinite) and links)


def _in_window(facts: Sequence[_Part], low: int, high: int) -> list[tuple[int, int]]:
    """The prose among the parts `low` … `high` - 1, none of which is certainly a tag."""
    words = [0, *accumulate(facts[i].words - WORDS_A_PART for i in range(low, high))]
    clauses = [0, *accumulate(int(facts[i].clause) for i in range(low, high))]

    def clause_share(first: int, last: int) -> float:
        return (clauses[last + 1 - low] - clauses[first - low]) / (last + 1 - first)

    def holds(first: int, last: int) -> bool:
        long_enough = words[last + 1 - low] >= words[first - low]
        if facts[first].words == 1 and first < last and facts[first + 1].capital:
            return False  # a trigger word before the sentence
        return facts[first].begins and long_enough and clause_share(first, last) >= CLAUSE_SHARE

    runs: list[tuple[int, int]] = []

    def add(first: int, last: int) -> None:
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))

    at = low
    for end in range(low, high):
        if not facts[end].ends:
            continue
        if _cjk_end(facts, end):
            add(max(at, end - LOOK_BACK + 1), end)
            at = end + 1
            continue
        for first in range(max(at, end - LOOK_BACK + 1), end + 1):
            # behind a full stop inside a part the next sentence goes on from that part
            goes_on = bool(runs) and first == runs[-1][1] and facts[first].breaks
            if first == end and not goes_on:
                if facts[end].prose:
                    add(end, end)
                    at = end if facts[end].breaks else end + 1
                break
            if holds(first, end) or (goes_on and clause_share(first, end) >= CLAUSE_SHARE):
                add(first, end)
                at = end if facts[end].breaks else end + 1
                break
    _open_ends(facts, low, high, runs, clause_share)
    return sorted(runs)


def _cjk_end(facts: Sequence[_Part], end: int) -> bool:
    return facts[end].ends and facts[end].words == 1 and facts[end].prose


def _open_ends(
    facts: Sequence[_Part],
    low: int,
    high: int,
    runs: list[tuple[int, int]],
    share: Callable[[int, int], float],
) -> None:
    """Add the sentences that no full stop ends; grows `runs`, which may start in one that is there."""
    taken = sorted(runs)
    gaps = []
    at = low
    for first, last in taken:
        gaps.append((at, first))
        at = last if facts[last].breaks and last + 1 < high else last + 1
    gaps.append((at, high))
    for start, stop in gaps:
        i = start
        while i < stop:
            goes_on = any(i == last for _, last in taken) and facts[i].breaks
            if not (facts[i].prose or goes_on):
                i += 1
                continue
            limit = min(stop, i + LOOK_BACK)
            last = i
            for j in range(i + 1, limit):
                if facts[j].clause and share(i, j) >= CLAUSE_SHARE:
                    last = j
            wanted = OPEN_SHARE_WITH_VERB if facts[i].verb else OPEN_SHARE
            if limit == stop and share(i, stop - 1) >= wanted:
                last = stop - 1
            merged = next((k for k, (_, end) in enumerate(runs) if end == i), None) if goes_on else None
            if merged is None:
                runs.append((i, last))
            else:
                runs[merged] = (runs[merged][0], last)
            i = last + 1
