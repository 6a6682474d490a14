"""Jobs from outside: they run, are followed, paused, continued, stopped, undone; and what they refuse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.job_rows import JobRow
from lib_extend.jobs.undo import list_runs
from lib_extend.services import event_log as events_of
from lib_extend.services.event_log import EventLog

from .conftest import FAKE, Server

Pictures = Callable[..., None]


def captions(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.txt")}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The paths that went through the worker."""
    file = tmp_path / "analysed.log"
    file.touch()
    monkeypatch.setenv("FAKE_WORKER_LOG", str(file))
    return file


def test_a_folder_is_tagged_and_followed(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake3-red.png", "hat2-blue.png", "fail.png")
    told: list[Any] = []
    server.services.jobs._context.changed = lambda root, names: told.append((root, names))
    job = server.job(server.open(folder))
    row = server.wait(job)
    assert (row["state"], row["images"], row["done"], row["failed"], row["written"]) == ("done", 3, 2, 1, 2)
    assert "3 cakes" in captions(folder)["cake3-red.txt"] and "red cake" in captions(folder)["cake3-red.txt"]
    events = server.events(job)
    assert [e["n"] for e in events] == sorted(e["n"] for e in events)
    kinds = [e["event"] for e in events]
    assert kinds[0] == "planned" and kinds[-1] == "finished" and kinds.count("image") == 2
    failed = next(e for e in events if e["event"] == "failed")
    assert failed["path"] == "fail.png" and "copy it again" in failed["reason"]
    image = next(e for e in events if e.get("path") == "cake3-red.png")
    assert {a["question"]: a["answer"] for a in image["answers"]} == {"count": "3", "color": "red"}
    assert sorted(n for _, names in told for n in names) == ["cake3-red.png", "hat2-blue.png"]
    assert server.events(job, after=events[-2]["n"]) == events[-1:]
    assert server.get("/jobs")[0]["id"] == job


def test_a_preview_writes_nothing(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake3-red.png", "hat2-blue.png", "sub/hat2-blue.png")
    id = server.open(folder, recursive=True)
    row = server.wait(server.job(id, "preview", names=["hat2-blue.png"]))
    assert (row["done"], row["written"]) == (1, 0)
    assert captions(folder) == {}
    events = server.events(row["id"])
    (image,) = [e for e in events if e["event"] == "image"]
    assert image["path"] == "hat2-blue.png" and image["changed"] and "blue hat" in image["caption"]


def test_the_models_of_a_preview_stay_for_the_job(
    server: Server, folder: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(folder, "cake3-red.png", "hat2-blue.png")
    id = server.open(folder)
    server.wait(server.job(id, "preview", names=["hat2-blue.png"]))
    kept = server.get("/state")["worker"]
    assert kept["tagger"] == "fake" and kept["job"] is None
    answer = server.post("/analyze", {"path": str(folder / "cake3-red.png"), "config": FAKE})
    assert "red cake" in answer["caption"] and server.get("/state")["worker"]["pid"] == kept["pid"]
    monkeypatch.setenv("FAKE_WORKER_DELAY", "0.5")  # of a worker that were started now
    job = server.job(id)
    seen = [server.get("/state")["worker"]]
    server.wait(job)
    assert all(w is None or w["pid"] == kept["pid"] for w in seen)
    assert server.get("/state")["worker"] is None  # the job is done: its memory is free
    server.wait(server.job(id, "preview", unload_host=True, config={**FAKE, "vlm": "other"}))
    assert server.get("/state")["worker"] is None  # the WebUI's checkpoint has come back


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_WORKER_DELAY", "0.1")


def until(server: Server, job: str, done: int) -> dict[str, Any]:
    end = time.monotonic() + 20
    while True:
        row: dict[str, Any] = server.get(f"/jobs/{job}")
        if row["done"] >= done:
            return row
        assert time.monotonic() < end and row["state"] == "running", row
        time.sleep(0.02)


def test_pause_and_resume(server: Server, folder: Path, pictures: Pictures, log: Path, slow: None) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 32)))
    id = server.open(folder)
    job = server.job(id)
    until(server, job, 3)
    server.post(f"/jobs/{job}", {"action": "pause"})
    paused = server.wait(job, "paused")
    assert 3 <= paused["done"] < 30 and paused["eta"] is None
    # nothing is handed out any more, the worker is gone, the folder is free
    seen = log.read_text().count("\n")
    assert server.get("/state")["worker"] is None
    time.sleep(0.5)
    assert log.read_text().count("\n") == seen and len(captions(folder)) == paused["done"]
    assert list_runs(Dataset(folder))[-1].status == "stopped"
    before = server.events(job)
    assert before[-1]["event"] == "paused"

    server.post(f"/jobs/{job}", {"action": "resume"})
    row = server.wait(job, seconds=30)
    assert (row["state"], row["done"], row["written"], row["run"]) == ("done", 30, 30, paused["run"])
    assert [r.id for r in list_runs(Dataset(folder))] == [paused["run"]]
    after = server.events(job, after=before[-1]["n"])
    assert after[0]["event"] == "planned" and after[0]["continued"]
    again = {e["path"] for e in before if e["event"] == "image"}
    assert not again & {e["path"] for e in after if e["event"] == "image"}
    # at most those in flight at the pause were analysed twice
    assert log.read_text().count("\n") <= 30 + 8


def test_stop_and_continue_after_a_restart(
    server: Server, folder: Path, pictures: Pictures, tmp_path: Path, slow: None
) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 22)))
    job = server.job(server.open(folder))
    until(server, job, 3)
    server.post(f"/jobs/{job}", {"action": "stop"})
    stopped = server.wait(job)
    assert stopped["state"] == "stopped" and server.events(job)[-1]["stopped"]
    assert server.get("/folders/recent")[0]["unfinished"]

    again = Server(tmp_path / "data")  # the same data folder, as after a restart
    try:
        assert again.get("/jobs") == [] and again.get("/folders/recent")[0]["unfinished"]
        opened = again.post("/folders/open", {"path": str(folder)})
        unfinished = opened["unfinished"]
        assert (unfinished["run"], unfinished["images"]) == (stopped["run"], 20)
        assert 3 <= unfinished["done"] < 20 and opened["captions"] == unfinished["done"]
        job = again.job(opened["id"], config=unfinished["config"])
        row = again.wait(job)
        assert (row["state"], row["done"], row["run"]) == ("done", 20, stopped["run"])
        assert not again.get("/folders/recent")[0]["unfinished"]
        assert again.post("/folders/open", {"path": str(folder)})["unfinished"] is None
    finally:
        again.services.close()


def test_a_paused_job_is_there_after_a_restart(
    server: Server, folder: Path, pictures: Pictures, tmp_path: Path, slow: None
) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 22)))
    job = server.job(server.open(folder))
    until(server, job, 3)
    server.services.jobs.stop_all()  # what runs is paused, as when a WebUI ends
    paused = server.wait(job, "paused")

    again = Server(tmp_path / "data")
    try:
        opened = again.post("/folders/open", {"path": str(folder)})
        assert opened["job"] == job and opened["unfinished"] is None
        row = again.get(f"/jobs/{job}")
        same = ("id", "kind", "state", "run", "images", "done", "written", "started")
        assert [row[n] for n in same] == [paused[n] for n in same]
        (told,) = again.events(job)
        assert told["event"] == "paused" and told["done"] == paused["done"]
        again.post(f"/jobs/{job}", {"action": "resume"})
        ended = again.wait(job)
        assert (ended["state"], ended["done"], ended["run"]) == ("done", 20, paused["run"])
        assert len(captions(folder)) == 20
    finally:
        again.services.close()
    third = Server(tmp_path / "data")
    try:
        third.open(folder)
        (row,) = third.get("/jobs")
        assert (row["id"], row["state"], row["done"]) == (job, "done", 20)
    finally:
        third.services.close()


def test_a_killed_job_is_paused_and_gives_way_to_a_new_one(
    server: Server, folder: Path, pictures: Pictures, tmp_path: Path, slow: None
) -> None:
    pictures(folder, "cake2-red.png", "cake3-red.png")
    job = server.job(server.open(folder))
    server.wait(job)
    dataset = Dataset(folder)
    with dataset.reading() as reader:
        (stored,) = reader.jobs()
    outside = {**stored.to_json(), "id": "0123456789ab", "started": stored.started - 1}
    with dataset.state() as state:
        state.set_job(replace(stored, state="running"))
        # what a dataset from elsewhere may hold
        state.set_job(JobRow.from_json({**outside, "kind": "dance"}))
        state.set_job(JobRow.from_json({**outside, "id": "../escape"}))
        state.set_job(JobRow.from_json({**outside, "id": "0123456789ac", "config": {"threshold": 9}}))
        state.set_job(
            JobRow.from_json({**outside, "id": "0123456789ad", "options": {"run": "all"}, "kind": "undo"})
        )
    again = Server(tmp_path / "data")
    try:
        id = again.open(folder)
        assert [(row["id"], row["state"]) for row in again.get("/jobs")] == [(job, "paused")]
        new = again.job(id)
        assert again.wait(new)["state"] == "done" and again.get(f"/jobs/{job}")["state"] == "stopped"
    finally:
        again.services.close()


def test_jobs_wait_for_the_models(
    server: Server, tmp_path: Path, pictures: Pictures, log: Path, slow: None
) -> None:
    names = ("one", "two", "three", "four")
    for name, count in zip(names, (90, 4, 4, 90), strict=True):
        pictures(tmp_path / name, *(f"cake{n}-red.png" for n in range(2, 2 + count)))
    first = server.job(server.open(tmp_path / "one"))
    until(server, first, 1)
    second, third = (server.job(server.open(tmp_path / n)) for n in names[1:3])
    waiting = server.get(f"/jobs/{second}")
    assert waiting["waits_for"] == first and waiting["state"] == "running" and not waiting["done"]
    assert any("one is being worked on" in e.get("what", "") for e in server.events(second))
    server.post(f"/jobs/{second}", {"action": "stop"})
    assert server.wait(second, seconds=5)["state"] == "stopped"  # while it waits, at once
    assert server.get(f"/jobs/{third}")["waits_for"] == first
    server.post(f"/jobs/{first}", {"action": "stop"})
    assert server.wait(first)["done"] < 90 and server.wait(third)["done"] == 4
    parents = [Path(line.split("\t")[0]).parent.name for line in log.read_text().splitlines()]
    assert parents == ["one"] * (len(parents) - 4) + ["three"] * 4
    # captions that need no model wait for nobody
    busy = server.job(server.open(tmp_path / "four"))
    until(server, busy, 1)
    assert server.wait(server.job(server.open(tmp_path / "three")))["state"] == "done"
    assert server.get(f"/jobs/{busy}")["state"] == "running"
    server.post(f"/jobs/{busy}", {"action": "stop"})
    server.wait(busy)


def test_stop_while_paused(server: Server, folder: Path, pictures: Pictures, slow: None) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 22)))
    job = server.job(server.open(folder))
    until(server, job, 2)
    server.post(f"/jobs/{job}", {"action": "pause"})
    server.wait(job, "paused")
    assert server.post(f"/jobs/{job}", {"action": "stop"})["state"] == "stopped"
    assert server.events(job)[-1] | {"n": 0} == {
        "event": "finished", "run": 1, "done": len(captions(folder)), "failed": 0, "written": len(captions(folder)),
        "seconds": 0.0, "stopped": True, "error": "", "n": 0,
    }  # fmt: skip
    for action in ("pause", "resume"):
        assert "not" in server.post(f"/jobs/{job}", {"action": action}, status=409)["error"]


def test_a_second_job_on_the_folder_is_refused(
    server: Server, folder: Path, pictures: Pictures, slow: None
) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 22)))
    id = server.open(folder)
    job = server.job(id)
    for kind in ("tag", "preview", "undo"):
        answer = server.post("/jobs", {"folder": id, "kind": kind, "config": FAKE}, status=409)
        assert "is running: stop it" in answer["error"] and answer["job"] == job
    server.post(f"/jobs/{job}", {"action": "stop"})
    server.wait(job)
    # at once: the folder is free when the job says it has ended
    server.wait(server.job(id))


def test_another_programs_job_is_told_in_the_answer(server: Server, folder: Path, pictures: Pictures) -> None:
    from lib_extend.files.lock import locked

    pictures(folder, "cake2-red.png")
    id = server.open(folder)
    with locked(folder / ".prompt-extend", folder):
        answer = server.post("/jobs", {"folder": id, "kind": "tag", "config": FAKE}, status=409)
    assert "Another job is running" in answer["error"]
    assert server.get("/jobs") == []
    assert server.wait(server.job(id))["state"] == "done"


def test_undo(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake2-red.png", "hat2-blue.png")
    (folder / "cake2-red.txt").write_text("by hand")
    id = server.open(folder)
    run = server.wait(server.job(id))["run"]
    (folder / "hat2-blue.txt").write_text("edited since")
    row = server.wait(server.job(id, "undo", run=run))
    assert (row["state"], row["written"], row["failed"]) == ("done", 1, 1)
    assert captions(folder) == {"cake2-red.txt": "by hand", "hat2-blue.txt": "edited since"}
    planned, failed, told, finished = server.events(row["id"])
    assert planned["images"] == 2 and (told["event"], told["done"], told["total"]) == ("status", 2, 2)
    assert failed["path"] == "hat2-blue.txt" and f"edited after run {run}" in failed["reason"]
    assert finished["run"] == run
    answer = server.post("/jobs", {"folder": id, "kind": "undo", "run": 99}, status=400)
    assert "There is no run 99" in answer["error"]


def test_the_checkpoint_is_away_while_it_runs(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake2-red.png")
    id = server.open(folder)
    assert server.wait(server.job(id, unload_host=True))["state"] == "done"
    time.sleep(0.1)
    assert server.checkpoint.calls == ["unload", "bring back"]
    server.checkpoint.trouble = "no memory"
    row = server.wait(server.job(id, unload_host=True))
    assert row["state"] == "done"
    words = [e["what"] for e in server.events(row["id"]) if e["event"] == "status"]
    assert any("no memory" in w for w in words)
    assert server.wait(server.job(id))["state"] == "done" and server.checkpoint.calls[-1] == "unload"


def test_two_jobs_bring_the_checkpoint_back_once(
    server: Server, tmp_path: Path, pictures: Pictures, slow: None
) -> None:
    for name, count in (("one", 4), ("two", 12)):
        pictures(tmp_path / name, *(f"cake{n}-red.png" for n in range(2, 2 + count)))
    jobs = [server.job(server.open(tmp_path / n), unload_host=True) for n in ("one", "two")]
    server.wait(jobs[0])
    time.sleep(0.1)
    assert server.checkpoint.calls == ["unload"]
    server.wait(jobs[1])
    time.sleep(0.1)
    assert server.checkpoint.calls == ["unload", "bring back"]


def test_a_job_whose_worker_fails_says_why(
    server: Server, folder: Path, pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(folder, "cake2-red.png")
    id = server.open(folder)

    def broken() -> Any:
        raise OSError("no such program")

    monkeypatch.setattr(server.services.worker, "_make", broken)
    row = server.wait(server.job(id))
    assert row["state"] == "failed" and "OSError" in row["error"]
    assert server.events(row["id"])[-1]["error"] == row["error"]
    monkeypatch.undo()
    assert server.wait(server.job(id))["state"] == "done"


def test_a_browser_in_trouble_does_not_end_a_job(
    server: Server, folder: Path, pictures: Pictures, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures(folder, "cake2-red.png")

    def changed(root: Path, names: Any) -> None:
        raise KeyError("index")

    server.services.jobs._context.changed = changed
    id = server.open(folder)
    row = server.wait(server.job(id))
    assert row["state"] == "done" and "red cake" in captions(folder)["cake2-red.txt"]
    assert server.wait(server.job(id, "undo"))["state"] == "done" and not captions(folder)
    assert "KeyError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said", "field"),
    [
        ({"kind": "dance"}, "must be one of: ", "kind"),
        ({"config": {"threshold": 2}}, "threshold is 2.0, but must be 0 to 1", "threshold"),
        ({"config": {"thresold": 0.5}}, "no setting called 'thresold'", "thresold"),
        ({"config": {"max_tags": 1e300}}, "must be", "max_tags"),
        ({"config": {"people": True, "tagger": "none"}}, "people needs a tagger", "people"),
        ({"config": {"tagger": "fake", "vlm": "fake", "ask": ["nothing"]}}, "no question called", None),
        ({"names": []}, "names is empty", "names"),
        ({"names": [1]}, "a list of texts", "names"),
        ({"names": ["x"] * 10_001}, "10000", "names"),
        ({"run": 0, "kind": "undo"}, "from 1", "run"),
        ({"folder": "0123"}, "open it first", "folder"),
        ({"speed": 3}, "'speed'", "speed"),
        ({"options": {"speed": 3}}, "has no speed; it has: none", "speed"),
        ({"kind": "undo", "options": {"run": "last"}}, "run", "options"),
        ({"kind": "undo", "names": ["a.png"]}, "'names'", "names"),
    ],
)
def test_what_a_job_refuses(
    server: Server, folder: Path, change: dict[str, Any], said: str, field: str | None
) -> None:
    body = {"folder": server.open(folder), "kind": "tag", "config": FAKE, **change}
    answer = server.request("POST", "/jobs", json=body)
    assert answer.status_code in (400, 404) and said in answer.json()["error"], answer.text
    assert answer.json().get("field") == field
    assert server.get("/jobs") == []


def test_rate_and_estimate(server: Server, folder: Path, pictures: Pictures, slow: None) -> None:
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 32)))
    job = server.job(server.open(folder))
    row = until(server, job, 15)
    assert 2 < row["rate"] < 15  # ten a second are what the worker can do
    assert row["eta"] == pytest.approx((30 - row["done"]) / row["rate"], rel=0.1)
    server.post(f"/jobs/{job}", {"action": "stop"})
    server.wait(job)


# the log


def test_a_log_is_bounded_and_keeps_failures_apart() -> None:
    log = EventLog()
    for n in range(3000):
        log.append({"event": "failed" if n % 10 == 0 else "image", "path": f"{n}.png"})
    entries = log.after(0)
    assert len(entries) == events_of.IMAGES_KEPT + 300
    assert [n for n, _ in entries] == sorted(n for n, _ in entries) and entries[-1][0] == 3000
    assert log.after(2998) == entries[-2:] and log.after(3000) == []
    log.trim(10)
    assert len(log.after(0)) == 20 and log.closed


def test_progress_that_grows_takes_the_place_of_what_was_before() -> None:
    log = EventLog()
    log.append({"event": "planned"})
    for n in range(50):
        log.append({"event": "status", "what": "model", "done": n}, replace=True)
    assert [n for n, _ in log.after(0)] == [1, 51]
    assert '"done":49' in log.after(0)[1][1]


def test_a_log_wakes_who_listens_from_any_thread() -> None:
    log = EventLog()
    woken = threading.Event()
    with log.listening(woken.set):
        threading.Thread(target=log.append, args=({"event": "image"},)).start()
        assert woken.wait(5)
    woken.clear()
    log.append({"event": "image"})
    assert not woken.is_set()
