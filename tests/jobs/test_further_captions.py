"""Several captions of a picture on the disk: written, edited, written again and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.undo import undo
from tests.jobs.conftest import caption, finished, images, run


@pytest.mark.parametrize("form", ["lines", "files"])
def test_further_captions_keep_edits_and_are_taken_back(folder: Path, log: Path, form: str) -> None:
    images(folder, "a.png", "b.png")
    run(folder)
    plain = {f.name: f.read_bytes() for f in folder.glob("*.txt")}
    assert {*plain} == {"a.txt", "b.txt"}
    asked = len(log.read_text().splitlines())

    def read(name: str) -> tuple[str, str]:
        text = caption(folder, name)
        if form == "files":
            return text, (folder / name).with_suffix(".anima-short.txt").read_text(encoding="utf-8")
        first, second = text.split("\n")
        return first, second

    done = finished(run(folder, also=("anima:short",), also_as=form))
    assert len(log.read_text().splitlines()) == asked, "no model is needed"
    first, second = read("a.png")
    assert first == plain["a.txt"].decode() and second and second != first
    file = folder / ("a.txt" if form == "lines" else "a.anima-short.txt")
    mine = file.read_text(encoding="utf-8").replace(second, second + ", my pin")
    file.write_text(mine, encoding="utf-8")
    run(folder, also=("anima:short",), also_as=form)
    assert file.read_text(encoding="utf-8") == mine
    file.write_text(mine.replace(", my pin", ""), encoding="utf-8")
    undo(Dataset(folder), done.run)
    assert {f.name: f.read_bytes() for f in folder.glob("*.txt")} == plain
