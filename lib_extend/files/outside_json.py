"""JSON from a server or from a file that another program made, as values. Texts that would take too long are
refused."""

from __future__ import annotations

import json
from typing import Any

DIGITS = 20
"""Digits of a whole number, its sign included: 64 bits. Python takes minutes for one of ten million digits."""


def loads(text: str | bytes | bytearray) -> Any:
    """The value of a JSON text.

    Raises ValueError for what is no JSON, is nested hundreds deep, or has a whole number of more than 64 bits.
    """
    try:
        return json.loads(text, parse_int=_whole)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError("a number too long")
    return int(digits)
