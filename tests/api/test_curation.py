"""The view Curate over HTTP: what would go, why, and saying otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server

Pictures = Callable[..., None]
PLAIN = {"tagger": "fake", "vlm": "none"}


@pytest.fixture
def tagged(server: Server, folder: Path, pictures: Pictures) -> str:
    """An open, tagged folder's id: six pictures of one girl, one of two."""
    pictures(folder, *(f"cake{i}-red.png" for i in range(1, 7)), "pair1-red.png")
    (folder / "pair1-red.txt").write_text("long hair, very long hair", encoding="utf-8")
    id = server.open(folder)
    server.wait(server.job(id, config=PLAIN))
    return id


def row(table: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (r for r in table["rows"] if r["name"] == name)
    return found


def test_what_would_go_is_told_tag_by_tag(server: Server, tagged: str) -> None:
    table = server.post(f"/datasets/{tagged}/curation", {"config": {"trigger": "hoshi"}})
    assert (table["pictures"], table["problems"]) == (7, [])
    black = row(table, "black_hair")
    # six alone, and on the seventh nobody knows whose hair it is
    assert (black["pictures"], black["kept"], black["dropped"]) == (7, 1, 6)
    assert black["by"] == [
        {"step": "core", "code": "core_tag", "pictures": 6, "fields": {"character": "hoshi", "share": 1.0, "pictures": 6},
         "reason": "hoshi has it on 100 % of 6 pictures"}
    ]  # fmt: skip
    long = row(table, "long_hair")
    assert (long["own"], long["dropped"]) == (1, 0)  # a person wrote it
    steps = {s["name"]: s["dropped"] for s in table["steps"]}
    assert steps["core"] == 6 and steps["blacklist"] == 0
    some = server.post(f"/datasets/{tagged}/curation", {"config": {"trigger": "hoshi"}, "only": "dropped"})
    assert [r["name"] for r in some["rows"]] == ["black_hair", "multiple_girls"] and some["total"] == 2
    assert some["rows"][1]["by"][0]["fields"]["by"] == "2girls"
    none = server.post(f"/datasets/{tagged}/curation", {"config": {"prune": "none"}, "only": "dropped"})
    assert none["rows"] == []
    cut = server.post(f"/datasets/{tagged}/curation", {"config": {"prune": "none", "max_tags": 3}})
    assert row(cut, "smile")["dropped"] == 7 and row(cut, "smile")["by"][0]["code"] == "limit"


def test_core_tags_have_their_share(server: Server, tagged: str) -> None:
    core = server.post(f"/datasets/{tagged}/curation/core", {"config": {"trigger": "hoshi"}})
    (hoshi,) = core["characters"]
    assert (hoshi["name"], hoshi["pictures"], hoshi["enough"]) == ("hoshi", 6, True)
    assert hoshi["tags"] == [
        {"name": "black_hair", "count": 6, "share": 1.0, "use": "dropped", "init": False, "difficulty": 0, "overrule": ""},
        {"name": "cake", "count": 6, "share": 1.0, "use": "kept", "init": False, "difficulty": None, "overrule": ""},
    ]  # fmt: skip


def test_a_picture_says_why_a_tag_is_not_there(server: Server, tagged: str) -> None:
    body = {"image": "cake1-red.png", "config": {"trigger": "hoshi"}}
    shown = server.post(f"/datasets/{tagged}/curation/picture", body)
    assert shown["before"] == "1girl, black hair, cake, smile"
    assert shown["after"] == "hoshi, 1girl, cake, smile"
    codes = {d["name"]: d["code"] for d in shown["dropped"]}
    assert codes["black_hair"] == "core_tag" and codes["hat"] == "below_threshold"
    assert shown["missing"] == []


def test_what_the_user_says_of_a_tag_is_heeded_at_once(server: Server, folder: Path, tagged: str) -> None:
    place = f"/datasets/{tagged}/curation"
    assert server.get(f"{place}/overrules") == {"overrules": {}}
    said = server.post(f"{place}/overrules", {"tag": "black hair", "decision": "keep"})
    server.post(f"{place}/overrules", {"tag": "smile", "decision": "drop"})
    assert said == {"overrules": {"black_hair": "keep"}}
    table = server.post(place, {"config": {"trigger": "hoshi"}})
    assert row(table, "black_hair")["dropped"] == 0 and row(table, "black_hair")["overrule"] == "keep"
    assert row(table, "smile")["kept"] == 0
    server.post(f"{place}/overrules", {"tag": "black hair", "decision": ""})
    assert row(server.post(place, {"config": {"trigger": "hoshi"}}), "black_hair")["dropped"] == 6
    assert (
        "decision" in server.post(f"{place}/overrules", {"tag": "x", "decision": "no"}, status=400)["error"]
    )


def test_the_table_and_the_run_agree(server: Server, folder: Path, tagged: str) -> None:
    before = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.txt")}
    config = {"trigger": "hoshi"}
    table = server.post(f"/datasets/{tagged}/curation", {"config": config, "limit": 1000})
    server.wait(server.job(tagged, kind="curate", config=config))
    after = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.txt")}
    for told in table["rows"]:
        name = told["name"].replace("_", " ")
        stands = sum(name in text.split(", ") for text in after.values())
        assert stands == told["kept"], told
    # captions that changed are seen at once, and curating them again changes nothing
    again = server.post(f"/datasets/{tagged}/curation", {"config": config, "limit": 1000})
    assert {r["name"]: r["kept"] for r in again["rows"]} == {r["name"]: r["kept"] for r in table["rows"]}
    server.wait(server.job(tagged, kind="undo"))
    assert {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.txt")} == before


def test_a_wrong_list_is_named(server: Server, tagged: str) -> None:
    body = {"config": {"overlap": ["/nowhere/overlap.json"]}}
    answer = server.post(f"/datasets/{tagged}/curation", body, status=400)
    assert "overlap.json" in answer["error"] and answer["field"] == "overlap"
