"""Why a tag went, moved or came: a code with fields, and the sentence that they make in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib_extend.errors import Message
from lib_extend.records import Drop, Record
from lib_extend.vocabulary.tag_names import written

_TAGS = frozenset({"by", "to", "from"})
"""Fields that hold the canonical name of a tag."""

SENTENCES = {
    m.code: m
    for m in (
        Message("overruled", "you said so for this folder"),
        Message("alias", "another name of {to}"),
        Message("same", "already there as {by}"),
        Message("blacklisted", "{list} names it"),
        Message("blacklisted_by_us", "it says nothing that a model can learn"),
        Message("overlap", "{by} says more"),
        Message("exclusive", "{by} is likelier, and only one {group} can be right"),
        Message("trait", "a trait of {character}"),
        Message("core_tag", "{character} has it on {percent} % of {pictures} pictures"),
        Message("moved_to_end", "a trait of {character}: moved to the end"),
        Message("limit", "more than {most} tags"),
    )
}
"""What each code says in English; a step adds its own (`sentence`)."""


def sentence(code: str, text: str) -> str:
    """Add a reason of a step's own: its code, which is given back, and its words; `{name}` stands for a field."""
    SENTENCES[code] = Message(code, text)
    return code


def is_curated(code: str) -> bool:
    """Whether a tag that is dropped with this code is one that curation alone leaves out."""
    return code in SENTENCES and code not in ("limit", "same")


@dataclass(frozen=True)
class Reason(Record):
    """Why something was done with a tag.

    Attributes:
        code: one of `SENTENCES`. fields: what the sentence speaks of, as JSON values.
    """

    code: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sentence(self) -> str:
        """The reason as a short phrase in English."""
        shown = {k: written(v) if k in _TAGS else v for k, v in self.fields.items()}
        if "share" in self.fields:
            shown["percent"] = round(100 * self.fields["share"])
        return SENTENCES[self.code].format(**shown)

    def drop(self, name: str) -> Drop:
        """The tag of this name, left out for this reason; made once a name, for many captions have it."""
        made = self._drops.get(name)
        if made is None:
            made = self._drops[name] = Drop(name, self.sentence, self.code, self.fields)
        return made

    @cached_property
    def _drops(self) -> dict[str, Drop]:
        return {}
