"""DanTagGen's prompt, line by line as it was trained (KohakuBlueleaf's DanTagGen, `kgen/executor/dtg.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.prompt_expansion import Given, Length, spoken

EMPTY = "<|empty|>"
INPUT_END = "<|input_end|>"
LEAST = {Length.VERY_SHORT: 8, Length.SHORT: 16, Length.LONG: 32, Length.VERY_LONG: 48}
"""Tags (people and general, given and new) that a length stands for at the least."""
MOST = {Length.VERY_SHORT: 16, Length.SHORT: 32, Length.LONG: 48, Length.VERY_LONG: 64}
"""And at the most."""


def prompt(given: Given, length: Length, quality: bool) -> str:
    """The text whose continuation is the new tags.

    Args:
        quality: whether the model knows the line `quality:` (delta and delta-rev2 do).
    """
    lines = [f"quality: {_line(given.quality) if given.quality else 'masterpiece'}"] if quality else []
    lines += [
        f"rating: {_line(given.rating)}",
        f"artist: {_line(given.artist)}",
        f"characters: {_line(given.characters)}",
        f"copyrights: {_line(given.copyrights)}",
        f"aspect ratio: {1.0 if given.aspect is None else given.aspect:.1f}",
        f"target: <|{length.value}|>",
        # as the training wrote it, with the comma of an empty half
        f"general: {_tags(given.people)}, {_tags(given.general)}{INPUT_END}",
    ]
    return "\n".join(lines)


def _line(names: Sequence[str]) -> str:
    return _tags(names) or EMPTY


def _tags(names: Sequence[str]) -> str:
    return ", ".join(map(spoken, names))
