"""Only regular caption files of bounded size are read, and nothing hangs on any other."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lib_extend.errors import ImageError
from lib_extend.files.caption_files import MOST_BYTES, read_bytes


def test_a_regular_file_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"hat")
    assert read_bytes(tmp_path / "a.txt") == b"hat"
    assert read_bytes(tmp_path / "b.txt") is None


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(ImageError, match=r"a\.txt is a folder where the caption should be: rename it\."):
        read_bytes(tmp_path / "a.txt")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.timeout(10)
def test_a_pipe_without_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(ImageError, match=r"a\.txt is no regular file \(a pipe.+rename it\."):
        read_bytes(tmp_path / "a.txt")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
@pytest.mark.timeout(10)
def test_a_link_to_a_device(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("/dev/zero")
    with pytest.raises(ImageError, match=r"a\.txt is no regular file"):
        read_bytes(tmp_path / "a.txt")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("a.txt")
        with pytest.raises(ImageError, match=r"a\.txt is no regular file"):
            read_bytes(tmp_path / "a.txt")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.txt").open("wb") as f:
        f.truncate(MOST_BYTES + 1)
    with pytest.raises(
        ImageError, match=r"a\.txt is too large to be a caption \(more than 4 MB\): rename it\."
    ):
        read_bytes(tmp_path / "a.txt")
