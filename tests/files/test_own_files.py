"""A file beside a database that comes and goes is no link that somebody put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_extend.files.dataset_names import is_own_file


def test_a_file_that_appears_while_it_is_looked_at_is_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite makes `-wal` and `-shm` at any time, between two looks too."""
    file = tmp_path / "state.sqlite3-wal"
    looked = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        try:
            return looked(path)
        finally:
            file.touch()

    monkeypatch.setattr(Path, "lstat", lstat)
    assert is_own_file(file)
    file.unlink()
    file.symlink_to(tmp_path)
    monkeypatch.undo()
    assert not is_own_file(file)
