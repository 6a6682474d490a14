"""One folder of pictures, open for browsing: listed, filtered, counted.

Queries are thread-safe and take milliseconds. Edits by a person are in `browse_edits.py`.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lib_extend.datasets import filters
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.filter_parsing import parse
from lib_extend.datasets.index import SORTS
from lib_extend.datasets.regex_literals import needed
from lib_extend.datasets.rows import (
    ANALYSED,
    BROKEN_CAPTION,
    BROKEN_IMAGE,
    CAPTIONED,
    SOURCES,
    Row,
    image_id,
    pack,
)
from lib_extend.datasets.watched_folder import WatchedFolder
from lib_extend.errors import UserError
from lib_extend.files.scan import IMAGE_SUFFIXES
from lib_extend.guarded_regex import ignores_case, search
from lib_extend.vocabulary.tag_names import canonical, key

MOST_ROWS = 1000
"""Rows of one answer, at the most."""
_REMEMBERED = 32

T = TypeVar("T")


class Browser(WatchedFolder):
    """Queries on one folder. Made by `Browsers`; thread-safe."""

    def __init__(
        self,
        dataset: Dataset,
        *,
        recursive: bool = False,
        allowed: Callable[[Path], bool] = lambda path: True,
    ) -> None:
        super().__init__(dataset, recursive=recursive, allowed=allowed)
        self._masks: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._orders: OrderedDict[tuple[str, str], tuple[int, array[int]]] = OrderedDict()

    def select(self, leaf: filters.Leaf, among: int) -> int:
        """The pictures that match a leaf of a filter (see `filters.Rows`)."""
        if isinstance(leaf, filters.Regex):
            return self._with_regex(leaf.pattern, among)
        if isinstance(leaf, filters.Changed):
            return self._changed_by(leaf.run)
        if isinstance(leaf, filters.LeftOut):
            return self._left_out_bits()
        if not isinstance(leaf, filters.All):
            self._indexed.wait()
        with self.lock:
            return self.index.select(leaf, among)

    def _with_regex(self, pattern: str, among: int) -> int:
        with self.lock:
            for some in needed(pattern, ignore_case=ignores_case(pattern)):
                among = self.index.with_any_text(some, among)
            places = self.index.members(among)
            texts = [self.index.captions[p] for p in places]
            flags = bytearray(len(self.index.captions))
        for place, found in zip(places, search(pattern, texts, f"You typed /{pattern}/"), strict=True):
            flags[place] = found
        return pack(bytes(flags))

    def filtered(self, text: str) -> int:
        """The pictures that match a filter, as bits.

        Raises:
            UserError: the filter cannot be read, or its regular expression takes too long.
        """
        self._await()
        generation = self._generation
        known = self._masks.get(text)
        if known is not None and known[0] == generation:
            return known[1]
        tree = parse(text)
        bits = filters.evaluate(tree, self, self.index.alive)
        if not filters.speaks_of_left_out(tree):  # this changes without a change of the index
            _remember(self._masks, text, (generation, bits))
        return bits

    def counted(self, text: str) -> int:
        """As `filtered`, without left-out pictures, unless the filter names them (`left-out`)."""
        bits = self.filtered(text)
        return bits if filters.speaks_of_left_out(parse(text)) else bits & ~self._left_out_bits()

    def images(
        self, filter: str = "", *, sort: str = "name", offset: int = 0, limit: int = 100
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many pictures match a filter, and a page of them as JSON values.

        Args:
            sort: one of `SORTS`; a `-` before it reverses the order.

        Raises:
            UserError: see `filtered`; there is no such order.
        """
        name = sort.removeprefix("-")
        if name not in SORTS:
            raise UserError(f"There is no order {sort!r}: the orders are {', '.join(SORTS)}.")
        generation = self._generation
        bits = self.filtered(filter)
        known = self._orders.get((filter, sort))
        if known is None or known[0] != generation or filters.speaks_of_left_out(parse(filter)):
            with self.lock:
                known = (generation, self.index.ordered(bits, name, backwards=sort[:1] == "-"))
            _remember(self._orders, (filter, sort), known)
        with self.dataset.reading() as reader:
            left_out = reader.left_out()
        places = known[1][max(0, offset) : max(0, offset) + min(limit, MOST_ROWS)]
        with self.lock:
            rows = [self._json(p, left_out) for p in places if self.index.alive >> p & 1]
        return len(known[1]), rows

    def tags(
        self, filter: str = "", *, like: str = "", limit: int = 1000
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many tags the pictures of a filter have, and the most frequent as {tag, count}.

        `like`: only tags that contain this text; tags that begin with it are first.
        """
        bits = self.counted(filter)
        self._indexed.wait()
        with self.lock:
            counts = self.index.counts(bits)
            names = self.index.tag_names
        wanted = key(canonical(like)) if like.strip() else ""
        found = [(_likeness(key(names[t]), wanted), -n, names[t]) for t, n in counts.items() if n]
        found = [f for f in found if f[0] < 3]
        found.sort()
        return len(found), [{"tag": name, "count": -n} for _, n, name in found[:limit]]

    def has(self, name: str, *, known: bool = True) -> bool:
        """Whether there is such an image.

        `known`: it must be in the index. Else its file is enough while the folder is scanned for the first time.
        """
        self.start()
        if not known and not self._ready.is_set():
            path = Path(name)
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.anchor and ".." not in path.parts:
                with contextlib.suppress(OSError, ValueError):
                    return (self.root / path).is_file()
        self._await()
        return name in self.index.places

    def row(self, name: str) -> Row:
        """The row of one image. Raises KeyError when it is not in the folder."""
        self._await()
        with self.lock:
            return self.index.row(self.index.places[name])

    def names(self, bits: int) -> list[str]:
        """The names of a set of pictures, sorted."""
        with self.lock:
            return sorted(self.index.names[p] for p in self.index.members(bits & self.index.alive))

    def _json(self, place: int, left_out: Mapping[str, str]) -> dict[str, Any]:
        row = self.index.row(place)
        problems = {"image": row.flags & BROKEN_IMAGE, "caption": row.flags & BROKEN_CAPTION}
        return {
            "id": image_id(row.name),
            "name": row.name,
            "w": row.width,
            "h": row.height,
            "bytes": row.size,
            "caption": row.caption,
            "captioned": bool(row.flags & CAPTIONED),
            "analysed": bool(row.flags & ANALYSED),
            "tokens": row.tokens,
            "tags": len(row.tags),
            "changed": self.index.changed(place) / 1e9,
            "sure": round(row.sure, 4),
            "sources": dict(zip(SOURCES, row.sources, strict=True)),
            "left_out": left_out.get(row.name),
            "problems": [what for what, flag in problems.items() if flag],
        }

    def _left_out_bits(self) -> int:
        with self.dataset.reading() as reader:
            names = reader.left_out()
        with self.lock:
            places = [self.index.places[n] for n in names if n in self.index.places]
        return sum(1 << p for p in places)

    def _changed_by(self, run: int | None) -> int:
        with self.dataset.reading() as reader:
            run = reader.last_changing() if run is None else run
            captions = set() if run is None else set(reader.changed(run))
        if not captions:
            return 0
        with self.lock:
            names = self.index.names
            return pack(bytes([bool(n) and self.index.caption_name(n) in captions for n in names]))


def _likeness(name: str, wanted: str) -> int:
    """0 when a tag begins with the text, 1 when one of its words does, 2 when the tag contains it, else 3."""
    if name.startswith(wanted):
        return 0
    at = name.find(wanted)
    if at < 0:
        return 3
    return 1 if f"_{wanted}" in name or f"({wanted}" in name else 2


K = TypeVar("K")


def _remember(cache: OrderedDict[K, T], name: K, value: T) -> None:
    cache[name] = value
    while len(cache) > _REMEMBERED:
        with contextlib.suppress(KeyError):
            cache.popitem(last=False)
