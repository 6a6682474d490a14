"""Descriptions in a folder's captions: written by the styles that take them, kept, and a person's never touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.ranking import uncertain
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.jobs.verdict_runs import decide
from lib_extend.worker.client import WorkerClient
from tests.jobs.conftest import FAKE_WORKER, images, run

TOLD = "A girl with black hair looks at 3 red cakes."
MINE = "She is Sumire; 3 cakes (my own)."


def caption(folder: Path, name: str = "cake3-red") -> str:
    return (folder / f"{name}.txt").read_text(encoding="utf-8")


def write(folder: Path, text: str) -> None:
    (folder / "cake3-red.txt").write_text(text, encoding="utf-8")


FORMATS = (
    "anima",
    "prose",
    "newbie",
    "json",
    "json-description",
    '{"a": "{prose}", "b": ["{general}", "{persons}"]}',
)


@pytest.mark.parametrize("format", FORMATS)
def test_styles_that_take_prose_write_it_and_keep_it(folder: Path, format: str) -> None:
    images(folder, "pair3-red.png")
    told = TOLD.replace("cakes", "pairs")
    run(folder, prose=True, people=True, format=format)
    first = caption(folder, "pair3-red")
    assert first.count(told) == 1
    if format == "prose":
        assert first.strip() == told
    if format.startswith(("json", "{")):
        json.loads(first)
    run(folder, prose=True, people=True, format=format)
    assert caption(folder, "pair3-red") == first
    run(folder, people=True, format=format)
    assert caption(folder, "pair3-red") == first, "a run that does not ask keeps what an earlier one found"


def test_a_list_has_no_description(folder: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, prose=True, format="anima")
    (image,) = (e for e in run(folder, prose=True, format="plain") if isinstance(e, ev.Image))
    assert TOLD not in caption(folder) and "3 cakes" in caption(folder)
    assert [d.code for d in image.dropped if d.name == TOLD] == ["no_prose"]
    run(folder, prose=True, format="anima")
    assert caption(folder).count(TOLD) == 1


@pytest.mark.parametrize("format", ["anima", "prose", "newbie", "json"])
def test_a_persons_prose_is_theirs(folder: Path, format: str) -> None:
    images(folder, "cake3-red.png")
    run(folder, prose=True, format=format)
    write(folder, caption(folder).replace(TOLD, MINE))
    for settings in ({}, {"prose_length": "long"}, {"vlm": "another"}):
        run(folder, prose=True, format=format, **settings)
        assert caption(folder).count(MINE) == 1 and TOLD not in caption(folder)


@pytest.mark.parametrize("format", ["anima", "newbie"])
def test_a_description_that_a_person_took_out_stays_out(folder: Path, format: str) -> None:
    images(folder, "cake3-red.png")
    run(folder, prose=True, format=format)
    write(folder, caption(folder).replace(TOLD, ""))
    run(folder, prose=True, format=format)
    run(folder, prose=True, format=format, vlm="another")
    assert TOLD not in caption(folder) and "smile" in caption(folder)


def test_a_sentence_beside_ours_leaves_both(folder: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, prose=True, format="anima")
    write(folder, f"{caption(folder).rstrip()} {MINE}")
    run(folder, prose=True, format="anima")
    assert caption(folder).count(TOLD) == 1 and caption(folder).count(MINE) == 1


def test_a_limit_of_tags_does_not_cut_the_description(folder: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, prose=True, format="anima", max_tags=1)
    assert caption(folder) == f"1girl. {TOLD}"


WRONG = "A girl with black hair looks at 4 red cakes."


def say(folder: Path, verdict: str, answer: str = "") -> str:
    client = lambda: WorkerClient(FAKE_WORKER)  # noqa: E731
    return decide(Dataset(folder), "cake3-red-wrong.png", "prose/", "", verdict, answer, client=client)


def test_a_wrong_description_is_on_the_list_and_a_persons_word_on_it_holds(folder: Path) -> None:
    images(folder, "cake3-red-wrong.png", "cake3-red.png")
    run(folder, prose=True, format="anima")
    items = [i for i in uncertain(Dataset(folder)) if i.question == "prose/"]
    assert [(i.path, i.answer, i.code, i.reason) for i in items] == [
        ("cake3-red-wrong.png", WRONG, "prose_count", "there are 3 cakes, not 4")
    ]
    name = "cake3-red-wrong"
    assert WRONG in caption(folder, name)
    assert WRONG not in say(folder, "reject")
    assert not [i for i in uncertain(Dataset(folder)) if i.question == "prose/"], "it is decided"
    assert MINE in say(folder, "correct", f" {MINE}\n") and WRONG not in caption(folder, name)
    for settings in (
        {"prose": True},
        {"prose": True, "vlm": "another"},
        {},
        {"prose": True, "prose_length": "short"},
    ):
        run(folder, format="anima", **settings)
        assert MINE in caption(folder, name) and WRONG not in caption(folder, name)
    assert WRONG in say(folder, "withdraw")
    with pytest.raises(UserError, match="reject the one that is there"):
        say(folder, "correct", " ")


def test_what_is_corrected_in_review_makes_a_description_right_or_wrong(folder: Path) -> None:
    images(folder, "cake3-red-wrong.png")
    run(folder, prose=True, format="anima")
    client = lambda: WorkerClient(FAKE_WORKER)  # noqa: E731
    decide(Dataset(folder), "cake3-red-wrong.png", "count", "cake", "correct", "4", client=client)
    assert not [i for i in uncertain(Dataset(folder)) if i.question == "prose/"]


def test_undo_takes_a_description_back(folder: Path) -> None:
    images(folder, "cake3-red.png")
    run(folder, format="anima")
    before = caption(folder)
    run(folder, prose=True, format="anima")
    assert TOLD in caption(folder)
    undo(Dataset(folder), list_runs(Dataset(folder))[-1].id)
    assert caption(folder) == before
