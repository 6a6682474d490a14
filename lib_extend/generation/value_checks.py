"""Check values from a panel, an API call, a file or a picture's infotext. Each error names its field."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lib_extend.errors import UserError

_ALLOWED = frozenset("\n\t")
INVISIBLE = "\u2061\u2062\u2063\u2064"
"""Characters without width that `marks` uses: they are taken out of texts."""


class FieldError(UserError):
    """An invalid value.

    Attributes:
        field: where it stands: `characters[1].box`, `base_weight`; "" is the whole.
        reason: what is wrong with it, in words that follow the field's name.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field or 'the cast'} {reason}.")
        self.field = field
        self.reason = reason

    def within(self, outer: str) -> FieldError:
        """The same, seen from the record that holds this one as `outer`."""
        inner = self.field
        joint = "" if not inner or inner.startswith("[") else "."
        return FieldError(f"{outer}{joint}{inner}", self.reason)


def text(field: str, value: Any, most: int, *, lines: bool = True) -> str:
    """`value` as a text of at most `most` characters, without spaces at its ends. Raises FieldError.

    Control characters are refused, line ends become `\\n`; `lines` says whether there may be several.
    """
    if not isinstance(value, str):
        raise FieldError(field, f"must be a text, not {_brief(value)}")
    clean = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not set(INVISIBLE).isdisjoint(clean):
        clean = "".join(c for c in clean if c not in INVISIBLE).strip()
    if len(clean) > most:
        raise FieldError(field, f"has {len(clean):,} characters, but may have {most:,} at the most")
    for c in clean:
        if c not in _ALLOWED and unicodedata.category(c) in ("Cc", "Cs"):
            raise FieldError(field, f"holds a character that is no text (U+{ord(c):04X})")
    if not lines and "\n" in clean:
        raise FieldError(field, "must be one line")
    return clean


def number(field: str, value: Any, low: float, high: float, *, whole: bool = False) -> float:
    """`value` as a finite number in low…high, rounded to 3 decimals. Raises FieldError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FieldError(field, f"must be a number, not {_brief(value)}")
    # compared before it is converted: an enormous int has no float
    if not (low <= value <= high) or not math.isfinite(value):
        raise FieldError(field, f"is {_brief(value)}, but must be {low:g} to {high:g}")
    if whole and value != int(value):
        raise FieldError(field, f"must be a whole number, not {_brief(value)}")
    return int(value) if whole else round(float(value), 3)


def choice(field: str, value: Any, choices: Sequence[str]) -> str:
    """`value`, which must be one of `choices`. Raises FieldError."""
    if not isinstance(value, str) or value not in choices:
        raise FieldError(field, f"is {_brief(value)}, but must be one of: {', '.join(choices)}")
    return value


def mapping(field: str, value: Any, known: Iterable[str]) -> dict[str, Any]:
    """`value`, which must be an object with keys among `known`. Raises FieldError."""
    if not isinstance(value, Mapping):
        raise FieldError(field, f"must be an object, not {_brief(value)}")
    known = tuple(known)
    for key in value:
        if key not in known:
            name = f"{field}." if field else ""
            raise FieldError(f"{name}{str(key)[:40]}", f"is not known here; known are: {', '.join(known)}")
    return dict(value)


def items(field: str, value: Any, most: int) -> tuple[Any, ...]:
    """`value` as a tuple of at most `most` entries. Raises FieldError."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise FieldError(field, f"must be a list, not {_brief(value)}")
    if len(value) > most:
        raise FieldError(field, f"has {len(value):,} entries, but may have {most} at the most")
    return tuple(value)


def _brief(value: Any) -> str:
    """A value shortened for a message."""
    if isinstance(value, int) and not -(10**30) < value < 10**30:
        return "an enormous number"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
