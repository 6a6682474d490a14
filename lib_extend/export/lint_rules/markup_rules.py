"""Brackets and weights: a trainer reads them as plain characters, or with another meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lib_extend.captions.editing import Style
from lib_extend.captions.markup import unmatched
from lib_extend.captions.text import Kind, Piece
from lib_extend.errors import Message
from lib_extend.export.caption_mending import respelled
from lib_extend.export.lint_finding import Finding, Level, Mend, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder, LintedPicture

BRACKETS = Message("brackets", "{captions} {has} a bracket that nothing closes or opens.")
WILDCARDS = Message("wildcards", "{captions} {has} a wildcard ({{a|b}}), which {trainer} {reads}.")
BRACES = Message(
    "braces",
    "{captions} {has} braces that are not doubled: with enable_wildcard {trainer} takes them for a wildcard and drops them.",
)
WEIGHTS = Message(
    "weights", "{captions} {has} weights or brackets of a prompt: a trainer reads them as letters."
)
ESCAPED = Message(
    "escaped_brackets", "{captions} {has} backslashes before brackets, which trainers take for letters."
)
_BRACES = re.compile(r"(?<!\{)\{([^{}]*)\}(?!\})")
_ESCAPE = re.compile(r"\\([()\[\]])")
_WEIGHT = re.compile(r"[(\[{]|::")
_SHOWN = 4


def _brackets(folder: LintedFolder) -> Iterable[Finding]:
    spots = []
    for picture in folder.captioned:
        if not any(c in picture.text for c in "()[]{}"):
            continue
        for line in picture.text.splitlines():
            at = unmatched(line)
            if at:
                spots.append(Spot(picture.name, line[max(0, at[0] - 15) : at[0] + 15].strip()))
                break
    yield from found(BRACKETS, Level.WARNING, spots)


def _wildcards(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    choices, plain = [], []
    for picture in folder.captioned:
        if "{" not in picture.text:
            continue
        groups = _BRACES.findall(picture.text)
        if any("|" in g for g in groups):
            choices.append(Spot(picture.name))
        elif groups:
            plain.append(Spot(picture.name, ", ".join("{" + g + "}" for g in groups[:_SHOWN])))
    reads = "picks one of with enable_wildcard only" if trainer.wildcards else "reads as letters"
    yield from found(WILDCARDS, Level.WARNING, choices, trainer=trainer.title, reads=reads)
    if trainer.wildcards:
        double = Mend("Double them", lambda text, style: _BRACES.sub(_doubled, text))
        yield from found(BRACES, Level.NOTE, plain, double, trainer=trainer.title)


def _doubled(match: re.Match[str]) -> str:
    return match[0] if "|" in match[1] else "{" + match[0] + "}"


def _weights(folder: LintedFolder) -> Iterable[Finding]:
    spots = (
        Spot(p.name, ", ".join(w[:_SHOWN]))
        for p in folder.captioned
        if _WEIGHT.search(p.text) and (w := _weighted(p))
    )
    take = Mend("Take them off", lambda text, style: respelled(text, style, _unweighted))
    yield from found(WEIGHTS, Level.WARNING, spots, take)


def _weighted(picture: LintedPicture) -> list[str]:
    return [p.raw for line in picture.read.lines for p in line.pieces if _unweighted(p) != p.raw]


def _unweighted(piece: Piece) -> str:
    """A tag without its weight; a group of several tags stays as it is."""
    if piece.kind is not Kind.TAG or not (piece.before or piece.after):
        return piece.raw
    words = piece.raw[len(piece.before) : len(piece.raw) - len(piece.after)]
    return words.strip()


def _escapes(folder: LintedFolder) -> Iterable[Finding]:
    spots = (
        Spot(p.name, m[0])
        for p in folder.captioned
        if "\\" in p.text and (m := re.search(r"\S*\\[()\[\]]\S*", p.text))
    )
    mend = Mend("Take the backslashes out", _unescaped)
    yield from found(ESCAPED, Level.WARNING, spots, mend)


def _unescaped(text: str, style: Style) -> str:
    return _ESCAPE.sub(r"\1", text)


RULES = (
    Rule("brackets", "brackets that are not balanced", _brackets),
    Rule("wildcards", "wildcards, and braces that are not doubled", _wildcards),
    Rule("weights", "weights of a prompt", _weights),
    Rule("escaped_brackets", "backslashes before brackets", _escapes),
)
