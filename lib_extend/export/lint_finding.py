"""A finding of the lint: a code, a sentence, the pictures, and a correction if there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_extend.captions.editing import Style
from lib_extend.errors import Message

if TYPE_CHECKING:
    from lib_extend.export.linted_folder import LintedFolder

Change = Callable[[str, Style], str]


class Level(str, Enum):
    """How serious a finding is."""

    ERROR = "error"
    """A training ends, or is about something else than the folder says."""
    WARNING = "warning"
    """The training runs, but the model learns less, or something that is not meant."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True)
class Spot:
    """One picture, or another file, that a finding is about. `detail` says what is special about it, "" for nothing."""

    name: str
    detail: str = ""


@dataclass(frozen=True)
class Mend:
    """The correction of a finding: a change of captions as one run that can be undone.

    Attributes:
        text: what it does, as the beginning of a sentence ("Put … first").
        change: from a caption's text to the right one. reencode: the file is written anew in UTF-8 also where its text stays.
    """

    text: str
    change: Change = field(compare=False, repr=False)
    reencode: bool = False


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: which rule. level: how serious. text: one sentence; fields: the values in it.
        spots: the pictures and files, in the order of names. mend: its correction, or None.
    """

    code: str
    level: Level
    text: str
    spots: tuple[Spot, ...]
    fields: dict[str, Any] = field(default_factory=dict)
    mend: Mend | None = None

    def to_json(self, most: int | None = None) -> dict[str, Any]:
        """As JSON values; with the first `most` spots only, and always how many there are."""
        return {
            "code": self.code,
            "level": self.level.value,
            "text": self.text,
            "fields": self.fields,
            "count": len(self.spots),
            "pictures": [{"name": s.name, "detail": s.detail} for s in self.spots[:most]],
            "mend": self.mend.text if self.mend else None,
        }


@dataclass(frozen=True)
class Rule:
    """One rule: what it looks for, and how.

    Attributes:
        code: as in `Finding`. title: what it looks for, in a few words. check: what it finds in a folder.
    """

    code: str
    title: str
    check: Callable[[LintedFolder], Iterable[Finding]] = field(compare=False, repr=False)


def found(
    message: Message, level: Level, spots: Iterable[Spot], mend: Mend | None = None, **fields: Any
) -> Iterable[Finding]:
    """The finding that `message` words, or nothing where there is no spot.

    The message's gaps are `fields`, {pictures} ("1 picture", "12 pictures"), {captions}, {files}, {has} ("has", "have") and
    {is_} ("is", "are"), all of the spots.
    """
    listed = tuple(spots)
    if listed:
        n = len(listed)
        words = {noun: f"{n:,} {noun if n > 1 else noun[:-1]}" for noun in ("pictures", "captions", "files")}
        text = message.format(
            **fields, **words, has="has" if n == 1 else "have", is_="is" if n == 1 else "are"
        )
        yield Finding(message.code, level, text, listed, {**fields, "count": n}, mend)
