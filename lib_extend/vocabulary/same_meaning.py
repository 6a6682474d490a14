"""Tags of one folder that mean the same: spelled in two ways, two words for one tag, one and many.

These are only proposals. The proposed name comes from a list if one knows the tag, else from the most frequent spelling
in the folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from lib_extend.records import Record
from lib_extend.vocabulary.lookup import Vocabulary
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.plurals import singular
from lib_extend.vocabulary.tag_names import KAOMOJI, is_sentence, key

_JOINTS = re.compile(r"[\s_'’.,-]+")
_LEAST_LETTERS = 3
"""Letters of a name that is compared: shorter ones are faces and signs."""


class Reason(str, Enum):
    """Why tags are considered to mean the same."""

    SPELLING = "spelling"  # black-hair, blackhair, Black_Hair
    ALIAS = "alias"  # peace_sign, v
    NUMBER = "number"  # thighhigh, thighhighs


@dataclass(frozen=True)
class SameMeaning(Record):
    """Tags that mean the same.

    Attributes:
        names: two or more, most frequent first. proposed: the name for all of them; may be none of `names`.
        reason: the weakest that joins them: spelling before alias before number.
        pictures: the sum of their numbers.
    """

    names: tuple[str, ...]
    proposed: str
    reason: Reason
    pictures: int


def same_meaning(counts: Mapping[str, int], vocabulary: Vocabulary) -> list[SameMeaning]:
    """The groups of tags that mean the same, those on most pictures first.

    Tags that a list knows as two tags of their own (`book` and `books` where both are) are never joined.

    Args:
        counts: canonical name → pictures that have it.
    """
    names = [n for n in counts if not is_sentence(n) and n.lower() not in KAOMOJI]
    known = {name: vocabulary.place(name) for name in names}
    joined = _Joined(known)
    by_place: dict[int, str] = {}
    for name in names:
        place = known[name]
        if place is not None:
            first = by_place.setdefault(place, name)
            if key(first) == key(name) and len(name) < _LEAST_LETTERS:
                continue  # `:d` and `:D`
            # the same tag: in another case, or by another word
            reason = Reason.SPELLING if _letters(first) == _letters(name) else Reason.ALIAS
            joined.join(first, name, reason)
    for reason, form in ((Reason.SPELLING, _letters), (Reason.NUMBER, _one)):
        groups: dict[str, list[str]] = {}
        for name in names:
            written = form(name)
            if len(written) >= _LEAST_LETTERS and not (reason is Reason.NUMBER and is_people(name)):
                groups.setdefault(written, []).append(name)
        for group in groups.values():
            for name in group[1:]:
                joined.join(group[0], name, reason)
    found = [_group(group, why, counts, vocabulary) for group, why in joined.groups()]
    return sorted(found, key=lambda g: (-g.pictures, g.names))


def _group(
    names: list[str], reason: Reason, counts: Mapping[str, int], vocabulary: Vocabulary
) -> SameMeaning:
    names.sort(key=lambda n: (-counts[n], n))
    listed = [vocabulary.resolve(n) for n in names if n in vocabulary or vocabulary.resolve(n) != n]
    proposed = key(listed[0]) if listed else names[0]
    return SameMeaning(tuple(names), proposed, reason, sum(counts[n] for n in names))


def _letters(name: str) -> str:
    """A name without case, spaces, hyphens and stops."""
    return _JOINTS.sub("", name.lower())


def _one(name: str) -> str:
    """A name in the singular and without joints; the same for `cup_of_tea` and `cups_of_tea`."""
    return _letters(singular(name.lower()))


_ORDER = tuple(Reason)


class _Joined:
    """Names in disjoint groups, each with the weakest reason that joined it; two different tags of a list never meet.

    Args:
        known: name → its tag's place in the vocabulary, None for a name that is in no list.
    """

    def __init__(self, known: Mapping[str, int | None]) -> None:
        self._parents = {name: name for name in known}
        self._places = dict(known)
        self._reasons: dict[str, Reason] = {}

    def _root(self, name: str) -> str:
        while self._parents[name] != name:
            self._parents[name] = self._parents[self._parents[name]]
            name = self._parents[name]
        return name

    def join(self, one: str, other: str, reason: Reason) -> None:
        a, b = self._root(one), self._root(other)
        places = {self._places[a], self._places[b]} - {None}
        if a == b or len(places) > 1:
            return
        self._parents[b] = a
        self._places[a] = next(iter(places), None)
        reasons = [reason, self._reasons.pop(a, reason), self._reasons.pop(b, reason)]
        self._reasons[a] = max(reasons, key=_ORDER.index)

    def groups(self) -> Iterable[tuple[list[str], Reason]]:
        found: dict[str, list[str]] = {}
        for name in self._parents:
            found.setdefault(self._root(name), []).append(name)
        return ((names, self._reasons[root]) for root, names in found.items() if len(names) > 1)
