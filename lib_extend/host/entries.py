"""Entries of `extra_generation_params` that differ from picture to picture.

A WebUI calls a callable entry while it makes one picture's infotext, and writes all entries as JSON after the run. Some
WebUIs fail there on values that are not texts, and the pictures are lost. So an entry is a text that can be called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Entry(str):
    """A text that can be called: with what the WebUI knows while it makes a picture's infotext.

    A copy is the same object, because the entry refers to the run's state.
    """

    __slots__ = ("_of",)
    _of: Callable[..., str | None]

    def __new__(cls, text: str, of: Callable[..., str | None]) -> Entry:
        """
        Args:
            text: what is written where nobody calls. of: the value for one picture, None for no entry.
        """
        made = super().__new__(cls, text)
        made._of = of
        return made

    def __call__(self, *given: Any, **named: Any) -> str | None:
        return self._of(*given, **named)

    def __copy__(self) -> Entry:
        return self

    def __deepcopy__(self, memo: Any) -> Entry:
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str.__str__(self),)
