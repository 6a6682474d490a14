"""What a caption file says: lines; in each, pieces with their exact spelling and the gaps between them.

`parse(text).write() == text` for every text. A piece is a tag by its meaning (`(smile:1.2)` is `smile`), or something
that is kept as it stands: prose, a group of tags in one pair of brackets, a wildcard, a name for a program.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from lib_extend.captions.markup import Marks, bare, is_literal, is_marked, scan_line
from lib_extend.captions.prose_finding import may_have_prose, sentences
from lib_extend.vocabulary.people_tags import is_people
from lib_extend.vocabulary.tag_names import KAOMOJI, canonical, is_sentence, key

_BREAKS = re.compile(r"\r\n|\n|\r")
_GROUP_WEIGHT = re.compile(r":\s*-?[\d.]{1,8}[)\]}]*$")
_ARTICLES = frozenset("a an the is are was were her his their she he it they with and".split())
_MOST_WORDS = 5
"""Words of a line, at the most, that can be one tag of a file with a tag a line."""
_EVIDENT = 2
"""Names that only a tag can have, at the least, in a list of tags that blanks separate."""


class Kind(str, Enum):
    """What a piece is; only a TAG is looked into, renamed, sorted or left out by its name."""

    TAG = "tag"
    PROSE = "prose"
    GROUP = "group"
    """Several tags or alternatives in one pair of brackets: `(red hat, smile:1.2)`, `{red|blue} hat`."""
    LITERAL = "literal"
    """A name for a program: `<lora:a:1>`, `__colors__`."""
    SEPARATOR = "separator"
    """One that stays where it is: `|||`, `BREAK`, `AND`."""


@dataclass(frozen=True)
class Piece:
    """One piece of a line.

    Attributes:
        name: a tag's canonical name, whatever weights and brackets it has; of the other kinds the text itself.
        raw: as it stands in the file, without the blanks around it.
        before, after: the part of `raw` in front of the tag's own words (`((`, `from `) and behind them (`:1.2))`).
        holds: canonical names of the tags in a GROUP.
        place: the part of a structured caption that it stands in; "" in a list.
        said: its words without that caption's escapes; "" where there are none.
    """

    name: str
    raw: str
    kind: Kind = Kind.TAG
    before: str = ""
    after: str = ""
    holds: tuple[str, ...] = ()
    place: str = ""
    said: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of all tags that are in the piece."""
        return (self.name,) if self.kind is Kind.TAG else self.holds

    @property
    def is_weighted(self) -> bool:
        """Whether brackets stand around the tag's own words."""
        return bool(self.after) or bool(self.before and not self.before.rstrip(" _").isalpha())

    @property
    def text(self) -> str:
        """As it is written in a list."""
        return self.said or self.raw

    def spelled(self, words: str) -> str:
        """The piece with other words in its weights and brackets."""
        return self.before + words + self.after


Spot = tuple[int, int, Piece]
"""Where a piece stands in a text: its first character, the one behind its last, the piece."""


@dataclass(frozen=True)
class Line:
    """One caption of a file.

    Attributes:
        pieces: in their order, with repetitions.
        gaps: what stands before each piece, and after the last: one more than pieces.
        ending: the line break behind it, "" at the end of a file.
        one_a_line: the caption is a whole file with one tag a line.
    """

    pieces: tuple[Piece, ...]
    gaps: tuple[str, ...]
    ending: str = ""
    one_a_line: bool = False

    def write(self) -> str:
        parts = [self.gaps[0]]
        for piece, gap in zip(self.pieces, self.gaps[1:], strict=True):
            parts += (piece.raw, gap)
        return "".join(parts) + self.ending

    @property
    def tags(self) -> list[Piece]:
        """The pieces that are tags or hold text: all but separators."""
        return [p for p in self.pieces if p.kind is not Kind.SEPARATOR]


def line_of(text: str, spots: Sequence[Spot], ending: str = "", one_a_line: bool = False) -> Line:
    """A line of pieces at their places, all else being gaps."""
    gaps = []
    at = 0
    for start, end, _ in spots:
        gaps.append(text[at:start])
        at = end
    return Line(tuple(p for _, _, p in spots), (*gaps, text[at:]), ending, one_a_line)


@dataclass(frozen=True)
class CaptionText:
    """The lines of a caption file. A file without a piece is no caption."""

    lines: tuple[Line, ...]

    def write(self) -> str:
        """The text, to the letter as it was read."""
        return "".join(line.write() for line in self.lines)

    @property
    def head(self) -> int:
        """Index of the line that trainers read: the first with a piece; -1 when there is none."""
        return next((i for i, line in enumerate(self.lines) if line.pieces), -1)


def parse(
    text: str,
    separator: str = ", ",
    marks: Sequence[str] = (),
    *,
    known: Collection[str] = frozenset(),
    whole: Iterable[str] = (),
    one_a_line: bool = True,
) -> CaptionText:
    """The caption text that `text` is. Never fails; time grows with the length only.

    Args:
        separator: what separates tags besides commas; one that breaks lines makes all lines one caption.
        marks: what a template put between its fields.
        known: keys of names that are tags whatever they look like.
        whole: texts that are one piece wherever they stand between separators.
        one_a_line: whether a text that looks like one tag a line is one caption; False where its lines are known to be
            captions.
    """
    reader = _Reader(separator, marks, known, whole)
    if "\n" in separator or (one_a_line and _one_a_line(text)):
        return CaptionText((reader.line(text, "", True),))
    lines = []
    at = 0
    for match in _BREAKS.finditer(text):
        lines.append(reader.line(text[at : match.start()], match[0]))
        at = match.end()
    if at < len(text) or not lines:
        lines.append(reader.line(text[at:], ""))
    return CaptionText(tuple(lines))


def is_blank(text: str) -> bool:
    """Whether a file with this text has no caption: nothing, blanks (of any width), lone commas."""
    return not text.strip(" \t\r\n\f\v\u3000\ufeff,，、")


class _Reader:
    """Reads lines that are written in one way."""

    def __init__(
        self, separator: str, marks: Sequence[str], known: Collection[str], whole: Iterable[str]
    ) -> None:
        stripped = separator.strip(" \r\n")
        # a blank separator of ours has underscores in its names: every blank separates
        self._spaces = separator != "" and not separator.strip(" ")
        extra = [*marks, *([separator.strip("\r\n") or separator] if stripped not in ("", ",") else [])]
        self._extra = tuple(x for x in extra if x)
        self._known = known
        self._whole: dict[str, list[str]] = {}
        for raw in whole:
            cuts = scan_line(raw, self._extra, False).cuts
            first = raw[: cuts[0].start] if cuts else raw
            self._whole.setdefault(first.strip(), []).append(raw)
        for raws in self._whole.values():
            raws.sort(key=len, reverse=True)

    def line(self, text: str, ending: str, breaks: bool = False) -> Line:
        if not text.strip():
            return Line((), (text,), ending, breaks)
        if not (breaks or self._spaces or self._extra or self._whole):
            plain = _plain_line(text)
            if plain is not None:
                return Line(*plain, ending)
        found = scan_line(text, self._extra, breaks, self._spaces)
        spots: list[Spot] = []
        for section in self._sections(text, found):
            spots += section
        return line_of(text, spots, ending, breaks)

    def _sections(self, text: str, found: Marks) -> Iterable[list[Spot]]:
        """The pieces between hard separators, and these."""
        parts: list[tuple[int, int]] = []
        soft: list[str] = []
        start = 0
        for token in found.cuts:
            if _add(parts, text, start, token.start):
                soft.append("")
            if parts:
                soft[-1] += text[token.start : token.end]
            start = token.end
            if token.hard:
                yield self._section(text, parts, soft, found)
                parts, soft = [], []
                raw = text[token.start : token.end]
                yield [(token.start, token.end, Piece(raw, raw, Kind.SEPARATOR))]
        if _add(parts, text, start, len(text)):
            soft.append("")
        yield self._section(text, parts, soft, found)

    def _section(self, text: str, parts: list[tuple[int, int]], soft: list[str], found: Marks) -> list[Spot]:
        """The pieces of parts that soft separators (`soft`: the one behind each) divide."""
        parts, soft, fixed = self._rejoined(text, parts, soft)
        pieces = [fixed.get(start) or self._piece(text, start, end, found) for start, end in parts]
        result: list[Spot] = []
        at = 0
        for first, last in self._prose(text, parts, soft, pieces, fixed):
            for (start, end), piece in zip(parts[at:first], pieces[at:first], strict=True):
                result += self._spaced(start, end, piece)
            start, end = parts[first][0], parts[last][1]
            raw = text[start:end]
            name = pieces[first].name if first == last and is_sentence(raw) else raw
            result.append((start, end, Piece(name, raw, Kind.PROSE)))
            at = last + 1
        for (start, end), piece in zip(parts[at:], pieces[at:], strict=True):
            result += self._spaced(start, end, piece)
        return result

    def _rejoined(
        self, text: str, parts: list[tuple[int, int]], soft: list[str]
    ) -> tuple[list[tuple[int, int]], list[str], dict[int, Piece]]:
        """The parts with the known whole texts put together again, and these by their start."""
        if not self._whole:
            return parts, soft, {}
        ends = {end: i for i, (_, end) in enumerate(parts)}
        new_parts, new_soft, fixed = [], [], {}
        i = 0
        while i < len(parts):
            start, end = parts[i]
            last = i
            for raw in self._whole.get(text[start:end], ()):
                stop = ends.get(start + len(raw))
                if stop is not None and text.startswith(raw, start):
                    last = stop
                    kind = _whole_kind(raw)
                    holds = tuple(_listed(raw[1:-1])) if kind is Kind.GROUP and "|" not in raw else ()
                    fixed[start] = Piece(raw, raw, kind, holds=holds)
                    break
            new_parts.append((start, parts[last][1]))
            new_soft.append(soft[last])
            i = last + 1
        return new_parts, new_soft, fixed

    def _piece(self, text: str, start: int, end: int, found: Marks) -> Piece:
        """What one part is, prose aside."""
        raw = text[start:end]
        name = canonical(raw)
        if not found.closed and raw[0] not in "<_-.0123456789":
            return Piece(name, raw)
        if key(name) in KAOMOJI or key(name) in self._known:
            return Piece(name, raw)
        if is_literal(raw):
            return Piece(raw, raw, Kind.LITERAL)
        inner_start, inner_end = bare(text, start, end, found.closed)
        inner = text[inner_start:inner_end]
        if _within(found, inner_start, inner_end) or ("|" in inner and _has_braces(raw)):
            holds = () if "|" in inner else tuple(_listed(inner))
            return Piece(raw, raw, Kind.GROUP, holds=holds)
        if (inner_start, inner_end) == (start, end):
            return Piece(name, raw)
        name = canonical(inner)
        if is_sentence(inner):
            return Piece(raw, raw, Kind.GROUP)
        return Piece(name, raw, Kind.TAG, text[start:inner_start], text[inner_end:end])

    def _prose(
        self,
        text: str,
        parts: list[tuple[int, int]],
        soft: list[str],
        pieces: list[Piece],
        fixed: dict[int, Piece],
    ) -> list[tuple[int, int]]:
        raws = [p.raw for p in pieces]
        tags = [
            p.kind is not Kind.TAG or bool(p.before or p.after) or key(p.name) in self._known for p in pieces
        ]
        found = []
        at = 0
        for i, gap in enumerate(soft):
            # only commas are part of a sentence
            if i == len(parts) - 1 or gap.strip(",，、"):
                found += [(at + a, at + b) for a, b in sentences(raws[at : i + 1], tags[at : i + 1])]
                at = i + 1
        return found

    def _spaced(self, start: int, end: int, piece: Piece) -> Iterable[Spot]:
        """The piece, or the tags that it has with blanks between them (`1girl solo red_ribbon`)."""
        raw = piece.raw
        if piece.kind is not Kind.TAG or piece.before or piece.after or " " not in raw:
            return ((start, end, piece),)
        if key(piece.name) in self._known or not space_separated(raw):
            return ((start, end, piece),)
        words = list(re.finditer(r"\S+", raw))
        return [(start + w.start(), start + w.end(), Piece(canonical(w[0]), w[0])) for w in words]


@lru_cache(maxsize=32768)
def _plain_piece(raw: str) -> Piece:
    return Piece(canonical(raw), raw)


def _plain_line(text: str) -> tuple[tuple[Piece, ...], tuple[str, ...]] | None:
    """Pieces and gaps of a mere list of tags, as nearly all captions are; None where a closer look is needed."""
    if "__" in text or is_marked(text):
        return None
    pieces, gaps = [], []
    raws = text.split(",")
    if may_have_prose(raws) or (("_" in text or text[:1].isdigit()) and any(map(_may_be_spaced, raws))):
        return None
    gap = ""
    for i, part in enumerate(raws):
        if i:
            gap += ","
        raw = part.strip()
        if not raw:
            gap += part
            continue
        left = part.index(raw)
        gaps.append(gap + part[:left])
        pieces.append(_plain_piece(raw))
        gap = part[left + len(raw) :]
    gaps.append(gap)
    return tuple(pieces), tuple(gaps)


def _may_be_spaced(part: str) -> bool:
    raw = part.strip()
    return " " in raw and (
        raw.count("_") > 1 or ("_" in raw and raw[0].isdigit()) or is_people(raw.split(" ")[0])
    )


def _add(parts: list[tuple[int, int]], text: str, start: int, end: int) -> bool:
    """Add the part without the blanks around it, unless it is blank."""
    part = text[start:end]
    stripped = part.strip()
    if not stripped:
        return False
    left = start + len(part) - len(part.lstrip())
    parts.append((left, left + len(stripped)))
    return True


def _within(found: Marks, start: int, end: int) -> bool:
    """Whether a separator stands inside of brackets between `start` and `end`."""
    inner = found.inner
    if not inner:
        return False
    at = bisect_left(inner, start, key=lambda token: token.start)
    return at < len(inner) and inner[at].start < end


def _listed(inner: str) -> Iterable[str]:
    """Canonical names of the tags of a group, whose own brackets may have brackets in them."""
    for part in re.split(r"[,，、]", inner):
        part = _GROUP_WEIGHT.sub("", part.strip().lstrip("([{"))
        if part.count("(") < part.count(")"):
            part = part.rstrip(")")
        if part.strip():
            yield canonical(part)


def _has_braces(raw: str) -> bool:
    return "{" in raw or "[" in raw


def _whole_kind(raw: str) -> Kind:
    return Kind.GROUP if raw[0] in "({[" and raw[-1] in ")}]" else Kind.PROSE


def _evident(word: str) -> bool:
    """Whether only a tag can be written so: `1girl`, `red_ribbon`."""
    return is_people(canonical(word)) or (
        "_" in word[1:-1] and not word.startswith("__") and key(canonical(word)) not in KAOMOJI
    )


def space_separated(raw: str) -> bool:
    """Whether the words of a part are a tag each: at least two of them can be nothing else."""
    words = raw.split(" ")
    if any(w.lower() in _ARTICLES for w in words) or raw.endswith("."):
        return False
    return sum(map(_evident, words)) >= _EVIDENT


def _one_a_line(text: str) -> bool:
    """Whether a file has one tag a line: no commas, nothing like a sentence, and a line that only a tag can be."""
    if "\n" not in text or any(c in text for c in ",，、") or "|||" in text:
        return False
    lines = [x.strip() for x in text.splitlines() if x.strip()]
    if len(lines) < 2:
        return False
    for line in lines:
        words = line.split()
        if len(words) > _MOST_WORDS or is_sentence(line) or line.endswith("."):
            return False
        if len(words) > 1 and any(w.lower() in _ARTICLES for w in words):
            return False
    certain = [line for line in lines if " " not in line and _evident(line)]
    return len(certain) >= _EVIDENT or any(is_people(canonical(line)) for line in certain)
