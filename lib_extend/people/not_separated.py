"""Why the persons of a picture cannot be told apart: the sentences for people and the codes for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extend.errors import Message
from lib_extend.records import Record

NOBODY = Message("nobody", "no person was found")
TOO_MANY = Message("too_many_persons", "{persons} persons were found, and there are letters for {letters}")
FEW_PIXELS = Message("few_pixels", "the {who} is smaller than {pixels} pixels")
TOO_SMALL = Message("too_small", "the {who} is too small ({share:.0%} of the largest)")
OVERLAP = Message("overlap", "the {other} and the {who} overlap too much ({share:.0%})")
FEW_TAGS = Message("few_tags", "the {who} has only {tags} of its own")
OTHER_NUMBER = Message("other_number", "the tags say {said}, but {persons} found")


@dataclass(frozen=True)
class NotSeparated(Record):
    """Why a picture is not separated.

    Attributes:
        code: the reason as one word for programs. text: one phrase for people. fields: the values in the phrase.
    """

    code: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def because(message: Message, **fields: Any) -> NotSeparated:
    """The reason of a message, with the values of its fields."""
    return NotSeparated(message.code, message.format(**fields), fields)
