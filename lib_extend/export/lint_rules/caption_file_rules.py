"""Captions that are missing, empty, in the wrong place, or have lines that a trainer does not read."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from lib_extend.captions.editing import Style
from lib_extend.captions.text import Kind
from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Mend, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder, LintedPicture
from lib_extend.export.trainer import Effect, Lines
from lib_extend.files.caption_forms import CAPTION_SUFFIX, standard_name
from lib_extend.files.encodings import unicode_text

NO_CAPTION = Message("no_caption", "{pictures} {has} no caption: {trainer} {effect}.")
EMPTY_CAPTION = Message("empty_caption", "{captions} {is_} empty (0 bytes): {trainer} {effect}.")
BLANK_CAPTION = Message(
    "blank_caption", "{captions} {has} nothing but blanks and commas: {trainer} {effect}."
)
CAPTION_ELSEWHERE = Message(
    "caption_elsewhere", "{captions} {is_} not named as {trainer} looks for captions (NAME.txt): it {effect}."
)
NOT_UTF8 = Message("not_utf8", "{captions} {is_} not UTF-8: {trainer} {effect}.")
BYTE_ORDER_MARK = Message(
    "byte_order_mark",
    "{captions} {has} a byte order mark, which a trainer takes for a part of the first word.",
)
UNREADABLE_CAPTION = Message("unreadable_caption", "{captions} cannot be read.")
BLANK_FIRST_LINE = Message(
    "blank_first_line",
    "{captions} {has} a blank first line, and {trainer} reads the first line only: it trains with an empty caption.",
)
LINES_NOT_READ = Message(
    "lines_not_read", "{captions} {has} more than one line, and {trainer} reads the first only{choice}."
)
TAG_LINES = Message("tag_lines", "{captions} {has} one tag a line, and {trainer} {reads}.")

_EFFECTS = {
    Effect.STOPS: "ends with an error",
    Effect.SKIPPED: "leaves such pictures out",
    Effect.EMPTY: "trains with an empty caption",
}


def _level(effect: Effect) -> Level:
    return Level.ERROR if effect is Effect.STOPS else Level.WARNING


def _no_caption(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    spots = (Spot(p.name) for p in folder.pictures if p.data is None)
    effect = _EFFECTS[trainer.missing]
    yield from found(NO_CAPTION, _level(trainer.missing), spots, trainer=trainer.title, effect=effect)


def _empty(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    empty = (Spot(p.name) for p in folder.pictures if p.data == b"")
    effect = _EFFECTS[trainer.empty]
    yield from found(EMPTY_CAPTION, _level(trainer.empty), empty, trainer=trainer.title, effect=effect)
    blank = (Spot(p.name) for p in folder.pictures if p.data and not p.trouble and p.line is None)
    effect = _EFFECTS[trainer.blank]
    yield from found(BLANK_CAPTION, _level(trainer.blank), blank, trainer=trainer.title, effect=effect)


def _elsewhere(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    spots = (
        Spot(p.name, p.found.caption_name)
        for p in folder.pictures
        if p.data is not None and p.found.caption_name != standard_name(p.name)
    )
    effect = _EFFECTS[trainer.missing]
    level = Level.WARNING if trainer.missing is not Effect.STOPS else Level.ERROR
    yield from found(
        CAPTION_ELSEWHERE, level, spots, suffix=CAPTION_SUFFIX, trainer=trainer.title, effect=effect
    )


def _encodings(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    foreign, marked, unreadable = [], [], []
    for p in folder.pictures:
        if not p.data or p.data.isascii():
            if p.trouble:
                unreadable.append(Spot(p.name, p.trouble))
            continue
        if p.data.startswith(codecs.BOM_UTF8):
            marked.append(Spot(p.name))
            continue
        reading = unicode_text(p.data)
        if reading is None or reading.encoding != "utf-8":
            foreign.append(Spot(p.name, p.trouble or (reading.encoding if reading else "")))
    write = Mend("Write them anew in UTF-8", lambda text, style: text, reencode=True)
    effect = _EFFECTS[trainer.not_utf8]
    yield from found(NOT_UTF8, _level(trainer.not_utf8), foreign, write, trainer=trainer.title, effect=effect)
    yield from found(BYTE_ORDER_MARK, Level.WARNING, marked, write)
    yield from found(UNREADABLE_CAPTION, Level.ERROR, unreadable)


def _lines(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    if trainer.lines is not Lines.WHOLE:
        reads = "reads the first only" if trainer.lines is Lines.FIRST else "takes each for a whole caption"
        spots = (Spot(p.name) for p in folder.captioned if _one_a_line(p))
        join = Mend("Write their tags in one line", _joined)
        yield from found(TAG_LINES, Level.WARNING, spots, join, trainer=trainer.title, reads=reads)
    if trainer.lines is not Lines.FIRST:
        return
    blank = (
        Spot(p.name)
        for p in folder.captioned
        if p.read.head > 0 and not _one_a_line(p) and not p.text.split("\n", 1)[0].strip(" \t\r,")
    )
    take_off = Mend("Take the blank lines before them off", _without_lead)
    yield from found(BLANK_FIRST_LINE, Level.WARNING, blank, take_off, trainer=trainer.title)
    several = (
        Spot(p.name, f"{n} lines")
        for p, n in ((p, sum(bool(line.pieces) for line in p.read.lines)) for p in folder.captioned)
        if n > 1
    )
    choice = " (with enable_wildcard it picks one of them each time)" if trainer.choice else ""
    yield from found(LINES_NOT_READ, Level.WARNING, several, trainer=trainer.title, choice=choice)


def _one_a_line(picture: LintedPicture) -> bool:
    line = picture.line
    return line is not None and line.one_a_line and len(line.pieces) > 1


def _joined(text: str, style: Style) -> str:
    from lib_extend.captions.text import parse

    read = parse(text)
    line = read.lines[read.head] if read.head >= 0 else None
    if line is None or not line.one_a_line:
        return text
    raws = [p.raw for p in line.pieces if p.kind is not Kind.SEPARATOR]
    tail = text[len(text.rstrip()) :]
    return (style.separator if "\n" not in style.separator and style.separator else ", ").join(raws) + tail


def _without_lead(text: str, style: Style) -> str:
    lines = text.splitlines(keepends=True)
    while lines and not lines[0].strip(" \t\r\n,"):
        lines.pop(0)
    return "".join(lines) or text


def _rules() -> Iterator[Rule]:
    yield Rule("no_caption", "pictures without a caption", _no_caption)
    yield Rule("empty_caption", "captions that are empty or blank", _empty)
    yield Rule("caption_elsewhere", "captions under another name", _elsewhere)
    yield Rule("not_utf8", "captions in another encoding", _encodings)
    yield Rule("lines_not_read", "lines that are not read", _lines)


RULES = tuple(_rules())
