"""Each attack the API must withstand, tried."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from lib_extend.api import gate
from lib_extend.api.address import PREFIX
from lib_extend.api.finding import all_routes
from lib_extend.api.mounting import mount
from lib_extend.api.security import HOSTS

from .conftest import Live, Server

Pictures = Callable[..., None]
OWN = "http://127.0.0.1:7860"
posix = pytest.mark.skipif(os.name == "nt", reason="POSIX paths")


def refused(answer, status: int = 403) -> str:  # type: ignore[no-untyped-def]
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


# other sites


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:7860.evil.example"},
        {"Origin": "http://127.0.0.1:7861"},
        {"Origin": "http://localhost:7860"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    ],
)
def test_another_site_is_refused(server: Server, headers: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = server.request(method, "/presets" if method == "GET" else "/worker", headers=headers, json={"action": "unload"})  # fmt: skip
        assert "another site" in refused(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        # behind a proxy that gives the server another name
        {"Origin": "https://tags.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_the_page_itself_passes(server: Server, headers: dict[str, str]) -> None:
    assert server.request("POST", "/worker", headers=headers, json={"action": "unload"}).status_code == 200


def test_a_picture_on_another_site_is_refused_by_its_referer(server: Server) -> None:
    assert refused(server.request("GET", "/presets", headers={"Referer": "http://evil.example/x?y"}))
    assert server.request("GET", "/presets", headers={"Referer": f"{OWN}/?x"}).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"]
)  # fmt: skip
def test_what_a_form_can_send_is_refused(server: Server, kind: str) -> None:
    answer = server.request(
        "POST", "/worker", content=b'{"action": "unload"}', headers={"Content-Type": kind}
    )
    assert "application/json" in refused(answer, 415)


def test_a_preflight_gets_no_permission(server: Server) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = server.request("OPTIONS", "/worker", headers=headers)
    assert answer.status_code == 403
    assert not [h for h in answer.headers if h.startswith("access-control")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example:7860", "x.gradio.live"]
)  # fmt: skip
def test_a_foreign_name_for_this_machine_is_refused(server: Server, host: str) -> None:
    # the page at http://evil.example:7860 is of the "same origin" once the name points here
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert "PROMPT_EXTEND_HOSTS" in refused(server.request("GET", "/state", headers=headers))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost", "LOCALHOST:7860", "[::1]:7860", "192.168.1.5:7860", "my-pc:7860", "my-pc.local"]
)  # fmt: skip
def test_addresses_and_local_names_pass(server: Server, host: str) -> None:
    assert server.request("GET", "/presets", headers={"Host": host}).status_code == 200


def test_a_name_can_be_allowed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS, "other.example, Tags.example")
    assert server.request("GET", "/presets", headers={"Host": "tags.example:443"}).status_code == 200
    server.share()
    assert server.request("GET", "/presets", headers={"Host": "abc.gradio.live"}).status_code == 200


# the host's login


class GradioApp(FastAPI):
    """What Gradio's app has of a login: 3.41's cookie has no number, that of 4 has."""

    def __init__(self, cookie: str) -> None:
        super().__init__()
        self.auth = {"mina": "secret"}
        self.tokens = {"t0ken": "mina"}
        self.cookie = cookie


@pytest.mark.parametrize("cookie", ["access-token", "access-token-unsecure", "access-token-aB3_x", "access-token-unsecure-aB3_x"])  # fmt: skip
def test_the_login_of_gradio_guards_every_route(server: Server, cookie: str) -> None:
    app = GradioApp(cookie)
    mount(app, services=server.services)
    client = TestClient(app, base_url=OWN)
    for method, path in [(r.method, r.path) for r in all_routes()]:
        if path.startswith("/page"):
            continue
        answer = client.request(method, PREFIX + path, headers={"Content-Type": "application/json"})
        assert refused(answer, 401) and "www-authenticate" not in answer.headers
    for wrong in (f"{cookie}=guess", "other=t0ken", f"{cookie}=", "t0ken"):
        assert client.get(f"{PREFIX}/state", headers={"Cookie": wrong}).status_code == 401
    # beside another program's cookie that Python's parser does not like
    headers = {"Cookie": f"odd[name]=1; {cookie}=t0ken"}
    assert client.get(f"{PREFIX}/state", headers=headers).json()["login"] is True
    assert client.get(f"{PREFIX}/page/nothing.mjs").status_code == 404


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_a_name_and_password_with_each_request(server: Server) -> None:
    server.safety = replace(server.safety, login=True)
    server.credentials = {"mina": "pass:wörd", "empty": ""}
    answer = server.request("GET", "/state")
    assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic")
    assert server.request("GET", "/state", headers=basic("mina", "pass:wörd")).status_code == 200
    for wrong in (
        basic("mina", "pass"),
        basic("mina", ""),
        basic("empty", ""),
        basic("nobody", ""),
        {"Authorization": "Basic ###"},
        {"Authorization": "Bearer pass"},
    ):
        assert server.request("GET", "/state", headers=wrong).status_code == 401


def test_a_login_does_not_let_other_sites_in(server: Server) -> None:
    server.safety = replace(server.safety, login=True)
    server.credentials = {"mina": "x"}
    headers = {**basic("mina", "x"), "Origin": "http://evil.example"}
    assert refused(server.request("GET", "/state", headers=headers))


# folders


@pytest.fixture
def secret(tmp_path: Path, pictures) -> Path:  # type: ignore[no-untyped-def]
    """A folder next to the flagged one."""
    pictures(tmp_path / "secret", "a.png")
    (tmp_path / "secret" / "a.txt").write_text("secret words")
    return tmp_path / "secret"


def test_a_shared_server_opens_flagged_folders_only(server: Server, folder: Path, secret: Path) -> None:
    (folder / "sub").mkdir()
    server.share(folder)
    server.open(folder)
    server.open(folder / "sub")
    for path in (
        secret,
        folder.parent,
        folder / ".." / "secret",
        f"{folder}/../secret",
        f"{folder}/sub/../../secret",
        f"{folder}x",
        "/",
        "~",
    ):
        answer = server.request("POST", "/folders/open", json={"path": str(path)})
        assert "--prompt-extend-root" in refused(answer)
    server.share()
    assert "No folder" in refused(server.request("POST", "/folders/open", json={"path": str(folder)}))


@posix
def test_links_are_followed_before_they_are_judged(server: Server, folder: Path, secret: Path) -> None:
    (folder / "way").symlink_to(secret, target_is_directory=True)
    (secret / "back").symlink_to(folder, target_is_directory=True)
    server.share(folder)
    for path in (folder / "way", folder / "way" / "back" / "way", f"{folder}/way/."):
        assert refused(server.request("POST", "/folders/open", json={"path": str(path)}))
    # the target may be used, but that is no reason to look at what is elsewhere
    assert refused(server.request("POST", "/folders/open", json={"path": str(secret / "back")}))


@pytest.mark.parametrize(
    "path", ["", " ", "x\0y", "relative/folder", "..", "C:folder", r"\\.\PhysicalDrive0", r"\\?\C:\x", "//./COM1", "x" * 5000]
)  # fmt: skip
def test_strange_paths_are_refused(server: Server, path: str) -> None:
    assert refused(server.request("POST", "/folders/open", json={"path": path}), 400)


@pytest.mark.parametrize("path", ["C:\\Windows", r"\\server\share", "//server/share", "D:/x"])
def test_spellings_of_windows(server: Server, path: str, folder: Path) -> None:
    server.share(folder)
    answer = server.request("POST", "/folders/open", json={"path": path})
    assert answer.status_code in (400, 403), answer.text


def test_a_file_is_no_folder(server: Server, folder: Path) -> None:
    (folder / "x.txt").write_text("")
    for path in (folder / "x.txt", folder / "nothing"):
        assert refused(server.request("POST", "/folders/open", json={"path": str(path)}), 404)


def test_browsing_a_shared_server_stays_in_the_flagged_folders(
    server: Server, folder: Path, secret: Path
) -> None:
    (folder / "sub").mkdir()
    (folder / ".hidden").mkdir()
    server.share(folder)
    top = server.get("/folders/browse")
    assert [f["path"] for f in top["folders"]] == [str(folder)]
    inside = server.get("/folders/browse", path=str(folder))
    assert [f["name"] for f in inside["folders"]] == ["sub"] and inside["parent"] == ""
    assert refused(server.request("GET", "/folders/browse", params={"path": str(folder.parent)}))
    server.open(folder)
    server.share()
    assert server.get("/folders/recent") == []


@posix
def test_an_image_that_leads_outside_is_not_analysed(server: Server, folder: Path, secret: Path) -> None:
    (folder / "link.png").symlink_to(secret / "a.png")
    server.open(folder)
    for path in (folder / "link.png", secret / "a.png", f"{folder}/../secret/a.png"):
        answer = server.request("POST", "/analyze", json={"path": str(path), "config": {"tagger": "fake"}})
        assert "open its target first" in refused(answer)


@posix
@pytest.mark.parametrize("what", ["image", "folder", "caption", "state", "database"])
def test_a_job_does_not_follow_a_link_outside(
    server: Server, folder: Path, secret: Path, what: str, pictures: Pictures
) -> None:
    pictures(folder, "cake2-red.png")
    id = server.open(folder, recursive=True)
    if what == "image":
        (folder / "link.png").symlink_to(secret / "a.png")
    elif what == "folder":
        (folder / "sub").symlink_to(secret, target_is_directory=True)
    elif what == "caption":
        (folder / "cake2-red.txt").symlink_to(secret / "a.txt")
    elif what == "state":
        (folder / ".prompt-extend").symlink_to(secret, target_is_directory=True)
    else:
        (folder / ".prompt-extend").mkdir()
        (folder / ".prompt-extend" / "state.sqlite3").symlink_to(secret / "new.sqlite3")
    body = {"folder": id, "kind": "tag", "config": {"tagger": "fake"}}
    assert "leads outside" in refused(server.request("POST", "/jobs", json=body))
    if what in ("state", "database"):
        assert "leads outside" in refused(server.request("POST", "/folders/open", json={"path": str(folder)}))
    assert {p.name for p in secret.iterdir()} == {"a.png", "a.txt"}
    assert (secret / "a.txt").read_text() == "secret words"
    assert server.get("/jobs") == []


@posix
def test_an_undo_does_not_follow_a_link_made_since(
    server: Server, folder: Path, secret: Path, pictures: Pictures
) -> None:
    pictures(folder, "sub/a.png")
    id = server.open(folder, recursive=True)
    run = server.wait(server.job(id))["run"]
    (folder / "sub").rename(folder / "old")
    (folder / "sub").symlink_to(secret, target_is_directory=True)
    (secret / "a.txt").write_bytes((folder / "old" / "a.txt").read_bytes())
    server.open(folder)
    answer = server.request("POST", "/jobs", json={"folder": id, "kind": "undo", "run": run})
    assert "leads outside" in refused(answer)
    assert (secret / "a.txt").exists()


@posix
def test_a_caption_is_not_written_where_a_way_back_stands(
    server: Server, folder: Path, secret: Path, pictures: Pictures
) -> None:
    """The image itself is in the folder, but it is named by a way that leads out and back in."""
    pictures(folder, "pair.png")
    (folder / "out").symlink_to(secret, target_is_directory=True)
    (secret / "x.png").symlink_to(folder / "pair.png")
    (folder / "own.png").write_bytes((folder / "pair.png").read_bytes())
    (folder / "own.txt").symlink_to(secret / "a.txt")
    id = server.open(folder, recursive=True)
    for name in ("out/x.png", "own.png"):
        body = {"image": name, "config": {"tagger": "fake"}}
        answer = server.request("POST", f"/datasets/{id}/compose", json=body)
        assert "leads outside" in refused(answer)


@posix
def test_a_link_into_another_open_folder_is_fine(server: Server, folder: Path, secret: Path) -> None:
    (folder / "sub").symlink_to(secret, target_is_directory=True)
    server.open(secret)
    id = server.open(folder, recursive=True)
    row = server.wait(server.job(id, config={"tagger": "fake"}))
    assert row["state"] == "done" and row["done"] == 1


def test_a_folder_that_was_open_closes_when_the_server_is_shared(
    server: Server, folder: Path, pictures
) -> None:  # type: ignore[no-untyped-def]
    pictures(folder, "a.png")
    id = server.open(folder)
    job = server.job(id)
    server.wait(job)
    server.share()
    body = {"folder": id, "kind": "tag", "config": {"tagger": "fake"}}
    assert refused(server.request("POST", "/jobs", json=body))
    assert refused(server.request("GET", f"/jobs/{job}"))
    assert refused(server.request("GET", f"/jobs/{job}/events"))
    assert server.get("/jobs") == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("vlm", "http://127.0.0.1:1234/v1"),
        ("tagger", "/etc"),
        ("tagger", "../models"),
        ("tagger", "~/models"),
        ("vlm", "C:\\models"),
        ("detector", "//server/share/x"),
        ("models_dir", "/etc"),
        ("models_dir", "models"),
        ("question_file", ["/etc/passwd"]),
    ],
)
def test_settings_name_no_paths_on_a_shared_server(
    server: Server, folder: Path, setting: str, value: object
) -> None:
    server.share(folder)
    id = server.open(folder)
    for path, body in (
        ("/jobs", {"folder": id, "kind": "preview", "config": {setting: value}}),
        ("/analyze", {"path": str(folder / "a.png"), "config": {setting: value}}),
    ):
        answer = server.request("POST", path, json=body)
        assert refused(answer) and answer.json()["field"] == setting
    assert refused(server.request("PUT", "/presets/x", json={"config": {setting: value}}))


@pytest.mark.parametrize("expander", ["/etc", "../models", "~/models", "C:\\models", "http://elsewhere:8000"])
def test_an_expander_is_no_path_on_a_shared_server(server: Server, folder: Path, expander: str) -> None:
    server.share(folder)
    answer = server.request("POST", "/expand", json={"prompt": "cake", "expander": expander})
    assert refused(answer) and answer.json()["field"] == "expander"


def test_a_models_name_and_a_flagged_folder_pass(server: Server, folder: Path) -> None:
    server.share(folder)
    config = {"tagger": "animetimm/caformer_b36.dbv4-full", "models_dir": str(folder / "models")}
    assert server.request("PUT", "/presets/x", json={"config": config}).status_code == 200


@pytest.mark.parametrize(
    "name", ["%2E%2E", "%2E", ".hidden", "a/b", "a%2Fb", "..%2F..%2Fx", "..%5Cx", "a%5Cb", "C:x", "x%00y", "con", "LPT1.x", "x" * 65, "%20x", "x.", "%FF"]
)  # fmt: skip
def test_a_preset_cannot_leave_its_folder(server: Server, tmp_path: Path, name: str) -> None:
    for method, body in (("PUT", {"config": {}}), ("DELETE", {}), ("GET", None)):
        answer = server.request(method, f"/presets/{name}", json=body)
        assert answer.status_code in (400, 404, 405), (method, answer.text)
    assert [p.name for p in tmp_path.rglob("*.json")] == []


@posix
@pytest.mark.parametrize("ending", [".txt", ".caption", ".png.txt", ".json"])
def test_a_caption_that_leads_outside_is_neither_read_nor_written(
    server: Server, folder: Path, secret: Path, ending: str, pictures: Pictures
) -> None:
    pictures(folder, "cake2-red.png")
    (folder / f"cake2-red{ending}").symlink_to(secret / "a.txt")
    server.share(folder)
    id = server.open(folder)
    (row,) = server.get(f"/datasets/{id}/images")["rows"]
    assert row["caption"] == "" and not row["captioned"]
    image = f"/datasets/{id}/images/cake2-red.png"
    assert "leads outside" in refused(server.request("GET", image))
    body = {"caption": "new words", "before": ""}
    assert "leads outside" in refused(server.request("PUT", f"{image}/caption", json=body))
    body = {"filter": "", "action": "add", "tags": ["hat"]}
    assert "leads outside" in refused(server.request("POST", f"/datasets/{id}/edit", json=body))
    preview = server.request("POST", f"/datasets/{id}/edit", json={**body, "preview": True})
    assert "secret" not in preview.text
    assert (secret / "a.txt").read_text() == "secret words" and {p.name for p in secret.iterdir()} == {
        "a.png",
        "a.txt",
    }


# what costs a server


def _sent(live: Live, request: bytes) -> socket.socket:
    host, port = live.root.removeprefix("http://").split(":")
    caller = socket.create_connection((host, int(port)), 10)
    caller.sendall(request)
    return caller


def _head(path: str, length: int) -> bytes:
    lines = (f"POST {PREFIX}{path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json")
    return "\r\n".join((*lines, f"Content-Length: {length}", "", "")).encode()


def _until_closed(caller: socket.socket, seconds: float, trickle: bytes = b" ") -> bytes:
    """What the server says until it ends the connection, while `trickle` is sent again and again."""
    got, end = b"", time.monotonic() + seconds
    caller.settimeout(0.05)
    while time.monotonic() < end:
        try:
            piece = caller.recv(65536)
        except TimeoutError:
            with contextlib.suppress(OSError):
                caller.sendall(trickle)
            continue
        except OSError:
            return got
        if not piece:
            return got
        got += piece
    pytest.fail(f"it is open still, after {got!r}")


def test_a_body_that_trickles_in_is_dropped(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.4)
    callers = [_sent(live, _head("/worker", 1000) + b"{") for _ in range(40)]
    for caller in callers:
        with caller:
            answer = _until_closed(caller, 8.0)
        assert b" 408 " in answer.split(b"\r\n", 1)[0] and b'"code":"slow"' in answer


@pytest.mark.parametrize(("path", "status"), [("/nothing", b" 404 "), ("/state", b" 405 ")])
def test_a_body_that_nobody_reads_does_not_hold_the_connection(live: Live, path: str, status: bytes) -> None:
    with _sent(live, _head(path, 1_000_000) + b"{") as caller:
        assert status in _until_closed(caller, 8.0).split(b"\r\n", 1)[0]


def test_a_body_that_comes_in_pieces_is_taken(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 5.0)
    body = b'{"action": "unload"}'
    with _sent(live, _head("/worker", len(body))) as caller:
        for i in range(len(body)):
            caller.sendall(body[i : i + 1])
            time.sleep(0.01)
        caller.settimeout(10)
        assert b" 200 " in caller.recv(65536).split(b"\r\n", 1)[0]


@pytest.mark.parametrize("action", ["make", "repair", "remove", "stop"])
def test_a_stranger_does_not_change_the_environment(
    server: Server, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(server.services.environment, "act", lambda name: asked.append(name) or "1")
    server.share()
    answer = server.request("POST", "/environment", json={"action": action})
    assert "--gradio-auth" in refused(answer) and answer.json()["code"] == "trusted" and not asked
    server.safety = replace(server.safety, login=True)
    server.credentials = {"mina": "x"}
    headers = basic("mina", "x")
    assert server.request("POST", "/environment", json={"action": action}, headers=headers).status_code == 200
    assert asked == [action]


def test_a_preview_of_a_large_caption_is_small(server: Server, folder: Path, pictures: Pictures) -> None:
    pictures(folder, "a.png", "b.png")
    (folder / "a.txt").write_text("1girl, " + "x" * 990_000)
    (folder / "b.txt").write_text("1girl, " + "y" * 5000 + ", red hat, " + "z" * 5000)
    id = server.open(folder)
    body = {"filter": "", "action": "replace", "tags": ["x"], "to": "y" * 900, "preview": True}
    answer = server.request("POST", f"/datasets/{id}/edit", json=body)
    assert answer.status_code == 200 and len(answer.content) < 20_000
    assert (
        answer.json()["changed"] == 0
        and "more than 1,000,000 characters" in answer.json()["failures"][0]["reason"]
    )
    (sample,) = server.post(f"/datasets/{id}/edit", {**body, "tags": ["red"], "to": "blue"})["samples"]
    assert sample["before"][0] == sample["before"][-1] == "…" and len(sample["before"]) < 2100
    assert "yy, red hat, zz" in sample["before"] and "yy, blue hat, zz" in sample["after"]
    server.post(f"/datasets/{id}/edit", {**body, "tags": ["red"], "to": "blue", "preview": False})
    assert (folder / "b.txt").read_text() == "1girl, " + "y" * 5000 + ", blue hat, " + "z" * 5000


@posix
def test_what_lies_in_a_folder_of_names_is_data(server: Server, tmp_path: Path) -> None:
    """Files that are none, nested too deeply or too large are one sentence each; a name never leads out."""
    presets = tmp_path / "data" / "presets"
    presets.mkdir(parents=True)
    os.mkfifo(presets / "pipe.json")
    (presets / "deep.json").write_text("[" * 100_000)
    (presets / "large.json").write_text(" " * 1_000_001)
    (presets / "list.json").write_text("[]")
    rows = {r["name"]: r.get("problem", "") for r in server.get("/presets")}
    assert set(rows) == {"deep", "large", "list"} and all(rows.values())
    assert str(tmp_path) not in "".join(rows.values())
    for name in ("..%2F..%2Fout", "%2e%2e/out", "a/../../out", "C:\\out", "x" * 99):
        for path, body in (
            (f"/casts/{name}", {"cast": {"characters": [{"prompt": "x"}]}}),
            (f"/characters/{name}", {"character": {"prompt": "x"}}),
            (f"/questions/own/{name}", {"ask": "What season is it?"}),
        ):
            server.request("PUT", path, json=body)
    made = {p.parent for p in tmp_path.rglob("*") if p.is_file() and p.parent != presets}
    assert made <= {tmp_path / "data" / n for n in ("casts", "characters", "questions")}
