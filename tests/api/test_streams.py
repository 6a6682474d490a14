"""Events over real connections: as they come, from where one was, through a compressing host, until the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.middleware.gzip import GZipMiddleware

from lib_extend.services.event_log import EventLog

from .conftest import Live, Server

Pictures = Callable[..., None]
PATH = "/environment/events"


@pytest.fixture
def log(server: Server) -> EventLog:
    """What the stream of the environment tells."""
    log = EventLog()
    server.services.environment.log = log
    return log


def messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Server-sent events, read as the HTML standard says."""
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            if "data" in event:
                yield {"id": event.get("id"), **json.loads(event["data"])}
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")


def test_events_arrive_as_they_happen(live: Live, log: EventLog) -> None:
    log.append({"event": "line", "line": "one"})
    with httpx.stream("GET", live.url + PATH, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        coming = messages(answer.iter_lines())
        assert next(coming) == {"id": "1", "event": "line", "line": "one", "n": 1}
        for n in (2, 3):
            began = time.monotonic()
            log.append({"event": "line", "line": "more"})
            assert next(coming)["n"] == n
            assert time.monotonic() - began < 0.8  # woken, not polled once a second
        log.append({"event": "finished"})
        log.close()
        assert [e["event"] for e in coming] == ["finished"]
    again = httpx.get(live.url + PATH, headers={"Last-Event-ID": "4"})
    assert again.status_code == 204  # ends a browser's attempts to connect again


def test_one_goes_on_where_one_was(live: Live, log: EventLog) -> None:
    for n in range(1, 6):
        log.append({"event": "line", "line": str(n)})
    log.close()

    def numbers(headers: dict[str, str], **query: int) -> list[int]:
        text = httpx.get(live.url + PATH, headers=headers, params=query).text
        return [e["n"] for e in messages(iter(text.splitlines()))]

    assert numbers({}) == [1, 2, 3, 4, 5]
    assert numbers({}, after=3) == [4, 5]
    # a browser that lost its connection asks for the address it began with, and says what it has
    assert numbers({"Last-Event-ID": "4"}, after=1) == [5]
    assert numbers({"Last-Event-ID": "nonsense"}, after=3) == [4, 5]
    polled = httpx.get(live.url + PATH, params={"after": 3, "poll": 1})
    assert [e["n"] for e in polled.json()] == [4, 5]
    assert httpx.get(live.url + PATH, params={"after": "x"}).status_code == 400


def test_a_host_that_compresses_does_not_hold_events_back(server: Server, log: EventLog) -> None:
    live = Live(server, GZipMiddleware(server.app, minimum_size=1000))
    try:
        headers = {"Accept-Encoding": "gzip"}
        with httpx.stream("GET", live.url + PATH, headers=headers, timeout=5) as answer:
            coming = messages(answer.iter_lines())
            log.append({"event": "line", "line": "small"})
            assert next(coming)["line"] == "small"
            log.close()
        assert httpx.get(live.url + "/settings", headers=headers).headers["content-encoding"] == "gzip"
    finally:
        assert live.close()


def test_a_server_that_ends_does_not_wait_for_who_listens(live: Live, log: EventLog) -> None:
    with httpx.stream("GET", live.url + PATH, timeout=10) as answer:
        coming = messages(answer.iter_lines())
        log.append({"event": "line", "line": "one"})
        next(coming)
        began = time.monotonic()
        assert live.close(5)
        assert time.monotonic() - began < 4
        assert list(coming) == []


def test_who_left_is_forgotten(live: Live, log: EventLog) -> None:
    for _ in range(3):
        with httpx.stream("GET", live.url + PATH, timeout=10) as answer:
            log.append({"event": "line", "line": "x"})
            next(messages(answer.iter_lines()))
    end = time.monotonic() + 5
    while log._listeners:
        assert time.monotonic() < end
        log.append({"event": "line", "line": "y"})
        time.sleep(0.05)


def test_many_listeners_hold_no_threads(live: Live, log: EventLog) -> None:
    """More streams than the server has threads, and it still answers."""
    open_ones = [httpx.Client(timeout=10) for _ in range(40)]
    try:
        streams = [c.send(c.build_request("GET", live.url + PATH), stream=True) for c in open_ones]
        before = threading.active_count()
        assert httpx.get(live.url + "/presets").status_code == 200
        log.append({"event": "line", "line": "all"})
        assert all(next(messages(s.iter_lines()))["line"] == "all" for s in streams)
        assert threading.active_count() < before + 20
    finally:
        for c in open_ones:
            c.close()
        log.close()


def test_a_whole_job_over_a_stream(live: Live, folder: Path, pictures: Pictures) -> None:
    server = live.server
    pictures(folder, *(f"cake{n}-red.png" for n in range(2, 12)))
    job = server.job(server.open(folder))
    with httpx.stream("GET", f"{live.url}/jobs/{job}/events", timeout=20) as answer:
        events = list(messages(answer.iter_lines()))
    assert events[0]["event"] == "planned" and events[-1]["event"] == "finished"
    assert len({e["path"] for e in events if e["event"] == "image"}) == events[-1]["done"] == 10
    assert server.get(f"/jobs/{job}")["state"] == "done"
