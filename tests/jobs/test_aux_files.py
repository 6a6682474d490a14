"""Fields in files beside pictures: read, written, and how much they count."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extend.errors import UserError
from tests.jobs.conftest import caption, failures, images, run
from tests.jobs.test_curating import curate


@pytest.fixture
def tagged(folder: Path) -> Path:
    """Six tagged pictures of one girl."""
    images(folder, *(f"cake{i}-red.png" for i in range(1, 7)))
    run(folder, vlm="none")
    return folder


def beside(root: Path, name: str) -> str:
    return (root / name).read_text(encoding="utf-8")


def test_fields_are_written_and_edited_ones_count_more(tagged: Path) -> None:
    curate(tagged, trigger="hoshi", save_aux=["processed_tags", "tags", "dropped_character_tags", "artist"])
    assert beside(tagged, "cake1-red.processed_tags") == "1girl, cake, smile"
    assert beside(tagged, "cake1-red.tags") == "1girl, cake, smile, black hair"
    assert beside(tagged, "cake1-red.dropped_character_tags") == "black hair"
    assert not (tagged / "cake1-red.artist").exists()  # nothing to say
    (tagged / "cake1-red.processed_tags").write_text("1girl, tea cup", encoding="utf-8")
    curate(tagged, trigger="hoshi", load_aux=["processed_tags"])
    assert caption(tagged, "cake1-red.png") == "hoshi, 1girl, tea cup"
    # counting core tags from what was left would find none, and the hair would be back in the other captions
    assert caption(tagged, "cake2-red.png") == "hoshi, 1girl, cake, smile"
    curate(tagged, trigger="hoshi", load_aux=["processed_tags"], from_original=True)
    assert caption(tagged, "cake1-red.png") == "hoshi, 1girl, cake, smile"


def test_characters_from_files_are_the_pictures_characters(tagged: Path) -> None:
    for i in range(1, 6):
        (tagged / f"cake{i}-red.characters").write_text("hoshi", encoding="utf-8")
    curate(tagged, load_aux=["characters"])
    assert caption(tagged, "cake1-red.png") == "1girl, hoshi, cake, smile"
    assert "black hair" in caption(tagged, "cake6-red.png")


def test_a_grabber_file_is_read(tagged: Path) -> None:
    text = "character: hoshi, unknown\ncopyright: sketch_(series)\nartist: anonymous\ngeneral: 1girl, tea_cup\nrating: safe\n"
    (tagged / "cake1-red.png.tags").write_text(text, encoding="utf-8")
    curate(tagged, prune="minimal", load_grabber=".tags")
    assert caption(tagged, "cake1-red.png") == "1girl, hoshi, sketch (series), tea cup"


def test_fields_that_there_are_not_are_named(tagged: Path) -> None:
    with pytest.raises(UserError, match="processed_tags"):
        curate(tagged, load_aux=["txt"])
    with pytest.raises(UserError, match=r"\.tags"):
        curate(tagged, load_grabber="/../x")


def test_a_file_that_is_no_text_costs_its_picture_one_line(tagged: Path) -> None:
    (tagged / "cake1-red.characters").write_bytes(b"\xff\xfe\x00")
    failed = failures(curate(tagged, load_aux=["characters"]))
    assert "cake1-red.characters" in failed["cake1-red.png"] and len(failed) == 1
