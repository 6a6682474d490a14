"""A caption that is written stays the same file to everybody else, and is whole whenever the process ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import ImageError
from lib_extend.files import caption_writing as writing

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX")
ROOT = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives files away")


def write(path: Path, text: str) -> None:
    writing.replace(path, writing.stage(path, text.encode()))


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / "real.txt").write_text("old")
    link, chain = tmp_path / "a.txt", tmp_path / "b.txt"
    link.symlink_to(there / "real.txt")
    chain.symlink_to(link)
    write(chain, "new")
    assert link.is_symlink() and chain.is_symlink() and (there / "real.txt").read_text() == "new"
    assert sorted(p.name for p in there.iterdir()) == ["real.txt"]
    writing.replace(link, None)
    assert link.is_symlink() and not link.exists()
    write(link, "made anew")
    assert (there / "real.txt").read_text() == "made anew"


@POSIX
def test_links_that_lead_nowhere_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone" / "a.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / "c.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / "b.txt")
    with pytest.raises(ImageError, match=r"a\.txt is a link to a place that is not there"):
        write(tmp_path / "a.txt", "new")
    with pytest.raises(ImageError, match=r"b\.txt is a link that leads in a circle"):
        write(tmp_path / "b.txt", "new")


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_the_mode_survives(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write(path, "new")
    assert path.read_text() == "new" and stat.S_IMODE(path.stat().st_mode) == mode


@ROOT
def test_the_owner_survives(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    assert not writing.in_place(path)
    write(path, "new")
    here = path.stat()
    assert (here.st_uid, here.st_gid, stat.S_IMODE(here.st_mode)) == (1234, 2345, 0o640)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes")
def test_extended_attributes_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    try:
        os.setxattr(path, "user.rating", b"5")
    except OSError:
        pytest.skip("not on this file system")
    write(path, "new")
    assert os.getxattr(path, "user.rating") == b"5"


def test_a_file_with_two_names_is_rewritten(tmp_path: Path) -> None:
    one, two = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text("a longer old text")
    assert not writing.in_place(one)
    os.link(one, two)
    assert writing.in_place(one)
    writing.rewrite(one, b"new")
    assert two.read_bytes() == b"new" and one.samefile(two)


@POSIX
@pytest.mark.skipif(os.name != "nt" and os.geteuid() != 0, reason="gives files away")
def test_a_file_of_somebody_else_is_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may give files away; who may not, rewrites."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    os.chown(path, 1234, 2345)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert writing.in_place(path)


@given(st.binary(max_size=12), st.binary(max_size=12), st.integers(0, 12))
def test_what_a_rewrite_leaves_half_done_is_known_as_torn(before: bytes, after: bytes, done: int) -> None:
    done = min(done, len(after))
    half = after[:done] + before[done:]
    assert writing.torn(half, before, after) and writing.torn(half, after, before)
    whole = after + before[len(after) :]
    assert writing.torn(whole, before, after)


@pytest.mark.parametrize("now", [b"a cat and a hat", b"x, y", b"my own", None])
def test_what_a_person_wrote_is_not_torn(now: bytes | None) -> None:
    assert not writing.torn(now, b"a cat", b"a dog, a cat")


def test_leftovers_go_and_one_that_cannot_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    mine, others = writing.stage(path, b"x", "aa"), writing.stage(path, b"y", "bb")
    stuck = tmp_path / ".prompt-extend-stuck.tmp"
    stuck.mkdir()
    (stuck / "file").write_text("a folder cannot be deleted like this")
    writing.remove_leftovers(tmp_path, "aa")
    assert not mine.exists() and others.exists()
    writing.remove_leftovers(tmp_path)
    assert not others.exists() and stuck.exists()
    writing.remove_leftovers(tmp_path / "nowhere")


def test_a_full_disk_leaves_the_old_text_of_a_rewritten_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lib_extend.errors import StorageError

    path = tmp_path / "a.txt"
    path.write_bytes(b"old text")
    real = writing._overwrite
    calls = []

    def full(file: int, data: bytes) -> None:
        calls.append(data)
        if len(calls) == 1:
            os.write(file, data[:3])
            raise OSError(28, "No space left on device")
        real(file, data)

    monkeypatch.setattr(writing, "_overwrite", full)
    with pytest.raises(StorageError, match="free some space"):
        writing.rewrite(path, b"something new")
    assert path.read_bytes() == b"old text"
