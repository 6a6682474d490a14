"""Entries of `extra_generation_params` that differ from picture to picture.

A WebUI calls an entry that can be called while it makes one picture's infotext, and writes all entries out as JSON
when the run is over: some of them fail there at what is no text, and no picture comes. So an entry is both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Entry(str):
    """A text that can be called: with what the WebUI knows while it makes a picture's infotext.

    Copies are the entry itself: a run's state hangs on it.
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
