"""The answers and images of a tagged folder that a person should check, the most urgent first. The list grows while it
is made.

The answers are ranked from what is stored of them, all at once. Whether an image's persons could be told apart takes
composing its caption: that is done image after image, and the list grows meanwhile.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lib_extend.captions.prose_verdicts import PROSE
from lib_extend.captions.thresholds import agreed
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import ANSWERS, TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored, stored_json
from lib_extend.errors import ImageError, UserError
from lib_extend.files.scan import Found, scan, show
from lib_extend.jobs.captioning import Captioner, existing_caption
from lib_extend.jobs.description_doubts import doubted
from lib_extend.parts.part_table import parts
from lib_extend.people import corrected as people
from lib_extend.questions.answer_doubts import doubts
from lib_extend.questions.answer_reading import NO
from lib_extend.questions.verdicts import subject
from lib_extend.records import Analysis, Answer, Record, Tag
from lib_extend.vocabulary import colors

_DENIALS = ("0", NO, colors.NONE)
_STEP = 100
"""Images between two notes of how far it is."""


UNCERTAIN, UNREAD = "uncertain", "unread"


@dataclass(frozen=True)
class Item(Record):
    """One answer to look at, or who has which in one image (question "persons"), or its description ("prose/").

    Attributes:
        path: the image's name. question, object, answer, raw, probability, tag: as in `Answer`; the object of an
            answer about one person is `skirt@2`.
        reason: why it is here ("probability 0.42", or a contradiction). code: the same for programs: that of a `Doubt`,
            `uncertain`, `unread` or `persons`, or that of a `Contradiction`.
    """

    path: str
    question: str
    object: str
    answer: str
    raw: str
    probability: float | None
    tag: str
    reason: str
    code: str = UNCERTAIN


@dataclass(frozen=True)
class Known:
    """The present state of a ranking.

    Attributes:
        items: the first ones, in their final order. total: how many there are so far, also behind those.
        done, images: images looked at, of how many. complete: whether all is known.
    """

    items: list[Item]
    total: int
    done: int
    images: int
    complete: bool


class Ranking:
    """The items of one folder. `work` fills it, in this thread or another; `known` can be asked at any time.

    Contradicted answers come first, then images whose persons could not be told apart or whose descriptions are
    contradicted, then the least certain answers; what has a verdict is left out. Uses the settings of the newest run with questions or persons.
    """

    def __init__(self, dataset: Dataset, *, below: float = 0.8) -> None:
        self._dataset, self._below = dataset, below
        self._more = threading.Condition()
        self._before: list[Item] = []
        self._among: list[Item] = []  # with the persons, by path
        self._persons: list[Item] = []
        self._after: list[Item] = []
        self._reached = ""
        self._ranked = self._complete = False
        self._done = self._images = 0
        self._error: BaseException | None = None

    def work(self) -> None:
        """Make the whole list. `known` raises the errors."""
        try:
            with opened_state(self._dataset) as state:
                self._look(state)
        except Exception as e:  # noqa: BLE001 - raised again by whoever asks
            self._error = e
        with self._more:
            self._complete = True
            self._more.notify_all()

    def known(self, wanted: int = 0, seconds: float = 0.0) -> Known:
        """What is known as soon as there are `wanted` items in their order, or after some seconds.

        Raises:
            UserError: the folder was never tagged with questions or persons.
        """
        end = time.monotonic() + seconds
        with self._more:
            while not self._complete and (not self._ranked or self._settled() < wanted):
                left = end - time.monotonic()
                if left <= 0 or not self._more.wait(left):
                    break
            if self._error is not None:
                raise self._error
            if not self._ranked:
                return Known([], 0, 0, self._images, self._complete)
            middle = sorted([*self._persons, *self._among], key=lambda i: i.path)
            total = len(self._before) + len(middle) + len(self._after)
            if self._complete:
                return Known([*self._before, *middle, *self._after], total, self._done, self._images, True)
            reached = [i for i in middle if i.path <= self._reached]
            return Known([*self._before, *reached], total, self._done, self._images, False)

    def _settled(self) -> int:
        """How many items have their final place."""
        among = sum(i.path <= self._reached for i in self._among)
        return len(self._before) + len(self._persons) + among

    def _look(self, state: State) -> None:
        config = last_config(state, self._dataset.root)
        # once for all images: it reads the question files and looks at the models' folders
        captioner = captioner_of(state, config)
        left_out = state.left_out()
        listed = scan(self._dataset.root, recursive=config.recursive, exclude=config.exclude_images)
        found = [f for f in listed if f.name not in left_out]
        judged = state.judged()
        items = sorted(self._answers(state, config, captioner, found, judged), key=_urgency)
        last = next((n for n, i in enumerate(items) if not _contradicted(i)), len(items))
        first = next((n for n, i in enumerate(items[:last]) if _urgency(i)[1] >= 1.0), last)
        with self._more:
            self._before, self._among, self._after = items[:first], items[first:last], items[last:]
            self._images, self._ranked = len(found), True
            self._more.notify_all()
        if not (config.people or config.prose):
            self._done = len(found)
            return
        for start in range(0, len(found), _STEP):
            some = found[start : start + _STEP]
            fresh = list(self._doubtful(state, config, captioner, some, judged)) if config.people else []
            fresh += self._described(state, config, captioner, some, judged) if config.prose else ()
            with self._more:
                self._persons += fresh
                self._done = start + len(some)
                self._reached = some[-1].name
                self._more.notify_all()

    def _answers(
        self,
        state: State,
        config: TagConfig,
        captioner: Captioner,
        found: Sequence[Found],
        judged: Mapping[str, set[tuple[str, str]]],
    ) -> Iterator[Item]:
        """The answers to look at, of each image in the order in which they were given."""
        by_name = {f.name: f for f in found}
        for name, answers in _stored_answers(state, config, captioner, found):
            here = by_name.get(name)
            if here is None or not any(stored(partial(_noteworthy, below=self._below), a) for a in answers):
                continue
            given = [stored(Answer.from_json, a) for a in answers]
            reasons = {
                (d.question, d.object): (d.reason, d.code)
                for d in doubts(_denied(state, captioner, here, given), given)
            }
            decided = judged.get(name, set())
            for a in given:
                where = subject(a)
                if where in decided:
                    continue
                reason, code = reasons.get((a.question, a.object), ("", ""))
                if not reason and a.probability is not None and a.probability < self._below:
                    reason, code = f"probability {a.probability:.2f}", UNCERTAIN
                elif not reason and not a.answer:
                    reason, code = "the reply fits no answer", UNREAD
                if reason:
                    yield Item(
                        name, a.question, where[1], a.answer, a.raw, a.probability, a.tag, reason, code
                    )

    def _doubtful(
        self,
        state: State,
        config: TagConfig,
        captioner: Captioner,
        found: Sequence[Found],
        judged: Mapping[str, set[tuple[str, str]]],
    ) -> Iterator[Item]:
        """The images whose persons could not be told apart."""
        for f in found:
            if judged.get(f.name, set()) & {(people.PERSONS, ""), ("persons", "")}:
                continue
            analysis = stored_analysis(state, config, captioner, f)
            doubt = people.doubt(analysis, captioner.caption(f, analysis))
            if doubt:
                yield Item(f.name, "persons", "", "", "", None, "", doubt, "persons")

    def _described(
        self,
        state: State,
        config: TagConfig,
        captioner: Captioner,
        found: Sequence[Found],
        judged: Mapping[str, set[tuple[str, str]]],
    ) -> Iterator[Item]:
        """The images whose descriptions contradict what is known of them, or the user's wishes."""
        for f in found:
            if (PROSE, "") in judged.get(f.name, set()):
                continue
            told, wrong = doubted(state, config, captioner, f)
            if told is not None and wrong:
                reasons = "; ".join(c.reason for c in wrong)
                yield Item(f.name, PROSE, "", told.text, told.text, None, "", reasons, wrong[0].code)


# what is stored


@contextlib.contextmanager
def opened_state(dataset: Dataset) -> Iterator[State]:
    """The dataset's state. Raises UserError when it was never tagged."""
    check_tagged(dataset)
    with dataset.state() as state:
        yield state


def check_tagged(dataset: Dataset) -> None:
    """Raises UserError when the dataset was never tagged."""
    if not dataset.has_state:
        raise UserError(f"{show(str(dataset.root))} was never tagged here: there is nothing to review.")


def last_config(state: State, root: Path, *, people: bool = False) -> TagConfig:
    """The settings of the newest run that asked questions or, with `people`, looked for persons."""
    for run in reversed(state.runs()):
        if run.kind not in ("tag", "preview", "curate"):
            continue
        asked = run.config.get("vlm", "none") != "none"
        if run.config.get("people") or (asked and not people):
            return TagConfig.from_dict({**run.config, "include": [], "limit": None})
    if people:
        raise UserError(f"No run on {show(str(root))} looked for persons: tag it with --people first.")
    raise UserError(f"No run on {show(str(root))} asked questions: tag it with --vlm first.")


def captioner_of(state: State, config: TagConfig) -> Captioner:
    """What composes captions by these settings. Raises UserError when a question file cannot be read."""
    return Captioner(state, Recipe.of(config).known_in(state))


def stored_analysis(state: State, config: TagConfig, captioner: Captioner, found: Found) -> Analysis:
    """What the models said of an image. Without a tagger its answers belong to the tags of its caption."""
    existing = None
    if config.tagger == "none":
        with contextlib.suppress(ImageError):
            existing = existing_caption(state, found, config)
    return captioner.stored(found, existing)


def _stored_answers(
    state: State, config: TagConfig, captioner: Captioner, found: Sequence[Found]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The answers of each image as JSON values; images without any may be missing."""
    if config.tagger == "none":  # each image's are stored under its own key
        for f in found:
            yield f.name, [a.to_json() for a in stored_analysis(state, config, captioner, f).answers]
        return
    if not captioner.recipe.questions:
        return
    key = captioner.recipe.answers_key
    now = {f.name: (f.size, f.mtime_ns) for f in found}
    for name, size, mtime, payload in state.payloads(ANSWERS, key):
        if now.get(name) == (size, mtime):
            yield name, stored_json(list, payload)


def _noteworthy(answer: Mapping[str, Any], below: float) -> bool:
    """Whether an image can only be on the list because of an answer like this one."""
    given, probability = answer["answer"], answer["probability"]
    return not given or given in _DENIALS or (probability is not None and probability < below)


def _denied(state: State, captioner: Captioner, found: Found, answers: Sequence[Answer]) -> list[Tag]:
    """The tagger's tags for things that an answer denies: no others contradict an answer."""
    names = {a.object for a in answers if a.object and a.answer in _DENIALS}
    tagger = captioner.recipe.models.tagger
    part = state.part(found, TAGS, tagger) if names and tagger else None
    if part is None:
        return []
    analysis = Analysis(part.width, part.height, stored(parts()[TAGS].from_json, part.payload))
    recipe = captioner.recipe
    return [t for t in agreed(analysis, recipe.config, recipe.thresholds).tags if t.name in names]


def _contradicted(item: Item) -> bool:
    return item.code != UNCERTAIN


def _urgency(item: Item) -> tuple[bool, float, str]:
    return (not _contradicted(item), 1.0 if item.probability is None else item.probability, item.path)


def uncertain(dataset: Dataset, *, below: float = 0.8) -> list[Item]:
    """The answers below a probability, and those something contradicts, without a verdict yet; images whose persons
    could not be told apart. See `Ranking` for the order.

    Raises:
        UserError: the folder was never tagged with questions or persons.
    """
    ranking = Ranking(dataset, below=below)
    ranking.work()
    return ranking.known().items
