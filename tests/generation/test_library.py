"""Saved characters and casts: files of the user's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extend.errors import StorageError, UserError
from lib_extend.files.named_files import file_name as file_name_of
from lib_extend.generation.cast import Character
from lib_extend.generation.library import Library
from tests.generation.casts import TWO

ANN = TWO.characters[0]
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=100)


def test_saved_listed_loaded_deleted(tmp_path: Path) -> None:
    library = Library(tmp_path / "none yet")
    assert library.characters.names() == [] and library.casts.names() == []
    path = library.characters.save("Ann", ANN)
    library.characters.save("ben / Bén", TWO.characters[1])
    library.casts.save("Two", TWO)
    assert path == tmp_path / "none yet" / "characters" / "Ann.json"
    assert json.loads(path.read_text(encoding="utf-8"))["character"]["prompt"] == ANN.prompt
    assert library.characters.names() == ["Ann", "ben / Bén"]
    again = Library(tmp_path / "none yet")
    assert again.characters.load("Ann") == ANN and again.casts.load("Two") == TWO
    assert again.characters.load("BEN / bén") == TWO.characters[1]
    again.characters.delete("ann")
    assert library.characters.names() == ["ben / Bén"]
    for gone in (library.characters.load, library.characters.delete):
        with pytest.raises(UserError, match="no saved character called Ann"):
            gone("Ann")
    assert not [p for p in tmp_path.rglob("*") if p.suffix == ".tmp"]


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    shelf = Library(tmp_path).characters
    shelf.save("Ann", ANN)
    with pytest.raises(UserError, match="already"):
        shelf.save("ANN", Character())
    assert shelf.load("Ann") == ANN
    shelf.save("ANN", Character(prompt="new"), overwrite=True)
    assert shelf.load("ann").prompt == "new"
    assert shelf.names() == ["ANN"] and len(list(shelf.folder.iterdir())) == 1


@settings(max_examples=50)
@given(names=st.lists(NAMES, min_size=1, max_size=4))
def test_any_name(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    shelf = Library(tmp_path_factory.mktemp("names")).characters
    kept: dict[str, str] = {}
    for i, name in enumerate(names):
        try:
            path = shelf.save(name, Character(prompt=str(i)), overwrite=True)
        except UserError as e:
            assert "name" in str(e)
            continue
        assert path.parent == shelf.folder and len(path.name.encode()) < 200
        assert not set(path.name) & set('<>:"/\\|?*') and path.name[0] != "."
        kept = {k: v for k, v in kept.items() if k != name}
        kept[name] = str(i)
        assert shelf.load(name).prompt == str(i)
    assert shelf.problems() == []
    assert len(shelf.names()) <= len(kept)


def file_name(name: str) -> str:
    return file_name_of(name, ".json")


def test_file_names() -> None:
    assert [file_name(n) for n in ("Ann", "a/b", "..", "con", "NUL.x", "100%", "あ", "x.", "a\\b:c")] == [
        "Ann.json", "a%2Fb.json", "%2E%2E.json", "%63on.json", "%4EUL.x.json", "100%25.json", "あ.json", "x%2E.json",
        "a%5Cb%3Ac.json",
    ]  # fmt: skip
    long, longer = "あ" * 99 + "い", "あ" * 99 + "う"
    assert file_name(long) != file_name(longer) and len(file_name(long).encode()) < 160
    # the same letter in two encodings is the same name
    assert file_name("e\u0301") == file_name("\u00e9")


def test_files_that_people_touched(tmp_path: Path) -> None:
    shelf = Library(tmp_path).characters
    path = shelf.save("Ann", ANN)
    # renamed: its name is in it
    path.rename(path.with_name("other.json"))
    assert shelf.load("Ann") == ANN
    shelf.save("Ann", Character(prompt="b"), overwrite=True)
    assert [p.name for p in shelf.folder.iterdir()] == ["other.json"]
    # written by hand, with a byte order mark
    text = '{"kind": "character", "character": {"prompt": "x"}}'
    (shelf.folder / "by hand.json").write_text(text, encoding="utf-8-sig")
    assert shelf.load("by hand").prompt == "x"
    for name, content, says in (
        ("broken.json", "{", "is not JSON"),
        ("cast.json", '{"kind": "cast"}', "is not a saved character"),
        ("list.json", "[]", "is not a saved character"),
        ("wrong.json", '{"kind": "character", "character": {"weight": 9}}', "weight is 9"),
        ("deep.json", "[" * 100_000, "is not JSON"),
        ("huge.json", " " * 1_000_001, "too large"),
        ("none.json", '{"kind": "character"}', "must be an object"),
    ):
        (shelf.folder / name).write_text(content, encoding="utf-8")
        (problem,) = shelf.problems()
        assert says in problem and name in problem
        (shelf.folder / name).unlink()
    (shelf.folder / "bytes.json").write_bytes(b"\xff\xff")
    assert len(shelf.problems()) == 1
    assert shelf.names() == ["Ann", "by hand"]
    shelf.save("bytes", ANN)
    assert (shelf.folder / "bytes.json").read_bytes() == b"\xff\xff" and shelf.load("bytes") == ANN


def test_names_that_are_none(tmp_path: Path) -> None:
    shelf = Library(tmp_path).characters
    for name in ("", "  ", "a\nb", "a\0", "x" * 101, "\ud800"):
        with pytest.raises(UserError, match="name"):
            shelf.save(name, ANN)
    assert not shelf.folder.exists()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Library(tmp_path).characters
    path = shelf.save("Ann", ANN)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match=r"Ann\.json cannot be written"):
        shelf.save("Ann", Character(), overwrite=True)
    assert path.read_bytes() == before and len(list(shelf.folder.iterdir())) == 1
