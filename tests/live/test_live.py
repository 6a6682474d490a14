"""The journeys of a user, over HTTP, in a WebUI that really runs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Live

ROOT = Path(__file__).resolve().parents[2]
API = "/prompt-extend/v1"
PICTURES = ("classroom.jpg", "night_picnic.png", "blue_balls.webp")


def wait(live: Live, job: str, seconds: float = 300) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        row: dict[str, Any] = live.ask(f"{API}/jobs/{job}")
        if row["state"] not in ("running", "starting"):
            return row
        assert time.monotonic() < end, row
        time.sleep(0.5)


def test_it_is_listed_and_answers(live: Live) -> None:
    page = live.ask("/")
    assert "prompt-extend-app" in page or "prompt_extend" in page
    state = live.ask(f"{API}/state")
    assert state["host"] and state["version"]
    print(state["host"], state.get("gradio"), state["environment"])


def test_the_environment_is_made(live: Live) -> None:
    """At most once: the first time this takes a minute or more."""
    if not live.ask(f"{API}/state")["environment"]["ready"]:
        live.ask(f"{API}/environment", {"action": "make"})
    end = time.monotonic() + 1200
    while not live.ask(f"{API}/state")["environment"]["ready"]:
        assert time.monotonic() < end
        time.sleep(2)


def test_a_folder_is_tagged_and_taken_back(live: Live, tmp_path: Path) -> None:
    if not live.ask(f"{API}/state")["environment"]["ready"]:
        pytest.skip("its environment is not made")
    for name in PICTURES:
        shutil.copy(ROOT / "samples" / name, tmp_path)
    folder = live.ask(f"{API}/folders/open", {"path": str(tmp_path), "recursive": False})["id"]
    config = {"tagger": "sketch", "vlm": "sketch", "offline": True, "ask": ["count"]}
    job = {"folder": folder, "kind": "tag", "config": config, "unload_host": True}
    row = wait(live, live.ask(f"{API}/jobs", job)["id"])
    assert (row["state"], row["done"], row["failed"]) == ("done", 3, 0), row
    captions = {p.name: p.read_text(encoding="utf-8") for p in tmp_path.glob("*.txt")}
    assert len(captions) == 3 and all("," in c for c in captions.values())
    run = live.ask(f"{API}/datasets/{folder}/runs")[-1]["id"]
    undone = wait(live, live.ask(f"{API}/jobs", {"folder": folder, "kind": "undo", "run": run})["id"])
    assert undone["state"] == "done" and not list(tmp_path.glob("*.txt"))
