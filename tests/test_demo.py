"""The main job, whole: the sample pictures, both built-in models, the real process, checked against the truth."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.vocabulary.plurals import plural
from lib_extend.vocabulary.tag_names import canonical

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"
TRUTH: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Tags of each sample's caption, as the command line wrote it."""
    folder = tmp_path_factory.mktemp("demo")
    for row in TRUTH:
        shutil.copy(SAMPLES / row["file"], folder)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lib_extend", "tag", str(folder)),
            *("--tagger", "sketch", "--vlm", "sketch", "--offline"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    captions = {p.stem: p.read_text(encoding="utf-8") for p in folder.glob("*.txt")}
    return {
        row["file"]: {canonical(t) for t in captions[Path(row["file"]).stem].split(", ")} for row in TRUTH
    }


def test_there_are_twelve_in_several_formats() -> None:
    assert len(TRUTH) == 12
    assert {Path(r["file"]).suffix for r in TRUTH} == {".png", ".jpg", ".webp"}


def expected(row: dict[str, Any]) -> set[str]:
    """All tags that a picture's caption should have, and no others."""
    tags = {*row["tags"], *(f"{color}_{thing}" for thing, color in row["colors"].items())}
    tags |= {f"{n}_{plural(thing)}" for thing, n in row["counts"].items() if n > 1}
    if row["floor"]:
        tags.add("carpet" if row["floor"] == "carpet" else f"{row['floor']}_floor")
    if row["door"]:
        tags |= {"door", f"{row['door']}_door"}
    return tags


@pytest.mark.parametrize("row", TRUTH, ids=lambda r: str(r["file"]))
def test_each_caption_is_the_truth_tag_by_tag(row: dict[str, Any], tagged: dict[str, set[str]]) -> None:
    assert tagged[row["file"]] == expected(row)


@pytest.fixture(scope="module")
def separated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Letter to tags of each sample, as the command line writes them; "" holds those without a letter."""
    folder = tmp_path_factory.mktemp("people")
    for row in TRUTH:
        shutil.copy(SAMPLES / row["file"], folder)
    options = (
        "--tagger",
        "sketch",
        "--people",
        "--format",
        "greek",
        "--shared-tags",
        "each",
        "--pair-characters",
    )
    done = subprocess.run(
        [sys.executable, "-m", "lib_extend", "tag", str(folder), *options, "--offline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "persons told apart in" in done.stdout
    result: dict[str, dict[str, set[str]]] = {}
    for row in TRUTH:
        by_letter: dict[str, set[str]] = {}
        for tag in (folder / row["file"]).with_suffix(".txt").read_text(encoding="utf-8").split(", "):
            letter, _, rest = tag.partition(" ") if tag[0] in "αβγδε" else ("", "", tag)
            by_letter.setdefault(letter, set()).add(canonical(rest))
        result[row["file"]] = by_letter
    return result


def test_who_has_which_is_nearly_the_truth(separated: dict[str, dict[str, set[str]]]) -> None:
    right = wrong = missed = 0
    for row in TRUTH:
        for letter, person in zip("αβγδε", row["persons"], strict=False):
            own, found = set(person["tags"]), separated[row["file"]].get(letter, set())
            right += len(own & found)
            wrong += len(found - own)
            missed += len(own - found)
        persons = {t for p in row["persons"] for t in p["tags"]}
        extra = len(set(separated[row["file"]]) - {""} - set("αβγδε"[: len(row["persons"])]))
        assert not extra, "as many letters as persons"
        if row["persons"] and "α" in separated[row["file"]]:
            assert not persons & separated[row["file"]][""], "what is a person's has a letter"
    assert 2 * right / (2 * right + wrong + missed) >= 0.95, (right, wrong, missed)


def test_separate_shows_one_picture(tmp_path: Path) -> None:
    image = SAMPLES / "balloon_day.jpg"
    out = tmp_path / "seen.png"
    done = subprocess.run(
        [sys.executable, "-m", "lib_extend", "separate", str(image), "--tagger", "sketch", "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "2 persons: 1girl, 1boy" in done.stdout
    first, second = done.stdout.split("β  box")
    assert "blue hair" in first and "white hair" in second
    with Image.open(out) as drawn, Image.open(image) as picture:
        assert drawn.width == picture.width and drawn.height > picture.height
