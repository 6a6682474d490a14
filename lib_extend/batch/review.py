"""The answers and separations a person should look at, least certain first, and what the person says of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_extend.batch import events as ev
from lib_extend.batch import persons as people
from lib_extend.batch import plan
from lib_extend.batch.caption import Captioner, existing_caption
from lib_extend.batch.job import Client, TagJob, questions_of, state_folder
from lib_extend.batch.lock import locked
from lib_extend.batch.state import STATE_FILE, State
from lib_extend.batch.verdicts import ACCEPT, CORRECT, LOCK, REJECT, Verdict, subject
from lib_extend.config import TagConfig
from lib_extend.datasets.scan import Found, scan, show
from lib_extend.errors import ImageError, UserError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.checks import doubts
from lib_extend.questions.reading import normalize
from lib_extend.questions.records import Question
from lib_extend.records import Analysis, Record
from lib_extend.worker.client import WorkerClient


@dataclass(frozen=True)
class Item(Record):
    """One answer to look at, or (question "persons") who has which in one image.

    Attributes:
        path: the image's name. question, object, answer, raw, probability, tag: as in `Answer`; the object of an
            answer about one person is `skirt@2`.
        reason: why it is here ("probability 0.42", or a contradiction).
    """

    path: str
    question: str
    object: str
    answer: str
    raw: str
    probability: float | None
    tag: str
    reason: str


def uncertain(root: Path, *, below: float = 0.8, state_dir: Path | None = None) -> list[Item]:
    """The answers below a probability, and those something contradicts, without a verdict yet; images whose persons
    could not be told apart.

    Contradicted ones come first, then the least certain. Uses the settings of the newest run.

    Raises:
        UserError: the folder was never tagged with questions or persons.
    """
    with contextlib.closing(_open(root, state_dir)) as state:
        config = _last_config(state, root)
        return sorted(_items(state, config, root, below), key=_urgency)


def decide(
    root: Path,
    path: str,
    question: str,
    thing: str,
    verdict: str,
    answer: str = "",
    *,
    state_dir: Path | None = None,
    client: Callable[[], Client] = WorkerClient,
) -> str:
    """Record a person's verdict and write the image's caption anew; returns the caption.

    Args:
        path: the image's name, relative to the folder. verdict: accept, correct, reject or lock.
        answer: the right answer, for "correct".

    Raises:
        UserError: no such image, question or answer, or a correction the question does not allow.
    """
    with locked(state_folder(root, state_dir), root), contextlib.closing(_open(root, state_dir)) as state:
        config = _last_config(state, root)
        found = _find(root, path)
        if question == "persons":
            if verdict != ACCEPT:
                raise UserError("Persons are accepted as they are, or corrected with `set_persons`.")
            with state.transaction():
                state.set_verdict(found.name, Verdict(question, "", ACCEPT, ""))
            captioner = _captioner(state, config)
            return captioner.caption(found, captioner.stored(found, None)).text
        table = questions_of(config, BUILTIN)
        asked = _named(table, question)
        answers = _stored(state, config, _captioner(state, config), found).answers
        given = next((a for a in answers if subject(a) == (question, thing)), None)
        if given is None and verdict != CORRECT:
            raise UserError(f"{show(path)} has no answer to {question}{f' about {thing}' if thing else ''}.")
        value = given.answer if given else ""
        if verdict == CORRECT:
            value = normalize(asked, answer)
            if not value:
                raise UserError(f"{answer!r} is no answer to {question} ({asked.kind.value}).")
        elif verdict not in (ACCEPT, REJECT, LOCK):
            raise UserError(f"There is no verdict {verdict!r}: accept, correct, reject or lock.")
        with state.transaction():
            state.set_verdict(found.name, Verdict(question, thing, verdict, value))
    return _write_anew(root, found, config, state_dir, client)


def set_persons(
    root: Path,
    path: str,
    persons: Sequence[Mapping[str, object]],
    *,
    state_dir: Path | None = None,
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
    with locked(state_folder(root, state_dir), root), contextlib.closing(_open(root, state_dir)) as state:
        config = _last_config(state, root, people=True)
        found = _find(root, path)
        stored = _captioner(state, config).stored(found, None)
        if not stored.width:
            raise UserError(f"{show(path)} was not tagged yet: tag it first.")
        checked = people.checked(persons, stored.width, stored.height, config.letters)
        with state.transaction():
            if checked:
                state.set_verdict(found.name, people.verdict_of(checked))
            else:
                state.drop_verdict(found.name, people.PERSONS, "")
    return _write_anew(root, found, config, state_dir, client)


def _write_anew(
    root: Path, found: Found, config: TagConfig, state_dir: Path | None, client: Callable[[], Client]
) -> str:
    """The image's caption by its verdicts. One image's run: journaled and undoable like any other."""
    only = config.with_(include=[f"/{found.name}"], limit=None, existing="merge")
    # to the end, or the run would count as stopped
    events = list(TagJob(root, only, state_dir=state_dir, client=client).events())
    for event in events:
        if isinstance(event, ev.Image):
            return event.caption
        if isinstance(event, ev.Failed):
            raise UserError(event.reason)
    raise UserError(f"{show(found.name)} is gone: put it back.")


def _open(root: Path, state_dir: Path | None) -> State:
    file = state_folder(root, state_dir) / STATE_FILE
    if not file.exists():
        raise UserError(f"{show(str(root))} was never tagged here: there is nothing to review.")
    return State(file, root)


def _last_config(state: State, root: Path, *, people: bool = False) -> TagConfig:
    """The settings of the newest run that asked questions or, with `people`, looked for persons."""
    for run in reversed(state.runs()):
        if run.kind not in ("tag", "preview"):
            continue
        asked = run.config.get("vlm", "none") != "none"
        if run.config.get("people") or (asked and not people):
            return TagConfig.from_dict({**run.config, "include": [], "limit": None})
    if people:
        raise UserError(f"No run on {show(str(root))} looked for persons: tag it with --people first.")
    raise UserError(f"No run on {show(str(root))} asked questions: tag it with --vlm first.")


def _items(state: State, config: TagConfig, root: Path, below: float) -> Iterator[Item]:
    # once for all images: it reads the question files and looks at the models' folders
    captioner = _captioner(state, config)
    for found in scan(root, recursive=config.recursive):
        analysis = _stored(state, config, captioner, found)
        verdicts = state.verdicts(found.name)
        if config.people and not verdicts.keys() & {(people.PERSONS, ""), ("persons", "")}:
            doubt = people.doubt(analysis, captioner.caption(found, analysis))
            if doubt:
                yield Item(found.name, "persons", "", "", "", None, "", doubt)
        if not analysis.answers:
            continue
        reasons = {(d.question, d.object): d.reason for d in doubts(analysis.tags, analysis.answers)}
        for a in analysis.answers:
            where = subject(a)
            if where in verdicts:
                continue
            reason = reasons.get((a.question, a.object), "")
            if not reason and a.probability is not None and a.probability < below:
                reason = f"probability {a.probability:.2f}"
            elif not reason and not a.answer:
                reason = "the reply fits no answer"
            if reason:
                yield Item(found.name, a.question, where[1], a.answer, a.raw, a.probability, a.tag, reason)


def _urgency(item: Item) -> tuple[bool, float, str]:
    contradicted = not item.reason.startswith("probability")
    return (not contradicted, 1.0 if item.probability is None else item.probability, item.path)


def _stored(state: State, config: TagConfig, captioner: Captioner, found: Found) -> Analysis:
    """What the models said of an image. Without a tagger its answers belong to the tags of its caption."""
    existing = None
    if config.tagger == "none":
        with contextlib.suppress(ImageError):
            existing = existing_caption(state, found)
    return captioner.stored(found, existing)


def _captioner(state: State, config: TagConfig) -> Captioner:
    return Captioner(state, config, plan.known_models(state, config), questions_of(config, BUILTIN))


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
