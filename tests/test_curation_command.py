"""Curating as a person meets it: drawn pictures of two characters, the built-in tagger, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.curation.two_characters import ALONE, HOSHI, LOOKS, draw
from tests.test_cli import SKETCH, events, prompt_extend


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 pictures of either character alone, and four of both."""
    root = tmp_path_factory.mktemp("forty")
    draw(root)
    assert prompt_extend("tag", root, *SKETCH).returncode == 0
    return root


def tags(file: Path) -> set[str]:
    return {t.strip() for t in file.read_text(encoding="utf-8").split(",")}


def texts(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(root.glob("*.txt"))}


def test_core_tags_of_two_characters(forty: Path) -> None:
    before = texts(forty)
    assert len(before) == 40
    plan = prompt_extend("curate", forty, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert texts(forty) == before
    assert "Core tags of characters" in plan.stdout
    assert "pink hair: hoshi_(sketch) has it on" in plan.stdout
    done = prompt_extend("curate", forty, "--json")
    assert done.returncode == 0, done.stderr
    for place, own in LOOKS.items():
        for file in forty.glob(f"{place[:5]}*.txt"):
            left = tags(file)
            assert not left & own, file.read_text()
            # what changes from picture to picture stays, and so does the name
            assert place.replace("_", " ") in left and "solo" in left
    for file in forty.glob("both*.txt"):
        # whose hair it is nobody said, so it stays; long hair have both
        left = tags(file)
        assert "pink hair" in left and "black hair" in left and "long hair" not in left, left
    run = events(done.stdout)[-1]["run"]
    assert run
    again = prompt_extend("curate", forty, "--json")
    assert events(again.stdout)[-1]["written"] == 0
    assert prompt_extend("undo", forty, "--run", str(run)).returncode == 0
    assert texts(forty) == before


def test_a_trigger_word_takes_the_place_of_what_is_always_there(forty: Path) -> None:
    before = texts(forty)
    done = prompt_extend("curate", forty, "--trigger", "hoshi star", "--include", "hoshi*", "--json")
    assert done.returncode == 0, done.stderr
    for name in before:
        text = (forty / name).read_text(encoding="utf-8")
        if name.startswith("hoshi"):
            assert text.startswith("hoshi star, "), text
            assert not tags(forty / name) & LOOKS[HOSHI]
        else:
            assert text.encode() == before[name]
    assert prompt_extend("undo", forty).returncode == 0
    assert texts(forty) == before


def test_a_list_that_is_wrong_is_named_with_its_line(forty: Path, tmp_path: Path) -> None:
    listed = tmp_path / "overlap.json"
    listed.write_text('{"a":\n oops}', encoding="utf-8")
    done = prompt_extend("curate", forty, "--overlap", listed)
    assert done.returncode == 2
    assert "overlap.json, line 2" in done.stderr
    assert json.dumps(str(listed)) not in done.stdout


def test_core_tags_are_printed_and_written(forty: Path, tmp_path: Path) -> None:
    before = texts(forty)
    shown = prompt_extend("core", forty, "--json")
    assert shown.returncode == 0, shown.stderr
    hoshi = json.loads(shown.stdout)["folders"][""]["hoshi_(sketch)"]
    assert hoshi["pictures"] == ALONE
    found = {t["name"].replace("_", " "): t["use"] for t in hoshi["tags"]}
    assert {n for n, use in found.items() if use == "dropped"} >= LOOKS[HOSHI]
    assert found["dress"] == "kept"
    out = tmp_path / "out"
    done = prompt_extend("core", forty, "--out", out)
    assert done.returncode == 0 and "2 characters" in done.stdout, done.stdout
    assert set(json.loads((out / "core_tag.json").read_text())) == {"hoshi (sketch)", "tsuki (sketch)"}
    assert (out / "wildcard.txt").read_text().startswith("hoshi (sketch)\n")
    assert json.loads((out / "emb_init.json").read_text())["tsuki"] == ["animal ears", "cat ears"]
    assert texts(forty) == before


def test_all_tags_as_a_table(forty: Path, tmp_path: Path) -> None:
    out = tmp_path / "tags.jsonl"
    done = prompt_extend("table", forty, "--out", out, "--prune", "character_core")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    name = next(p.name for p in sorted(forty.glob("hoshi*.png")))
    hair = next(r for r in rows if r["picture"] == name and r["tag"] == "pink_hair")
    assert (hair["kept"], hair["reason"], hair["category"], hair["source"]) == (
        False,
        "core_tag",
        "general",
        "tagger",
    )
    assert 0.35 < hair["score"] <= 1
    # what is kept is what stands in the caption that would be written
    assert any(r["tag"] == HOSHI and r["kept"] and r["category"] == "character" for r in rows)
    wrong = prompt_extend("table", forty, "--out", tmp_path / "tags.xls")
    assert wrong.returncode == 2 and ".parquet" in wrong.stderr


def test_a_table_for_pandas(forty: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    from lib_extend.datasets.dataset import Dataset
    from lib_extend.jobs.curating import curate_config
    from lib_extend.jobs.tag_listing import data_frame

    dataset = Dataset(forty)
    frame = data_frame(dataset, curate_config(dataset, {}))
    gone = frame[(frame.tag == "pink_hair") & ~frame.kept]
    assert len(gone) >= ALONE and set(gone.reason) <= {"core_tag", "below_threshold"}
    assert str(frame.score.dtype) == "float32"
