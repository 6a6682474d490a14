"""The descriptions of a folder's pictures, held against all that is known of them by now."""

from __future__ import annotations

import contextlib

from lib_extend.captions.existing import Existing
from lib_extend.captions.prose_asking import wishes_of
from lib_extend.captions.prose_check import Contradiction, contradictions
from lib_extend.captions.prose_known import Known, known_of
from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import PROSE
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored
from lib_extend.errors import ImageError
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import Captioner, existing_caption, tags_to_ask_about
from lib_extend.parts.part_table import parts
from lib_extend.records import Analysis, Prose


def doubted(
    state: State, config: TagConfig, captioner: Captioner, found: Found
) -> tuple[Prose | None, list[Contradiction]]:
    """The description of an image by these settings, and what is wrong with it; None where there is none."""
    existing = None
    if config.tagger == "none":
        with contextlib.suppress(ImageError):
            existing = existing_caption(state, found, config)
    analysis = captioner.analysis(found, existing)
    told = analysis.prose
    if told is None or not told.text:
        return None, []
    return told, contradictions(told.text, _known(config, analysis, existing), wishes_of(config))


def every_model(
    state: State, config: TagConfig, found: Found, analysis: Analysis, existing: Existing | None
) -> list[tuple[Prose, list[Contradiction]]]:
    """All descriptions of an image that are stored, whichever models wrote them, each text once, with what is wrong."""
    told = [stored(parts()[PROSE].from_json, part.payload) for part in state.all_of(found, PROSE)]
    if not told:
        return []
    known, wishes = _known(config, analysis, existing), wishes_of(config)
    once = {p.text: p for p in told}
    return [(p, contradictions(text, known, wishes)) for text, p in once.items()]


def _known(config: TagConfig, analysis: Analysis, existing: Existing | None) -> Known:
    tags = analysis.tags or (tags_to_ask_about(existing) if existing else ())
    return known_of(
        tags,
        analysis.answers,
        analysis.persons,
        threshold=config.question_threshold,
        person_threshold=config.person_tag_threshold,
        answer_threshold=config.answer_threshold,
    )
