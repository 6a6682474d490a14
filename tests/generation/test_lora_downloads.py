"""LoRAs from GitHub's and Civitai's APIs into a folder, against a server that speaks both."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_extend.errors import Stopped, StorageError, UserError
from lib_extend.files import downloading
from lib_extend.generation import lora_sources
from lib_extend.generation.lora_downloads import WORKSHOP, download, import_file
from lib_extend.generation.lora_files import Library
from lib_extend.generation.lora_sources import Offer, civitai, file_name, github
from tests.generation.lora_files import SEPARATION_TAGS, lora, published, write
from tests.generation.lora_server import Fault, LoraServer

DATA = lora(**published(12004, SEPARATION_TAGS), padding="x" * 600_000)
NAME = "separation.safetensors"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoraServer]:
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with LoraServer() as running:
        yield running


def offers(server: LoraServer, **more: str) -> list[Offer]:
    return github("o/r", base=server.url, **more)


def clean(folder: Path) -> bool:
    """Whether nothing is left but LoRAs."""
    return all(p.suffix == ".safetensors" for p in folder.iterdir())


def test_a_projects_releases(server: LoraServer) -> None:
    server.release("o/r", "V1+", {NAME: DATA, "notes.txt": b"x", "../evil.safetensors": b"y"})
    server.release("o/r", "V1", {"a b.safetensors": b"z"})
    server.release("o/r", "V0", {"old.ckpt": b"z", "half.safetensors": b"z"}, state="starter")
    server.release("o/r", "beta", {"last.safetensors": b"z"}, browser_download_url="ftp://x/last.safetensors")
    found = offers(server)
    assert [(o.name, o.version, o.size) for o in found] == [
        (NAME, "V1+", len(DATA)),
        ("evil.safetensors", "V1+", 1),
        ("a b.safetensors", "V1", 1),
    ]
    assert found[0].sha256 == hashlib.sha256(DATA).hexdigest()
    assert found[0].source == "GitHub, o/r"
    # page by page
    assert [p for p, _ in server.requests] == ["/repos/o/r/releases"] * 2
    assert server.requests[0][1]["User-Agent"] == "prompt-extend"


def test_without_digests_as_older_releases(server: LoraServer) -> None:
    server.digests = False
    server.release("o/r", "V1", {NAME: DATA})
    assert offers(server)[0].sha256 == ""


def test_a_models_page(server: LoraServer, tmp_path: Path) -> None:
    server.model(7, "v1.0", {NAME: DATA, "data.zip": b"z"})
    server.model(7, "v2.0", {NAME: DATA[:-2] + b"zz"}, base="NoobAI")
    new, old = civitai(7, base=server.url)
    assert (old.version, old.base, old.size, old.source) == (
        "v1.0",
        "Illustrious",
        len(DATA),
        "Civitai, A model",
    )
    assert (new.version, new.base) == ("v2.0", "NoobAI")
    assert old.sha256 == hashlib.sha256(DATA).hexdigest()
    assert download(old, tmp_path).read_bytes() == DATA
    # the other version has the same name
    assert download(new, tmp_path).name == "separation-v2.0.safetensors"
    assert download(new, tmp_path).name == "separation-v2.0.safetensors"
    assert [x.role for x in Library([tmp_path]).scan()] == ["separation"] * 2


def test_downloaded_once_with_progress(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    seen: list[tuple[int, int]] = []
    offer = offers(server)[0]
    path = download(offer, tmp_path / "new" / "Lora", progress=lambda here, total: seen.append((here, total)))
    assert path == tmp_path / "new" / "Lora" / NAME and path.read_bytes() == DATA
    assert seen[0] == (0, len(DATA)) and seen[-1] == (len(DATA), len(DATA)) and len(seen) >= 3
    assert seen == sorted(seen) and clean(path.parent)
    assert download(offer, path.parent) == path
    assert len(server.downloads()) == 1


@pytest.mark.parametrize("unsized", [False, True])
def test_a_broken_connection_goes_on_from_there(server: LoraServer, tmp_path: Path, unsized: bool) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    server.faults[f"V1/{NAME}"] = Fault(after=300_000, times=2 if not unsized else 0, unsized=unsized)
    path = download(offers(server)[0], tmp_path)
    assert path.read_bytes() == DATA and clean(tmp_path)
    if not unsized:
        ranges = [h.get("Range") for h in server.downloads()]
        assert ranges[0] is None and all(r and int(r[6:-1]) > 0 for r in ranges[1:]) and len(ranges) == 3


def test_a_connection_that_brings_nothing_is_given_up_and_resumed_later(
    server: LoraServer, tmp_path: Path
) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    server.faults[f"V1/{NAME}"] = Fault(after=0, times=99)
    offer = offers(server)[0]
    with pytest.raises(UserError, match=r"cannot be reached.*import it"):
        download(offer, tmp_path)
    assert len(server.downloads()) == downloading.ATTEMPTS
    assert not (tmp_path / NAME).exists()
    server.faults.clear()
    assert download(offer, tmp_path).read_bytes() == DATA


def test_stopped_and_continued(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    with pytest.raises(Stopped, match="goes on from here"):
        download(offer, tmp_path, stop=lambda: True)
    part = next((tmp_path / WORKSHOP).glob("*.part"))
    here = part.stat().st_size
    assert 0 < here < len(DATA) and not list(tmp_path.glob("*.safetensors"))
    download(offer, tmp_path)
    assert server.downloads()[-1]["Range"] == f"bytes={here}-"
    assert (tmp_path / NAME).read_bytes() == DATA and clean(tmp_path)


def test_a_server_without_ranges_starts_again(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    server.faults[f"V1/{NAME}"] = Fault(after=300_000, times=1, no_range=True)
    assert download(offers(server)[0], tmp_path).read_bytes() == DATA


# a byte of the weights is noticed by the hash only, a damaged header without one too
@pytest.mark.parametrize(("digests", "wrong"), [(True, 1), (True, len(DATA)), (False, len(DATA))])
def test_damaged_on_the_way(server: LoraServer, tmp_path: Path, digests: bool, wrong: int) -> None:
    server.digests = digests
    server.release("o/r", "V1", {NAME: DATA})
    server.faults[f"V1/{NAME}"] = Fault(wrong=wrong)
    with pytest.raises(UserError, match=f"^{NAME} arrived damaged and was deleted"):
        download(offers(server)[0], tmp_path)
    assert clean(tmp_path)
    server.faults.clear()
    download(offers(server)[0], tmp_path)


def test_what_is_left_of_another_file_is_thrown_away(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    for junk in (b"x" * 1000, b"x" * (len(DATA) + 5), b"x" * len(DATA)):
        write(tmp_path / WORKSHOP / f"{offer.sha256[:24]}.part", junk)
        with pytest.raises(UserError, match="damaged"):
            download(offer, tmp_path)
    assert download(offer, tmp_path).read_bytes() == DATA


def test_complete_but_not_named_yet(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    write(tmp_path / WORKSHOP / f"{offer.sha256[:24]}.part", DATA)
    assert download(offer, tmp_path).read_bytes() == DATA and clean(tmp_path)


def test_another_file_of_that_name_is_never_overwritten(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V 1/2", {NAME: DATA})
    mine = write(tmp_path / NAME, b"mine")
    offer = offers(server)[0]
    assert download(offer, tmp_path).name == "separation-V-1-2.safetensors"
    assert mine.read_bytes() == b"mine"
    write(tmp_path / "separation-V-1-2.safetensors", b"mine too")
    with pytest.raises(UserError, match="has another file called"):
        download(offer, tmp_path)


def test_two_at_once(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    inside, go_on = threading.Event(), threading.Event()

    def progress(here: int, total: int) -> None:
        inside.set()
        go_on.wait(10)

    first = threading.Thread(target=download, args=(offer, tmp_path), kwargs={"progress": progress})
    first.start()
    assert inside.wait(10)
    with pytest.raises(UserError, match="already"):
        download(offer, tmp_path)
    go_on.set()
    first.join(20)
    assert (tmp_path / NAME).read_bytes() == DATA and clean(tmp_path)


def test_a_login(server: LoraServer, tmp_path: Path) -> None:
    server.token = "secret"
    server.model(7, "v1", {NAME: DATA})
    offer = civitai(7, base=server.url)[0]
    with pytest.raises(UserError, match=r"logged in \(401\).*API key"):
        download(offer, tmp_path)
    assert download(offer, tmp_path, token="secret").read_bytes() == DATA
    # the host the login redirects to has no business with it
    assert server.downloads()[-1]["Authorization"] is None
    server.token = ""
    server.faults[f"v1/{NAME}"] = Fault(page=True)
    with pytest.raises(UserError, match="web page instead"):
        download(offer, tmp_path / "other")


def test_refusals(server: LoraServer, tmp_path: Path) -> None:
    for wrong, says in (
        (lambda: github("o/none", base=server.url), "does not have this any more"),
        (lambda: civitai(9, base=server.url), "does not have this any more"),
        (lambda: github("o/../../portal?", base=server.url), "something else than its API"),
    ):
        with pytest.raises(UserError, match=says):
            wrong()
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    server.faults[f"V1/{NAME}"] = Fault(status=503)
    with pytest.raises(UserError, match=r"cannot answer now \(503\)"):
        download(offer, tmp_path)
    server.limited = True
    with pytest.raises(UserError, match="asked too often"):
        offers(server)


def test_offline(server: LoraServer, tmp_path: Path) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    url = server.url
    server.__exit__()
    try:
        for ask in (
            lambda: github("o/r", base=url),
            lambda: civitai(1, base=url),
            lambda: download(offer, tmp_path),
        ):
            with pytest.raises(UserError, match=r"^127\.0\.0\.1:\d+ cannot be reached"):
                ask()
    finally:
        server.__enter__()


def test_a_full_disk(server: LoraServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.release("o/r", "V1", {NAME: DATA})
    offer = offers(server)[0]
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("lib_extend.generation.lora_downloads.shutil.disk_usage", lambda p: usage)
    with pytest.raises(StorageError, match="make room"):
        download(offer, tmp_path)


def test_answers_that_are_no_json_objects(server: LoraServer) -> None:
    server.releases["o/r"] = [{"tag_name": 5, "assets": [None, {}, {"name": 7}, {"name": NAME}]}, "x"]  # type: ignore[list-item]
    assert offers(server) == []
    server.models[7] = {"modelVersions": [{"files": [{"name": NAME, "sizeKB": "big", "hashes": []}]}]}
    assert civitai(7, base=server.url) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.safetensors", "a.safetensors"),
        ("../../etc/a.safetensors", "a.safetensors"),
        ("..\\..\\a.safetensors", "a.safetensors"),
        ("C:\\a.safetensors", "a.safetensors"),
        ('a<b>:"|?*\0.safetensors', "a_b_______.safetensors"),
        (".hidden.safetensors", "hidden.safetensors"),
        ("con.safetensors", "_con.safetensors"),
        ("日本 語.safetensors", "日本 語.safetensors"),
        (".safetensors", ""),
        ("a.ckpt", ""),
        ("a.safetensors/", ""),
        ("", ""),
        ("x" * 300 + ".safetensors", "x" * 120 + ".safetensors"),
    ],
)
def test_file_names_from_elsewhere(given: str, name: str) -> None:
    assert file_name(given) == name


def test_https_is_not_left() -> None:
    found = list(
        lora_sources._offer(
            "https://api.github.com", name=NAME, url="http://x/a", size=1, sha256="", version="", source=""
        )
    )
    assert found == []


def test_import(tmp_path: Path) -> None:
    source = write(tmp_path / "down" / "My Style.safetensors", DATA)
    folder = tmp_path / "Lora"
    path = import_file(source, folder)
    assert path == folder / "My Style.safetensors" and path.read_bytes() == DATA and clean(folder)
    assert import_file(source, folder) == path
    assert import_file(path, folder) == path
    write(source, DATA[:-1] + b"x")
    with pytest.raises(UserError, match="another file called My Style"):
        import_file(source, folder)
    write(source, DATA[:-1])
    with pytest.raises(UserError, match="is damaged"):
        import_file(source, tmp_path / "other")
    with pytest.raises(UserError, match="does not end in"):
        import_file(write(tmp_path / "a.ckpt", b"x"), folder)
    with pytest.raises(UserError, match="cannot be read"):
        import_file(tmp_path / "none.safetensors", folder)
    with pytest.raises(UserError, match="cannot be written"):
        import_file(path, write(tmp_path / "file", b""))
