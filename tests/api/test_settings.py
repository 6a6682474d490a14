"""Settings, models, questions, presets, folders, the environment and one picture, over HTTP."""

from __future__ import annotations

import io
import json
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.config import TagConfig, settings
from lib_extend.errors import Stopped, UserError
from lib_extend.services import messages
from lib_extend.services.environment_task import EnvironmentTask
from lib_extend.services.idle_worker import WAITING
from lib_extend.worker.environment import EnvironmentStatus, Plan

from .conftest import FAKE, Server

Pictures = Callable[..., None]


def test_every_setting_is_told(server: Server) -> None:
    told = server.get("/settings")
    assert [s["name"] for s in told["settings"]] == [f.name for f in fields(TagConfig)]
    by_name = {s["name"]: s for s in told["settings"]}
    assert by_name["threshold"] | {"help": ""} == {
        "name": "threshold", "type": "number", "optional": True, "default": None, "label": "General tags above", "help": "",
        "group": "tags",
        "low": 0.0, "high": 1.0, "choices": None, "metavar": None, "recompose": True,
    }  # fmt: skip
    assert by_name["ask"]["type"] == "list" and by_name["ask"]["default"][0] == "count"
    assert "merge" in by_name["existing"]["choices"]
    groups = [g["name"] for g in told["groups"]]
    assert groups == list(dict.fromkeys(s.group for s in settings(TagConfig)))
    assert set(groups) == set(messages.GROUPS) and told["groups"][0]["title"] == "Models"


def test_models(server: Server) -> None:
    pytest.importorskip("huggingface_hub")
    models = server.get("/models")
    assert set(models) == {"taggers", "vlms", "detectors", "expanders"}
    sketch = next(m for m in models["taggers"] if m["name"] == "sketch")
    assert sketch["here"] and sketch["licence"] == "MIT" and "kind" not in sketch
    assert {"wd-swinv2-v3"} < {m["name"] for m in models["taggers"]}
    began = time.monotonic()
    assert server.get("/models") == models
    assert time.monotonic() - began < 0.2  # not asked again at once


def test_questions(server: Server) -> None:
    rows = {q["name"]: q for q in server.get("/questions")}
    assert rows["floor_material"]["selected_by"] == "floor" and "tile" in rows["floor_material"]["allowed"]
    assert rows["door"]["allowed"] == ["yes", "no"] and rows["color"]["kind"] == "color"
    (own,) = server.post("/questions/check", {"text": "What season is it? [spring, summer]"})["questions"]
    assert own["kind"] == "one_of" and own["allowed"] == ["spring", "summer"]
    toml = '[[question]]\nname = "rain"\nask = "Is it raining?"\nkind = "yes_no"\ntag = "rain"\n'
    assert server.post("/questions/check", {"toml": toml})["questions"][0]["tag"] == "rain"
    wrong = server.post("/questions/check", {"toml": toml + '[[question]]\nname = "x"\n'}, status=400)
    assert "line 6" in wrong["error"]
    assert "not TOML" in server.post("/questions/check", {"toml": "["}, status=400)["error"]
    assert "one of text" in server.post("/questions/check", {}, status=400)["error"]


def test_presets(server: Server, tmp_path: Path) -> None:
    assert server.get("/presets") == []
    config = {"tagger": "sketch", "threshold": 0.4, "max_tags": None}
    saved = server.request("PUT", "/presets/Möbel 家具", json={"config": config}).json()
    assert saved == {"name": "Möbel 家具", "config": {"tagger": "sketch", "threshold": 0.4}}
    assert server.get("/presets") == [saved] and server.get("/presets/Möbel 家具") == saved
    (file,) = (tmp_path / "data" / "presets").iterdir()
    assert file.name == "Möbel 家具.json"

    answer = server.request("GET", "/presets/Möbel 家具/file")
    assert "filename*=UTF-8''M%C3%B6bel%20" in answer.headers["content-disposition"]
    again = server.post("/presets/import", answer.json())
    assert again == {**saved, "name": "Möbel 家具 2"}
    wrong = server.request("PUT", "/presets/x", json={"config": {"threshold": 7}})
    assert wrong.status_code == 400 and wrong.json()["field"] == "threshold"

    (file.parent / "torn.json").write_text("{")
    (file.parent / "strange.json").write_text(json.dumps({"config": {"nothing": 1}}))
    rows = {p["name"]: p for p in server.get("/presets")}
    assert "cannot be read" in rows["torn"]["problem"] and "nothing" in rows["strange"]["problem"]
    assert server.request("GET", "/presets/torn").status_code == 422
    assert server.request("DELETE", "/presets/torn", json={}).status_code == 200
    assert server.request("DELETE", "/presets/torn", json={}).status_code == 404
    assert server.request("GET", "/presets/nothing").status_code == 404


def test_what_a_folder_holds(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "a.png", "b.png", size=(40, 30))
    pictures(folder, "c.PNG", size=(400, 300))
    pictures(folder, "sub/d.png", size=(4, 3))
    (folder / "a.txt").write_text("x")
    (folder / "lonely.txt").write_text("x")
    (folder / "broken.jpg").write_bytes(b"no picture")
    told = server.post("/folders/open", {"path": f"{folder}/sub/.."})
    assert told["path"] == str(folder) and told["images"] == 4 and told["captions"] == 1
    assert told["sizes"] == {"sampled": 3, "smallest": [40, 30], "median": [40, 30], "largest": [400, 300]}
    assert told["bytes"] == sum(
        p.stat().st_size for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg")
    )
    assert (told["run"], told["unfinished"], told["job"]) == (None, None, None)
    deep = server.post("/folders/open", {"path": str(folder), "recursive": True})
    assert deep["images"] == 5 and deep["id"] == told["id"] and deep["sizes"]["smallest"] == [4, 3]


def test_recent_folders(server: Server, tmp_path: Path) -> None:
    for n in range(25):
        (tmp_path / f"f{n}").mkdir()
        server.open(tmp_path / f"f{n}")
    server.open(tmp_path / "f20")
    rows = server.get("/folders/recent")
    assert [r["name"] for r in rows[:3]] == ["f20", "f24", "f23"] and len(rows) == 20
    server.request("DELETE", "/folders/recent", json={"path": str(tmp_path / "f24")})
    assert [r["name"] for r in server.get("/folders/recent")[:2]] == ["f20", "f23"]
    (tmp_path / "data" / "recent.json").write_text("[1, {}")
    assert server.get("/folders/recent") == []


def test_looking_for_a_folder(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "B/x.png", "a/x.png", "a/y.jpg", ".hidden/x.png", "x.png")
    start = server.get("/folders/browse")
    assert start["path"] == "" and start["parent"] is None and start["folders"]
    told = server.get("/folders/browse", path=str(folder))
    assert [(f["name"], f["images"]) for f in told["folders"]] == [("a", 2), ("B", 1)]
    assert told["parent"] == str(folder.parent)
    answer = server.request("GET", "/folders/browse", params={"path": str(folder / "x.png")})
    assert answer.status_code == 400 and "cannot be listed" in answer.json()["error"]


# the environment


class Maker:
    """An environment that takes as long as it is told to; `steps` are what `make` says before it ends."""

    def __init__(self) -> None:
        self.made = False
        self.go = threading.Event()
        self.problem: Exception | None = None

    def status(self) -> EnvironmentStatus:
        if self.made:
            return EnvironmentStatus(True, "/x/python", "/x", {"onnxruntime": "1.31"}, 7)
        return EnvironmentStatus(False, "", "", problem="Make it.")

    def plan(self) -> Plan:
        return Plan("/x", ("onnxruntime",), 226, {})

    def make(self, progress: Any, stop: threading.Event) -> EnvironmentStatus:
        for done in range(3):
            progress("Downloading onnxruntime", done, 2)
        while not self.go.wait(0.01):
            if stop.is_set():
                raise Stopped("Stopped.")
        if self.problem:
            raise self.problem
        self.made = True
        return self.status()

    repair = make

    def remove(self) -> None:
        self.made = False


def ended(server: Server) -> list[dict[str, Any]]:
    """The events of the environment's task, once it has ended."""
    end = time.monotonic() + 5
    while not server.services.environment.log.closed:
        assert time.monotonic() < end
        time.sleep(0.01)
    return list(server.get("/environment/events", poll=1))


@pytest.fixture
def maker(server: Server) -> Maker:
    maker = Maker()
    server.services.environment = EnvironmentTask(maker)
    return maker


def test_the_environment_is_made_and_removed(server: Server, maker: Maker) -> None:
    before = server.get("/state")["environment"]
    assert (before["ready"], before["needs"], before["problem"]) == (False, 226, "Make it.")
    server.post("/environment", {"action": "make"})
    assert server.get("/state")["environment"]["doing"] == "make"
    assert "already" in server.post("/environment", {"action": "remove"}, status=409)["error"]
    maker.go.set()
    events = ended(server)
    assert [(e["event"], e.get("done")) for e in events] == [("line", 2), ("finished", None)]
    assert events[-1]["error"] == ""
    after = server.get("/state")["environment"]
    assert (after["ready"], after["bytes"], after["doing"], after["needs"]) == (True, 7, "", None)
    server.post("/environment", {"action": "remove"})
    ended(server)
    assert not server.get("/state")["environment"]["ready"]


def test_making_the_environment_can_be_stopped_and_can_fail(server: Server, maker: Maker) -> None:
    assert "Nothing" in server.post("/environment", {"action": "stop"}, status=409)["error"]
    server.post("/environment", {"action": "make"})
    server.post("/environment", {"action": "stop"})
    assert ended(server)[-1]["stopped"]
    maker.problem = UserError("No room: delete something.")
    maker.go.set()
    server.post("/environment", {"action": "repair"})
    assert ended(server)[-1]["error"] == "No room: delete something."


# one picture


def picture(size: tuple[int, int] = (12, 9)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "PNG")
    return out.getvalue()


def test_a_picture_that_is_sent(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    sent = {"image": ("cake3-red.png", picture(), "image/png"), "config": (None, json.dumps(FAKE))}
    answer = server.request("POST", "/analyze", files=sent)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert "1 girl" in told["caption"] or "1girl" in told["caption"]
    assert (told["width"], told["height"]) == (64, 48) and told["seconds"] > 0
    assert {t["name"] for t in told["tags"]} >= {"1girl", "black_hair"}
    assert all(0 <= a["probability"] <= 1 for a in told["answers"])
    assert "hat" in {d["name"] for d in told["dropped"]}
    assert not list(folder.iterdir())


def test_the_worker_is_kept_and_ends_when_told(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake3-red.png", "fail.png", "pair.png")
    server.open(folder)

    def analyze(name: str, status: int = 200, **changes: Any) -> dict[str, Any]:
        body = {"path": str(folder / name), "config": {**FAKE, **changes}}
        return dict(server.post("/analyze", body, status=status))

    assert {a["tag"] for a in analyze("cake3-red.png")["answers"]} == {"3_cakes", "red_cake"}
    worker = server.get("/state")["worker"]
    assert (worker["tagger"], worker["vlm"], worker["job"]) == ("fake", "fake", None) and worker["running"]
    assert "copy it again" in analyze("fail.png", 422)["error"]
    persons = analyze("pair.png", people=True, format="greek")["persons"]
    assert [p["letter"] for p in persons] == ["α", "β"] and len(persons[0]["box"]) == 4
    analyze("cake3-red.png", people=True)
    now = server.get("/state")["worker"]
    analyze("cake3-red.png", people=True, threshold=0.9)
    assert server.get("/state")["worker"]["pid"] == now["pid"]
    assert server.post("/worker", {"action": "unload"}) == {"unloaded": True}
    assert server.get("/state")["worker"] is None
    assert server.post("/worker", {"action": "unload"}) == {"unloaded": False}
    assert "needs a tagger" not in analyze("cake3-red.png")["caption"]
    # a job has the memory for itself
    server.wait(server.job(server.open(folder)))
    assert server.get("/state")["worker"] is None


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"config": FAKE}, 400, "Send a picture"),
        ({"path": "{folder}/nothing.png", "config": FAKE}, 404, "no image"),
        ({"path": "{folder}/x.png", "config": {"tagger": "none"}}, 400, "choose a tagger"),
        ({"path": "{folder}/x.png", "config": {"batch_size": 0}}, 400, "batch_size"),
        ({"path": "/etc/hostname", "config": FAKE}, 403, "leads outside"),
    ],
)
def test_a_picture_that_cannot_be_analysed(
    server: Server, folder: Path, pictures: Pictures, body: dict[str, Any], status: int, said: str
) -> None:
    pictures(folder, "x.png")
    server.open(folder)
    body = {k: v.replace("{folder}", str(folder)) if isinstance(v, str) else v for k, v in body.items()}
    assert said in server.post("/analyze", body, status=status)["error"]


def test_forms_that_are_wrong(server: Server) -> None:
    image = ("x.png", picture(), "image/png")
    for files, said in (
        ({"config": (None, "{}")}, "Send a picture"),
        ({"image": (None, "text")}, "Send a picture"),
        ({"image": image, "config": (None, "[]")}, "JSON object"),
        ({"image": image, "config": (None, '{"threshold": 9}')}, "threshold"),
    ):
        answer = server.request("POST", "/analyze", files=files)
        assert answer.status_code == 400 and said in answer.json()["error"], answer.text
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    torn = server.request("POST", "/analyze", content=b"--y\r\nnothing", headers=headers)
    assert torn.status_code == 400 and "boundary" in torn.json()["error"]


def test_too_many_pictures_at_once(server: Server) -> None:
    kept = server.services.worker
    with kept._turn:
        for _ in range(WAITING):
            assert kept._waiting.acquire(blocking=False)
        sent = {"image": ("x.png", picture(), "image/png"), "config": (None, json.dumps(FAKE))}
        assert server.request("POST", "/analyze", files=sent).status_code == 429


def test_the_models_folder_of_the_webui_is_used(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "cake2-red.png")
    server.options = replace(server.options, models_dir=str(folder / "models"))
    job = server.job(server.open(folder))
    server.wait(job)
    assert server.services.jobs.get(job).config.models_dir == str(folder / "models")


@pytest.mark.parametrize("toml", [".".join("a" * 200_000) + " = 1", "x = {" + ".".join("a" * 200_000) + " = 1}", "[" + ".".join("a" * 200_000) + "]"])  # fmt: skip
def test_a_key_of_many_parts_is_a_sentence_at_once(server: Server, toml: str) -> None:
    began = time.monotonic()
    answer = server.post("/questions/check", {"toml": "\n" + toml}, status=400)
    assert "line 2: a key has" in answer["error"] and time.monotonic() - began < 5


def test_the_document_says_which_routes_stream(server: Server) -> None:
    paths = server.get("/openapi.json")["paths"]
    streams = {p for p, o in paths.items() if "text/event-stream" in str(o.get("get", {}).get("responses"))}
    assert {p.rsplit("/", 1)[1] for p in streams} == {"events", "scan"}
