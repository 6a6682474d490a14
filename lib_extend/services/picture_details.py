"""All data of one picture: its tags with their sources, the answers, the persons, what was left out."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from lib_extend.captions.composing import Existing
from lib_extend.captions.person_edits import reconcile
from lib_extend.captions.prose_check import Contradiction
from lib_extend.config import TagConfig
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.recipe import Recipe
from lib_extend.datasets.rows import Row, image_id
from lib_extend.errors import ImageError, UserError
from lib_extend.files.caption_forms import find
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import Captioner, existing_caption
from lib_extend.jobs.description_doubts import every_model
from lib_extend.records import Analysis, Answer, Caption, Person, Prose, Source, Tag
from lib_extend.vocabulary.tag_names import key


def details(browser: Browser, name: str) -> dict[str, Any]:
    """One picture as JSON values; with what the settings of the newest run make of its stored analysis.

    Raises:
        KeyError: there is no such image.
    """
    row = browser.row(name)
    analysis, caption, existing, decided, told = _stored(browser, row)
    persons = caption.persons or analysis.persons
    return {
        "id": image_id(name),
        "name": name,
        "w": row.width,
        "h": row.height,
        "bytes": row.size,
        "caption": existing.text,
        "tokens": row.tokens,
        "tags": [_tag(t, raw) for t, raw in _tags(existing, analysis, caption)],
        "answers": [{**a.to_json(), "decided": (a.question, a.object) in decided} for a in analysis.answers],
        "persons": [_person(p) for p in persons],
        "descriptions": [_description(text, wrong, analysis.prose) for text, wrong in told],
        "reason": caption.reason,
        "dropped": [d.to_json() for d in caption.dropped],
    }


Told = list[tuple[Prose, list[Contradiction]]]


def _stored(browser: Browser, row: Row) -> tuple[Analysis, Caption, Existing, set[tuple[str, str]], Told]:
    """The analysis as people left it, the caption it would give now, the one that is there, what was decided, and
    what models described."""
    nothing = Analysis(row.width, row.height)
    there = reconcile(None, row.caption) or Existing("")
    config = _config(browser)
    if config is None:
        return nothing, Caption(""), there, set(), []
    found = Found(row.name, row.size, row.mtime, caption=find(browser.root, row.name))
    with browser.dataset.state() as state:
        try:
            recipe = Recipe.of(config)
        except UserError:
            # a question file was deleted
            recipe = Recipe.of(config.with_(question_file=[], question=[], ask=[]))
        captioner = Captioner(state, recipe.known_in(state))
        with contextlib.suppress(ImageError):
            there = existing_caption(state, found, config) or Existing("")
        analysis = captioner.analysis(found, there)
        decided = set(state.verdicts(row.name))
        told = every_model(state, config, found, analysis, there)
        return analysis, captioner.caption(found, analysis, there), there, decided, told


def _config(browser: Browser) -> TagConfig | None:
    with browser.dataset.reading() as reader:
        settings = reader.last_config()
    if not settings:
        return None
    try:
        return TagConfig.from_dict({**settings, "include": [], "limit": None})
    except UserError:
        return None  # settings of another version


def _tags(existing: Existing, analysis: Analysis, caption: Caption) -> list[tuple[Tag, str]]:
    """The tags that stand in the caption, in its order, with all that is known of each, and how each stands there."""
    known = {key(t.name): t for t in (*_answered(analysis.answers), *analysis.tags, *caption.tags)}
    scores = {key(t.name): t.score for t in analysis.tags}
    by_hand = {key(t.name) for t in existing.added}
    result = []
    for name, raw in existing.forms:
        tag = known.get(key(name), Tag(name, source=Source.OPTION))
        if key(name) in by_hand:
            tag = replace(tag, source=Source.HUMAN, score=scores.get(key(name)))
        result.append((replace(tag, name=name), raw))
    return result


def _answered(answers: tuple[Answer, ...]) -> list[Tag]:
    return [
        Tag(a.tag, score=a.probability, source=Source.QUESTION, locked=a.locked) for a in answers if a.tag
    ]


def _tag(tag: Tag, raw: str) -> dict[str, Any]:
    return {**tag.to_json(), "text": raw}


def _person(person: Person) -> dict[str, Any]:
    return {**person.to_json(), "box": person.box.as_list()}


def _description(told: Prose, wrong: list[Contradiction], chosen: Prose | None) -> dict[str, Any]:
    return {
        **told.to_json(),
        "chosen": chosen is not None and chosen.text == told.text,
        "doubts": [{"code": c.code, "reason": c.reason} for c in wrong],
    }
