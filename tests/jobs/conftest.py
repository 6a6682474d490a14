"""Datasets, and jobs whose worker answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.tagging import TagJob
from lib_extend.worker.client import WorkerClient

FAKE_WORKER = [sys.executable, str(Path(__file__).resolve().parents[1] / "fake_worker.py")]

Run = Callable[..., list[ev.Event]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "dataset"
    root.mkdir()
    return root


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The paths that went through the worker, a line each."""
    file = tmp_path / "analysed.log"
    file.touch()
    monkeypatch.setenv("FAKE_WORKER_LOG", str(file))
    return file


def images(root: Path, *names: str) -> None:
    """Files that look like images to the scan; the fake worker reads names only."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture " + name.encode())


def job(root: Path, *, state_dir: Path | None = None, dry_run: bool = False, **settings: Any) -> TagJob:
    config = TagConfig(**{"tagger": "fake", "vlm": "fake", **settings})
    return TagJob(
        Dataset(root, state_dir),
        config,
        dry_run=dry_run,
        client=lambda: WorkerClient(FAKE_WORKER),
    )


def run(root: Path, **settings: Any) -> list[ev.Event]:
    return list(job(root, **settings).events())


def finished(events: list[ev.Event]) -> ev.Finished:
    last = events[-1]
    assert isinstance(last, ev.Finished)
    return last


def failures(events: list[ev.Event]) -> dict[str, str]:
    return {e.path: e.reason for e in events if isinstance(e, ev.Failed)}


def caption(root: Path, name: str) -> str:
    return (root / name).with_suffix(".txt").read_text(encoding="utf-8")


def names(root: Path, name: str) -> set[str]:
    return {t.strip() for t in caption(root, name).split(",")}
