"""The answers and separations a person should look at, least certain first, and what the person says of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lib_extend.captions.prose_verdicts import PROSE
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import questions_of
from lib_extend.datasets.state import State
from lib_extend.errors import UserError
from lib_extend.files.scan import Found, scan, show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.job_kinds import Client
from lib_extend.jobs.ranking import (
    Item,
    captioner_of,
    check_tagged,
    last_config,
    stored_analysis,
    uncertain,
)
from lib_extend.jobs.tagging import TagJob
from lib_extend.people import corrected as people
from lib_extend.questions.answer_reading import normalize
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Question
from lib_extend.questions.verdicts import ACCEPT, CORRECT, VERDICTS, WITHDRAW, Verdict, subject
from lib_extend.records import Answer, Prose
from lib_extend.worker.client import WorkerClient

__all__ = ["Item", "decide", "set_persons", "uncertain"]

REVIEW = "review"
PAUSE = 15 * 60.0
"""Seconds without a verdict after which the next one begins a new run."""


def decide(
    dataset: Dataset,
    path: str,
    question: str,
    thing: str,
    verdict: str,
    answer: str = "",
    *,
    client: Callable[[], Client] = WorkerClient,
) -> str:
    """Record a person's verdict and write the image's caption again; returns the caption.

    Args:
        path: the image's name, relative to the folder. verdict: accept, correct, reject or lock; withdraw takes
            back what was said of the answer before.
        answer: the right answer, for "correct".

    Raises:
        UserError: no such image, question or answer, or a correction the question does not allow.
    """
    root = dataset.root
    check_tagged(dataset)
    with dataset.locked_state() as state:
        config = last_config(state, root)
        found = _find(root, path)
        if question == "persons":
            if verdict not in (ACCEPT, WITHDRAW):
                raise UserError("Persons are accepted as they are, or corrected with `set_persons`.")
            with state.transaction():
                if verdict == ACCEPT:
                    state.set_verdict(found.name, Verdict(question, "", ACCEPT, ""))
                else:
                    state.drop_verdict(found.name, question, "")
            run = sitting(state, 1 if verdict == ACCEPT else -1)
            state.update_run(run, "done", time.time())
            captioner = captioner_of(state, config)
            return captioner.caption(found, captioner.stored(found, None)).text
        if verdict not in (*VERDICTS, WITHDRAW):
            raise UserError(f"There is no verdict {verdict!r}: accept, correct, reject, lock or withdraw.")
        stored = stored_analysis(state, config, captioner_of(state, config), found)
        if question == PROSE:
            value = _description(stored.prose, path, verdict, answer)
        else:
            asked = _named(questions_of(config, BUILTIN), question)
            value = _answer(stored.answers, asked, path, thing, verdict, answer)
        with state.transaction():
            if verdict == WITHDRAW:
                state.drop_verdict(found.name, question, thing)
            else:
                state.set_verdict(found.name, Verdict(question, thing, verdict, value))
    return _write_anew(dataset, found, config, client, -1 if verdict == WITHDRAW else 1)


def _answer(
    answers: Sequence[Answer], asked: Question, path: str, thing: str, verdict: str, said: str
) -> str:
    """The answer that a verdict stands for: the given one, or the right one (`said`) in its normal form."""
    given = next((a for a in answers if subject(a) == (asked.name, thing)), None)
    if given is None and verdict not in (CORRECT, WITHDRAW):
        raise UserError(f"{show(path)} has no answer to {asked.name}{f' about {thing}' if thing else ''}.")
    if verdict != CORRECT:
        return given.answer if given else ""
    value = normalize(asked, said)
    if not value:
        raise UserError(f"{said!r} is no answer to {asked.name} ({asked.kind.value}).")
    return value


def _description(told: Prose | None, path: str, verdict: str, said: str) -> str:
    """The text that a verdict stands for: the description that there is, or a person's (`said`) in one line."""
    if verdict == CORRECT:
        text = " ".join(said.split())
        if not text:
            raise UserError("An empty text is no description: reject the one that is there instead.")
        return text
    if told is None and verdict != WITHDRAW:
        raise UserError(f"{show(path)} has no description: run it with --prose first.")
    return told.text if told else ""


def set_persons(
    dataset: Dataset,
    path: str,
    persons: Sequence[Mapping[str, object]],
    *,
    client: Callable[[], Client] = WorkerClient,
) -> str:
    """Record the persons of an image as a person made them and write its caption anew; returns the caption.

    Args:
        path: the image's name, relative to the folder.
        persons: JSON values: `letter`, `box` [left, top, right, bottom] in pixels of the upright image, `tags`.
            None at all gives the models' persons back.

    Raises:
        UserError: no such image, persons were never looked for, or a wrong value (named).
    """
    root = dataset.root
    check_tagged(dataset)
    with dataset.locked_state() as state:
        config = last_config(state, root, people=True)
        found = _find(root, path)
        stored = captioner_of(state, config).stored(found, None)
        if not stored.width:
            raise UserError(f"{show(path)} was not tagged yet: tag it first.")
        checked = people.checked(persons, stored.width, stored.height, config.letters)
        with state.transaction():
            if checked:
                state.set_verdict(found.name, people.verdict_of(checked))
            else:
                state.drop_verdict(found.name, people.PERSONS, "")
    return _write_anew(dataset, found, config, client, 1 if checked else -1)


def sitting(state: State, answers: int) -> int:
    """The run that a verdict belongs to: the newest, when it is a review that has not paused, else a new one.

    Args:
        answers: by how many the run's answers grow (-1: one is withdrawn).
    """
    now = time.time()
    newest = state.newest_run()
    if newest is not None and newest[1] == REVIEW and now - newest[2] <= PAUSE:
        run, _, _, config = newest
        given = max(0, int(config.get("answers", 0)) + answers)
        with state.transaction():
            state.set_run_config(run, {**config, "answers": given})
        return run
    return state.start_run(REVIEW, {"answers": max(0, answers)}, "", now)


def _write_anew(
    dataset: Dataset, found: Found, config: TagConfig, client: Callable[[], Client], answers: int
) -> str:
    """The image's caption by its verdicts, journaled and undone with the others of the sitting."""
    only = config.with_(include=[f"/{found.name}"], limit=None, existing="merge")
    # read all events, or the run would count as stopped
    job = TagJob(dataset, only, client=client, into=lambda state: sitting(state, answers))
    events = list(job.events())
    for event in events:
        if isinstance(event, ev.Image):
            return event.caption
        if isinstance(event, ev.Failed):
            raise UserError(event.reason)
    raise UserError(f"{show(found.name)} is gone: put it back.")


def _named(questions: tuple[Question, ...], name: str) -> Question:
    for q in questions:
        if q.name == name:
            return q
    raise UserError(
        f"There is no question {name!r}: the questions are {', '.join(q.name for q in questions)}."
    )


def _find(root: Path, path: str) -> Found:
    for found in scan(root, recursive=True):
        if found.name == path:
            return found
    raise UserError(f"There is no image {show(path)} in {show(str(root))}: name it as `review` lists it.")
