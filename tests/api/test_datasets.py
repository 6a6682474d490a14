"""The routes of browsing over HTTP: lists, pictures, captions, edits, runs; and whom they refuse."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from lib_extend.files.lock import locked
from lib_extend.jobs import edit_runs as bulk
from lib_extend.services.lifo_executor import LifoExecutor

from .conftest import Server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    put(root, "a.png", "1girl, red hair")
    put(root, "b c#ü.png", "hat")
    put(root, "d.png")
    return root


def put(root: Path, name: str, caption: str | None = None) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), "red").save(path)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")


def text(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def at(folder: str, route: str) -> str:
    return f"/datasets/{folder}/{route}"


# lists


def test_images_and_tags(server: Server, folder: Path) -> None:
    id = server.open(folder)
    answer = server.get(at(id, "images"), filter="has:caption", sort="-name", limit=1)
    (row,) = answer["rows"]
    assert answer["total"] == 2
    assert (row["id"], row["name"], row["w"], row["h"]) == ("b%20c%23%C3%BC.png", "b c#ü.png", 40, 20)
    assert (row["caption"], row["tokens"], row["sources"]["human"]) == ("hat", 1, 1)
    assert server.get(at(id, "images"), offset=2)["rows"][0]["name"] == "d.png"
    assert server.get(at(id, "tags"), like="ha") == {
        "total": 2,
        "rows": [{"tag": "hat", "count": 1}, {"tag": "red_hair", "count": 1}],
    }
    assert server.get(at(id, "tags"), filter="1girl", limit=1)["total"] == 2


@pytest.mark.parametrize(
    ("route", "query", "status", "words"),
    [
        ("images", {"filter": "(a"}, 400, "This bracket is never closed (character 1 of the filter)."),
        ("images", {"sort": "size"}, 400, "the orders are name"),
        ("images", {"limit": "0"}, 400, "limit must be from 1 to 1000."),
        ("images", {"offset": "x"}, 400, "offset must be a whole number."),
        ("tags", {"filter": "/(/"}, 400, "is no regular expression"),
        ("images/none.png", {}, 404, "There is no image none.png"),
        ("images/..%2f..%2fetc%2fpasswd", {}, 404, "There is no image"),
        ("thumb/a.png", {"size": "200"}, 400, "size is 200, but must be one of: 192, 384, 1280."),
        ("file/a.txt", {}, 404, "There is no image a.txt"),
        ("runs/7", {}, 404, "There is no run 7"),
        ("nothing", {}, 404, "There is nothing at"),
    ],
)
def test_wrong_questions(
    server: Server, folder: Path, route: str, query: dict[str, str], status: int, words: str
) -> None:
    answer = server.request("GET", at(server.open(folder), route), params=query)
    assert answer.status_code == status and words in answer.json()["error"], answer.text


def test_unknown_and_forbidden_folders(server: Server, folder: Path, tmp_path: Path) -> None:
    assert server.request("GET", at("0123456789abcdef", "images")).status_code == 404
    id = server.open(folder)
    server.share(tmp_path / "elsewhere")
    for route in ("images", "tags", "runs", "thumb/a.png", "file/a.png", "images/a.png", "scan?poll=1"):
        assert server.request("GET", at(id, route)).status_code == 403, route
    assert server.post(at(id, "edit"), {"filter": "", "action": "add", "tags": ["x"]}, status=403)
    assert text(folder, "a.txt") == "1girl, red hair"
    server.share(folder)
    assert server.get(at(id, "images"))["total"] == 3


def test_other_sites_are_refused(server: Server, folder: Path) -> None:
    id = server.open(folder)
    body = json.dumps({"filter": "", "action": "add", "tags": ["x"]})
    for headers in (
        {"origin": "https://elsewhere.example", "content-type": "application/json"},
        {"content-type": "text/plain"},
    ):
        answer = server.request("POST", at(id, "edit"), content=body, headers=headers)
        assert answer.status_code in (403, 415), answer.text
    assert text(folder, "a.txt") == "1girl, red hair"


def test_links_that_lead_outside(server: Server, folder: Path, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("links need a right there")
    put(tmp_path, "secret/s.png", "secret words")
    (folder / "link.png").symlink_to(tmp_path / "secret" / "s.png")
    (folder / "d.txt").symlink_to(tmp_path / "secret" / "s.txt")
    (folder / "sub").symlink_to(tmp_path / "secret")
    id = server.open(folder, recursive=True)
    rows = server.get(at(id, "images"))["rows"]
    assert [r["name"] for r in rows] == ["a.png", "b c#ü.png", "d.png"]
    assert "secret" not in json.dumps(rows)
    (folder / "a.png").unlink()
    (folder / "a.png").symlink_to(tmp_path / "secret" / "s.png")
    assert server.request("GET", at(id, "file/a.png")).status_code == 403
    assert server.request("GET", at(id, "thumb/a.png")).status_code == 403


def test_the_scan_as_events(server: Server, folder: Path) -> None:
    for i in range(300):
        (folder / f"{i}.png").write_bytes(b"x")
    id = server.open(folder)
    answer = server.request("GET", at(id, "scan"))
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(x[6:]) for x in answer.text.splitlines() if x.startswith("data: ")]
    assert events[-1] == {
        "n": len(events),
        "ready": True,
        "images": 303,
        "generation": events[-1]["generation"],
    }
    assert [e["n"] for e in events] == list(range(1, len(events) + 1))
    assert all(e["done"] <= e["total"] for e in events[:-1])
    (event,) = server.get(at(id, "scan"), poll=1, after=4)
    assert event["ready"] and event["n"] == 5
    # a folder that is known is ready at once, in the stream too: a page would connect again and again otherwise
    (line,) = (x for x in server.request("GET", at(id, "scan")).text.splitlines() if x.startswith("data: "))
    assert json.loads(line[6:]) == {**event, "n": 1}


def test_a_folder_that_is_gone(server: Server, folder: Path) -> None:
    id = server.open(folder)
    folder.rename(folder.with_name("moved"))
    answer = server.request("GET", at(id, "images"))
    assert answer.status_code == 400 and "There is no folder" in answer.json()["error"]
    assert "There is no folder" in server.get(at(id, "scan"), poll=1)[0]["error"]


# pictures


def test_thumbnails(server: Server, folder: Path) -> None:
    id = server.open(folder)
    answer = server.request("GET", at(id, "thumb/b%20c%23%C3%BC.png"), params={"size": 192})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-cache" and "x-problem" not in answer.headers
    assert Image.open(io.BytesIO(answer.content)).size == (40, 20)
    etag = answer.headers["etag"]
    again = server.request("GET", at(id, "thumb/b%20c%23%C3%BC.png"), headers={"if-none-match": etag})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == etag
    assert "immutable" in server.request("GET", at(id, "thumb/a.png?v=1")).headers["cache-control"]
    Image.new("RGB", (20, 40), "blue").save(folder / "b c#ü.png")
    new = server.request("GET", at(id, "thumb/b%20c%23%C3%BC.png"), headers={"if-none-match": etag})
    assert new.status_code == 200 and Image.open(io.BytesIO(new.content)).size == (20, 40)
    (folder / "a.png").write_bytes(b"broken")
    broken = server.request("GET", at(id, "thumb/a.png?v=2&size=384"))
    assert broken.status_code == 200 and "a.png" in broken.headers["x-problem"]
    assert Image.open(io.BytesIO(broken.content)).size == (384, 384)
    assert broken.headers["cache-control"] == "private, no-cache"


def test_many_thumbnails_at_once(server: Server, folder: Path) -> None:
    for i in range(40):
        put(folder, f"many{i}.png")
    id = server.open(folder)
    statuses = []

    def ask(i: int) -> None:
        statuses.append(server.request("GET", at(id, f"thumb/many{i}.png")).status_code)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert statuses == [200] * 40


def test_the_original(server: Server, folder: Path) -> None:
    id = server.open(folder)
    answer = server.request("GET", at(id, "file/a.png"))
    assert answer.content == (folder / "a.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text there")
def test_names_that_are_not_utf8(server: Server, folder: Path) -> None:
    name = os.fsdecode(b"x\xff%41.png")
    put(folder, name, "odd")
    id = server.open(folder)
    row = server.get(at(id, "images"), filter="odd")["rows"][0]
    assert row["id"] == "x%FF%2541.png" and row["name"] == name
    for kind in ("thumb", "file", "images"):
        assert server.request("GET", at(id, f"{kind}/{row['id']}")).status_code == 200, kind
    body = {"caption": "still odd", "before": "odd"}
    answer = server.request("PUT", at(id, f"images/{row['id']}/caption"), json=body)
    assert answer.status_code == 200 and text(folder, os.fsdecode(b"x\xff%41.txt")) == "still odd"
    body = {"ids": [row["id"]], "action": "add", "tags": ["more"]}
    assert server.post(at(id, "edit"), body)["samples"][0]["id"] == row["id"]


def test_everything_of_one_picture(server: Server, folder: Path) -> None:
    put(folder, "cake3-red.png")
    id = server.open(folder)
    plain = server.get(at(id, "images/a.png"))
    assert [(t["name"], t["text"], t["source"], t["score"]) for t in plain["tags"]] == [
        ("1girl", "1girl", "human", None),
        ("red_hair", "red hair", "human", None),
    ]
    assert (plain["w"], plain["h"], plain["caption"], plain["answers"]) == (40, 20, "1girl, red hair", [])
    config = {"tagger": "fake", "vlm": "fake", "answer_threshold": 0.85, "prefix_tags": ["trigger"]}
    assert server.wait(server.job(id, config=config))["state"] == "done"
    (folder / "cake3-red.txt").write_text(text(folder, "cake3-red.txt") + ", mine", encoding="utf-8")
    one = server.get(at(id, "images/cake3-red.png"))
    tags = {t["name"]: (t["source"], t["score"]) for t in one["tags"]}
    assert tags["trigger"] == ("option", None) and tags["mine"] == ("human", None)
    assert tags["1girl"] == ("tagger", 0.99) and tags["3_cakes"] == ("question", 0.9)
    assert {a["tag"]: a["decided"] for a in one["answers"]} == {"3_cakes": False, "red_cake": False}
    assert any(d["name"] == "red_cake" and "unsure" in d["reason"] for d in one["dropped"])
    assert one["caption"].endswith(", mine") and one["persons"] == [] and one["reason"] == ""
    human = server.get(at(id, "images/a.png"))["tags"]
    assert {t["name"]: t["source"] for t in human}["red_hair"] == "human"


def test_persons_of_a_picture(server: Server, folder: Path) -> None:
    put(folder, "pair.png")
    id = server.open(folder)
    config = {"tagger": "fake", "people": True, "detector": "fake", "format": "separation"}
    row = server.wait(server.job(id, config=config))
    assert row["state"] == "done", row
    one = server.get(at(id, "images/pair.png"))
    assert [p["letter"] for p in one["persons"]] == ["α", "β"], one
    assert all(len(p["box"]) == 4 and p["tags"] for p in one["persons"])
    lettered = [t for t in one["tags"] if t["name"].startswith("α_")]
    assert lettered and all(t["source"] == "person" for t in lettered)
    end = time.monotonic() + 10
    while not (rows := server.get(at(id, "images"), filter="source:person 2girls")["rows"]):
        assert time.monotonic() < end, "the browser was not told"
        time.sleep(0.05)
    assert [(r["name"], r["sources"]["person"]) for r in rows] == [("pair.png", 4)]


def test_a_job_s_work_is_seen(server: Server, folder: Path) -> None:
    put(folder, "cake3-red.png")
    id = server.open(folder)
    assert server.get(at(id, "images"), filter="3_cakes")["total"] == 0
    server.wait(server.job(id))
    end = time.monotonic() + 10
    while not server.get(at(id, "images"), filter="3_cakes has:analysis")["total"]:
        assert time.monotonic() < end, "the browser was not told"
        time.sleep(0.05)


# edits and runs


def test_saving_a_caption(server: Server, folder: Path) -> None:
    id = server.open(folder)

    def save(**body: str) -> Any:
        return server.request("PUT", at(id, "images/a.png/caption"), json=body)

    answer = save(caption="1girl, hat", before="1girl, red hair")
    assert answer.json() == {"caption": "1girl, hat", "tokens": 4}
    assert text(folder, "a.txt") == "1girl, hat"
    answer = save(caption="mine", before="1girl, red hair")
    assert answer.status_code == 409
    assert answer.json() == {
        "error": "a.txt was changed meanwhile: look at it and save again.",
        "code": "caption_changed",
        "field": "before",
        "caption": "1girl, hat",
    }
    assert save(before="x").status_code == 400 and save(caption="x", text="y").status_code == 400
    assert text(folder, "a.txt") == "1girl, hat"
    assert server.get(at(id, "images"), filter="hat")["total"] == 2


def test_bulk_edit_runs_and_undo(server: Server, folder: Path) -> None:
    id = server.open(folder)
    body = {"filter": "has:caption", "action": "add", "tags": ["blue sky"], "preview": True}
    shown = server.post(at(id, "edit"), body)
    assert (shown["changed"], shown["total"], shown["run"]) == (2, 2, None)
    assert shown["samples"][0] == {
        "id": "a.png",
        "name": "a.png",
        "before": "1girl, red hair",
        "after": "1girl, red hair, blue sky",
    }
    assert text(folder, "a.txt") == "1girl, red hair" and server.get(at(id, "runs")) == []
    done = server.post(at(id, "edit"), {**body, "preview": False})
    assert (done["changed"], done["run"], done["failures"]) == (2, 1, [])
    assert text(folder, "b c#ü.txt") == "hat, blue sky"
    (run,) = server.get(at(id, "runs"))
    assert (run["id"], run["kind"], run["status"], run["changed"], run["undoes"]) == (
        1,
        "edit",
        "done",
        2,
        None,
    )
    one = server.get(at(id, "runs/1"), limit=1, offset=1)
    assert one["changes"] == [
        {
            "name": "b c#ü.txt",
            "image": "b c#ü.png",
            "id": "b%20c%23%C3%BC.png",
            "before": "hat",
            "after": "hat, blue sky",
        }
    ]
    assert one["failures"] == [] and one["config"]["filter"] == "has:caption"
    assert server.get(at(id, "images"), filter="changed:last")["total"] == 2
    assert server.wait(server.job(id, "undo", run=1))["state"] == "done"
    assert text(folder, "a.txt") == "1girl, red hair" and text(folder, "b c#ü.txt") == "hat"
    runs = server.get(at(id, "runs"))
    assert [(r["kind"], r["status"], r["undoes"]) for r in runs] == [
        ("undo", "done", 1),
        ("edit", "undone", None),
    ]


def test_an_edit_tells_how_far_it_is_and_stops(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder / "many"
    for i in range(6):
        put(folder, f"{i}.png", "hat")
    id = server.open(folder)
    monkeypatch.setattr(bulk, "CHUNK", 2)
    second, go = threading.Event(), threading.Event()
    commit = bulk.journal.commit

    def held(state: Any, run: int, writes: Any) -> Any:
        if writes[0].name == "2.txt":
            second.set()
            assert go.wait(20)
        return commit(state, run, writes)

    monkeypatch.setattr(bulk.journal, "commit", held)
    idle = {"running": False, "done": 0, "total": 0, "stopping": False}
    assert server.get(at(id, "edit")) == idle
    answers: list[Any] = []
    body = {"filter": "", "action": "add", "tags": ["sky"]}
    writer = threading.Thread(target=lambda: answers.append(server.post(at(id, "edit"), body)))
    writer.start()
    assert second.wait(20)
    assert server.get(at(id, "edit")) == {"running": True, "done": 2, "total": 6, "stopping": False}
    server.post(at(id, "edit"), {**body, "preview": True})  # a look disturbs nothing
    assert server.post(at(id, "edit/stop")) == {"running": True, "done": 2, "total": 6, "stopping": True}
    go.set()
    writer.join(20)
    (done,) = answers
    assert (done["stopped"], done["changed"], done["total"]) == (True, 4, 6)
    assert [text(folder, f"{i}.txt") for i in range(6)] == ["hat, sky"] * 4 + ["hat"] * 2
    assert server.get(at(id, "edit")) == idle == server.post(at(id, "edit/stop"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "add", "tags": ["x"]}, "filter is needed."),
        ({"filter": "", "ids": [], "action": "add", "tags": ["x"]}, "not both"),
        ({"filter": "", "action": "paint"}, "There is no edit 'paint'"),
        ({"filter": "", "action": "add", "tags": "x"}, "tags must be a list"),
        ({"filter": "", "action": "add", "tags": ["x"], "regex": 1}, "regex must be true or false"),
        ({"filter": "", "action": "add", "tags": ["x"], "extra": 1}, "no member called 'extra'"),
        ({"ids": ["none.png"], "action": "add", "tags": ["x"]}, "There is no image none.png"),
        ({"filter": "a or", "action": "add", "tags": ["x"]}, "Nothing follows or"),
    ],
)
def test_wrong_edits(server: Server, folder: Path, body: dict[str, Any], words: str) -> None:
    id = server.open(folder)
    assert words in server.post(at(id, "edit"), body, status=400)["error"]
    assert not list(folder.glob("d.txt"))


def test_not_beside_a_job(server: Server, folder: Path) -> None:
    id = server.open(folder)
    server.get(at(id, "images"))
    with locked(folder / ".prompt-extend", folder):
        error = server.post(at(id, "edit"), {"filter": "", "action": "add", "tags": ["x"]}, status=409)
    assert "Another job is running" in error["error"]
    assert text(folder, "a.txt") == "1girl, red hair"


def test_two_windows(server: Server, folder: Path) -> None:
    """What one window writes the other sees, and cannot overwrite unseen."""
    id, other = server.open(folder), server.open(folder)
    assert id == other
    seen = server.get(at(other, "images/a.png"))["caption"]
    server.post(at(id, "edit"), {"ids": ["a.png"], "action": "remove", "tags": ["1girl"]})
    assert server.get(at(other, "images"), filter="missing:1girl")["total"] == 3
    answer = server.request("PUT", at(other, "images/a.png/caption"), json={"caption": "x", "before": seen})
    assert answer.status_code == 409 and text(folder, "a.txt") == "red hair"


# left out, encodings


def test_pictures_left_out_and_taken_in(server: Server, folder: Path) -> None:
    id = server.open(folder)
    server.get(at(id, "images"))
    assert server.post(at(id, "left-out"), {"ids": ["a.png", "d.png"], "reason": "blurred"}) == {
        "run": 1,
        "changed": 2,
    }
    rows = {r["name"]: r["left_out"] for r in server.get(at(id, "images"))["rows"]}
    assert rows == {"a.png": "blurred", "b c#ü.png": None, "d.png": "blurred"}
    assert server.get(at(id, "images"), filter="left-out")["total"] == 2
    assert server.get(at(id, "tags"))["rows"] == [{"tag": "hat", "count": 1}]
    assert server.post(at(id, "left-out"), {"ids": ["a.png"], "back": True}) == {"run": 2, "changed": 1}
    assert server.get(at(id, "images"), filter="left-out")["total"] == 1
    assert server.get(at(id, "runs"))[0]["kind"] == "leave_out"
    assert "../x.png" in server.post(at(id, "left-out"), {"ids": ["../x.png"]}, status=404)["error"]
    server.post(at(id, "left-out"), {"ids": ["a.png"], "reason": "x" * 501}, status=400)
    assert text(folder, "a.txt") == "1girl, red hair"


def test_the_encodings_are_told(server: Server, folder: Path) -> None:
    id = server.open(folder)
    assert server.get(at(id, "encodings")) == {"files": [], "unsure": 0, "chosen": "auto"}
    (folder / "a.txt").write_bytes("一个女孩站在公园里，穿着红色的裙子，面带微笑。".encode("gb18030"))
    (folder / "d.txt").write_bytes("año".encode("cp850"))
    server.post(at(id, "edit"), {"filter": "", "action": "add", "tags": ["mine"]})
    assert server.get(at(id, "encodings")) == {
        "files": [{"encoding": "gb18030", "files": 1}], "unsure": 1, "chosen": "auto",
    }  # fmt: skip
    assert text(folder, "a.txt").startswith("一个女孩") and (folder / "d.txt").read_bytes() == "año".encode(
        "cp850"
    )


# threads


def test_the_newest_comes_first() -> None:
    pool = LifoExecutor(1, most_waiting=3)
    go = threading.Event()
    order: list[int] = []
    first = pool.submit(go.wait)
    while pool._waiting:
        time.sleep(0.01)
    rest = [pool.submit(lambda i=i: order.append(i)) for i in range(5)]  # type: ignore[misc]
    go.set()
    assert first.result(5)
    for future in rest[2:]:
        future.result(5)
    assert order == [4, 3, 2]
    for future in rest[:2]:
        with pytest.raises(CancelledError):
            future.result(5)
    failing = pool.submit(lambda: quote(3))  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        failing.result(5)
