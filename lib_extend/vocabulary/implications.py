"""Implications between tags: pairs without circles, and all tags that follow from one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from lib_extend.vocabulary.tag_list import Pair


def cycles_broken(pairs: Iterable[Pair]) -> tuple[list[Pair], list[list[str]]]:
    """The pairs that make no circle, in their order, and the circles that the others would have closed.

    A pair is left out when its first name already follows from its second. A circle is the names along it, from the
    pair's second name to its first; a pair of one name with itself is a circle of one.
    """
    edges: dict[str, list[str]] = {}
    kept: list[Pair] = []
    circles: list[list[str]] = []
    for special, general in pairs:
        back = _way(edges, general, special)
        if back:
            circles.append(back)
        elif general not in edges.get(special, ()):
            edges.setdefault(special, []).append(general)
            kept.append((special, general))
    return kept, circles


def _way(edges: Mapping[str, list[str]], start: str, end: str) -> list[str]:
    """The names on a path from `start` to `end`, including both; [] where there is none."""
    came_from = {start: ""}
    todo = [start]
    while todo:
        name = todo.pop()
        if name == end:
            way = [name]
            while came_from[way[-1]]:
                way.append(came_from[way[-1]])
            return way[::-1]
        for other in edges.get(name, ()):
            if other not in came_from:
                came_from[other] = name
                todo.append(other)
    return []


class Implications:
    """All tags that follow from a tag, directly or through others. `pairs` have no circle."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._edges: dict[str, list[str]] = {}
        for special, general in pairs:
            self._edges.setdefault(special, []).append(general)
        self.of = lru_cache(maxsize=1 << 16)(self._of)

    def __len__(self) -> int:
        return sum(map(len, self._edges.values()))

    def _of(self, name: str) -> frozenset[str]:
        found: set[str] = set()
        todo = list(self._edges.get(name, ()))
        while todo:
            general = todo.pop()
            if general not in found:
                found.add(general)
                todo += self._edges.get(general, ())
        return frozenset(found)
