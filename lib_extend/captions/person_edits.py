"""What a person did to a caption since we wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lib_extend.captions.existing import Existing
from lib_extend.captions.further_lines import config_of, lines_apart
from lib_extend.captions.reading import distinct, pieces
from lib_extend.captions.style import Known
from lib_extend.captions.style_table import marks_of, style_of
from lib_extend.captions.text import CaptionText, Kind, Line, Piece, is_blank, parse
from lib_extend.config import TagConfig
from lib_extend.config.further_captions import further_captions
from lib_extend.records import Caption, Category, Record, Source, Tag
from lib_extend.vocabulary.tag_names import canonical, key

ADOPTED = "adopted"
"""The kind of a tag that another tagger wrote, by what the user says."""
UNKNOWN = "unknown"
"""The kind of a tag of ours of which an older version did not note how it came about."""
_WORDS = re.compile(r"\w+")
_MOST = 0.5
"""The share of a line's words above which another line is that line, changed."""


@dataclass(frozen=True)
class Written(Record):
    """Our memory of a caption: its text and separator as we wrote it, and whose tags were whose.

    Attributes:
        text: the whole file; of a further line (`later`) that line.
        ours: names we put there. kinds: how each came about (see `Existing.kinds`).
        added: names a person had. removed: those a person took out.
        marks: what a template put between its fields besides the separator (`|`).
        whole: texts that are one piece whatever is in them (prose, groups).
        words: names of what a template itself says; None in what an older version noted.
        one_a_line: a person's file with one tag a line.
        later: the same of further lines, where we wrote into these.
        pruned: tags that curation left out and only the caption knew: how each came about, by its name.
        style: the structured style that it was written in; "" for a list. heads: as `Caption.heads`.
        also: of a further line that the setting `also` made, what it is called there.
    """

    text: str
    separator: str
    ours: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    marks: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    words: tuple[str, ...] | None = None
    one_a_line: bool = False
    later: tuple[Written, ...] = ()
    pruned: Mapping[str, str] = field(default_factory=dict)
    style: str = ""
    heads: tuple[str, ...] = ()
    also: str = ""

    @property
    def persons(self) -> tuple[tuple[str, str], ...]:
        """Of each person, what the names of its tags begin with and how its part of the caption is called."""
        return tuple((start, head) for start, _, head in (h.partition(" ") for h in self.heads))

    def structured(self, text: str) -> CaptionText | None:
        """A caption of our structured style; None where it was a list, or cannot be read as that style any more."""
        if not self.style:
            return None
        whole = tuple(w for x in (self, *self.later) for w in x.whole)
        keys = frozenset(key(n) for x in (self, *self.later) for n in x.ours)
        added = frozenset(key(n) for x in (self, *self.later) for n in x.added)
        known = Known(self.persons, keys, whole, added, self.separator, self.marks)
        style = style_of(self.style)
        if any(x.also for x in self.later):
            return lines_apart(text, lambda line: style.read(line, known))
        return style.read(text, known)

    def read(self, text: str) -> CaptionText:
        """A caption written the way ours was."""
        read = self.structured(text)
        if read is not None:
            return read
        whole = [*self.whole, *(w for x in self.later for w in x.whole)]
        known = {key(n) for x in (self, *self.later) for n in x.ours}
        return parse(text, self.separator, self.marks, known=known, whole=whole, one_a_line=self.one_a_line)

    def pieces(self, text: str) -> list[Piece]:
        """The distinct pieces of a caption written the way ours was."""
        return distinct(self.read(text))


def reconcile(
    written: Written | None, text: str | None, *, adopt: bool = False, format: str = ""
) -> Existing | None:
    """The caption that is there now (`text`, None without a file) as composing needs it.

    A caption we never wrote is a person's, every piece of it. A file that was deleted or emptied starts afresh: nothing
    is held against it.

    Args:
        adopt: tags of captions that were there before us are another tagger's; prose, groups and the like stay a
            person's.
        format: the style that is asked for: a caption that was there before us is read as that where it is one.
    """
    if text is None or is_blank(text):
        left = written is not None and not written.text and written.pruned
        return Existing(pruned=written.pruned) if written is not None and left else None
    read = _unknown(text, format) if written is None else written.read(text)
    style = format if written is None and read is not None and format else ""
    unreadable = written is not None and bool(written.style) and written.structured(text) is None
    if read is None:
        read, style = parse(text), ""
    if written is not None and not written.one_a_line:
        # lines that we made by the settings are no person's
        read = CaptionText(tuple(replace(x, one_a_line=False) for x in read.lines))
    head = read.head
    memory = written
    if written is not None and _moved(written, read, head):
        memory = None
    found = [(i, line) for i, line in enumerate(read.lines) if line.pieces]
    memories = _of_lines(written, [line.write() for _, line in found[1:]])
    found[1:] = [(i, _read_by(m, line, written)) for (i, line), m in zip(found[1:], memories, strict=True)]
    captions = [_line(found[0][1], memory, adopt and written is None)]
    captions += [
        _line(line, m, adopt and written is None) for (_, line), m in zip(found[1:], memories, strict=True)
    ]
    removed = frozenset(written.removed) - {p.name for p in found[0][1].pieces} if written else frozenset()
    gaps = _between(read, [i for i, _ in found])
    later = [_placed(c, text, gaps[i + 1], gaps[i + 2]) for i, c in enumerate(captions[1:])]
    after = "".join((found[0][1].ending, *(line.write() for line in read.lines[head + 1 :])))
    first = _placed(captions[0], text, gaps[0], after)
    if written is not None and written.style:
        style = "" if unreadable else written.style
        first = replace(first, style=style, heads=written.persons, unreadable=unreadable)
    elif style:
        first = replace(first, style=style)
    later = [
        x if m is None else _remembered(x, m, line)
        for x, m, (_, line) in zip(later, memories, found[1:], strict=True)
    ]
    return replace(first, removed=first.removed | removed, later=tuple(later))


def _remembered(existing: Existing, memory: Written, line: Line) -> Existing:
    """A further line with what is remembered of how it was written."""
    text = replace(line, ending="").write()
    if memory.style and memory.structured(text) is None:
        return replace(existing, also=memory.also, unreadable=True)
    return replace(existing, style=memory.style, heads=memory.persons, also=memory.also)


def _unknown(text: str, format: str) -> CaptionText | None:
    """A caption that we never wrote as one of the structured style `format`; None where it is a list."""
    style = style_of(format) if format else None
    if style is None or not (style.structured and style.evident):
        return None
    return style.read(text)


def _read_by(memory: Written | None, line: Line, head: Written | None) -> Line:
    """A later line as it was written: another run than that of the first line may have written it."""
    if memory is None and head is not None and head.style:
        return parse(line.write(), one_a_line=False).lines[0]
    if memory is None or head is None or _way(memory) == _way(head):
        return line
    read = memory.read(line.write())
    return read.lines[read.head] if sum(bool(x.pieces) for x in read.lines) == 1 else line


def _way(written: Written) -> tuple[object, ...]:
    return written.separator, written.marks, written.style, written.heads


def _placed(existing: Existing, text: str, before: str, after: str) -> Existing:
    return replace(existing, text=text, before=before, after=after)


def _between(read: CaptionText, indexes: Sequence[int]) -> list[str]:
    """What stands before, between and behind the lines that have pieces."""
    result = []
    text = ""
    for i, line in enumerate(read.lines):
        if i in indexes:
            result.append(text)
            text = line.ending
        else:
            text += line.write()
    return [*result, text]


def _moved(written: Written, read: CaptionText, head: int) -> bool:
    """Whether the line we wrote first stands further down now: a person put one before it."""
    if len(read.lines) == 1 or read.write() == written.text:
        return False
    then = written.read(written.text)
    if then.head < 0:
        return False
    line = then.lines[then.head].write().strip()
    return read.lines[head].write().strip() != line and any(
        x.write().strip() == line for x in read.lines[head + 1 :]
    )


def _of_lines(written: Written | None, lines: Sequence[str]) -> list[Written | None]:
    """Our memory of each of these further lines: the line as it was, else one most words of which are there, else the one
    in its place."""
    known = list(written.later) if written else []
    result: list[Written | None] = [None] * len(lines)
    if not known:
        return result
    left = dict(enumerate(known))
    for i, line in enumerate(lines):
        same = next((k for k, m in left.items() if m.text.strip() == line.strip()), None)
        if same is not None:
            result[i] = left.pop(same)
    for i, line in enumerate(lines):
        if result[i] is None and left:
            words = {*_WORDS.findall(line)}
            share, like = max((_shared(words, m.text), k) for k, m in left.items())
            if share > _MOST:
                result[i] = left.pop(like)
    for i in range(len(lines)):
        if result[i] is None:
            result[i] = left.pop(i, None)
    return result


def _shared(words: set[str], text: str) -> float:
    """The share 0…1 of a text's words that are among `words`."""
    own = {*_WORDS.findall(text)}
    return len(own & words) / max(1, len(own))


def _line(line: Line, written: Written | None, adopt: bool) -> Existing:
    """One line's pieces, a person's told from ours."""
    if written is None:
        own = tuple(not (adopt and p.kind is Kind.TAG and not p.is_weighted) for p in line.pieces)
        kinds = {key(p.name): ADOPTED for p, h in zip(line.pieces, own, strict=True) if not h}
        return Existing(line=line, human=_again(line, own), kinds=kinds)
    keys = [key(p.name) for p in line.pieces]
    there = {*keys}
    added = {*written.added}
    ours = dict(zip(map(key, written.ours), _kinds(written), strict=True))
    words = frozenset(map(key, _words(written)))
    left = {*ours, *words}
    human = []
    for k, piece in zip(keys, line.pieces, strict=True):
        mine = k in left and piece.name not in added and not piece.is_weighted
        if mine:
            left.remove(k)
        human.append(not mine)
    names = {n for p in line.pieces for n in (p.name, *p.holds)}
    gone = {n for n in (*written.ours, *written.added) if key(n) not in there} - names
    return Existing(
        line=line,
        human=tuple(human),
        kinds={k: kind for k, kind in ours.items() if k in there},
        words=words,
        removed=frozenset(({*written.removed} | gone) - names),
        pruned={n: kind for n, kind in written.pruned.items() if key(n) not in there},
    )


def _again(line: Line, human: tuple[bool, ...]) -> tuple[bool, ...]:
    """The same; of a tag that is adopted the repetitions are not."""
    seen: set[str] = set()
    result: list[bool] = []
    for piece, own in zip(line.pieces, human, strict=True):
        result.append(own or key(piece.name) in seen)
        seen.add(key(piece.name))
    return tuple(result)


def _kinds(written: Written) -> tuple[str, ...]:
    if len(written.kinds) == len(written.ours):
        return written.kinds
    return (UNKNOWN,) * len(written.ours)


def _words(written: Written) -> Sequence[str]:
    if written.words is not None:
        return written.words
    # noted by an older version, which read some captions otherwise: there nothing is taken for ours but what was noted
    found = written.pieces(written.text)
    there = {p.name for p in found}
    if not there.issuperset(written.added):
        return ()
    names = {*written.ours, *written.added}
    return [p.name for p in found if p.kind is Kind.TAG and p.name not in names]


def separator_in(existing: Existing | None, separator: str) -> str:
    """What separates new tags in a caption: a file with one tag a line gets one line more for each."""
    if existing is not None and existing.line.one_a_line:
        return "\r\n" if "\r\n" in existing.text else "\n"
    return separator


def remember(
    text: str,
    separator: str,
    tags: Sequence[Tag],
    existing: Existing | None,
    format: str = "",
    later: Sequence[Written] = (),
    pruned: Sequence[Tag] = (),
    heads: Sequence[str] = (),
    own_marks: Sequence[str] = (),
    also: str = "",
) -> Written:
    """The memory to keep after writing `text` with `tags`, without `pruned`; `own_marks`: those of a structured style."""
    structured = style_of(format).structured
    ours = [t for t in tags if t.source is not Source.HUMAN]
    added = [t.name for t in tags if t.source is Source.HUMAN]
    pieces_there = existing.own if existing else ()
    there = {*added}
    whole = [p.raw for p in pieces_there if p.kind is not Kind.TAG and p.raw in there]
    whole += [t.name for t in ours if t.source is Source.OPTION and canonical(t.name) != t.name]
    if structured:
        every = style_of(format).only_prose
        whole = [p.text for p in pieces_there if every or p.kind in (Kind.PROSE, Kind.GROUP)]
    whole += [t.name for t in ours if t.category is Category.PROSE]
    marks = tuple(own_marks) if structured else marks_of(format)
    separator = separator_in(existing, separator)
    words: tuple[str, ...] = ()
    if not structured and (style_of(format).is_own or (existing is not None and existing.words)):
        known = frozenset(key(t.name) for t in ours)
        names = {*added, *(t.name for t in ours)}
        read = parse(text, separator, marks, known=known, whole=whole)
        line = read.lines[read.head]
        # what holds a person's words is a person's, whatever it is read as
        own = [p.raw for p in pieces_there if p.kind is not Kind.SEPARATOR]
        words = tuple(
            p.name for p in line.tags if p.name not in names and not any(raw in p.raw for raw in own)
        )
    return Written(
        text=text,
        separator=separator,
        ours=tuple(t.name for t in ours),
        added=tuple(added),
        removed=tuple(sorted(existing.removed)) if existing else (),
        marks=marks,
        kinds=tuple(map(kind_of, ours)),
        whole=tuple(dict.fromkeys(whole)),
        words=words,
        one_a_line=existing is not None and existing.line.one_a_line,
        later=tuple(later),
        pruned={t.name: kind_of(t) for t in pruned},
        style=format if structured else "",
        heads=tuple(heads),
        also=also,
    )


def remember_file(
    caption: Caption, config: TagConfig, existing: Existing | None, before: Written | None
) -> Written:
    """The memory to keep after writing a caption file.

    Args:
        existing: what stood there, None where nothing of it counts. before: the memory until now.
    """
    later: Sequence[Written] = before.later if before is not None and existing is not None else ()
    marks = style_of(config.format).marks(config)
    known = before.later if before is not None else ()
    further = any(x.also for x in caption.later) or any(x.also for x in known)
    if config.lines == "every" or further:
        later = _later_lines(caption, config, existing, before)
    return remember(
        caption.text,
        config.separator,
        caption.tags,
        existing,
        config.format,
        later,
        caption.pruned,
        caption.heads,
        marks,
    )


def _later_lines(
    caption: Caption, config: TagConfig, existing: Existing | None, before: Written | None
) -> list[Written]:
    """The memory of every further line, in their order, those that stay as they are among them."""
    lines = existing.later if existing is not None else ()
    known = _of_lines(before, [line.line.write() for line in lines])
    by_name = {f.name: f for f in further_captions(config.also)}
    result = []
    for made in caption.later:
        line = lines[made.line] if made.line >= 0 else None
        own = config_of(config, by_name[made.also]) if made.also in by_name else config
        if made.stays:
            memory = known[made.line] if made.line >= 0 else None
            result.append(memory or remember(made.text, config.separator, (), line))
        else:
            result.append(
                remember(
                    made.text,
                    own.separator,
                    made.tags,
                    line,
                    own.format,
                    pruned=made.pruned,
                    heads=made.heads,
                    own_marks=style_of(own.format).marks(own),
                    also=made.also,
                )
            )
    return result


def kind_of(tag: Tag) -> str:
    """How a tag came about, as it is remembered."""
    if tag.category is Category.GENERAL:
        return tag.source.value
    return f"{tag.source.value} {tag.category.value}"


def distance(a: str | None, b: str | None) -> int:
    """How many tags differ between two captions' texts."""
    names_a = {p.name for p in pieces(a)} if a else set()
    names_b = {p.name for p in pieces(b)} if b else set()
    return len(names_a ^ names_b)
