"""The list of what to review: the order of the plain rules, whatever is known of it at a moment."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import ANSWERS, TAGS
from lib_extend.datasets.state import Part
from lib_extend.errors import UserError
from lib_extend.files.scan import scan
from lib_extend.jobs import ranking
from lib_extend.jobs.ranking import Item, Ranking, uncertain
from lib_extend.jobs.verdict_runs import decide
from lib_extend.people import corrected as people
from lib_extend.questions.answer_doubts import doubts
from lib_extend.questions.verdicts import subject
from lib_extend.records import Answer, Category, Tag
from lib_extend.worker.client import WorkerClient

from .conftest import FAKE_WORKER, images, run

NAMES = [
    f"{kind}{n:02d}{rest}.png"
    for n in range(12)
    for kind, rest in (("cake", "-red"), ("pair", ""), ("crowd", ""))
]


def plainly(root: Path, below: float) -> list[Item]:
    """The rules, image by image, with everything composed: what the ranking must come to."""
    items = []
    with ranking.opened_state(Dataset(root)) as state:
        config = ranking.last_config(state, root)
        captioner = ranking.captioner_of(state, config)
        for found in scan(root):
            analysis = ranking.stored_analysis(state, config, captioner, found)
            verdicts = state.verdicts(found.name)
            if config.people and not verdicts.keys() & {(people.PERSONS, ""), ("persons", "")}:
                doubt = people.doubt(analysis, captioner.caption(found, analysis))
                if doubt:
                    items.append(Item(found.name, "persons", "", "", "", None, "", doubt, "persons"))
            reasons = {
                (d.question, d.object): (d.reason, d.code) for d in doubts(analysis.tags, analysis.answers)
            }
            for a in analysis.answers:
                where = subject(a)
                reason, code = reasons.get((a.question, a.object), ("", ""))
                if where in verdicts:
                    continue
                if not reason and a.probability is not None and a.probability < below:
                    reason, code = f"probability {a.probability:.2f}", "uncertain"
                elif not reason and not a.answer:
                    reason, code = "the reply fits no answer", "unread"
                if reason:
                    items.append(
                        Item(
                            found.name,
                            a.question,
                            where[1],
                            a.answer,
                            a.raw,
                            a.probability,
                            a.tag,
                            reason,
                            code,
                        )
                    )

    def urgency(item: Item) -> tuple[bool, float, str]:
        contradicted = item.code != "uncertain"
        return not contradicted, 1.0 if item.probability is None else item.probability, item.path

    return sorted(items, key=urgency)


@pytest.fixture
def varied(folder: Path) -> Path:
    """Images with answers of all kinds: sure, unsure, unreadable, denied by the tagger, without a probability."""
    images(folder, *NAMES)
    run(folder, people=True, format="greek")
    rng = random.Random(1)
    with ranking.opened_state(Dataset(folder)) as state:
        config = ranking.last_config(state, folder)
        captioner = ranking.captioner_of(state, config)
        key = captioner.recipe.answers_key
        assert key
        rows = []
        for found in scan(folder):
            if rng.random() < 0.2:
                continue
            answers = []
            for thing in rng.sample(["cake", "hat", "box", "chair"], rng.randint(0, 4)):
                for question, said in (("count", ["", "0", "3"]), ("color", ["", "none", "red"])):
                    answer = rng.choice(said)
                    probability = rng.choice([None, 1.0, 0.3, 0.75, round(rng.random(), 3)])
                    tag = f"{answer}_{thing}" if answer in ("3", "red") else ""
                    answers.append(
                        Answer(
                            question, thing, answer, answer, probability, tag, person=rng.choice([0, 0, 2])
                        )
                    )
            tags = [Tag(t, Category.GENERAL, round(rng.random(), 2)) for t in ("cake", "hat", "1girl")]
            tags.append(Tag("box", Category.CHARACTER, 0.9))
            rows.append((found, ANSWERS, key, Part(64, 48, [a.to_json() for a in answers])))
            rows.append(
                (found, TAGS, captioner.recipe.models.tagger or "", Part(64, 48, [t.to_json() for t in tags]))
            )
        with state.transaction():
            state.store_parts(rows)
    return folder


@pytest.mark.parametrize("below", [0.0, 0.5, 0.8, 1.0])
def test_the_order_is_that_of_the_plain_rules(varied: Path, below: float) -> None:
    wanted = plainly(varied, below)
    assert uncertain(Dataset(varied), below=below) == wanted
    assert {i.question for i in wanted} == {"count", "color", "persons"}


def test_what_was_decided_is_left_out(varied: Path) -> None:
    before = plainly(varied, 0.8)
    for i in (before[0], next(i for i in before if i.question == "persons")):
        decide(
            Dataset(varied), i.path, i.question, i.object, "accept", client=lambda: WorkerClient(FAKE_WORKER)
        )
        assert i not in uncertain(Dataset(varied))
        assert uncertain(Dataset(varied)) == plainly(varied, 0.8)
        decide(
            Dataset(varied),
            i.path,
            i.question,
            i.object,
            "withdraw",
            client=lambda: WorkerClient(FAKE_WORKER),
        )
        assert i in uncertain(Dataset(varied))
    assert uncertain(Dataset(varied)) == before


def test_it_grows_in_its_final_order(varied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plainly(varied, 0.8)
    growing = Ranking(Dataset(varied))
    assert growing.known().items == [] and not growing.known().complete
    monkeypatch.setattr(ranking, "_STEP", 5)
    seen = []
    whole = people.doubt

    def doubt(*given: object) -> str:
        seen.append(growing.known())
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(people, "doubt", doubt)
    growing.work()
    assert seen[0].done == 0 and seen[0].total > len(seen[0].items) > 0
    for known in seen:
        assert known.items == wanted[: len(known.items)] and not known.complete
    assert len({len(known.items) for known in seen}) > 4
    last = growing.known()
    assert (last.items, last.total, last.complete) == (wanted, len(wanted), True)


def test_what_goes_wrong_reaches_whoever_asks(folder: Path) -> None:
    images(folder, "cake3-red.png")
    never = Ranking(Dataset(folder))
    never.work()
    with pytest.raises(UserError, match="never tagged"):
        never.known(1, 5.0)
