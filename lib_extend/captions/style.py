"""What a caption style is: one way of writing a scene, and of reading what it wrote. One file of `styles/` each.

A file ends with `STYLE = …`; it is called as the style is, with `_` for `-` and `_style` behind it. Nothing else need
name it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lib_extend.captions.scene import Scene, ScenePerson, Word
from lib_extend.captions.text import CaptionText, Kind, Line, Spot, line_of, parse
from lib_extend.config import TagConfig
from lib_extend.records import Tag
from lib_extend.vocabulary.tag_names import key, written

BREAKS = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Spelling:
    """How words are written, as far as a style leaves it to the settings.

    Attributes:
        separator: between tags. underscores, escape_brackets: as the settings of these names.
        indent: the caption is laid out over several lines.
        fields: of a style with fields, those that this caption has, in their order; left_out: those that it has not.
        outer, between_characters: what stands between fields, and between characters. keep_separator: what a trainer
            knows kept tokens by ("|||"), "" for none. keep_before: the field in front of which that stands.
    """

    separator: str = ", "
    underscores: bool = False
    escape_brackets: bool = False
    indent: bool = False
    fields: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    outer: str = ", "
    between_characters: str = ", "
    keep_separator: str = ""
    keep_before: str = ""


@dataclass(frozen=True)
class Known:
    """What is remembered of a caption that is to be read.

    Attributes:
        heads: for each person in the caption, what its tags' names begin with (`α_`) and how its part is called.
        keys: keys of the names that we wrote. whole: texts that are one piece whatever is in them.
        added: keys of the names that a person had.
        separator, marks: what it has between tags, and besides; the trainers' separators among the marks are ours.
    """

    heads: tuple[tuple[str, str], ...] = ()
    keys: frozenset[str] = frozenset()
    whole: tuple[str, ...] = ()
    added: frozenset[str] = frozenset()
    separator: str = ", "
    marks: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether a canonical name is one of the caption's, whoever wrote it."""
        return key(name) in self.keys or key(name) in self.added

    def start_of(self, head: str) -> str | None:
        """What the names of a person's tags begin with, by how the person's part is called."""
        return next((s for s, h in self.heads if h.casefold() == head.casefold()), None)


BY_DEFAULT = Spelling()
NOTHING = Known()


@dataclass(frozen=True)
class Protection:
    """What a trainer's shuffling must not take apart.

    Attributes:
        shuffle: "free": tags may be shuffled; "keep": what stands behind `keep_separator` (twice: between the first and
            the second only what is shuffled) stays; "never": the caption must not be shuffled.
        keep_separator, secondary_separator: sd-scripts' settings of these names, "" where the style needs none.
        reason: one sentence for the user.
    """

    shuffle: str = "free"
    keep_separator: str = ""
    secondary_separator: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Style:
    """One way of writing a caption.

    Attributes:
        name, title, help: for users; the help has one example.
        template: of a style that is a list of tags, its fields; "" for others.
        lettered: it says whose tag it is (with --people).
        structured: a caption of it is more than a list: it is read by `read`.
        fielded: its fields are those of the setting `caption_fields`; single tags of it are changed as those of a list are.
        evident: a text is plainly of this style or not, whoever wrote it (XML, JSON).
        rating: it has a rating in any case.
        thins: it leaves out some of many general tags, as the published background LoRA's captions do.
        base: the base model whose words for quality, year and rating it takes where the settings name none.
        alone: the only person of a picture has a place of its own in it.
        only_prose: it has no tags: they become sentences where there are none.
        leaves_out: fields of a scene may have no place in it (see `has`).
        names_stay: names of characters stand among the picture's tags too, whoever's they are.
        needs: what it is best with ("persons", "prose", "artist"). fallback: what it does where that is missing.
        protection: what a trainer must not shuffle.
    """

    name: str
    title: str
    help: str
    template: str = ""
    lettered: bool = False
    structured: bool = False
    fielded: bool = False
    evident: bool = False
    rating: bool = False
    thins: bool = False
    base: str = ""
    alone: bool = False
    only_prose: bool = False
    leaves_out: bool = False
    names_stay: bool = False
    needs: tuple[str, ...] = ()
    fallback: str = ""
    protection: Protection = field(default_factory=Protection)

    @property
    def is_own(self) -> bool:
        """Whether it is a user's template."""
        return self.name == self.template

    def spell(self, name: str, spelling: Spelling) -> str:
        """How a canonical name is written."""
        return written(name, spelling.underscores, spelling.escape_brackets)

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        """The caption of a scene; "" where the style finds nothing to say of it."""
        fields = {name: [self._said(w, spelling) for w in words] for name, words in scene.lists()}
        fields["copyright"] = fields.pop("series")
        fields["new"] = []
        fields["persons"] = [
            written(f"{p.start}{w.name}") for p in scene.persons for w in p.words if p.start or not w.text
        ]
        text = filled(self.template or PLAIN, {n: spelling.separator.join(t) for n, t in fields.items()})
        return spelling.separator.join(filter(None, (text, " ".join(fields["prose"]))))

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        """The pieces of a caption of this style, `text` to the letter with its gaps; None where it is none."""
        return parse(text, known=known.keys, whole=known.whole)

    def head(self, person: ScenePerson, number: int) -> str:
        """How the part of a caption is called that is this person's, the `number`-th from the left."""
        return ""

    def has(self, field: str, spelling: Spelling = BY_DEFAULT) -> bool:
        """Whether what the models say of a field of the scene has a place in it."""
        return True

    def fitted(
        self, tags: Sequence[Tag], human: Sequence[Tag], config: TagConfig, spelling: Spelling
    ) -> list[Tag]:
        """The models' tags without those that this style never says, and with what it says besides.

        Args:
            human: the tags of a person that are there too.
        """
        return list(tags)

    def marks(self, config: TagConfig) -> tuple[str, ...]:
        """What it puts between tags besides commas, by which its captions are read again."""
        return ()

    def extras(self, person: ScenePerson) -> Sequence[str]:
        """Names of tags that this style adds to a person's: gender, place."""
        return ()

    def makes(self, name: str) -> bool:
        """Whether only this style's `extras` give a tag this name: it means nothing in another style."""
        return False

    def _said(self, word: Word, spelling: Spelling) -> str:
        return word.text or self.spell(word.name, spelling)


PLAIN = (
    "{people}, {characters}, {copyright}, {persons}, {general}, {artist}, {year}, {meta}, {quality}, {rating}"
)


_SCORE = re.compile(r"score_\d+(_up)?")


def spaced(name: str, escape_brackets: bool) -> str:
    """A canonical name as Anima's captions have it: with spaces, but `score_7`."""
    return name if _SCORE.fullmatch(name) else written(name, False, escape_brackets)


def filled(template: str, values: dict[str, str]) -> str:
    """A template with its fields replaced; where one is empty, the text that led to it goes with it."""
    parts = re.split(r"\{(\w+)\}", template)
    text = parts[0]
    any_filled = False
    for i in range(1, len(parts), 2):
        value = values.get(parts[i], "")
        if value:
            text += (parts[i - 1] if any_filled and i > 1 else "") + value
            any_filled = True
    return (text + parts[-1]) if any_filled else ""


def lines_read(text: str, known: Known, read: Callable[[str], Sequence[Spot] | None]) -> CaptionText | None:
    """The lines of a text, the first with words by `read` (None: it is not of the style), others too if they can be."""
    lines: list[Line] = []
    at = 0
    head = False
    for match in [*BREAKS.finditer(text), None]:
        end = match.start() if match else len(text)
        ending = match[0] if match else ""
        line = text[at:end]
        if line.strip():
            spots = read(line)
            if spots is None and not head:
                return None
            head = True
            if spots is None:
                plain = parse(line, known=known.keys, whole=known.whole, one_a_line=False).lines[0]
                lines.append(Line(plain.pieces, plain.gaps, ending))
            else:
                lines.append(line_of(line, spots, ending))
        elif line or ending:
            lines.append(Line((), (line,), ending))
        at = match.end() if match else len(text)
    return CaptionText(tuple(lines) or (Line((), ("",)),))


FREE = "shuffled"
"""The place of pieces that stand behind a trainer's separator of kept tokens that we wrote."""


def kept_apart(fixed: Sequence[Word], free: Sequence[Word], separator: str) -> list[Word]:
    """Words that keep their place, the separator ("": none), those that may be shuffled.

    What a person put right behind the separator stays there.
    """
    if not separator:
        return [replace(w, after=None) if w.place == FREE and w.after == "" else w for w in (*fixed, *free)]
    words = [*fixed, Word(separator, separator), *free]
    return [replace(w, after=separator) if w.place == FREE and w.after == "" else w for w in words]


def placed(spots: Sequence[Spot], known: Known, most: int) -> list[Spot]:
    """The pieces without the first `most` separators of kept tokens that we wrote; those behind the first in `FREE`."""
    left = dict.fromkeys(known.marks, most)
    result: list[Spot] = []
    behind = False
    for start, end, piece in spots:
        if piece.kind is Kind.SEPARATOR and left.get(piece.raw, 0):
            left[piece.raw] -= 1
            behind = True
        else:
            free = behind and not piece.place
            result.append((start, end, replace(piece, place=FREE) if free else piece))
    return result


def spots_in(text: str, start: int, end: int, known: Known, lead: str = "", place: str = "") -> list[Spot]:
    """The pieces of a list of tags from `start` to `end`; `lead` goes before the names of its tags.

    Names that we wrote for one person (`lead`) are known by their whole names.
    """
    cut = len(lead)
    keys = {k[cut:] for k in known.keys if k.startswith(key(lead))} if lead else known.keys
    read = parse(text[start:end], known=keys, whole=known.whole, one_a_line=False)
    spots: list[Spot] = []
    at = start
    for line in read.lines:
        for gap, piece in zip(line.gaps, line.pieces, strict=False):
            at += len(gap)
            spots.append((at, at + len(piece.raw), replace(piece, name=lead + piece.name, place=place)))
            at += len(piece.raw)
        at += len(line.gaps[-1]) + len(line.ending)
    return spots
