"""The trigger word: in every caption, and first; and what should be bound to it: in all captions or in none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lib_extend.captions.editing import fronted, renamed, with_tags
from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Mend, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder, LintedPicture
from lib_extend.vocabulary.people_tags import count_people
from lib_extend.vocabulary.tag_names import canonical, key
from lib_extend.vocabulary.traits import own_traits

TRIGGER_MISSING = Message(
    "trigger_missing", "{captions} {has} no {trigger}: the pictures are not learned under that word."
)
TRIGGER_NOT_FIRST = Message(
    "trigger_not_first",
    "{captions} {has} {trigger} behind other tags: kept tokens (keep_tokens) and cut-off ends count from the first.",
)
SOME_TRAITS = Message(
    "trait_in_some",
    "{trait} is in {with_it} of {of} captions with {trigger}: a trait is learned with the word where no caption has it, and "
    "stays a choice where all have that show it.",
)
_LEAST, _MOST = 0.3, 0.95
"""Share of the captions in which a trait has to be to be called one that only some have."""
_FEWEST = 5
"""Captions with the trigger from which a share says something."""


def _missing(folder: LintedFolder) -> Iterable[Finding]:
    if not folder.trigger:
        return
    typed = folder.trigger
    missing, behind = [], []
    for picture in folder.pictures:
        if picture.line is None:
            continue
        place = _place(picture, folder.word)
        if place is None:
            missing.append(Spot(picture.name))
        elif place:
            behind.append(Spot(picture.name, f"place {place + 1}"))
    add = Mend(f"Put {typed} first", lambda text, style: with_tags(text, [typed], style, first=True))
    front = Mend(f"Bring {typed} to the front", lambda text, style: fronted(text, [canonical(typed)], style))
    yield from found(TRIGGER_MISSING, Level.WARNING, missing, add, trigger=typed)
    yield from found(TRIGGER_NOT_FIRST, Level.WARNING, behind, front, trigger=typed)


def _place(picture: LintedPicture, word: str) -> int | None:
    """Where the trigger stands among the pieces; 0 too where a sentence begins with it or has it; None where it is not."""
    line = picture.line
    assert line is not None
    spaced = word.replace("_", " ")
    for i, piece in enumerate(line.pieces):
        if word in map(key, piece.names):
            return i
        if piece.name == piece.raw and spaced in f" {piece.raw.lower()} ":
            return 0
    return None


def _traits(folder: LintedFolder) -> Iterable[Finding]:
    word = folder.word
    if not word:
        return
    about = [p for p in folder.captioned if word in p.tags and count_people(p.tags) <= 1]
    if len(about) < _FEWEST:
        return
    traits = own_traits()
    having: dict[str, list[LintedPicture]] = defaultdict(list)
    for picture in about:
        for name in picture.tags:
            if name != word and traits.difficulty(name) is not None:
                having[name].append(picture)
    for name, pictures in sorted(having.items(), key=lambda row: (-len(row[1]), row[0])):
        if not _LEAST <= len(pictures) / len(about) < _MOST:
            continue
        spelled = pictures[0].tags[name].raw
        remove = Mend(
            f"Take {spelled} out, so that {folder.trigger or word} means it",
            lambda text, style, gone=name: renamed(text, lambda n: "" if key(n) == gone else n, style),  # type: ignore[misc]
        )
        yield from found(
            SOME_TRAITS,
            Level.WARNING,
            (Spot(p.name) for p in pictures),
            remove,
            trait=spelled,
            with_it=len(pictures),
            of=len(about),
            trigger=folder.trigger or word,
        )


RULES = (
    Rule("trigger_missing", "the trigger word is missing or not first", _missing),
    Rule("trait_in_some", "traits that only some captions have", _traits),
)
