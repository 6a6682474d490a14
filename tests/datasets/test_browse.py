"""Browsing a folder: what is found, how it keeps up, and what a person's edits do to the files."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from lib_extend import guarded_regex
from lib_extend.config import TagConfig
from lib_extend.datasets import index_reading, watched_folder
from lib_extend.datasets.browse import Browser, Browsers, image_id, name_of
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.index_store import FILE
from lib_extend.errors import BusyError, UserError
from lib_extend.files.lock import locked
from lib_extend.jobs.tagging import TagJob
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.jobs.verdict_runs import decide
from lib_extend.services import edit_actions
from lib_extend.services.browse_edits import Result, edit, save
from lib_extend.services.edit_actions import Edit
from lib_extend.worker.client import WorkerClient
from tests.jobs.conftest import FAKE_WORKER

from .conftest import found, opened, put


def tag(root: Path, **settings: object) -> None:
    config = TagConfig(**{"tagger": "fake", "vlm": "fake", **settings})  # type: ignore[arg-type]
    for _ in TagJob(Dataset(root), config, client=lambda: WorkerClient(FAKE_WORKER)).events():
        pass


def change(browser: Browser, action: str, *tags: str, filter: str | None = "", **more: object) -> Result:
    names = more.pop("names", None)
    preview = bool(more.pop("preview", False))
    what = Edit.from_json({"action": action, "tags": list(tags), **more})
    return edit(browser, what, filter=filter, names=names, preview=preview)  # type: ignore[arg-type]


def text(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


# finding


def test_what_is_found(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "1girl, red hair, A girl, standing in the rain.", size=(30, 20))
    put(folder, "b.jpg", "1girl, hat\n")
    put(folder, "c.png")
    put(folder, "d.png", b"\x00\x01\x02")
    (folder / "e.png").write_bytes(b"no picture")
    put(folder, "sub/f.png", "hat")
    (folder / "notes.txt").write_text("hat", encoding="utf-8")
    browser = opened(browsers, folder)
    total, rows = browser.images()
    assert total == 5
    first = rows[0]
    changed = (folder / "a.txt").stat().st_mtime
    assert abs(first.pop("changed") - changed) < 1e-3
    assert first == {
        "id": "a.png",
        "name": "a.png",
        "w": 30,
        "h": 20,
        "bytes": (folder / "a.png").stat().st_size,
        "caption": "1girl, red hair, A girl, standing in the rain.",
        "captioned": True,
        "analysed": False,
        "tokens": 14,
        "tags": 2,
        "sure": 1.0,
        "sources": {"tagger": 0, "question": 0, "person": 0, "human": 3},
        "left_out": None,
        "problems": [],
    }
    assert rows[1]["caption"] == "1girl, hat\n"
    assert [r["problems"] for r in rows[2:]] == [[], ["caption"], ["image"]]
    assert [r["captioned"] for r in rows[2:]] == [False, True, False]
    assert found(browser, "1girl -hat") == ["a.png"]
    assert found(browser, 'text:"standing in"') == ["a.png"]
    assert found(browser, '"standing in" rain -rai') == found(browser, "girl") == ["a.png"], (
        "words of a sentence"
    )
    assert found(browser, "has:caption missing:1girl") == ["d.png"]
    assert found(browser, "/^1girl, (hat|bow)/ or tags=0") == ["b.jpg", "c.png", "d.png", "e.png"]
    assert found(browser, "tokens>5") == ["a.png"]
    assert found(browser, sort="-name")[0] == "e.png" and found(browser, sort="tokens")[0] == "a.png"
    assert browser.images("", offset=3, limit=1)[1][0]["name"] == "d.png"
    assert browser.tags() == (
        3,
        [
            {"tag": "1girl", "count": 2},
            {"tag": "hat", "count": 1},
            {"tag": "red_hair", "count": 1},
        ],
    )
    assert browser.tags("hat", limit=1) == (2, [{"tag": "1girl", "count": 1}])
    assert found(opened(browsers, folder, recursive=True)) == [
        *"a.png b.jpg c.png d.png e.png".split(),
        "sub/f.png",
    ]
    assert found(opened(browsers, folder, recursive=False)) == "a.png b.jpg c.png d.png e.png".split()


def test_completing_a_tag(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "red hair, hairband, chair, white hair, hair")
    put(folder, "b.png", "white hair, sword (hair)")
    rows = opened(browsers, folder).tags(like="HAIR")[1]
    assert [r["tag"] for r in rows] == ["hair", "hairband", "white_hair", "red_hair", "sword_(hair)", "chair"]
    assert opened(browsers, folder).tags(like="white h") == (1, [{"tag": "white_hair", "count": 2}])


@pytest.mark.skipif(sys.platform == "win32", reason="file names are text there")
def test_names_that_are_not_utf8(folder: Path, browsers: Browsers) -> None:
    name = os.fsdecode(b"b\xff%20 \xc3\xa9.png")
    put(folder, name, "hat")
    browser = opened(browsers, folder)
    row = browser.images("hat")[1][0]
    assert row["name"] == name and row["id"] == "b%FF%2520%20%C3%A9.png" and name_of(row["id"]) == name
    assert image_id("sub/a b.png") == "sub/a%20b.png"
    assert change(browser, "add", "bow").changed == 1
    assert browser.row(name).caption == "hat, bow"


def test_wrong_questions(folder: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.png", "b" + "a" * 60)
    browser = opened(browsers, folder)
    with pytest.raises(UserError, match="never closed"):
        browser.images("(a")
    with pytest.raises(UserError, match="the orders are name, changed"):
        browser.images(sort="size")
    monkeypatch.setattr(guarded_regex, "SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(UserError, match=r"You typed /\(a\|a\)\+b/, which takes too long"):
        browser.images("/(a|a)+b/")
    assert time.monotonic() - began < 20
    assert found(browser, "/a+/") == ["a.png"]
    with pytest.raises(UserError, match="There is no folder"):
        browsers.open(folder / "nowhere").wait(10)


# sources, answers, runs


def test_whose_tags_and_which_answers(folder: Path, browsers: Browsers, tmp_path: Path) -> None:
    for name in ("cake3-red.png", "book1-blue.png", "hat.png"):
        put(folder, name)
    browser = opened(browsers, folder)
    assert found(browser, "has:analysis") == [] and found(browser, "changed:last") == []
    tag(folder, prefix_tags=["trigger"], answer_threshold=0.1)
    save_path = folder / "hat.txt"
    save_path.write_text(text(folder, "hat.txt") + ", by hand", encoding="utf-8")
    browser = opened(browsers, folder)
    rows = {r["name"]: r for r in browser.images()[1]}
    assert (
        rows["cake3-red.png"]["sources"]["question"] == 2 and rows["cake3-red.png"]["sources"]["human"] == 0
    )
    assert rows["hat.png"]["sources"]["human"] == 1
    assert sum(rows["hat.png"]["sources"].values()) == rows["hat.png"]["tags"] - 1, "nobody found the trigger"
    assert found(browser, "source:human") == ["hat.png"]
    assert len(found(browser, "source:question")) == 3
    assert found(browser, "source:person") == [] and len(found(browser, "source:tagger")) == 3
    assert len(found(browser, "has:analysis")) == 3 == len(found(browser, "changed:last"))
    # the fake's color answers have 0.8, its counts 0.9
    assert found(browser, "unsure") == []
    assert found(browser, sort="sure") == ["book1-blue.png", "cake3-red.png", "hat.png"]
    assert rows["cake3-red.png"]["sure"] == 0.8
    say = {"client": lambda: WorkerClient(FAKE_WORKER)}
    decide(Dataset(folder), "cake3-red.png", "color", "cake", "accept", **say)  # type: ignore[arg-type]
    browser = opened(browsers, folder)
    assert browser.row("cake3-red.png").sure == pytest.approx(0.9)
    decide(Dataset(folder), "book1-blue.png", "color", "book", "reject", **say)  # type: ignore[arg-type]
    browser = opened(browsers, folder)
    # both verdicts are one sitting
    assert (
        found(browser, "changed:last") == ["book1-blue.png", "cake3-red.png"]
        and len(found(browser, "changed:1")) == 3
    )
    assert found(browser, "changed:99") == []


def test_doubtful_answers(folder: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_reading, "SURE", 0.85)
    put(folder, "cake3-red.png")
    put(folder, "hat.png")
    tag(folder)
    browser = opened(browsers, folder)
    assert found(browser, "unsure") == ["cake3-red.png", "hat.png"]
    assert found(browser, "3_cakes unsure") == ["cake3-red.png"]
    decide(
        Dataset(folder), "cake3-red.png", "color", "cake", "lock", client=lambda: WorkerClient(FAKE_WORKER)
    )
    assert found(opened(browsers, folder), "unsure") == ["hat.png"]


# keeping up


def test_it_keeps_up_with_the_folder(folder: Path, browsers: Browsers) -> None:
    for name in "abcd":
        put(folder, f"{name}.png", "hat")
    browser = opened(browsers, folder)
    before = browser.status().generation
    opened(browsers, folder)
    assert browser.status().generation == before, "nothing was read again"
    (folder / "a.txt").write_text("bow, hat", encoding="utf-8")
    (folder / "b.txt").unlink()
    (folder / "c.png").unlink()
    put(folder, "e.png", "cap")
    put(folder, "d.png", size=(99, 98))
    browser = opened(browsers, folder)
    assert browser.status().generation > before
    assert found(browser) == ["a.png", "b.png", "d.png", "e.png"]
    assert found(browser, "hat") == ["a.png", "d.png"] and found(browser, "-has:caption") == ["b.png"]
    assert (browser.row("d.png").width, browser.row("d.png").height) == (99, 98)
    (folder / "a.txt").write_text("cap", encoding="utf-8")
    browsers.changed(folder, ["a.png", "c.png", "unknown.png"])
    browser.settle()
    assert found(browser, "cap") == ["a.png", "e.png"]


def test_the_index_outlives_the_browser(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(20):
        put(folder, f"{i:02d}.png", f"hat, tag {i}")
    first = Browsers()
    opened(first, folder)
    first.close()
    assert (folder / ".prompt-extend" / FILE).exists()
    (folder / "03.txt").write_text("bow", encoding="utf-8")
    (folder / "04.png").unlink()
    read: list[str] = []
    size = index_reading.picture_size
    monkeypatch.setattr(index_reading, "picture_size", lambda p: read.append(p.name) or size(p))
    count = index_reading.tokens.count
    counted: list[str] = []
    monkeypatch.setattr(index_reading.tokens, "count", lambda t: counted.append(t) or count(t))
    second = Browsers()
    browser = opened(second, folder)
    assert not read and counted == ["bow"], "only what changed is read"
    assert len(found(browser, "hat")) == 18 and found(browser, "bow") == ["03.png"]
    second.close()
    third = Browsers()
    assert len(found(opened(third, folder))) == 19, "and after its empty place was closed"
    third.close()
    # two servers on one folder: the second makes an index of its own
    one, other = Browsers(), Browsers()
    assert found(opened(one, folder)) == found(opened(other, folder))
    one.close()
    other.close()


def test_a_folder_that_goes_and_comes_back(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "hat")
    browser = opened(browsers, folder)
    folder.rename(folder.with_name("away"))
    browser.look_again()
    browser.settle()
    with pytest.raises(UserError, match="There is no folder"):
        browser.images()
    assert "There is no folder" in browser.status().error and not browser.status().ready
    folder.with_name("away").rename(folder)
    browser.look_again()
    browser.settle()
    assert found(browser) == ["a.png"] and browser.status().ready


def test_the_first_scan_shows_how_far_it_is(
    folder: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(600):
        (folder / f"{i}.png").write_bytes(b"x")
    go = threading.Semaphore(0)
    size = index_reading.picture_size

    def slow(path: Path) -> tuple[int, int]:
        go.acquire()
        return size(path)

    monkeypatch.setattr(index_reading, "picture_size", slow)
    monkeypatch.setattr(watched_folder, "_PATIENCE", 0.1)
    browser = browsers.open(folder)
    go.release(256)
    while browser.status().done < 256:
        time.sleep(0.01)
    status = browser.status()
    assert (status.done, status.total, status.ready, status.working) == (256, 600, False, True)
    for ask in (browser.images, lambda: browser.has("0.png")):
        with pytest.raises(BusyError, match="being looked through .256 of 600 images"):
            ask()
    # a single picture is shown all the same
    (folder.parent / "outside.png").write_bytes(b"x")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    others = ("no.png", "notes.txt", "../outside.png", str(folder.parent / "outside.png"), "\0.png")
    assert browser.has("0.png", known=False) and browser.has("599.png", known=False)
    for other in others:
        with contextlib.suppress(BusyError):  # what is no picture's name waits for the list
            assert not browser.has(other, known=False)
    go.release(600)
    assert browser.wait(10) and browser.status().images == 600


def test_the_least_used_is_closed(tmp_path: Path) -> None:
    browsers = Browsers(most=2)
    opens = []
    for name in "abc":
        put(tmp_path / name, "x.png", name)
        opens.append(opened(browsers, tmp_path / name))
    assert [b._closed for b in opens] == [True, False, False]
    assert found(opened(browsers, tmp_path / "a"), "a") == ["x.png"]
    browsers.close()


def test_many_ask_while_it_changes(folder: Path, browsers: Browsers) -> None:
    for i in range(100):
        put(folder, f"{i:03d}.png", f"hat, tag {i % 7}")
    browser = opened(browsers, folder)
    problems: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            while not stop.is_set():
                total, rows = browser.images("hat and tag_1", sort="tokens")
                assert total == len(rows) and all("tag 1" in r["caption"] for r in rows)
                browser.tags("hat -tag_2", like="t")
                time.sleep(0.001)
        finally:
            if not stop.is_set():
                problems.append("an answer was wrong or an error")

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for t in threads:
        t.start()
    for i in range(6):
        change(browser, "add", f"new {i}", filter="tag_1")
    stop.set()
    for t in threads:
        t.join()
    assert not problems
    assert all(text(folder, "001.txt").count(f"new {i}") for i in range(6))


# editing


def test_bulk_edits_and_their_undo(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "1girl, red hair, hat\n")
    put(folder, "b.png", "1girl, blue_hair")
    put(folder, "c.png")
    browser = opened(browsers, folder)
    original = {p.name: p.read_bytes() for p in folder.glob("*.txt")}
    stamps = {p.name: p.stat().st_mtime_ns for p in folder.glob("*.txt")}
    preview = change(browser, "add", "blue sky", preview=True)
    assert (preview.changed, preview.total, preview.run) == (3, 3, None)
    assert preview.samples[0] == ("a.png", "1girl, red hair, hat\n", "1girl, red hair, hat, blue sky\n")
    assert {p.name: p.read_bytes() for p in folder.glob("*.txt")} == original and not list_runs(
        Dataset(folder)
    )
    done = change(browser, "add", "blue sky")
    assert (done.changed, done.total, done.run) == (3, 3, 1) and done.samples == preview.samples
    assert text(folder, "b.txt") == "1girl, blue_hair, blue sky" and text(folder, "c.txt") == "blue sky"
    assert found(browser, "blue_sky") == ["a.png", "b.png", "c.png"], "known at once"
    assert change(browser, "add", "BLUE_SKY").changed == 0
    assert change(browser, "remove", "red_hair", "hat").changed == 1
    assert text(folder, "a.txt") == "1girl, blue sky\n"
    assert (folder / "b.txt").stat().st_mtime_ns == stamps["b.txt"] or "blue sky" in text(folder, "b.txt")
    assert change(browser, "rename", "1girl", "solo", to="1boy").changed == 2
    assert change(browser, "front", "blue sky", filter="1boy").changed == 2
    assert text(folder, "b.txt") == "blue sky, 1boy, blue_hair"
    assert change(browser, "sort", "blue_hair", names=["b.png"], filter=None).changed == 1
    assert text(folder, "b.txt") == "blue_hair, 1boy, blue sky"
    assert change(browser, "add", "first", to="front", names=["c.png"], filter=None).changed == 1
    assert text(folder, "c.txt") == "first, blue sky"
    runs = list_runs(Dataset(folder))
    assert [(r.kind, r.config["action"], r.changed) for r in runs][-1] == ("edit", "add", 1)
    assert runs[0].config == {"action": "add", "tags": ["blue sky"], "to": "", "regex": False, "filter": ""}
    for run in reversed(runs):
        undo(Dataset(folder), run.id)
    assert {p.name: p.read_bytes() for p in folder.glob("*.txt")} == original


def test_only_changed_files_are_written(folder: Path, browsers: Browsers) -> None:
    for i in range(30):
        path = put(folder, f"{i:02d}.png", "hat" if i % 10 else "hat, bow").with_suffix(".txt")
        os.utime(path, ns=(10**18, 10**18))
    change(opened(browsers, folder), "remove", "bow")
    written = [p.stem for p in sorted(folder.glob("*.txt")) if p.stat().st_mtime_ns != 10**18]
    assert written == ["00", "10", "20"]


def test_replacing_and_expressions(folder: Path, browsers: Browsers, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "a.png", "red Hair, redhead, white hair")
    put(folder, "b.png", "A girl with red hair, and a red hat., hat")
    put(folder, "c.png", "blue")
    browser = opened(browsers, folder)
    assert change(browser, "replace", "RED h", to="green h", preview=True).changed == 2
    assert change(browser, "replace", "RED h", to="green h").changed == 2
    assert text(folder, "a.txt") == "green hair, redhead, white hair"
    assert text(folder, "b.txt") == "A girl with green hair, and a green hat., hat"
    assert change(browser, "replace", r"(\w+) hair", to=r"\1-haired", regex=True).changed == 2
    assert text(folder, "a.txt") == "green-haired, redhead, white-haired"
    shown = change(browser, "rename", "(white|green)-(.*)", to=r"\2_\1", regex=True, preview=True)
    assert (shown.changed, shown.samples[0][2]) == (1, "haired green, redhead, haired white")
    assert change(browser, "rename", "(white|green)-(.*)", to=r"\2_\1", regex=True).changed == 1
    assert text(folder, "a.txt") == "haired green, redhead, haired white"
    assert change(browser, "remove", "haired .*", "h.t", regex=True).changed == 2
    assert text(folder, "a.txt") == "redhead"
    assert text(folder, "b.txt") == "A girl with green-haired, and a green hat."
    put(folder, "d.png", "b" + "a" * 60)
    monkeypatch.setattr(edit_actions, "SECONDS", 0.3)
    monkeypatch.setattr(guarded_regex, "SECONDS", 0.3)
    with pytest.raises(UserError, match=r"You typed /\(a\|a\)\+b/, which takes too long"):
        change(browser, "replace", "(a|a)+b", to="", regex=True)
    with pytest.raises(UserError, match=r"remove has /b\(a\|aa\)\+\[!\?\]/, which takes too long"):
        change(browser, "remove", "b(a|aa)+[!?]", regex=True)
    assert text(folder, "d.txt") == "b" + "a" * 60


def test_what_changed_meanwhile_counts(folder: Path, browsers: Browsers) -> None:
    for name in "abc":
        put(folder, f"{name}.png", "hat")
    browser = opened(browsers, folder)
    (folder / "a.txt").write_text("hat, typed by hand", encoding="utf-8")
    (folder / "b.txt").write_text("cap", encoding="utf-8")
    put(folder, "d.png", "hat")
    done = change(browser, "rename", "hat", to="bow", filter="hat")
    assert (done.changed, done.total) == (3, 3)
    assert [text(folder, f"{n}.txt") for n in "abcd"] == ["bow, typed by hand", "cap", "bow", "bow"]


def test_a_person_s_edits_outlive_tagging(folder: Path, browsers: Browsers) -> None:
    put(folder, "cake3-red.png")
    tag(folder)
    browser = opened(browsers, folder)
    change(browser, "add", "by hand")
    change(browser, "remove", "1girl")
    tag(folder, answer_threshold=0.99)
    browser = opened(browsers, folder)
    assert found(browser, "by_hand -1girl") == ["cake3-red.png"]
    assert found(browser, "source:human") == ["cake3-red.png"]


def test_not_beside_a_job(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "hat")
    browser = opened(browsers, folder)
    with locked(folder / ".prompt-extend", folder):
        with pytest.raises(BusyError):
            change(browser, "add", "bow")
        with pytest.raises(BusyError):
            save(browser, "a.png", "bow", "hat")
        assert change(browser, "add", "bow", preview=True).changed == 1
    assert text(folder, "a.txt") == "hat"


def test_saving_one(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "hat\n")
    browser = opened(browsers, folder)
    assert save(browser, "a.png", "bow", "hat") == "bow\n"
    assert found(browser, "bow") == ["a.png"]
    (folder / "a.txt").write_text("cap", encoding="utf-8")
    with pytest.raises(UserError, match="changed meanwhile"):
        save(browser, "a.png", "mine", "bow")
    assert found(browser, "cap") == ["a.png"], "what stands there now is known"
    with pytest.raises(UserError, match="There is no image"):
        save(browser, "../a.png", "mine", "")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"action": "paint"}, "the edits are add, remove"),
        ({"action": "add"}, "add needs at least one tag"),
        ({"action": "add", "tags": "hat"}, "tags must be a list of texts"),
        ({"action": "add", "tags": ["a, b"]}, "'a, b' is not one tag"),
        ({"action": "add", "tags": [" "]}, "is not one tag"),
        ({"action": "add", "tags": ["a"], "to": "middle"}, "at the front"),
        ({"action": "add", "tags": ["a"], "regex": True}, "add takes no regular expression"),
        ({"action": "add", "tags": ["a"] * 101}, "100 tags at the most"),
        ({"action": "add", "tags": ["\ud800"]}, "no caption can have"),
        ({"action": "add", "tags": ["x" * 501]}, "at most 500 characters"),
        ({"action": "rename", "tags": ["a"]}, "rename needs a new name"),
        ({"action": "rename", "tags": ["a"], "to": "b,c"}, "'b,c' is not one tag"),
        ({"action": "replace", "tags": ["a", "b"]}, "one text to look for"),
        ({"action": "rename", "tags": ["a"], "to": 3}, "to must be a text"),
    ],
)
def test_edits_that_make_no_sense(data: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        Edit.from_json(data)


def test_a_read_only_folder_can_be_browsed(folder: Path, browsers: Browsers) -> None:
    put(folder, "a.png", "hat")
    (folder / ".prompt-extend").write_text("in the way", encoding="utf-8")
    browser = opened(browsers, folder)
    assert found(browser, "hat") == ["a.png"]
    with pytest.raises(UserError, match="cannot be written"):
        change(browser, "add", "bow")
    assert browser.thumbnails.get(folder / "a.png", 1, 1, 192).data
    shutil.rmtree(folder)
