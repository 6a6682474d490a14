"""The index: filters against the plain evaluator, counts, orders, changes, and what comes back from the disk."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.datasets import filters as f
from lib_extend.datasets.filter_parsing import parse
from lib_extend.datasets.index import SORTS, Index
from lib_extend.datasets.index_store import FILE, IndexStore
from lib_extend.datasets.rows import ANALYSED, CAPTIONED, SOURCES, UNSURE, Row, pack, unpack

from .test_browse_filters import Picture, means, pictures, trees


def row(name: str, p: Picture, changed: int = 7) -> Row:
    counts = Counter(p.tags.values())
    flags = (UNSURE if p.unsure else 0) | (ANALYSED if p.tokens else 0) | (CAPTIONED if p.tags else 0)
    return Row(
        name=name,
        size=len(name),
        mtime=5,
        width=640,
        height=480,
        caption_size=len(p.caption) if p.tags else -1,
        caption_mtime=changed if p.tags else -1,
        caption=p.caption,
        tags=tuple(p.tags),
        tokens=p.tokens,
        sources=tuple(counts[s] for s in SOURCES),  # type: ignore[arg-type]
        sure=p.tokens / 10,
        flags=flags,
    )


class OfIndex:
    """The index, with what the browser adds to it spelled out."""

    def __init__(self, index: Index, by_name: dict[str, Picture]) -> None:
        self.index = index
        self.by_name = by_name

    def select(self, leaf: f.Leaf, among: int) -> int:
        if isinstance(leaf, (f.Regex, f.Changed)):
            names = self.index.names
            return sum(1 << i for i, n in enumerate(names) if n and means(leaf, self.by_name[n]))
        return self.index.select(leaf, among)


def check(index: Index, by_name: dict[str, Picture], text: str, node: f.Node) -> None:
    bits = f.evaluate(parse(text), OfIndex(index, by_name), index.alive)
    found = {index.names[p] for p in index.members(bits)}
    assert found == {n for n, p in by_name.items() if means(node, p)}
    counted = {index.tag_names[t]: n for t, n in index.counts(bits).items() if n}
    assert counted == Counter(t for n in found for t in by_name[n].tags)


@settings(max_examples=200, deadline=None)
@given(trees, pictures, pictures, st.data())
def test_filters_and_counts_after_changes(
    tree: tuple[str, f.Node], first: list[Picture], second: list[Picture], data: st.DataObject
) -> None:
    index = Index()
    now = {f"{i}.png": p for i, p in enumerate(first)}
    index.put([row(n, p) for n, p in now.items()])
    check(index, now, *tree)
    # some change, some are new, some go, and one comes back
    changes = {f"{i + 3}.png": p for i, p in enumerate(second)}
    index.put([row(n, p) for n, p in changes.items()])
    now |= changes
    gone = data.draw(st.lists(st.sampled_from(sorted(now)), unique=True) if now else st.just([]))
    index.drop(gone)
    back = {n: now.pop(n) for n in gone}
    check(index, now, *tree)
    index.put([row(n, p) for n, p in list(back.items())[:1]])
    now |= dict(list(back.items())[:1])
    check(index, now, *tree)
    assert len(index) == len(now)
    for name, p in now.items():
        assert index.row(index.places[name]) == row(name, p)._replace(sure=index.row(index.places[name]).sure)


@settings(max_examples=50, deadline=None)
@given(pictures, st.data())
def test_orders(rows: list[Picture], data: st.DataObject) -> None:
    index = Index()
    times = [data.draw(st.integers(1, 4)) for _ in rows]
    names = [f"{(i * 7) % 10}{i}.png" for i in range(len(rows))]
    index.put([row(n, p, t) for n, p, t in zip(names, rows, times, strict=True)])
    by_name = dict(zip(names, zip(rows, times, strict=True), strict=True))

    def order(sort: str, name: str) -> float:
        p, t = by_name[name]
        return {
            "name": 0,
            "changed": -(t if p.tags else 5),
            "tokens": -p.tokens,
            "tags": -len(p.tags),
            "sure": p.tokens,
        }[sort]

    for sort in SORTS:
        found = [index.names[p] for p in index.ordered(index.alive, sort)]
        assert found == sorted(names, key=lambda n: (order(sort, n), n))
        assert [index.names[p] for p in index.ordered(index.alive, sort, backwards=True)] == found[::-1]
    assert list(index.ordered(0, "name")) == []


@given(st.lists(st.booleans(), max_size=40))
def test_bits(flags: list[bool]) -> None:
    bits = pack(bytes(flags))
    assert bits == sum(1 << i for i, f in enumerate(flags) if f)
    assert unpack(bits, len(flags)) == bytes(flags)
    assert unpack(bits | 1 << 50, len(flags)) == bytes(flags)


STRANGE = ["a.png", "ü/日本.png", "not \udcff utf-8.png", "x" * 200 + ".png"]


def keep(store: IndexStore, index: Index, rows: list[Row]) -> None:
    known = len(index.tag_names)
    stored = index.put(rows)
    store.write(stored, list(enumerate(index.tag_names))[known:])


def loaded(store: IndexStore) -> Index:
    index = Index()
    index.add_tags(store.tags())
    index.load(store.columns())
    index.index_tags(0, 2)
    index.index_tags(2, 4000)
    return index


def test_kept_on_the_disk(tmp_path: Path) -> None:
    store = IndexStore(tmp_path, "root")
    index = Index()
    people = [
        Picture({"1girl": "tagger", "Hat": "human"}, 5, True),
        Picture(),
        Picture({"hat": "question"}, 9),
    ]
    keep(store, index, [row(n, p) for n, p in zip(STRANGE, people, strict=False)])
    keep(store, index, [row(STRANGE[1], Picture({"new": "person"})), row(STRANGE[3], people[0])])
    store.drop(index.drop([STRANGE[0]]))
    store.close()
    again = IndexStore(tmp_path, "root")
    assert again.kept and again.holes()
    again.close_holes()
    assert not again.holes()
    other = loaded(again)
    assert other.tag_names == ["1girl", "Hat", "new"]
    for name in STRANGE[1:]:
        assert other.row(other.places[name]) == index.row(index.places[name])
    words = parse("hat")
    assert isinstance(words, f.Words)
    assert {other.names[p] for p in other.members(other.select(words, other.alive))} == {
        STRANGE[2],
        STRANGE[3],
    }
    # a second one, while the first has the file: its own, in memory
    beside = IndexStore(tmp_path, "root")
    assert not beside.kept and not beside.tags()
    beside.close()
    again.close()


def test_another_folder_another_version_or_damage_begin_anew(tmp_path: Path) -> None:
    def fill() -> None:
        store = IndexStore(tmp_path, "root")
        keep(store, Index(), [row("a.png", Picture({"hat": "human"}))]) if not store.tags() else None
        store.set_meta("complete", "1")
        store.close()

    def count(root: str = "root") -> int:
        store = IndexStore(tmp_path, root)
        assert store.kept
        n = sum(len(c.names) for c in store.columns())
        assert bool(n) == bool(store.meta("complete"))
        store.close()
        return n

    fill()
    assert count() == 1
    assert count("elsewhere") == 0
    fill()
    (tmp_path / FILE).write_bytes(b"no database at all" * 300)
    assert count() == 0
    fill()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version=999")
    assert count() == 0


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = IndexStore(tmp_path / "file" / "state", "root")
    assert not store.kept
    index = Index()
    keep(store, index, [row("a.png", Picture({"hat": "human"}))])
    assert sum(len(c.names) for c in store.columns()) == 1
    store.close()
