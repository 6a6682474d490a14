"""Anima's captions: tags; of two to five persons a clause each, by side and row; prose behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lib_extend.captions.clauses import TAIL, clauses, head_of, listed, read_clauses, with_clauses
from lib_extend.captions.scene import Scene, ScenePerson, Word, in_order
from lib_extend.captions.style import (
    BY_DEFAULT,
    NOTHING,
    Known,
    Protection,
    Spelling,
    Style,
    kept_apart,
    lines_read,
    placed,
    spaced,
)
from lib_extend.captions.text import CaptionText, Spot
from lib_extend.config import TagConfig
from lib_extend.records import Source

ARTIST = "@"
ORDER = (
    "first",
    "quality",
    "rating",
    "year",
    "people",
    "characters",
    "series",
    "artist",
    "general",
    "meta",
    "last",
)
"""The order of the list."""
SHUFFLED = ("general", "meta", "last")
"""The fields that a trainer may shuffle; what stands in front of them has its place."""


@dataclass(frozen=True)
class Anima(Style):
    """The list in Anima's order, the clauses behind it."""

    def spell(self, name: str, spelling: Spelling) -> str:
        """Spaces, but `score_7`."""
        return spaced(name, spelling.escape_brackets)

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        def said(word: Word) -> str:
            return word.text or self.spell(word.name, spelling)

        def by(name: str) -> str:
            return name if name.startswith(ARTIST) else ARTIST + name

        persons = scene.persons
        fields = dict(scene.lists())
        fields["artist"] = tuple(replace(w, text=by(said(w))) for w in fields["artist"])
        if len(persons) == 1:
            fields["general"] = (*persons[0].words, *fields["general"])
            persons = ()
        # a person's sentence stays among the tags where it stands there
        kept = [w for w in fields["prose"] if _is_in_list(w)]
        tail = [*fields["extra"], *(w for w in fields["prose"] if not _is_in_list(w))]
        fields["general"] = (*kept, *fields["general"])
        fixed, free = ([w for n in ORDER if (n in SHUFFLED) is s for w in fields[n]] for s in (False, True))
        words = in_order(kept_apart(fixed, free, spelling.keep_separator))
        behind = in_order([*(w for w in words if w.place == TAIL), *tail])
        texts = [said(w) for w in words if w.place != TAIL]
        told, last = clauses(persons, said), [said(w) for w in behind]
        if spelling.keep_separator and texts[:1] == [spelling.keep_separator]:
            del texts[0]
        if spelling.keep_separator and texts[-1:] == [spelling.keep_separator] and not (told or last):
            del texts[-1]
        if spelling.keep_separator and texts and (told or last):
            # what a trainer finds behind the second separator stays where it is
            texts.append(spelling.keep_separator)
        return with_clauses(listed(texts), told, last)

    def marks(self, config: TagConfig) -> tuple[str, ...]:
        return (config.keep_tokens_separator,) if config.keep_tokens_separator else ()

    def head(self, person: ScenePerson, number: int) -> str:
        return head_of(person, number)

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        def line(words: str) -> list[Spot]:
            spots = placed(read_clauses(words, 0, len(words), known), known, 2)
            return [
                (start, end, replace(p, name=p.name[1:], said="") if p.name.startswith(ARTIST) else p)
                for start, end, p in spots
            ]

        return lines_read(text, known, line)


def _is_in_list(word: Word) -> bool:
    return word.tag is not None and word.tag.source is Source.HUMAN and word.place != TAIL


STYLE = Anima(
    "anima",
    "Anima",
    "masterpiece, safe, 2girls, @artist, indoors. On the left, black hair. On the right, white hair.",
    lettered=True,
    structured=True,
    rating=True,
    base="anima",
    names_stay=True,
    needs=("persons", "prose", "artist"),
    fallback="Without --people, or with one person, it is a list; without prose it ends with the clauses.",
    protection=Protection(
        shuffle="keep",
        keep_separator="|||",
        reason="Clauses and sentences have commas in them: only the tags in front of them may be shuffled.",
    ),
)
