"""Read the rows of the browser's index: picture sizes, captions, and the source of each tag."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lib_extend.captions.person_edits import Written
from lib_extend.captions.reading import pieces
from lib_extend.captions.text import Kind, is_blank
from lib_extend.config import LETTERS
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.rows import (
    ANALYSED,
    BROKEN_CAPTION,
    BROKEN_IMAGE,
    CAPTIONED,
    CERTAIN,
    FOREIGN,
    PROSE,
    SOURCES,
    UNSURE,
    Row,
)
from lib_extend.datasets.state_reading import StateReader, Stored
from lib_extend.datasets.state_values import DamagedState, stored_json
from lib_extend.datasets.thumbnails import picture_size
from lib_extend.errors import ImageError
from lib_extend.files import caption_files as files
from lib_extend.files.caption_forms import standard_name
from lib_extend.questions.answer_doubts import doubts
from lib_extend.records import Answer
from lib_extend.vocabulary import clip_tokens as tokens
from lib_extend.vocabulary.plurals import naive_plural
from lib_extend.vocabulary.tag_names import canonical, is_sentence, key

SURE = 0.8
"""An answer of at least this probability needs nobody to look at it (as `review` has it)."""
LONGEST_TAG, MOST_WORDS = 80, 12
_MOST = 65535


class Listed(NamedTuple):
    """An image in the folder: name, size and time, and those of its caption (-1 without one), which may have another name."""

    name: str
    size: int
    mtime: int
    caption_size: int
    caption_mtime: int
    caption: str = ""

    @property
    def caption_name(self) -> str:
        """The caption file (see `scan.Found`)."""
        return self.caption or standard_name(self.name)

    @property
    def stamp(self) -> tuple[int, int, int, int]:
        return (self.size, self.mtime, self.caption_size, self.caption_mtime)


@dataclass(frozen=True)
class Context:
    """The facts about captions' tags from the newest run's settings.

    Attributes:
        answers_key: the key of the answers in use; "" when each image has its own key.
        options: keys of the tags that the settings put into every caption; no model found them.
        letters: the beginnings of the keys of persons' tags (`α_`).
    """

    answers_key: str = ""
    options: frozenset[str] = field(default_factory=frozenset)
    letters: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any], answers_key: str) -> Context:
        texts = [*config.get("prefix_tags", ()), *config.get("suffix_tags", ())]
        options = frozenset(key(p.name) for text in texts for p in pieces(text))
        gap = config.get("letter_separator", " ")
        letters = tuple(key(canonical(f"{x}{gap}x"))[:-1] for x in config.get("letters", LETTERS))
        return cls(answers_key, options, letters)


def read_rows(
    root: Path,
    listed: Sequence[Listed],
    known: Mapping[str, Row],
    reader: StateReader,
    context: Context,
    encodings: CaptionEncodings,
) -> list[Row]:
    """The rows of these images. `known` are their earlier rows; a picture's size is reused while its file is
    unchanged."""
    records = reader.records([x.caption_name for x in listed])
    stored = reader.stored([(x.name, x.size, x.mtime) for x in listed])
    return [
        _read(
            root,
            x,
            known.get(x.name),
            records.get(x.caption_name),
            stored.get(x.name),
            context,
            encodings,
        )
        for x in listed
    ]


def _read(
    root: Path,
    x: Listed,
    old: Row | None,
    record: str | None,
    stored: Stored | None,
    context: Context,
    encodings: CaptionEncodings,
) -> Row:
    flags = 0
    width = height = 0
    if old is not None and (old.size, old.mtime) == (x.size, x.mtime):
        width, height = old.width, old.height
    else:
        width, height = picture_size(root / x.name)
    if not width:
        flags |= BROKEN_IMAGE
    text = ""
    if x.caption_size >= 0:
        try:
            text = read_caption(root, x.caption_name, encodings)
        except ImageError:
            flags |= BROKEN_CAPTION
        flags |= 0 if is_blank(text) and not flags & BROKEN_CAPTION else CAPTIONED
        flags |= FOREIGN if x.caption_name in encodings.read else 0
    written = None
    with contextlib.suppress(DamagedState):
        written = None if record is None else stored_json(Written.from_json, record)
    found = written.pieces(text) if written else pieces(text)
    names = [p.name for p in found]
    tags = tuple(dict.fromkeys(n for p in found for n in p.names if not is_prose(n)))
    flags |= PROSE if any(p.kind is Kind.PROSE or is_prose(p.name) for p in found) else 0
    answers: tuple[Answer, ...] = ()
    sure = CERTAIN
    if stored is not None:
        flags |= ANALYSED if stored.analysed else 0
        answers = _in_use(stored, context)
        sure, unsure = _certainty(answers, stored)
        flags |= UNSURE if unsure else 0
    return Row(
        name=x.name,
        size=x.size,
        mtime=x.mtime,
        width=width,
        height=height,
        caption_size=x.caption_size,
        caption_mtime=x.caption_mtime,
        caption=text,
        tags=tags,
        tokens=tokens.count(text),
        sources=_sources(names, written, answers, context),
        sure=sure,
        flags=flags,
    )


def is_prose(name: str) -> bool:
    """Whether a piece of a caption is a sentence or as long as one. Such pieces hardly ever occur twice.

    The longest tags of Danbooru have about ten words.
    """
    return len(name) > LONGEST_TAG or name.count("_") >= MOST_WORDS or is_sentence(name)


def read_caption(root: Path, name: str, encodings: CaptionEncodings) -> str:
    """The text of a caption file. Raises ImageError when it is no caption."""
    data = files.read_bytes(root / name)
    return "" if data is None else encodings.decode(data, name)


def _in_use(stored: Stored, context: Context) -> tuple[Answer, ...]:
    for answers_key, given in stored.answers:
        if answers_key == context.answers_key:
            return given
    # without a tagger each caption has its own key; use the last one of the same image
    return stored.answers[-1][1] if stored.answers and not context.answers_key else ()


def _certainty(answers: Sequence[Answer], stored: Stored) -> tuple[float, bool]:
    """The least probability of the unchecked answers, and whether a person should check any of them."""
    open_ones = [a for a in answers if (a.question, a.object) not in stored.decided]
    sure = min((a.probability for a in open_ones if a.probability is not None), default=CERTAIN)
    doubtful = {(d.question, d.object) for d in doubts((), answers)}
    unsure = sure < SURE or any(not a.answer or (a.question, a.object) in doubtful for a in open_ones)
    return sure, unsure


def _sources(
    names: Sequence[str], written: Written | None, answers: Sequence[Answer], context: Context
) -> tuple[int, int, int, int]:
    """How many of the tags come from each of `SOURCES`; options come from none."""
    counts = dict.fromkeys(SOURCES, 0)
    ours = {key(n) for n in written.ours} if written else set()
    answered = {key(a.tag) for a in answers if a.tag}
    answered |= {key(canonical(f"{a.answer}{naive_plural(a.object)}")) for a in answers if a.tag and a.object}
    for name in names:
        k = key(name)
        if k not in ours:
            counts["human"] += 1
        elif k in context.options:
            continue
        elif k.startswith(context.letters):
            counts["person"] += 1
        else:
            counts["question" if k in answered else "tagger"] += 1
    tagger, question, person, human = (min(_MOST, counts[s]) for s in SOURCES)
    return tagger, question, person, human
