"""The pictures of a folder in memory, laid out so that filters, counts and orders take milliseconds.

Columns of plain arrays, one place a picture; for each tag the places of the pictures that have it. A place is never
reused: a deleted picture leaves its place empty until the index is loaded again. About 1 kB a picture. Not thread-safe:
`browse.Browser` holds a lock around every call.
"""

from __future__ import annotations

import operator
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from lib_extend.datasets import filters as f
from lib_extend.datasets.rows import ANALYSED, CAPTIONED, PROSE, SOURCES, UNSURE, Row, pack, unpack
from lib_extend.files.caption_forms import standard_name
from lib_extend.vocabulary.tag_names import key

SORTS = ("name", "changed", "tokens", "tags", "sure")
_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}

_SPACES = re.compile(r"[\s_]+")

Stored = tuple[int, Row, bytes]
"""A place, its row without tags, and the numbers of its tags (native unsigned 32 bit)."""


class Columns(NamedTuple):
    """Many pictures as they were stored, field by field (see `Row`); `sources` and `tags` as bytes of numbers."""

    names: list[str]
    sizes: Sequence[int]
    mtimes: Sequence[int]
    widths: Sequence[int]
    heights: Sequence[int]
    caption_sizes: Sequence[int]
    caption_mtimes: Sequence[int]
    captions: Sequence[str]
    tokens: Sequence[int]
    sources: Sequence[bytes]
    sure: Sequence[float]
    flags: Sequence[int]
    tags: Sequence[bytes]


class Index:
    """The columns, and the queries on them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.captions: list[str] = []
        self.places: dict[str, int] = {}
        self.caption_names: dict[str, str] = {}
        self.tag_names: list[str] = []
        self.alive = 0
        self._flags = bytearray()
        self._sizes = array("q")
        self._mtimes = array("q")
        self._widths = array("i")
        self._heights = array("i")
        self._caption_sizes = array("q")
        self._caption_mtimes = array("q")
        self._tokens = array("i")
        self._sources = array("H")
        self._sure = array("f")
        self._tags: list[bytes] = []
        self._tag_keys: list[str] = []
        self._tag_ids: dict[str, int] = {}
        self._holders: list[array[int]] = []

    def caption_name(self, image: str) -> str:
        """The caption file of an image; `caption_names` has those that are not its stem with `.txt`."""
        return self.caption_names.get(image) or standard_name(image)

    def __len__(self) -> int:
        return len(self.places)

    # filling it

    def clear(self) -> None:
        """Forget everything."""
        self.__dict__.update(Index().__dict__)

    def add_tags(self, names: Iterable[str]) -> None:
        """Tags in the order of their numbers, as they were stored."""
        for name in names:
            k = key(name)
            k = name if k == name else k  # one object, not two
            self._tag_ids[k] = len(self.tag_names)
            self.tag_names.append(name)
            self._tag_keys.append(k)
            self._holders.append(array("I"))

    def load(self, chunks: Iterable[Columns]) -> None:
        """Pictures as they were stored, into an empty index. Call `index_tags` before any query on tags."""
        for c in chunks:
            first = len(self.names)
            self.places.update(zip(c.names, range(first, first + len(c.names)), strict=True))
            self.names += c.names
            self.captions += c.captions
            self._flags += bytes(c.flags)
            self._sizes.extend(c.sizes)
            self._mtimes.extend(c.mtimes)
            self._widths.extend(c.widths)
            self._heights.extend(c.heights)
            self._caption_sizes.extend(c.caption_sizes)
            self._caption_mtimes.extend(c.caption_mtimes)
            self._tokens.extend(c.tokens)
            self._sources.frombytes(b"".join(c.sources))
            self._sure.extend(c.sure)
            self._tags += c.tags
        self.alive = (1 << len(self.names)) - 1

    def index_tags(self, start: int, stop: int) -> None:
        """Index the tags of these newly loaded places: tag → places."""
        holders = self._holders
        for place, numbers in enumerate(self._tags[start:stop], start):
            for tag in memoryview(numbers).cast("I"):
                holders[tag].append(place)

    def put(self, rows: Sequence[Row]) -> list[Stored]:
        """Add new and changed rows; returns them in the form to store."""
        stored = []
        gained: dict[int, set[int]] = defaultdict(set)
        lost: dict[int, set[int]] = defaultdict(set)
        for row in rows:
            numbers = array("I", self._numbers(row.tags))
            place = self.places.get(row.name)
            before: set[int] = set()
            if place is None:
                place = len(self.names)
                self._append(row, numbers.tobytes())
                self.alive |= 1 << place
            else:
                before = set(memoryview(self._tags[place]).cast("I"))
                self._replace(place, row, numbers.tobytes())
            for tag in before.difference(numbers):
                lost[tag].add(place)
            for tag in set(numbers).difference(before):
                gained[tag].add(place)
            stored.append((place, row, numbers.tobytes()))
        self._hand_over(gained, lost)
        return stored

    def drop(self, names: Iterable[str]) -> list[int]:
        """Remove deleted pictures; returns their places."""
        lost: dict[int, set[int]] = defaultdict(set)
        places = []
        for name in names:
            place = self.places.pop(name)
            for tag in memoryview(self._tags[place]).cast("I"):
                lost[tag].add(place)
            self.alive &= ~(1 << place)
            self.names[place] = self.captions[place] = ""
            self._tags[place] = b""
            self._flags[place] = 0
            places.append(place)
        self._hand_over({}, lost)
        return places

    def _append(self, row: Row, numbers: bytes) -> None:
        self.places[row.name] = len(self.names)
        self.names.append(row.name)
        self.captions.append(row.caption)
        self._flags.append(row.flags)
        self._sizes.append(row.size)
        self._mtimes.append(row.mtime)
        self._widths.append(row.width)
        self._heights.append(row.height)
        self._caption_sizes.append(row.caption_size)
        self._caption_mtimes.append(row.caption_mtime)
        self._tokens.append(row.tokens)
        self._sources.extend(row.sources)
        self._sure.append(row.sure)
        self._tags.append(numbers)

    def _replace(self, place: int, row: Row, numbers: bytes) -> None:
        self.captions[place] = row.caption
        self._flags[place] = row.flags
        self._sizes[place] = row.size
        self._mtimes[place] = row.mtime
        self._widths[place] = row.width
        self._heights[place] = row.height
        self._caption_sizes[place] = row.caption_size
        self._caption_mtimes[place] = row.caption_mtime
        self._tokens[place] = row.tokens
        self._sources[place * 4 : place * 4 + 4] = array("H", row.sources)
        self._sure[place] = row.sure
        self._tags[place] = numbers

    def _numbers(self, names: Sequence[str]) -> list[int]:
        unknown = [n for n in names if key(n) not in self._tag_ids]
        for name in unknown:
            if key(name) not in self._tag_ids:
                self.add_tags([name])
        return [self._tag_ids[key(n)] for n in names]

    def _hand_over(self, gained: dict[int, set[int]], lost: dict[int, set[int]]) -> None:
        # one tag at a time, so that a bulk edit reads each list once
        for tag, places in lost.items():
            self._holders[tag] = array("I", [p for p in self._holders[tag] if p not in places])
        for tag, places in gained.items():
            self._holders[tag].extend(places)

    # single pictures

    def row(self, place: int) -> Row:
        """The row of one picture."""
        sources = self._sources[place * 4 : place * 4 + 4]
        return Row(
            self.names[place],
            self._sizes[place],
            self._mtimes[place],
            self._widths[place],
            self._heights[place],
            self._caption_sizes[place],
            self._caption_mtimes[place],
            self.captions[place],
            tuple(self.tag_names[t] for t in memoryview(self._tags[place]).cast("I")),
            self._tokens[place],
            (sources[0], sources[1], sources[2], sources[3]),
            self._sure[place],
            self._flags[place],
        )

    def stamp(self, place: int) -> tuple[int, int, int, int]:
        """Size and time of the image and of the caption as they were read."""
        return (
            self._sizes[place],
            self._mtimes[place],
            self._caption_sizes[place],
            self._caption_mtimes[place],
        )

    # sets of pictures

    def select(self, leaf: f.Leaf, among: int) -> int:
        """The pictures that match a leaf of a filter (see `filters.Rows`), except for Regex and Changed."""
        if isinstance(leaf, f.All):
            return self.alive
        if isinstance(leaf, f.Exact):
            tag = self._tag_ids.get(leaf.key)
            return 0 if tag is None else self._union([tag])
        if isinstance(leaf, (f.Words, f.Wild)):
            matches = f.matcher(leaf)
            found = self._union([t for t, k in enumerate(self._tag_keys) if matches(k)])
            return found | self._in_prose(leaf, among & ~found) if isinstance(leaf, f.Words) else found
        if isinstance(leaf, f.Text):
            return self._with_text(leaf.text, among)
        if isinstance(leaf, f.From):
            return pack(bytes(map(bool, self._sources[SOURCES.index(leaf.source) :: 4])))
        if isinstance(leaf, f.Has):
            return self._flagged(CAPTIONED if leaf.thing == "caption" else ANALYSED)
        if isinstance(leaf, f.Unsure):
            return self._flagged(UNSURE)
        if isinstance(leaf, f.Compare):
            compare, value = _OPERATORS[leaf.operator], leaf.value
            return pack(bytes([compare(n, value) for n in self._column(leaf.number)]))
        raise TypeError(f"{leaf} is not for the index")

    def tagged(self, tags: Iterable[str]) -> int:
        """The pictures with any of these tags (keys)."""
        return self._union([self._tag_ids[t] for t in tags if t in self._tag_ids])

    def _column(self, number: str) -> Sequence[int]:
        return self._tokens if number == "tokens" else [len(t) // 4 for t in self._tags]

    def _flagged(self, flag: int) -> int:
        return pack(self._flags.translate(bytes(1 if i & flag else 0 for i in range(256))))

    def _union(self, tags: Sequence[int]) -> int:
        found = bytearray(len(self.names))
        for tag in tags:
            for place in self._holders[tag]:
                found[place] = 1
        return pack(found)

    def _in_prose(self, leaf: f.Words, among: int) -> int:
        matches, words = f.matcher(leaf), leaf.text.split("_")
        found = bytearray(len(self.names))
        for place in self.members(self._flagged(PROSE) & among):
            text = self.captions[place].lower()
            if all(w in text for w in words) and matches(_SPACES.sub("_", text)):
                found[place] = 1
        return pack(found)

    def _with_text(self, text: str, among: int) -> int:
        if among.bit_count() * 2 > len(self.names):
            return pack(bytes([text in c.lower() for c in self.captions]))
        found = bytearray(len(self.names))
        for place in self.members(among):
            found[place] = text in self.captions[place].lower()
        return pack(found)

    def with_any_text(self, texts: Sequence[str], among: int) -> int:
        """The pictures of `among` whose caption contains one of these texts in any case."""
        found = 0
        for text in texts:
            left = among & ~found
            found |= left & self._with_text(text, left)
        return found

    def members(self, bits: int) -> list[int]:
        """The places in a set, ascending."""
        return list(compress(range(len(self.names)), unpack(bits, len(self.names))))

    # tables and orders

    def counts(self, bits: int) -> dict[int, int]:
        """How many pictures of a set have each tag, by the tag's number."""
        rest = self.alive & ~bits
        some = min(bits, rest, key=int.bit_count)
        numbers = b"".join([self._tags[p] for p in self.members(some)])
        counted = Counter(memoryview(numbers).cast("I"))
        if some == bits:
            return dict(counted)
        every = enumerate(map(len, self._holders))
        return {t: n - counted[t] for t, n in every if n > counted[t]}

    def ordered(self, bits: int, sort: str, *, backwards: bool = False) -> array[int]:
        """The places in a set by name, or newest, most tokens, most tags, least sure first; then by name."""
        places = sorted(self.members(bits), key=self.names.__getitem__)
        column: Callable[[int], Any] | None = None
        if sort == "changed":
            column = self.changed
        elif sort in ("tokens", "tags"):
            column = self._column(sort).__getitem__
        elif sort == "sure":
            column = self._sure.__getitem__
        if column is not None:
            places.sort(key=column, reverse=sort != "sure")
        if backwards:
            places.reverse()
        return array("I", places)

    def changed(self, place: int) -> int:
        """When the caption was last changed, or the image where there is none; nanoseconds since the epoch."""
        return self._caption_mtimes[place] if self._caption_sizes[place] >= 0 else self._mtimes[place]
