"""The one download: what is gone on with, what is given up, and what never gets its name."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_extend.errors import Stopped
from lib_extend.files import downloading
from lib_extend.files.downloading import BrokenOff, Damaged, Refused, Wanted, WebPage, fetch, sha256
from tests.generation.lora_server import Fault, LoraServer

DATA = bytes(range(256)) * 2000
NAME = "V1/a.bin"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoraServer]:
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with LoraServer() as running:
        running.files[NAME] = DATA
        yield running


def wanted(server: LoraServer, **changes: object) -> Wanted:
    digest = hashlib.sha256(DATA).hexdigest()
    fields = {"size": len(DATA), "proof": lambda path: sha256(path) == digest, **changes}
    return Wanted(f"{server.url}/api/download/{NAME}", **fields)  # type: ignore[arg-type]


def test_whole_proved_and_named(server: LoraServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rooms: list[int] = []
    fetch(
        wanted(server),
        tmp_path / "p",
        tmp_path / "t",
        progress=lambda here, total: seen.append((here, total)),
        room=rooms.append,
    )
    assert [p.name for p in tmp_path.iterdir()] == ["t"] and (tmp_path / "t").read_bytes() == DATA
    assert seen[0] == (0, len(DATA)) and seen[-1] == (len(DATA), len(DATA)) and seen == sorted(seen)
    assert rooms == [len(DATA)]


def test_every_byte_that_arrived_counts(server: LoraServer, tmp_path: Path) -> None:
    server.faults[NAME] = Fault(after=1000, times=20)
    fetch(wanted(server), tmp_path / "p", tmp_path / "t")
    starts = [h.get("Range", "bytes=0-") for h in server.downloads()]
    assert starts == [f"bytes={i * 1000}-" for i in range(21)]
    assert (tmp_path / "t").read_bytes() == DATA


def test_a_busy_server_is_asked_again(server: LoraServer, tmp_path: Path) -> None:
    server.faults[NAME] = fault = Fault(status=503)
    asked = len(server.requests)
    with pytest.raises(Refused) as caught:
        fetch(wanted(server), tmp_path / "p", tmp_path / "t")
    assert (caught.value.status, caught.value.host) == (503, "localhost")
    assert len(server.downloads()) - asked == downloading.ATTEMPTS

    sleeps: list[float] = []

    def mend(seconds: float) -> None:
        sleeps.append(seconds)
        fault.status = None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", mend)
        fetch(wanted(server), tmp_path / "p", tmp_path / "t")
    assert len(sleeps) == 1 and (tmp_path / "t").read_bytes() == DATA


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=404), Refused),
        (Fault(page=True), WebPage),
        (Fault(wrong=1), Damaged),
        (Fault(after=0, times=99), BrokenOff),
    ],
)
def test_what_fails_gets_no_name(
    server: LoraServer, tmp_path: Path, fault: Fault, error: type[Exception]
) -> None:
    server.faults[NAME] = fault
    with pytest.raises(error):
        fetch(wanted(server), tmp_path / "p", tmp_path / "t")
    assert not (tmp_path / "t").exists() and not (error is Damaged and (tmp_path / "p").exists())


def test_more_than_there_is_is_not_waited_for(server: LoraServer, tmp_path: Path) -> None:
    server.faults[NAME] = Fault(unsized=True)
    with pytest.raises(Damaged):
        fetch(wanted(server, size=10), tmp_path / "p", tmp_path / "t")
    assert not list(tmp_path.iterdir())


def test_an_end_without_a_length_that_comes_too_early(server: LoraServer, tmp_path: Path) -> None:
    server.faults[NAME] = Fault(unsized=True, no_range=True)
    with pytest.raises(BrokenOff) as caught:
        fetch(wanted(server, size=len(DATA) + 1), tmp_path / "p", tmp_path / "t")
    assert caught.value.here == len(DATA), "what is here is kept"


def test_stopped_and_gone_on_with(server: LoraServer, tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="goes on from here"):
        fetch(wanted(server), tmp_path / "p", tmp_path / "t", stop=lambda: True)
    here = (tmp_path / "p").stat().st_size
    assert 0 < here < len(DATA)
    fetch(wanted(server), tmp_path / "p", tmp_path / "t")
    assert server.downloads()[-1]["Range"] == f"bytes={here}-" and (tmp_path / "t").read_bytes() == DATA


def test_a_login_stays_with_the_host_it_is_for(server: LoraServer, tmp_path: Path) -> None:
    server.token = "secret"
    fetch(wanted(server, headers={"authorization": "Bearer secret"}), tmp_path / "p", tmp_path / "t")
    assert all(h["Authorization"] is None for h in server.downloads())


def test_the_authorities_that_requests_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import certifi

    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert downloading._certificates() is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    assert downloading._certificates() is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    assert downloading._certificates() is not True
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert downloading._certificates() is True, "httpx reads that one itself"
