"""The routes about tags: finding them while typing, facts, the lists at hand, duplicates of meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .conftest import Server


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    for number, caption in enumerate(
        ["black hair, my oc, hat", "black-hair, my oc", "blackhair, long hair, peace sign, v"]
    ):
        Image.new("RGB", (8, 6)).save(root / f"{number}.png")
        (root / f"{number}.txt").write_text(caption, encoding="utf-8")
    return root


def names(answer: Any) -> list[str]:
    return [tag["name"] for tag in answer["tags"]]


def test_complete(server: Server) -> None:
    answer = server.get("/vocabulary/complete", text="long ha", limit=3)
    assert names(answer) == ["long_hair", "very_long_hair", "low-tied_long_hair"]
    first = answer["tags"][0]
    assert (first["category"], first["group"], first["rough"]) == ("general", "hair length", True)
    assert first["count"] >= 1_000_000 and first["here"] == 0
    assert server.get("/vocabulary/complete", text="victory", limit=1)["tags"][0]["alias"] == "victory_sign"


def test_the_folders_own_tags_go_first(server: Server, captions: Path) -> None:
    folder = server.open(captions)
    answer = server.get("/vocabulary/complete", text="m", folder=folder)
    assert answer["tags"][0]["name"] == "my_oc"
    assert (answer["tags"][0]["here"], answer["tags"][0]["category"]) == (2, None)
    sign = server.get("/vocabulary/complete", text="peace", folder=folder)["tags"][0]
    assert (sign["name"], sign["means"], sign["here"]) == ("peace_sign", "v", 1)


def test_a_list_of_the_users_own(server: Server) -> None:
    lists = server.services.data / "tag-lists"
    lists.mkdir(parents=True)
    (lists / "mine.csv").write_text(
        'my_character,4,77,"nickname"\nlong_hair,0,4900000,\n' + "x" * 400 + ",0,1,\n", encoding="utf-8"
    )
    (lists / "zh.csv").write_text("long_hair,长发\n", encoding="utf-8")
    server.services.vocabularies.settle()
    assert server.get("/vocabulary/complete", text="nick")["tags"][0] == {
        "name": "my_character", "category": "character", "count": 77, "rough": False, "alias": "nickname", "means": "",
        "group": "", "translation": "", "here": 0,
    }  # fmt: skip
    translated = server.get("/vocabulary/complete", text="长")["tags"][0]
    assert (translated["name"], translated["translation"], translated["alias"]) == (
        "long_hair",
        "长发",
        "长发",
    )
    assert (translated["count"], translated["rough"], translated["group"]) == (
        4_900_000,
        False,
        "hair length",
    )
    answer = server.get("/vocabulary")
    assert [s["name"] for s in answer["sources"]] == ["mine.csv", "zh.csv", "own"]
    assert [(p["file"], p["line"]) for p in answer["problems"]] == [("mine.csv", 3)]


def test_facts(server: Server) -> None:
    tags = server.get("/vocabulary/tags", names="very long hair,peace_sign,nobody_knows")["tags"]
    assert tags["very long hair"]["implies"] == ["long_hair"]
    assert tags["very long hair"]["excludes"] == ["hair length"]
    assert tags["peace_sign"]["name"] == "v"
    assert tags["nobody_knows"] is None


def test_duplicates(server: Server, captions: Path) -> None:
    folder = server.open(captions)
    groups = server.get(f"/datasets/{folder}/tags/duplicates")["groups"]
    assert {g["proposed"]: g["reason"] for g in groups} == {"black_hair": "spelling", "v": "alias"}
    assert sum(tag["count"] for tag in groups[0]["tags"]) == groups[0]["pictures"] == 3
