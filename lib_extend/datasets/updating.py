"""Keep the browser's index up to date: load the stored one, then read the changes of the folder.

A picture is read again when the size or time of it or of its caption changed, or when a run has worked on it since.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from lib_extend.config import TagConfig
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.index import Index
from lib_extend.datasets.index_reading import Context, Listed, read_rows
from lib_extend.datasets.index_store import IndexStore
from lib_extend.datasets.recipe import Recipe
from lib_extend.datasets.rows import BROKEN_CAPTION, FOREIGN
from lib_extend.datasets.state_reading import StateReader
from lib_extend.errors import PromptExtendError
from lib_extend.files.caption_forms import CAPTION_SUFFIXES, candidates, chosen, find, standard_name
from lib_extend.files.scan import IMAGE_SUFFIXES, check_folder, matches, walk

CHUNK = 256
"""Pictures read between two steps of the progress."""
_STEP = 4000
_NONE = (-1, -1)
_SUFFIXES = IMAGE_SUFFIXES | set(CAPTION_SUFFIXES)


_DAMAGE = (sqlite3.DatabaseError, ValueError, TypeError, LookupError, OverflowError, RecursionError)
"""What an index raises that was not written by us."""


class Updater:
    """Fills one `Index`. Its methods are called by one thread at a time. `encodings` decodes the captions.

    Args:
        dataset: the folder, and where its state lives.
        lock: held while the index changes, a chunk at a time.
        on_change: called after each change, without the lock.
        allowed: whether a link may be followed; other links are left out.
    """

    def __init__(
        self,
        dataset: Dataset,
        index: Index,
        lock: threading.RLock,
        on_change: Callable[[], None] = lambda: None,
        allowed: Callable[[Path], bool] = lambda path: True,
    ) -> None:
        self.done = 0
        self.total = 0
        self._dataset = dataset
        self._root = dataset.root
        self._index = index
        self._lock = lock
        self._on_change = on_change
        self._allowed = allowed
        self._store: IndexStore | None = None
        self._closed = False
        self._context_of: tuple[int, str] | None = None
        self._last_context = Context()
        self.encodings = CaptionEncodings(dataset.root)
        self._encodings_of: str | None = None
        # images of the current run that were read after the run finished them
        self._run = 0
        self._read_since: set[int] = set()

    def load(self, *, recursive: bool) -> bool:
        """Load the stored index; returns whether it held the whole folder. Call `index_tags` next.

        Raises:
            UserError: there is no such folder.
        """
        check_folder(self._root)
        root = os.fsencode(self._root.resolve()).decode("utf-8", "backslashreplace")
        store = self._store = IndexStore(self._dataset.state_folder, root)
        try:
            if store.holes():
                store.close_holes()
            with self._lock:
                self._index.caption_names = _caption_names(store)
                self._index.add_tags(store.tags())
                self._index.load(store.columns())
        except _DAMAGE:
            self._start_anew()
        self._on_change()
        return store.meta("complete") == _depth(recursive)

    def index_tags(self) -> None:
        """Index the tags of the loaded rows, in steps, so that other threads can run."""
        try:
            for start in range(0, len(self._index.names), _STEP):
                with self._lock:
                    self._index.index_tags(start, start + _STEP)
        except _DAMAGE:
            self._start_anew()

    def _start_anew(self) -> None:
        """Delete the stored index (it is damaged, or came with the dataset) and read the folder again."""
        assert self._store is not None
        with self._lock:
            self._index.clear()
            self._store.start_anew()
        self._on_change()

    @property
    def loaded(self) -> bool:
        """Whether the index was loaded."""
        return self._store is not None

    def stop(self) -> None:
        """End a running update soon. Thread-safe."""
        self._closed = True

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        if self._store is not None:
            self._store.close()
            self._store = None

    def refresh(self, *, recursive: bool) -> None:
        """Bring the whole index up to date.

        Raises:
            UserError: the folder is gone or cannot be listed.
        """
        store = self._store
        assert store is not None
        with self._dataset.reading() as reader:
            listed, gone = self._differences(recursive, _excluded(reader))
            progress = json.dumps(reader.progress())
            if store.meta("run") != progress:
                try:
                    since = int(json.loads(store.meta("run") or "[0]")[0])
                except (ValueError, TypeError, LookupError, RecursionError):
                    since = 0
                # their current stamps, where known
                listed = dict(self._worked_on(reader, since)) | listed
            if reader.encodings() not in ("", store.meta("encodings")):
                listed = dict(self._foreign()) | listed
            self._drop(gone)
            if self._read(list(listed.values()), reader):
                store.set_meta("run", progress)
                store.set_meta("complete", _depth(recursive))

    def touch(self, names: Collection[str]) -> None:
        """Read these pictures and their captions again, or drop the deleted ones."""
        if not names:
            return
        listed = []
        gone = []
        for name in names:
            here = self._listed(name)
            if here is not None:
                listed.append(here)
            elif name in self._index.places:
                gone.append(name)
        self._drop(gone)
        with self._dataset.reading() as reader:
            self._remember_run(reader.last_run())
            # asked before the reading: images that the run finishes after this are read again
            names = [x.name for x in listed]
            images, captions = reader.worked_on(
                self._run, names, [self._index.caption_name(n) for n in names]
            )
            if self._read(listed, reader):
                done = (n for n in names if n in images or self._index.caption_name(n) in captions)
                self._read_since.update(self._index.places[n] for n in done)

    # what is to be read

    def _differences(self, recursive: bool, exclude: Sequence[str]) -> tuple[dict[str, Listed], list[str]]:
        """New and changed images, and the names of deleted ones."""
        images: list[tuple[str, int, int]] = []
        captions: dict[str, tuple[int, int]] = {}
        for name, size, mtime in walk(self._root, _SUFFIXES, recursive=recursive, allowed=self._allowed):
            if name.lower().endswith(CAPTION_SUFFIXES):
                captions[os.path.normcase(name)] = (size, mtime)
            elif not matches(name, exclude):
                images.append((name, size, mtime))
        places, stamp = self._index.places, self._index.stamp
        sizes = {name: size for name, (size, _) in captions.items()}
        stems = Counter(os.path.normcase(os.path.splitext(name)[0]) for name, _, _ in images)
        listed = {}
        there = set()
        caption_names = {}
        for name, size, mtime in images:
            shared = stems[os.path.normcase(os.path.splitext(name)[0])] > 1
            used, _ = chosen(name, sizes, shared=shared)
            if used != standard_name(name):
                caption_names[name] = used
            caption = captions.get(os.path.normcase(used), _NONE)
            place = places.get(name)
            other = self._index.caption_name(name) != used
            if place is None or other or stamp(place) != (size, mtime, *caption):
                listed[name] = Listed(name, size, mtime, *caption, caption=used)
            if place is not None:
                there.add(place)
        self._index.caption_names = caption_names
        if self._store is not None:
            self._store.set_meta("captions", json.dumps(caption_names))
        return listed, [n for n, p in list(places.items()) if p not in there]

    def _worked_on(self, reader: StateReader, since: int) -> Iterator[tuple[str, Listed]]:
        """Images that runs from number `since` on have worked on and that were not read after that."""
        self._remember_run(reader.last_run())
        images, captions = reader.touched(since)
        for name, place in list(self._index.places.items()):
            if place not in self._read_since and (
                name in images or self._index.caption_name(name) in captions
            ):
                self._read_since.add(place)
                yield name, self._as_it_was(name, place)

    def _as_it_was(self, name: str, place: int) -> Listed:
        return Listed(name, *self._index.stamp(place), caption=self._index.caption_name(name))

    def _remember_run(self, run: int) -> None:
        if run != self._run:
            self._run = run
            self._read_since = set()

    def _listed(self, name: str) -> Listed | None:
        image = self._stamp(name)
        if image is None:
            return None
        caption = find(self._root, name)
        if caption != standard_name(name):
            self._index.caption_names[name] = caption
        else:
            self._index.caption_names.pop(name, None)
        path = self._root / caption
        stamp = None if os.path.islink(path) and not self._allowed(path) else self._stamp(caption)
        return Listed(name, *image, *(stamp or _NONE), caption=caption)

    def _stamp(self, name: str) -> tuple[int, int] | None:
        path = self._root / name
        try:
            if path.is_symlink() and not self._allowed(path):
                return None
            s = path.stat()
        except (OSError, ValueError):
            return None
        return s.st_size, s.st_mtime_ns

    # reading it

    def _read(self, listed: Sequence[Listed], reader: StateReader) -> bool:
        """Read and store these images; returns False when it was closed before the end."""
        self.done, self.total = 0, len(listed)
        context = self._context(reader) if listed else Context()
        store = self._store
        encodings = self._decoding(reader)
        for start in range(0, len(listed), CHUNK):
            if self._closed or store is None:
                return False
            chunk = listed[start : start + CHUNK]
            with self._lock:
                places = self._index.places
                known = {x.name: self._index.row(places[x.name]) for x in chunk if x.name in places}
            rows = read_rows(self._root, chunk, known, reader, context, encodings)
            with self._lock:
                first = len(self._index.tag_names)
                stored = self._index.put(rows)
                new_tags = list(enumerate(self._index.tag_names[first:], first))
            store.write(stored, new_tags)
            self.done = start + len(chunk)
            self._on_change()
        if store is not None:
            store.set_meta("encodings", json.dumps(encodings.decision.to_json()))
        return True

    def _decoding(self, reader: StateReader) -> CaptionEncodings:
        """The decoder of the captions: by the state's decision, or by this object's own if there is none."""
        stored = reader.encodings() or (self._store.meta("encodings") if self._store else "")
        if stored != self._encodings_of:
            self._encodings_of = stored
            self.encodings = CaptionEncodings(self._root, stored)
        self.encodings.read.clear()
        return self.encodings

    def _foreign(self) -> Iterator[tuple[str, Listed]]:
        """Images whose captions are not UTF-8, or could not be read."""
        for name, place in list(self._index.places.items()):
            if self._index.row(place).flags & (FOREIGN | BROKEN_CAPTION):
                yield name, self._as_it_was(name, place)

    def _drop(self, gone: Iterable[str]) -> None:
        with self._lock:
            places = self._index.drop(gone)
        if places and self._store is not None:
            self._store.drop(places)
            self._on_change()

    def _context(self, reader: StateReader) -> Context:
        config = reader.last_config()
        known = (reader.last_run(), json.dumps(config))
        # a new run does not know its models before they are loaded
        if known != self._context_of or not self._last_context.answers_key:
            self._context_of = known
            self._last_context = Context.of(config, _answers_key(reader, config) if config else "")
        return self._last_context


def _excluded(reader: StateReader) -> Sequence[str]:
    """The globs of left-out images in the newest run's settings."""
    globs = reader.last_config().get("exclude_images", TagConfig().exclude_images)
    return [glob for glob in globs if isinstance(glob, str)] if isinstance(globs, (list, tuple)) else ()


def _depth(recursive: bool) -> str:
    return "with subfolders" if recursive else "one folder"


def _answers_key(reader: StateReader, settings: dict[str, object]) -> str:
    """The key of the answers of these settings, "" if each image has its own or the key is unknown."""
    try:
        config = TagConfig.from_dict(settings)
        if config.vlm == "none":
            return "none"
        recipe = Recipe.of(config).known_in(reader)
        return recipe.answers_key if recipe.models.known and recipe.models.tagger else ""
    except (PromptExtendError, OSError):
        return ""  # a question file was deleted: then use any answers


def _caption_names(store: IndexStore) -> dict[str, str]:
    """The captions that are not an image's stem with `.txt`. Raises ValueError when one cannot belong to its image."""
    names = json.loads(store.meta("captions") or "{}")
    if not isinstance(names, dict) or not all(caption in candidates(n) for n, caption in names.items()):
        raise ValueError("the index holds what we never wrote there")
    return names
