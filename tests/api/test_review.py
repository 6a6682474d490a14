"""Review, persons and captions under other settings, over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import FAKE, Server

Pictures = Callable[..., None]
PEOPLE = {**FAKE, "people": True, "format": "greek"}


def text(folder: Path, name: str) -> str:
    return (folder / name).with_suffix(".txt").read_text(encoding="utf-8")


@pytest.fixture
def tagged(server: Server, folder: Path, pictures: Pictures) -> str:
    """An open, tagged folder's id. The fake's counts have a probability of 0.9, its colors of 0.8."""
    pictures(folder, "cake3-red.png", "hat2-blue.png", "sub/cake3-red.png")
    id = server.open(folder)
    server.wait(server.job(id))
    return id


def test_the_least_certain_come_first_and_leave_when_decided(
    server: Server, folder: Path, tagged: str
) -> None:
    review = f"/datasets/{tagged}/review"
    listed = server.get(review, below=0.95)
    assert listed["total"] == 4
    assert [(r["name"], r["question"], r["probability"]) for r in listed["rows"]] == [
        ("cake3-red.png", "color", 0.8),
        ("hat2-blue.png", "color", 0.8),
        ("cake3-red.png", "count", 0.9),
        ("hat2-blue.png", "count", 0.9),
    ]
    first = listed["rows"][0]
    assert (first["object"], first["answer"], first["tag"]) == ("cake", "red", "red_cake")
    assert {"red", "blue"} <= set(first["allowed"]) and "3" in listed["rows"][2]["allowed"]
    assert server.get(review, below=0.85)["total"] == 2
    assert len(server.get(review, below=0.95, offset=3, limit=10)["rows"]) == 1

    body = {"image": "cake3-red.png", "question": "color", "object": "cake", "verdict": "correct"}
    assert "answer" in server.post(review, body, status=400)["error"]
    said = server.post(review, {**body, "answer": "green"})["caption"]
    assert "green cake" in said and "red cake" not in said and said == text(folder, "cake3-red.png")
    assert server.get(review, below=0.95)["total"] == 3
    count = {"image": "hat2-blue.png", "question": "count", "object": "hat", "verdict": "reject"}
    assert "2 hats" not in server.post(review, count)["caption"]
    assert (
        "no answer" in server.post(review, {**body, "verdict": "lock", "object": "moon"}, status=400)["error"]
    )
    assert "purply" in server.post(review, {**body, "answer": "purply"}, status=400)["error"]
    # each verdict is a run, and can be undone
    runs = server.post("/folders/open", {"path": str(folder)})["run"]
    server.wait(server.job(tagged, "undo", run=runs))
    assert "2 hats" in text(folder, "hat2-blue.png")


def test_a_verdict_touches_its_own_image_only(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake3-red.png", "sub/cake3-red.png")
    id = server.open(folder, recursive=True)
    server.wait(server.job(id))
    other = folder / "sub" / "cake3-red.txt"
    other.unlink()
    body = {"image": "cake3-red.png", "question": "color", "object": "cake", "verdict": "accept"}
    server.post(f"/datasets/{id}/review", body)
    assert not other.exists()


@pytest.mark.parametrize(
    "image", ["nothing.png", "../secret/a.png", "", "cake3-red.txt", "a\\b.png", "x\0.png"]
)
def test_a_verdict_on_no_image_of_the_folder(server: Server, tagged: str, image: str) -> None:
    body = {"image": image, "question": "color", "object": "cake", "verdict": "accept"}
    for route in ("review", "persons", "compose"):
        sent = {"review": body, "persons": {"image": image, "persons": []}, "compose": {"image": image}}
        answer = server.request("POST", f"/datasets/{tagged}/{route}", json=sent[route])
        assert answer.status_code == 404 and "no image" in answer.json()["error"]


@pytest.mark.skipif(os.name == "nt", reason="needs symlinks")
def test_a_link_outside_is_not_reviewed(
    server: Server, folder: Path, tagged: str, pictures: Pictures
) -> None:
    pictures(folder.parent / "secret", "a.png")
    (folder / "a.png").symlink_to(folder.parent / "secret" / "a.png")
    answer = server.request("POST", f"/datasets/{tagged}/compose", json={"image": "a.png"})
    assert answer.status_code == 403


def test_a_folder_that_was_never_tagged(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "a.png")
    id = server.open(folder)
    assert "never tagged" in server.request("GET", f"/datasets/{id}/review").json()["error"]
    answer = server.post(f"/datasets/{id}/compose", {"image": "a.png", "config": FAKE}, status=400)
    assert "was not analysed" in answer["error"]
    assert not (folder / ".prompt-extend").exists()


def test_a_caption_under_other_settings(server: Server, folder: Path, tagged: str) -> None:
    route = f"/datasets/{tagged}/compose"
    before = text(folder, "cake3-red.png")

    def composed(**changes: Any) -> dict[str, Any]:
        return dict(server.post(route, {"image": "cake3-red.png", "config": {**FAKE, **changes}}))

    as_it_is = composed()
    assert as_it_is["caption"] == before == as_it_is["before"] and as_it_is["missing"] == []
    assert "black hair" not in composed(threshold=0.95)["caption"]
    under = composed(underscores=True, existing="overwrite")
    assert "black_hair" in under["caption"]
    low = {d["name"]: d["reason"] for d in composed(threshold=0.95, existing="overwrite")["dropped"]}
    assert "smile" in low
    got = server.get(route, image="cake3-red.png", config='{"tagger": "fake", "vlm": "fake", "max_tags": 2}')
    assert len(got["caption"].split(", ")) == 2
    # a model that was never used has said nothing
    other = composed(vlm="another")
    assert other["missing"] == ["answers"] and "black hair" in other["caption"]
    answer = server.post(route, {"image": "cake3-red.png", "config": {"tagger": "other"}}, status=400)
    assert "was not analysed" in answer["error"]
    assert text(folder, "cake3-red.png") == before
    assert (
        server.post(route, {"image": "cake3-red.png", "config": {"seed": -1}}, status=400)["field"] == "seed"
    )


def test_persons_as_a_person_draws_them(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "pair.png", size=(64, 48))
    id = server.open(folder)
    server.wait(server.job(id, config=PEOPLE))
    assert "α black hair" in text(folder, "pair.png") and "β white hair" in text(folder, "pair.png")
    persons = [
        {"letter": "β", "box": [0, 0, 30, 48], "tags": ["black_hair", "red_eyes"]},
        {"letter": "α", "box": [32, 0, 900, 48], "tags": ["white_hair", "hat"]},
    ]
    said = server.post(f"/datasets/{id}/persons", {"image": "pair.png", "persons": persons})["caption"]
    assert "α white hair" in said and "β red eyes" in said and said == text(folder, "pair.png")
    composed = server.post(f"/datasets/{id}/compose", {"image": "pair.png", "config": PEOPLE})
    boxes = {p["letter"]: p["box"] for p in composed["persons"]}
    assert boxes == {"β": [0, 0, 30, 48], "α": [32, 0, 64, 48]}
    for wrong, said in (
        ([{"letter": "α", "box": [0, 0, 0, 0], "tags": []}], "no area"),
        ([{"letter": "x", "box": [0, 0, 9, 9], "tags": []}], "letter"),
        (["α"], "persons[0] must be an object"),
        ([{}] * 21, "from 0 to 20"),
    ):
        body = {"image": "pair.png", "persons": wrong}
        assert said in server.post(f"/datasets/{id}/persons", body, status=400)["error"]
    back = server.post(f"/datasets/{id}/persons", {"image": "pair.png", "persons": []})["caption"]
    assert "α black hair" in back


def test_a_withdrawn_verdict_is_listed_again(server: Server, folder: Path, tagged: str) -> None:
    review = f"/datasets/{tagged}/review"
    listed = server.get(review, below=0.95)
    assert listed["complete"] and (listed["done"], listed["images"]) == (2, 2)
    before = text(folder, "cake3-red.png")
    body = {"image": "cake3-red.png", "question": "color", "object": "cake"}
    for verdict in ({"verdict": "reject"}, {"verdict": "correct", "answer": "green"}, {"verdict": "lock"}):
        server.post(review, {**body, **verdict})
        assert server.get(review, below=0.95)["total"] == listed["total"] - 1
        assert server.post(review, {**body, "verdict": "withdraw"})["caption"] == before
        assert text(folder, "cake3-red.png") == before
        assert server.get(review, below=0.95) == listed
    # also when the list was made after the verdict
    server.post(review, {**body, "verdict": "reject"})
    server.services.reviews = type(server.services.reviews)()
    assert server.get(review, below=0.95)["total"] == listed["total"] - 1
    server.post(review, {**body, "verdict": "withdraw"})
    assert server.get(review, below=0.95) == listed
    # and the next run asks no model and keeps the caption
    server.wait(server.job(tagged))
    assert text(folder, "cake3-red.png") == before
