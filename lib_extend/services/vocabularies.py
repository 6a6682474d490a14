"""The look-up of tags for the page and other programs: the program's own words and all available lists.

Lists, the most trusted first: the user's own files (the folder `tag-lists` in our data folder), the WebUI's tag
autocompletion, the tables of taggers that are on this machine, our own words. They are read in a thread of their own;
until that is done our own words answer.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.datasets.browser import Browser
from lib_extend.datasets.tag_list_files import read_tag_list
from lib_extend.errors import PromptExtendError
from lib_extend.vocabulary.lookup import Vocabulary
from lib_extend.vocabulary.merging import merged, own
from lib_extend.vocabulary.name_index import NameIndex, typed
from lib_extend.vocabulary.own_data import own_exclusive_groups, own_list
from lib_extend.vocabulary.tag_list import ListProblem
from lib_extend.vocabulary.tag_list_parsing import PARSERS
from lib_extend.vocabulary.tag_names import key

FOLDER = "tag-lists"
"""In our data folder: lists of a user's own."""
FRESH = 5.0
"""Seconds for which the files are not looked at again."""
_FOLDER_TAGS = 50_000
_FOLDERS = 8

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Loaded:
    """A loaded vocabulary.

    Attributes:
        sources: the lists it is made of: name and number of tags, the most trusted first.
        problems: what of them could not be used.
    """

    vocabulary: Vocabulary
    index: NameIndex
    sources: tuple[tuple[str, int], ...]
    problems: tuple[ListProblem, ...] = ()


class Vocabularies:
    """See the module.

    Args:
        folder: the user's lists; it may not exist.
        others: further files, the most trusted first; asked in the reading thread, may take its time.
    """

    def __init__(self, folder: Path, others: Sequence[Callable[[], Sequence[Path]]] = ()) -> None:
        self.folder = folder
        self._others = others
        self._lock = threading.Lock()
        self._loaded: Loaded | None = None
        self._stamp: Stamp | None = None
        self._looked = 0.0
        self._thread: threading.Thread | None = None
        self._here: dict[Path, tuple[int, _FolderTags]] = {}

    def get(self) -> Loaded:
        """The present vocabulary. If files have changed, it starts to read them."""
        with self._lock:
            due = self._stamp is None or time.monotonic() - self._looked > FRESH
            if due and (self._thread is None or not self._thread.is_alive()):
                self._looked = time.monotonic()
                self._thread = threading.Thread(
                    target=self._read, name="prompt-extend-tag-lists", daemon=True
                )
                self._thread.start()
            if self._loaded is None:
                self._loaded = Loaded(own(), NameIndex(own()), ((own_list().name, len(own())),))
            return self._loaded

    def settle(self, timeout: float = 60.0) -> Loaded:
        """The vocabulary with every list that is there now; waits until they are read."""
        self.get()
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return self.get()

    @property
    def reading(self) -> bool:
        """Whether lists are being read just now."""
        return self._thread is not None and self._thread.is_alive()

    def _read(self) -> None:
        paths = list(dict.fromkeys([*_lists_in(self.folder), *self._other_files()]))
        stamp = _stamp(paths)
        if stamp == self._stamp:
            return
        lists = [read_tag_list(path) for path in paths]
        found = merged([*lists, own_list()], own_exclusive_groups())
        sources = [*((one.name, len(one.rows) or len(one.translations)) for one in lists)]
        loaded = Loaded(
            found.vocabulary,
            NameIndex(found.vocabulary),
            (*sources, (own_list().name, len(own()))),
            found.problems,
        )
        with self._lock:
            self._loaded, self._stamp = loaded, stamp

    def _other_files(self) -> list[Path]:
        found: list[Path] = []
        for ask in self._others:
            # without the tables of taggers there are still the other lists
            with contextlib.suppress(PromptExtendError, OSError):
                found += ask()
        return found

    def complete(self, text: str, limit: int, browser: Browser | None = None) -> list[dict[str, Any]]:
        """At most `limit` tags for what somebody typed: the exact one, the folder's own by number, then by frequency.

        Args:
            browser: of the folder whose tags go first.
        """
        loaded = self.get()
        here = None if browser is None else self._tags_of(browser)
        names: dict[str, tuple[str, str]] = {}  # key → name, other word
        found = [(loaded.vocabulary.columns.names[f.place], f.alias) for f in loaded.index.find(text, limit)]
        exact = [row for row in found[:1] if typed(row[0]) == typed(text) or typed(row[1]) == typed(text)]
        own_tags = [] if here is None else [(name, "") for name in here.find(text, limit)]
        for name, alias in (*exact, *own_tags, *found):
            names.setdefault(key(name), (name, alias))
        rows = list(names.values())[:limit]
        return [self._row(loaded, name, alias, here) for name, alias in rows]

    def _row(self, loaded: Loaded, name: str, alias: str, here: _FolderTags | None) -> dict[str, Any]:
        facts = loaded.vocabulary.facts(name)
        same = facts is not None and key(facts.name) == key(name)
        category = None if facts is None or facts.category is None else facts.category.value
        return {
            "name": name,
            "category": category,
            "count": facts.count if facts is not None and same else None,
            "rough": facts is not None and same and facts.rough,
            "alias": alias,
            # a word that the folder uses for a tag of another name
            "means": "" if facts is None or same else facts.name,
            "group": "" if facts is None else facts.group,
            "translation": "" if facts is None else facts.translation,
            "here": 0 if here is None else here.counts.get(key(name), 0),
        }

    def _tags_of(self, browser: Browser) -> _FolderTags:
        generation = browser.status().generation
        known = self._here.get(browser.root)
        if known is None or known[0] != generation:
            rows = browser.tags("", limit=_FOLDER_TAGS)[1]
            known = (generation, _FolderTags([(row["tag"], row["count"]) for row in rows]))
            with self._lock:
                while len(self._here) >= _FOLDERS:
                    self._here.pop(next(iter(self._here)))
                self._here[browser.root] = known
        return known[1]


class _FolderTags:
    """The tags of a folder, most frequent first."""

    def __init__(self, rows: Sequence[tuple[str, int]]) -> None:
        self.counts = {key(name): count for name, count in rows}
        self._names = [(name, f" {typed(name)}") for name, _ in rows]

    def find(self, text: str, limit: int) -> list[str]:
        """The most frequent of them with a word that begins with a text."""
        wanted = f" {typed(text)}"
        found: list[str] = []
        for name, words in self._names:
            if wanted in words:
                found.append(name)
                if len(found) == limit:
                    break
        return found


def _lists_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in PARSERS and path.is_file())
    except OSError:
        return []


def _stamp(paths: Sequence[Path]) -> Stamp:
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            s = path.stat()
            found.append((str(path), s.st_size, s.st_mtime_ns))
    return tuple(found)
