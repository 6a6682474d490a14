"""A server in this process: the routes on a FastAPI app, a fake worker, folders in a temporary place."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from lib_extend.api.address import PREFIX
from lib_extend.api.mounting import mount
from lib_extend.host.options import Options
from lib_extend.host.safety import Safety
from lib_extend.services import container
from lib_extend.services.container import Services
from lib_extend.services.lora_offers import Sources
from lib_extend.worker.client import WorkerClient

FAKE_WORKER = [sys.executable, str(Path(__file__).resolve().parents[1] / "fake_worker.py")]
NOWHERE = Sources("http://127.0.0.1:9", "http://127.0.0.1:9")
FAKE = {"tagger": "fake", "vlm": "fake"}


class Checkpoint:
    """A WebUI's checkpoint; `calls` says what was done with it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.there = True
        self.trouble = ""

    def can_unload(self) -> bool:
        return self.there

    def unload(self) -> bool:
        self.calls.append("unload")
        if self.trouble:
            raise RuntimeError(self.trouble)
        return True

    def bring_back(self) -> bool:
        self.calls.append("bring back")
        return True


@dataclass
class Loaded:
    """The WebUI's loaded checkpoint, as `host.regions` tells of it."""

    kind: str = "sdxl"
    reason: str = ""

    def unfit(self) -> str:
        return self.reason

    def family(self) -> str:
        return self.kind


class Server:
    """The routes and a client of them.

    Attributes:
        safety, options, credentials: what the host says; set them at will. told: what `browsers.changed` would be told.
        loras: the WebUI's LoRA folder. loaded: its checkpoint. refreshed: it was told of a new LoRA.
    """

    def __init__(self, data: Path, sources: Sources = NOWHERE) -> None:
        self.safety = Safety(shared=False, roots=(), login=False)
        self.credentials: dict[str, str] = {}
        self.options = Options()
        self.checkpoint = Checkpoint()
        self.loaded = Loaded()
        self.loras = data.parent / "Lora"
        self.loras.mkdir(exist_ok=True)
        self.refreshed = threading.Event()
        self.services: Services = container.make(
            data=data,
            safety=lambda: self.safety,
            credentials=lambda: self.credentials,
            options=lambda: self.options,
            host=self.checkpoint,
            client=lambda: WorkerClient(FAKE_WORKER),
            lora_folders=lambda: [self.loras],
            regions=self.loaded,
            refresh=self.refreshed.set,
            sources=sources,
        )
        self.app = FastAPI()
        mount(self.app, services=self.services)
        self.client = TestClient(self.app, base_url="http://127.0.0.1:7860", raise_server_exceptions=False)

    def share(self, *roots: Path) -> None:
        """Others can reach it from now on."""
        self.safety = replace(self.safety, shared=True, roots=roots)

    def request(self, method: str, path: str, **options: Any) -> Any:
        return self.client.request(method, PREFIX + path, **options)

    def get(self, route: str, **query: Any) -> Any:
        answer = self.request("GET", route, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.request("POST", path, json={} if body is None else body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def open(self, folder: Path, **options: Any) -> str:
        return str(self.post("/folders/open", {"path": str(folder), **options})["id"])

    def job(self, folder: str, kind: str = "tag", **options: Any) -> str:
        body = {"folder": folder, "kind": kind, **options}
        if kind != "undo":
            body.setdefault("config", FAKE)
        return str(self.post("/jobs", body)["id"])

    def wait(self, job: str, *states: str, seconds: float = 20.0) -> dict[str, Any]:
        """Until the job is in one of the states (default: over)."""
        end = time.monotonic() + seconds
        while True:
            row: dict[str, Any] = self.get(f"/jobs/{job}")
            if row["state"] in (states or ("stopped", "done", "failed")):
                return row
            assert time.monotonic() < end, row
            time.sleep(0.02)

    def events(self, job: str, after: int = 0) -> list[dict[str, Any]]:
        return list(self.get(f"/jobs/{job}/events", after=after, poll=1))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "data")
    yield server
    server.services.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "dataset"
    root.mkdir()
    return root


Pictures = Callable[..., None]


@pytest.fixture
def pictures() -> Pictures:
    """Makes small real pictures; the fake worker answers by their names."""

    def make(root: Path, *names: str, size: tuple[int, int] = (8, 6)) -> None:
        for name in names:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, "red").save(path)

    return make


class Live:
    """The same over a real socket: uvicorn in a thread. `url` is the routes' base."""

    def __init__(self, server: Server, app: Any = None) -> None:
        import uvicorn

        self.server = server
        app = server.app if app is None else app
        self.uvicorn = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
        mount(server.app, services=server.services, closing=lambda: self.uvicorn.should_exit)
        self._thread = threading.Thread(target=self.uvicorn.run, daemon=True)
        self._thread.start()
        end = time.monotonic() + 20
        while not self.uvicorn.started:
            assert self._thread.is_alive() and time.monotonic() < end
            time.sleep(0.01)
        port = self.uvicorn.servers[0].sockets[0].getsockname()[1]
        self.root = f"http://127.0.0.1:{port}"
        self.url = self.root + PREFIX

    def close(self, seconds: float = 10.0) -> bool:
        """Tell it to end, as Gradio does; returns whether it did."""
        self.uvicorn.should_exit = True
        self._thread.join(seconds)
        return not self._thread.is_alive()


@pytest.fixture
def live(server: Server) -> Iterator[Live]:
    live = Live(server)
    yield live
    assert live.close()
