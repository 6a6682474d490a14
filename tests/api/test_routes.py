"""Mounting, and what holds for every route: errors as sentences, bounds, the page's files, what a server tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lib_extend.api.address import PREFIX
from lib_extend.api.finding import all_routes
from lib_extend.api.gate import JSON_LIMIT
from lib_extend.api.mounting import NAME, mount
from lib_extend.services import messages

from .conftest import Server


def test_mounting_again_changes_nothing(server: Server) -> None:
    app = server.app
    before = len(app.router.routes)
    mount(app, services=server.services)
    mount(app, services=server.services)
    assert len(app.router.routes) == before
    assert [r.name for r in app.router.routes if r.name == NAME] == [NAME]
    assert server.get("/state")["version"]


def test_a_new_app_serves_the_same_jobs(server: Server, folder: Path, pictures) -> None:  # type: ignore[no-untyped-def]
    pictures(folder, "cake2-red.png")
    job = server.job(server.open(folder))
    server.wait(job)
    again = FastAPI()
    mount(again, services=server.services)
    rows = TestClient(again, base_url="http://localhost").get(f"{PREFIX}/jobs").json()
    assert [r["id"] for r in rows] == [job]


def test_an_app_that_answers_every_address_does_not_hide_it(server: Server) -> None:
    app = FastAPI()

    @app.get("/{path:path}")
    def anything(path: str) -> str:
        return path

    mount(app, services=server.services)
    client = TestClient(app, base_url="http://localhost")
    assert "version" in client.get(f"{PREFIX}/state").json()
    assert client.get("/elsewhere").json() == "elsewhere"


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("GET", "/jobs/1/2/3"), ("GET", "/")])
def test_what_is_not_there_is_told(server: Server, method: str, path: str) -> None:
    answer = server.request(method, path)
    assert answer.status_code == 404 and "docs.md" in answer.json()["error"]


def test_a_wrong_method_is_told(server: Server) -> None:
    answer = server.request("PUT", "/state", json={})
    assert answer.status_code == 405 and "PUT" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "no JSON"),
        (b"[1]", "JSON object"),
        (b'{"action": NaN}', "NaN"),
        (b'{"action": 1e999}', "too large a number"),
        (b"[" * 100_000, "nested"),
        (b'{"action": "\xff"}', "UTF-8"),
        (b'{"action": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"{}", "action is needed"),
        (b'{"action": 1}', "must be a text"),
        (b'{"action": "dance"}', "must be one of: unload"),
        (b'{"action": "unload", "extra": 1}', "'extra'"),
    ],
)
def test_a_wrong_body_gets_a_sentence(server: Server, body: bytes, said: str) -> None:
    answer = server.request("POST", "/worker", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and said in answer.json()["error"], answer.text


def test_bodies_are_bounded(server: Server) -> None:
    headers = {"Content-Type": "application/json"}
    whole = server.request("POST", "/worker", content=b" " * (JSON_LIMIT + 1), headers=headers)
    assert whole.status_code == 413 and str(JSON_LIMIT) in whole.json()["error"]

    def pieces():  # type: ignore[no-untyped-def]
        for _ in range(JSON_LIMIT // 65536 + 1):
            yield b" " * 65536

    piecemeal = server.request("POST", "/worker", content=pieces(), headers=headers)
    assert piecemeal.status_code == 413


def test_a_bug_of_ours_is_a_sentence_and_a_traceback_in_the_log(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.services, "recent", None)
    answer = server.request("GET", "/folders/recent")
    assert answer.status_code == 500
    assert answer.json() == {"error": messages.BUG.format(kind="AttributeError"), "code": "bug"}
    assert "Traceback" in capsys.readouterr().err


def test_answers_are_not_for_other_sites(server: Server) -> None:
    headers = server.request("GET", "/state").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_the_page(server: Server) -> None:
    answer = server.request("GET", "/page/app.mjs")
    if answer.status_code == 404:
        pytest.skip("the page is not there yet")
    assert answer.headers["content-type"].startswith("text/javascript")
    same = server.request("GET", "/page/app.mjs", headers={"If-None-Match": answer.headers["etag"]})
    assert same.status_code == 304 and not same.content
    for outside in ("../__init__.py", "..%2f__init__.py", "nothing.mjs", "%2e%2e/__init__.py"):
        assert server.request("GET", f"/page/{outside}").status_code == 404


def test_the_state_of_a_server_without_a_webui(server: Server) -> None:
    state = server.get("/state")
    assert state["host"] == "" and state["free"] and not state["login"] and state["worker"] is None
    assert set(state["environment"]) >= {"ready", "python", "packages", "bytes", "problem", "doing"}


def test_the_checkpoint_goes_and_comes(server: Server) -> None:
    server.post("/host", {"action": "unload"})
    server.post("/host", {"action": "reload"})
    assert server.checkpoint.calls == ["unload", "bring back"]
    server.checkpoint.there = False
    assert "no WebUI" in server.post("/host", {"action": "unload"}, status=409)["error"]


def test_no_route_is_listed_twice() -> None:
    assert len({(r.method, r.path) for r in all_routes()}) == len(all_routes())


def test_mounting_costs_a_starting_webui_nothing() -> None:
    """Routes, services and what they need are made at the first request."""
    code = (
        "import sys, starlette.routing, starlette.applications; before = set(sys.modules)\n"
        "from lib_extend.api import mounting\n"
        "mounting.mount(starlette.applications.Starlette())\n"
        "print(*sorted(m for m in set(sys.modules) - before if m.startswith('lib_extend.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) <= {
        "lib_extend.api", "lib_extend.api.address", "lib_extend.api.mounting", "lib_extend.host",
        "lib_extend.host.gradio", "lib_extend.host.detect",
    }  # fmt: skip
