"""A picture's description as a person left it in review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lib_extend.questions.verdicts import CORRECT, LOCK, REJECT, Verdict
from lib_extend.records import Analysis, Prose

PROSE = "prose/"
"""The verdicts' question under which a description is kept; no question can have this name."""


def decided(analysis: Analysis, verdicts: Mapping[tuple[str, str], Verdict]) -> Analysis:
    """The analysis with the description as a person left it: their own words, or none ("" as its text)."""
    said = verdicts.get((PROSE, ""))
    if said is None:
        return analysis
    if said.verdict in (CORRECT, LOCK):
        return replace(analysis, prose=Prose(said.answer))
    if said.verdict == REJECT and analysis.prose is not None and analysis.prose.text == said.answer:
        return replace(analysis, prose=Prose(""))
    return analysis
