"""Whose tag is whose in the captions of a folder: written, re-composed, corrected, reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.undo import undo
from lib_extend.jobs.verdict_runs import decide, set_persons, uncertain
from lib_extend.worker.client import WorkerClient

from .conftest import FAKE_WORKER, caption, finished, images, job, names, run

GREEK: dict[str, Any] = {"people": True, "format": "greek", "vlm": "none"}
BOXES: list[dict[str, object]] = [
    {"letter": "β", "box": [0, 0, 30, 48], "tags": ["black hair", "dress"]},
    {"letter": "α", "box": [32, 0, 62, 48], "tags": ["white hair", "hat", "red scarf"]},
]


def client() -> WorkerClient:
    return WorkerClient(FAKE_WORKER)


def event(events: list[ev.Event], name: str) -> ev.Image:
    return next(e for e in events if isinstance(e, ev.Image) and e.path == name)


def test_letters(folder: Path) -> None:
    images(folder, "pair.png")
    events = run(folder, **GREEK)
    assert caption(folder, "pair.png") == (
        "2girls, multiple girls, α black hair, α dress, β hat, β white hair, smile, indoors"
    )
    image = event(events, "pair.png")
    assert [(p.letter, [t.name for t in p.tags]) for p in image.persons] == [
        ("α", ["black_hair", "dress"]),
        ("β", ["hat", "white_hair"]),
    ]
    assert image.to_json()["persons"][1]["box"] == [32, 0, 62, 48]
    assert finished(events).separated == 1


def test_other_letters_shared_tags_and_positions_run_no_model(folder: Path, log: Path) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK)
    log.write_bytes(b"")
    run(folder, **GREEK, letters=("A", "B"), letter_separator=": ", shared_tags="each", positions=True)
    assert caption(folder, "pair.png") == (
        "2girls, multiple girls, A: black hair, A: dress, A: smile, A: on the left, "
        "B: hat, B: smile, B: white hair, B: on the right, indoors"
    )
    assert log.read_bytes() == b""


def test_back_to_plain(folder: Path, log: Path) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK)
    log.write_bytes(b"")
    run(folder, vlm="none")
    assert {"α black hair", "β white hair", "indoors"} <= names(folder, "pair.png"), "what was found stays"
    assert not {"black hair", "white hair"} & names(folder, "pair.png"), "and is not said twice"
    run(folder, vlm="none", drop_earlier=True)
    assert names(folder, "pair.png") == {
        "2girls", "multiple girls", "black hair", "white hair", "hat", "smile", "indoors",
    }  # fmt: skip
    assert log.read_bytes() == b""


def test_the_published_loras_order(folder: Path) -> None:
    images(folder, "pair.png")
    run(folder, **{**GREEK, "format": "separation"})
    text = caption(folder, "pair.png")
    assert text.startswith("2girls, multiple girls, α black hair")
    assert text.endswith("β white hair, indoors, smile\n") or text.endswith("β white hair, smile, indoors")


def test_an_own_template(folder: Path) -> None:
    images(folder, "pair.png")
    run(folder, **{**GREEK, "format": "{people} | {persons} | {general}"})
    assert caption(folder, "pair.png") == (
        "2girls, multiple girls | α black hair, α dress, β hat, β white hair | smile, indoors"
    )


def test_who_cannot_be_told_apart_gets_a_caption_and_a_reason(folder: Path) -> None:
    images(folder, "crowd.png", "cake1-red.png")
    events = run(folder, **GREEK)
    assert caption(folder, "crowd.png").startswith("2girls, multiple girls, black hair")
    assert event(events, "crowd.png").reason == "7 persons were found, and there are letters for 5"
    assert caption(folder, "cake1-red.png") == "1girl, α black hair, α smile, cake"
    assert finished(events).separated == 1


def test_excluded_and_replaced_tags_have_no_letter_either(folder: Path) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK, exclude=("dress",), replace=("white_hair=silver_hair",))
    assert caption(folder, "pair.png") == (
        "2girls, multiple girls, α black hair, β hat, β silver hair, smile, indoors"
    )


def test_what_a_person_edits_stays_edited(folder: Path) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK)
    file = folder / "pair.txt"
    file.write_text("2girls, α black hair, β white hair, β red scarf, smile, indoors", encoding="utf-8")
    run(folder, **GREEK, sort="alphabetical")
    got = names(folder, "pair.png")
    assert got == {"2girls", "α black hair", "β white hair", "β red scarf", "smile", "indoors"}
    text = caption(folder, "pair.png")
    assert text.index("β red scarf") < text.index("indoors"), "a lettered tag stands with its person"


def test_corrected_persons_stay(folder: Path, log: Path) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK)
    before = (folder / "pair.txt").read_bytes()
    text = set_persons(Dataset(folder), "pair.png", BOXES, client=client)
    wanted = "2girls, multiple girls, α white hair, α hat, α red scarf, β black hair, β dress, smile, indoors"
    assert text == wanted
    log.write_bytes(b"")
    run(folder, **GREEK, threshold=0.4)
    assert caption(folder, "pair.png") == wanted
    assert log.read_bytes() == b""
    undo(Dataset(folder))
    assert (folder / "pair.txt").read_bytes() == before
    set_persons(Dataset(folder), "pair.png", [], client=client)
    assert "α black hair" in caption(folder, "pair.png")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"letter": "x"}, r"persons\[1\].letter is 'x', but must be one of: α β γ δ ε"),
        ({"letter": "β"}, "another person has already"),
        ({"box": [1, 2, 3]}, "four numbers"),
        ({"box": [1, 2, True, 4]}, "four numbers"),
        ({"box": [100, 0, 200, 40]}, "no area inside the picture of 64×48 pixels"),
        ({"tags": "hat"}, "list of tags"),
    ],
)
def test_wrong_persons_change_nothing(folder: Path, change: dict[str, object], words: str) -> None:
    images(folder, "pair.png")
    run(folder, **GREEK)
    before = (folder / "pair.txt").read_bytes()
    with pytest.raises(UserError, match=words):
        set_persons(Dataset(folder), "pair.png", [BOXES[0], {**BOXES[1], **change}], client=client)
    assert (folder / "pair.txt").read_bytes() == before


def test_review_shows_pictures_that_were_not_separated(folder: Path) -> None:
    images(folder, "pair.png", "crowd.png")
    run(folder, **GREEK)
    items = uncertain(Dataset(folder))
    assert [(i.path, i.question, i.reason) for i in items] == [
        ("crowd.png", "persons", "7 persons were found, and there are letters for 5")
    ]
    decide(Dataset(folder), "crowd.png", "persons", "", "accept", client=client)
    assert uncertain(Dataset(folder)) == []


def test_people_continue_after_a_stop(folder: Path, log: Path) -> None:
    images(folder, *(f"pair{i}-red.png" for i in range(9)), "slow1-red.png")
    first = job(folder, **GREEK)
    for e in first.events():
        if isinstance(e, ev.Image):
            first.stop()
    done = log.read_bytes().count(b"pair")
    run(folder, **GREEK, exclude=("nothing",))
    assert log.read_bytes().count(b"pair") <= 9 + 8 and done >= 1
    assert all("α black hair" in caption(folder, f"pair{i}-red.png") for i in range(9))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"people": True, "tagger": "none"}, "needs a tagger"),
        ({"format": "greek"}, "add --people"),
        ({"people": True, "letters": ()}, "one to five"),
        ({"people": True, "letters": ("a", "a")}, "must differ"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        TagConfig(**options)
