"""A folder that is worked on: where its pictures are and where its state lives."""

from __future__ import annotations

from pathlib import Path

STATE_FOLDER = ".prompt-extend"
STATE_FILE = "state.sqlite3"


def state_folder(root: Path, state_dir: Path | None) -> Path:
    """Where the job's state of the dataset `root` lives."""
    return state_dir if state_dir is not None else root / STATE_FOLDER
