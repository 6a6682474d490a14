"""A folder's data for the lint: every picture with its caption as bytes and as pieces, and the other files."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_extend.captions.text import CaptionText, Kind, Line, Piece, parse
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import ImageError
from lib_extend.export.picture_heads import Head, head_of
from lib_extend.export.trainer import Lines, Trainer
from lib_extend.files import caption_files
from lib_extend.files.scan import IMAGE_SUFFIXES, NOT_READ, Found, folders_of_images
from lib_extend.vocabulary.base_models import Base
from lib_extend.vocabulary.tag_names import key


@dataclass(frozen=True)
class LintedPicture:
    """A picture and its caption.

    Attributes:
        found: the file. data: the caption's bytes, None without a file. text: its words, "" where `trouble` says why not.
        read: the caption's pieces. several: each of its lines is a caption, not a tag.
    """

    found: Found
    data: bytes | None
    text: str
    trouble: str = ""

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def stem(self) -> str:
        return os.path.splitext(self.found.name)[0]

    @property
    def suffix(self) -> str:
        return os.path.splitext(self.found.name)[1]

    @functools.cached_property
    def read(self) -> CaptionText:
        return parse(self.text)

    @property
    def line(self) -> Line | None:
        """The first line with words, None for a caption without any."""
        return self.read.lines[self.read.head] if self.read.head >= 0 else None

    @functools.cached_property
    def tags(self) -> dict[str, Piece]:
        """The tags of the first line by their keys."""
        line = self.line
        return {} if line is None else {key(p.name): p for p in line.pieces if p.kind is Kind.TAG}

    def captions(self, lines: Lines) -> list[str]:
        """What a trainer with such lines makes of the file: one text a caption."""
        if lines is Lines.WHOLE:
            return [self.text.strip()]
        texts = [line.strip() for line in self.text.splitlines()]
        return texts[:1] if lines is Lines.FIRST else [t for t in texts if t]


@dataclass
class LintedFolder:
    """The data for the rules.

    Attributes:
        root: the folder. pictures: by name. trainer, base, trigger: what it is linted for; base None and trigger "" for none.
        not_read: pictures of kinds that are not read. others: files that are neither pictures nor captions, and hidden
            folders (their names end with a slash).
        subfolders: names of subfolders that hold pictures, where these were not asked for.
        persons: how many persons earlier runs found in a picture, by name.
    """

    root: Path
    pictures: list[LintedPicture]
    trainer: Trainer
    base: Base | None = None
    trigger: str = ""
    decode: bool = False
    not_read: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    subfolders: list[str] = field(default_factory=list)
    persons: dict[str, int] = field(default_factory=dict)
    recursive: bool = False
    stopped: Callable[[], bool] = lambda: False
    progress: Callable[[int, int], None] = lambda done, total: None

    @functools.cached_property
    def heads(self) -> dict[str, Head]:
        """The pictures' heads by name; read at the first use."""
        heads: dict[str, Head] = {}
        for i, picture in enumerate(self.pictures):
            if self.stopped():
                break
            heads[picture.name] = head_of(self.root / picture.name, decode=self.decode)
            if i % 50 == 0:
                self.progress(i, len(self.pictures))
        return heads

    @functools.cached_property
    def stems(self) -> Counter[str]:
        """How many pictures have a stem, without regard to case: as on Windows."""
        return Counter(p.stem.lower() for p in self.pictures)

    @property
    def captioned(self) -> Iterator[LintedPicture]:
        """The pictures whose caption says something."""
        return (p for p in self.pictures if p.line is not None)

    @functools.cached_property
    def word(self) -> str:
        """The trigger word's key: the one given, or the first tag of nearly all captions; "" where there is none."""
        if self.trigger:
            return key(parse(self.trigger).lines[0].pieces[0].name) if self.trigger.strip() else ""
        return self.common_first

    @functools.cached_property
    def common_first(self) -> str:
        """The key of a tag that is the first of at least four captions in five (people counts aside), "" without one."""
        from lib_extend.vocabulary.people_tags import is_people

        firsts: Counter[str] = Counter()
        captioned = 0
        for picture in self.captioned:
            captioned += 1
            first = next((k for k in picture.tags if not is_people(k)), "")
            if first:
                firsts[first] += 1
        name, count = firsts.most_common(1)[0] if firsts else ("", 0)
        return name if captioned >= 5 and count * 5 >= captioned * 4 else ""


def folder_of(
    dataset: Dataset,
    trainer: Trainer,
    *,
    base: Base | None = None,
    trigger: str = "",
    recursive: bool = False,
    decode: bool = False,
    only: Sequence[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
) -> LintedFolder:
    """Read a folder. Pictures that a person left out are left out here too.

    Args:
        only: names of the pictures to look at; None for all.

    Raises:
        UserError: it is not a folder, or cannot be listed.
    """
    with dataset.reading() as reader:
        encodings = reader.encodings()
    seen = dataset.survey(recursive=recursive)
    reading = CaptionEncodings(dataset.root, encodings)
    wanted = None if only is None else set(only)
    pictures = [
        _picture(dataset.root, found, reading)
        for found in seen.found
        if wanted is None or found.name in wanted
    ]
    others = _others(dataset.root, {f.caption_name for f in seen.found})
    with dataset.reading() as reader:
        persons = reader.person_counts([(p.name, p.found.size, p.found.mtime_ns) for p in pictures])
    return LintedFolder(
        dataset.root,
        pictures,
        trainer,
        base,
        trigger.strip(),
        decode,
        seen.not_read,
        others,
        [] if recursive else folders_of_images(dataset.root),
        persons,
        recursive,
        stopped,
        progress,
    )


def _picture(root: Path, found: Found, encodings: CaptionEncodings) -> LintedPicture:
    try:
        data = caption_files.read_bytes(root / found.caption_name)
        text = "" if data is None else encodings.decode(data, found.caption_name)
    except ImageError as error:
        return LintedPicture(found, b"?", "", error.reason)
    return LintedPicture(found, data, text)


def _others(root: Path, captions: set[str]) -> list[str]:
    """The other files in the folder itself; the names of hidden folders end with a slash."""
    others = []
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                suffix = os.path.splitext(entry.name)[1].lower()
                if entry.is_dir():
                    if entry.name.startswith("."):
                        others.append(entry.name + "/")
                elif suffix not in IMAGE_SUFFIXES | NOT_READ and entry.name not in captions:
                    others.append(entry.name)
    except OSError:
        return []
    return sorted(others)
