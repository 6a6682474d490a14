"""A big folder tagged through the server while somebody browses it: memory of the server, seconds a filter takes.

    python -m benchmarks load [--json] [--pictures 200] [--ask count] [--url http://127.0.0.1:7860 --pid 4711]

Starts the standalone page's server, or uses one that runs (a WebUI: give the process's number for its memory). The
pictures are the samples in several brightnesses, linked under many names. One client follows the job as the page does
and loads the thumbnail of each picture that is done; a second one filters all the while. The models are the sketch
tagger and detector and, with `--ask` (repeatable), the sketch language model.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[1]
PREFIX = "/prompt-extend/v1"
BRIGHTNESSES = (0.7, 0.85, 1.0, 1.15)
FILTERS = (
    "1girl",
    "hair -hat",
    "missing:solo",
    "source:tagger tokens>30",
    "tags<12",
    "unsure",
    'text:"hair, "',
)
PAUSE = 0.5
"""Seconds between two filters: somebody who clicks about."""
MEMORY_LIMIT, FILTER_LIMIT = 200e6, 0.2


class Client:
    """Requests to the API at `url`."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc

    def ask(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """The answer's JSON. Raises RuntimeError when the server refuses."""
        with contextlib.closing(http.client.HTTPConnection(self.host, timeout=120)) as connection:
            text = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
            target = f"{PREFIX}{path}{'?' + urlencode(query) if query else ''}"
            connection.request(method, target, text, headers)
            answer = connection.getresponse()
            data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
        return json.loads(data) if data[:1] in b"{[" else None

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """The job's events until it is over."""
        connection = http.client.HTTPConnection(self.host, timeout=600)
        with contextlib.closing(connection):
            connection.request("GET", f"{PREFIX}/jobs/{job}/events")
            for line in connection.getresponse():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])


@dataclass
class Seen:
    """What the clients and the watch on the memory noted."""

    filters: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    events: int = 0
    over: threading.Event = field(default_factory=threading.Event)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks load")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--ask", action="append", default=[], metavar="QUESTION", help="ask this, too")
    parser.add_argument("--url", default="", help="a server that runs already")
    parser.add_argument("--pid", type=int, default=0, help="its process")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as ends:
        folder = Path(scratch) / "pictures"
        build(folder, args.pictures)
        url, pid = args.url, args.pid
        if not url:
            url, pid = ends.enter_context(serving(Path(scratch) / "data"))
        result = measure(Client(url), pid, folder, ask=args.ask)
    grown, limit = result["grown_bytes"] / 1e6, MEMORY_LIMIT / 1e6
    print(
        f"{args.pictures:,} pictures tagged:       {result['seconds']:.0f} s, {result['written']:,} captions"
    )
    print(f"memory of the server before:  {result['memory_before_bytes'] / 1e6:.0f} MB")
    print(f"  grew by, at the most:       {grown:.0f} MB, at most {limit:g}")
    print(f"filter meanwhile, median:     {result['filter_median_ms']:.0f} ms")
    print(f"  95th percentile:            {result['filter_p95_ms']:.0f} ms, at most {FILTER_LIMIT * 1e3:g}")
    print(f"review's first screenful:     {result['review_seconds']:.2f} s")
    if args.json:
        print(json.dumps(result))
    return 0


def build(folder: Path, count: int) -> None:
    """The pictures: some drawn scenes, each in several brightnesses, under many names."""
    from PIL import Image, ImageEnhance

    folder.mkdir()
    drawn = folder.with_name("drawn")
    drawn.mkdir()
    originals = []
    for sample in sorted(p for p in (ROOT / "samples").iterdir() if p.suffix != ".jsonl"):
        with Image.open(sample) as picture:
            flat = picture.convert("RGB")
        for brightness in BRIGHTNESSES:
            originals.append(drawn / f"{sample.stem}_{brightness:g}.jpg")
            ImageEnhance.Brightness(flat).enhance(brightness).save(originals[-1], quality=90)
    random.Random(0).shuffle(originals)
    for i in range(count):
        original = originals[i % len(originals)]
        target = folder / f"{i:06d}.jpg"
        try:
            os.link(original, target)
        except OSError:
            shutil.copy(original, target)


@contextlib.contextmanager
def serving(data: Path) -> Iterator[tuple[str, int]]:
    """The standalone page's server: its address and process."""
    command = [sys.executable, "-m", "lib_extend", "serve", "--no-browser", "--port", "0"]
    environment = {**os.environ, "PROMPT_EXTEND_DATA": str(data)}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next((word for word in line.split() if word.startswith("http://")), "")
        if not address:
            raise RuntimeError(f"The server did not start: {line!r}")
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def measure(client: Client, pid: int, folder: Path, *, ask: Sequence[str]) -> dict[str, Any]:
    """All numbers of one job over `folder`."""
    seen = Seen()
    client.ask("GET", "/state")
    before = memory(pid)
    opened = client.ask("POST", "/folders/open", {"path": str(folder)})
    root = opened["id"]
    while True:
        scan = client.ask("GET", f"/datasets/{root}/scan", poll=1)[0]
        if scan.get("ready"):
            break
        time.sleep(0.2)
    after_open = memory(pid)
    config: dict[str, object] = {"tagger": "sketch", "people": True, "detector": "sketch"}
    if ask:
        config |= {"vlm": "sketch", "ask": list(ask)}
    began = time.monotonic()
    job = client.ask("POST", "/jobs", {"folder": root, "kind": "tag", "config": config})["id"]
    threads = [
        threading.Thread(target=work, args=(client, *more), daemon=True)
        for work, more in ((_follow, (root, job, seen)), (_filter, (root, seen)), (_watch, (pid, seen)))
    ]
    for thread in threads:
        thread.start()
    while (row := client.ask("GET", f"/jobs/{job}"))["state"] == "running":
        time.sleep(1.0)
    seconds = time.monotonic() - began
    if row["state"] != "done":
        raise RuntimeError(f"The job ended as {row['state']}: {row['error']}")
    asked = time.monotonic()
    with contextlib.suppress(RuntimeError):  # nothing to review without questions or persons
        client.ask("GET", f"/datasets/{root}/review", limit=50)
    review = time.monotonic() - asked
    seen.over.set()
    for thread in threads:
        thread.join(30)
    return {
        "pictures": len(list(folder.glob("*.jpg"))),
        "ask": list(ask),
        "seconds": round(seconds, 1),
        "written": row["written"],
        "failed": row["failed"],
        "events": seen.events,
        "memory_before_bytes": before,
        "memory_opened_bytes": after_open,
        "memory_end_bytes": memory(pid),
        "grown_bytes": max(seen.memory, default=before) - before,
        "filters": len(seen.filters),
        "filter_median_ms": round(_share(seen.filters, 0.5) * 1e3, 1),
        "filter_p95_ms": round(_share(seen.filters, 0.95) * 1e3, 1),
        "filter_worst_ms": round(max(seen.filters, default=0.0) * 1e3, 1),
        "review_seconds": round(review, 2),
    }


def memory(pid: int) -> int:
    """Bytes a process has in memory, where the system tells (Linux); else 0."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    return 0


def _follow(client: Client, root: str, job: str, seen: Seen) -> None:
    for event in client.events(job):
        seen.events += 1
        if event["event"] == "image":
            client.ask("GET", f"/datasets/{root}/thumb/{quote(event['path'])}", size=192)


def _filter(client: Client, root: str, seen: Seen) -> None:
    for i in range(10**9):
        began = time.monotonic()
        client.ask("GET", f"/datasets/{root}/images", filter=FILTERS[i % len(FILTERS)], limit=60)
        seen.filters.append(time.monotonic() - began)
        if seen.over.wait(PAUSE):
            return


def _watch(client: Client, pid: int, seen: Seen) -> None:
    while not seen.over.wait(0.5):
        seen.memory.append(memory(pid))


def _share(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
