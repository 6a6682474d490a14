"""LoRAs got over HTTP: offered by a server that speaks GitHub's and Civitai's APIs, downloaded, stopped, imported."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_extend.files import downloading
from lib_extend.generation.lora_files import BACKGROUND, SEPARATION, Library
from lib_extend.generation.lora_sources import PUBLISHED_MODELS, PUBLISHED_REPO
from lib_extend.host import lora_reload as host_loras
from lib_extend.services.lora_list import LoraList
from lib_extend.services.lora_offers import Sources
from tests.generation.lora_files import BACKGROUND_TAGS, SEPARATION_TAGS, lora, published
from tests.generation.lora_server import Fault, LoraServer

from .conftest import Server

DATA = lora(**published(12004, SEPARATION_TAGS), padding="x" * 900_000)
OTHER = lora(**published(9330, BACKGROUND_TAGS))
FILE = "separation V1.safetensors"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoraServer]:
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with LoraServer() as running:
        running.release(PUBLISHED_REPO, "V1", {FILE: DATA, "notes.txt": b"x"})
        running.model(PUBLISHED_MODELS[BACKGROUND], "v2", {"bg.safetensors": OTHER})
        running.model(PUBLISHED_MODELS[SEPARATION], "v1", {FILE: DATA}, base="SD 1.5")
        running.model(7, "v1", {"mine.safetensors": OTHER}, base="NoobAI")
        yield running


@pytest.fixture
def server(tmp_path: Path, shop: LoraServer) -> Iterator[Server]:
    server = Server(tmp_path / "data", Sources(shop.url, shop.url))
    yield server
    server.services.close()


def ended(server: Server, id: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while (row := server.get(f"/loras/get/{id}"))["state"] == "running":
        assert time.monotonic() < end, row
        time.sleep(0.01)
    return dict(row)


def start(server: Server, source: str = "github", **more: Any) -> str:
    (offer,) = server.get("/loras/offers", source=source, **more)["offers"]
    return str(server.post("/loras/get", {"source": source, "id": offer["id"], **more})["id"])


def files(server: Server) -> list[str]:
    return sorted(str(p.relative_to(server.loras)) for p in server.loras.rglob("*") if p.is_file())


def test_offers(server: Server) -> None:
    (told,) = server.get("/loras/offers", source="github")["offers"]
    assert (told["name"], told["file"], told["size"]) == ("separation V1", FILE, len(DATA))
    assert told["sha256"] == hashlib.sha256(DATA).hexdigest() and told["version"] == "V1"
    assert told["page"] == f"https://github.com/{PUBLISHED_REPO}/releases"
    rows = {o["file"]: o for o in server.get("/loras/offers", source="civitai")["offers"]}
    assert [rows[f]["role"] for f in ("bg.safetensors", FILE)] == ["background", "separation"]
    assert [rows[f]["family"] for f in ("bg.safetensors", FILE)] == ["sdxl", "sd1"]
    (mine,) = server.get("/loras/offers", source="civitai", model=7)["offers"]
    assert (mine["file"], mine["role"], mine["page"]) == (
        "mine.safetensors",
        "",
        "https://civitai.com/models/7",
    )
    assert len({o["id"] for o in (told, mine, *rows.values())}) == 4


def test_a_download(server: Server) -> None:
    told = ended(server, start(server))
    assert (told["state"], told["name"], told["error"]) == ("done", "separation V1", "")
    assert told["done"] == told["total"] == len(DATA) and told["file"] == FILE
    assert (server.loras / FILE).read_bytes() == DATA and files(server) == [FILE]
    assert server.refreshed.wait(5)
    (row,) = server.get("/loras")["loras"]
    assert (row["name"], row["role"]) == ("separation V1", "separation")


def test_progress_and_stop_and_going_on(
    server: Server, shop: LoraServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, arrived = threading.Event(), threading.Event()
    receive = downloading._size

    def slow(path: Path) -> int:
        if not arrived.is_set():
            arrived.set()
            assert go.wait(10)
        return receive(path)

    monkeypatch.setattr(downloading, "_size", slow)
    id = start(server)
    assert arrived.wait(10)
    assert server.get(f"/loras/get/{id}")["state"] == "running"
    # a second wish for the same file is the same download
    assert start(server) == id
    assert server.post(f"/loras/get/{id}/stop")["id"] == id
    go.set()
    told = ended(server, id)
    assert told["state"] == "stopped" and 0 < told["done"] < told["total"] == len(DATA)
    assert not (server.loras / FILE).exists() and server.get("/loras")["loras"] == []
    again = start(server)
    assert again != id and ended(server, again)["state"] == "done"
    assert (server.loras / FILE).read_bytes() == DATA
    assert shop.downloads()[-1]["Range"].startswith("bytes=")


def test_the_time_that_is_left(server: Server) -> None:
    from lib_extend.services.lora_offers import LoraDownload

    one = LoraDownload("1", "2", "x.safetensors")
    assert one.to_json()["seconds_left"] is None
    one.progress(0, 1000)
    time.sleep(0.3)
    one.progress(500, 1000)
    assert 0.25 < one.to_json()["seconds_left"] < 1.5
    one.state = "done"
    assert one.to_json()["seconds_left"] is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(wrong=5), "arrived damaged"),
        (Fault(status=404), "does not have this any more"),
        (Fault(page=True), "enter an API key"),
        (Fault(after=0, times=99), "cannot be reached"),
    ],
)
def test_what_goes_wrong_is_one_sentence(server: Server, shop: LoraServer, fault: Fault, said: str) -> None:
    shop.faults[f"V1/{FILE}"] = fault
    told = ended(server, start(server))
    assert told["state"] == "failed" and said in told["error"] and told["name"] == ""
    assert not (server.loras / FILE).exists() and not server.refreshed.is_set()


def test_a_key_is_sent_and_not_told(server: Server, shop: LoraServer) -> None:
    shop.token = "secret"
    (offer,) = server.get("/loras/offers", source="civitai", model=7)["offers"]
    wish = {"source": "civitai", "model": 7, "id": offer["id"]}
    assert "API key" in ended(server, server.post("/loras/get", wish)["id"])["error"]
    answer = server.post("/loras/get", {**wish, "token": "secret"})
    assert "secret" not in str(answer) and ended(server, answer["id"])["state"] == "done"
    for token in ("a\nb", "x" * 300, "ü"):
        assert server.post("/loras/get", {**wish, "token": token}, status=400)["field"] == "token"


def test_an_offer_that_is_known_from_another_time(server: Server) -> None:
    (offer,) = server.get("/loras/offers", source="github")["offers"]
    server.services.downloads._offers.clear()
    assert (
        ended(server, server.post("/loras/get", {"source": "github", "id": offer["id"]})["id"])["state"]
        == "done"
    )
    server.services.downloads._offers.clear()
    gone = server.post("/loras/get", {"source": "civitai", "id": offer["id"]}, status=404)
    assert gone["field"] == "id" and "not offered any more" in gone["error"]


def test_no_more_than_a_few_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_extend.services.lora_offers.AT_ONCE", 0)
    (offer,) = server.get("/loras/offers", source="github")["offers"]
    wish = {"source": "github", "id": offer["id"]}
    assert "wait" in server.post("/loras/get", wish, status=409)["error"]


def test_questions_that_are_wrong(server: Server, shop: LoraServer) -> None:
    for query, field in (
        ({}, "source"), ({"source": "x"}, "source"), ({"source": "civitai", "model": "x"}, "model"),
        ({"source": "civitai", "model": 0}, "model"),
    ):  # fmt: skip
        answer = server.request("GET", "/loras/offers", params=query)
        assert answer.status_code == 400 and answer.json()["field"] == field
    answer = server.request("GET", "/loras/offers", params={"source": "civitai", "model": 99})
    assert answer.status_code == 400 and "does not have this" in answer.json()["error"]
    shop.limited = True
    answer = server.request("GET", "/loras/offers", params={"source": "github"})
    assert answer.status_code == 400 and "too often" in answer.json()["error"]
    assert server.request("GET", "/loras/get/none").status_code == 404
    assert server.request("POST", "/loras/get/none/stop", json={}).status_code == 404


def test_offline_is_said(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    answer = server.request("GET", "/loras/offers", params={"source": "github"})
    assert answer.status_code == 400 and "cannot be reached" in answer.json()["error"]
    server.services.close()


def test_import(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(DATA)
    assert server.post("/loras/import", {"path": str(mine)}) == {"name": "mine"}
    assert (server.loras / "mine.safetensors").read_bytes() == DATA and mine.exists()
    assert server.refreshed.wait(5)
    (tmp_path / "torn.safetensors").write_bytes(DATA[:-1])
    (tmp_path / "x.txt").write_bytes(DATA)
    for name, said in (
        ("torn.safetensors", "torn"),
        ("x.txt", "does not end in"),
        ("none.safetensors", "no file"),
    ):
        assert said in server.post("/loras/import", {"path": str(tmp_path / name)}, status=400)["error"]
    assert files(server) == ["mine.safetensors"]


def test_what_others_may_do(server: Server, tmp_path: Path) -> None:
    """Without a login nobody from elsewhere fills the disk; with one, files come only from the folders named by flag."""
    named, elsewhere = tmp_path / "named", tmp_path / "elsewhere"
    for folder in (named, elsewhere):
        folder.mkdir()
        (folder / f"{folder.name}.safetensors").write_bytes(OTHER)
    (named / "link.safetensors").symlink_to(elsewhere / "elsewhere.safetensors")
    server.share(named)
    inside = {"path": str(named / "named.safetensors")}
    assert "login" in server.post("/loras/import", inside, status=403)["error"]
    assert server.request("GET", "/loras/offers", params={"source": "github"}).status_code == 403
    assert server.post("/loras/get", {"source": "github", "id": "x"}, status=403)
    server.safety = replace(server.safety, login=True)
    server.credentials["me"] = "word"
    server.client.auth = ("me", "word")
    assert server.post("/loras/import", inside) == {"name": "named"}
    for path in (elsewhere / "elsewhere.safetensors", named / "link.safetensors"):
        assert "may not be used" in server.post("/loras/import", {"path": str(path)}, status=403)["error"]
    assert files(server) == ["named.safetensors"]
    assert ended(server, start(server))["state"] == "done"


def test_without_a_webui_there_is_no_folder(server: Server, tmp_path: Path) -> None:
    (offer,) = server.get("/loras/offers", source="github")["offers"]
    server.services.downloads._folders = lambda: []
    assert (
        "by hand" in server.post("/loras/get", {"source": "github", "id": offer["id"]}, status=409)["error"]
    )


def test_the_webuis_own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the built-in Lora extension has it; another module of that name is left alone."""
    import sys
    from types import ModuleType

    assert not host_loras.refresh()
    queue, listed = threading.Lock(), []
    monkeypatch.setitem(sys.modules, "modules.script_callbacks", ModuleType("modules.script_callbacks"))
    calls = ModuleType("modules.call_queue")
    calls.queue_lock = queue  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "modules", ModuleType("modules"))
    monkeypatch.setitem(sys.modules, "modules.call_queue", calls)
    networks = ModuleType("networks")
    networks.list_available_networks = lambda: listed.append(queue.locked())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "networks", networks)
    assert not host_loras.refresh() and not listed
    networks.available_networks = {}  # type: ignore[attr-defined]
    assert host_loras.refresh() and listed == [True] and not queue.locked()


def test_folders_are_not_looked_through_at_every_keystroke(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[Path, ...]] = []
    scan = Library.scan

    def counted(self: Library) -> Any:
        looks.append(self.folders)
        return scan(self)

    monkeypatch.setattr(Library, "scan", counted)
    folders = [tmp_path]
    shelf = LoraList(lambda: folders)
    (tmp_path / "a.safetensors").write_bytes(lora(64, ss_output_name="Other"))
    assert shelf.aliases() == {"other": "a"} and [x.name for x in shelf.all()] == ["a"] and len(looks) == 1
    (tmp_path / "b.safetensors").write_bytes(OTHER)
    assert len(shelf.all()) == 1
    assert [x.name for x in shelf.all(fresh=True)] == ["a", "b"] and len(looks) == 2
    monkeypatch.setattr("lib_extend.services.lora_list.FRESH", 0.0)
    (tmp_path / "a.safetensors").unlink()
    assert [x.name for x in shelf.all()] == ["b"]
    # the WebUI names other folders
    monkeypatch.setattr("lib_extend.services.lora_list.FRESH", 60.0)
    folders = []
    assert shelf.all() == [] and looks[-1] == ()
