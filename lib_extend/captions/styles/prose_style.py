"""Sentences only: what the vision-language model or a person wrote, else plain ones made from the tags."""

from __future__ import annotations

from dataclasses import dataclass

from lib_extend.captions.documents import Escapes, prose_spots
from lib_extend.captions.scene import Scene
from lib_extend.captions.style import (
    BY_DEFAULT,
    NOTHING,
    Known,
    Protection,
    Spelling,
    Style,
    lines_read,
)
from lib_extend.captions.text import CaptionText, Spot

ENDS = ("prose", "extra", "first", "last")


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Prose(Style):
    """Each text that is remembered is one piece, and so is what stands between them."""

    def write(self, scene: Scene, spelling: Spelling = BY_DEFAULT) -> str:
        told = [w.text or w.name for w in (*scene.prose, *scene.extra)]
        tags = [w for name, words in scene.lists() if name not in ENDS for w in words]
        first = ", ".join(self._said(w, spelling) for w in (*scene.first, *tags))
        last = ", ".join(self._said(w, spelling) for w in scene.last)
        return " ".join(filter(None, (f"{first}." if first and told else first, *told, last)))

    def read(self, text: str, known: Known = NOTHING) -> CaptionText | None:
        def line(words: str) -> list[Spot]:
            return prose_spots(words, 0, len(words), known, Escapes(_same, _same), "")

        return lines_read(text, known, line)


STYLE = Prose(
    "prose",
    "Prose",
    "Two girls. The girl on the left has black hair and red eyes. The setting is indoors.",
    lettered=True,
    structured=True,
    only_prose=True,
    needs=("prose", "persons"),
    fallback="Without prose of a model or a person, plain sentences are made from the tags.",
    protection=Protection(shuffle="never", reason="Shuffling at commas would tear the sentences apart."),
)
