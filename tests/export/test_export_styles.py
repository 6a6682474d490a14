"""Exports in another style than the dataset's: what a trainer's shuffling may take apart, and which captions it gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomlkit

from lib_extend.cli.main import main
from lib_extend.export.exported_captions import chosen
from lib_extend.export.shuffling import shuffled, without_separators
from lib_extend.export.trainer_table import trainer_of
from tests.export.folders import PICTURE, folder
from tests.jobs.conftest import run

CLAUSES = "safe, 2girls ||| indoors, chair ||| On the left, black hair. On the right, white hair."


@pytest.mark.parametrize(
    ("text", "style", "trainer", "may"),
    [
        ("2girls, black hair", "plain", "sd-scripts", True),
        ("2girls, a girl stands in the rain, smiling at me.", "plain", "sd-scripts", False),
        (CLAUSES, "anima", "sd-scripts", True),
        (CLAUSES, "anima", "onetrainer", False),
        (without_separators(CLAUSES), "anima", "sd-scripts", False),
        ("safe, 1girl, black hair", "anima", "onetrainer", True),
        ('{"tags": ["a", "b"]}', "json", "sd-scripts", False),
        ("hatsune miku ||| 1girl, smile", "stage5", "sd-scripts", True),
    ],
)
def test_what_may_be_shuffled(text: str, style: str, trainer: str, may: bool) -> None:
    assert shuffled({"a": {"a.png": (text,)}}, style, trainer_of(trainer)) is may


def test_a_caption_without_the_separators_reads_on() -> None:
    assert without_separators(CLAUSES) == (
        "safe, 2girls, indoors, chair. On the left, black hair. On the right, white hair."
    )
    assert without_separators("a, b ||| c;;;d") == "a, b, c, d"


def test_which_captions() -> None:
    texts = ["1girl", "a girl.", "1girl, smile"]
    picked = [chosen(texts, "pick", 1, f"{i}.png") for i in range(300)]
    assert picked == [chosen(texts, "pick", 1, f"{i}.png") for i in range(300)]
    assert all(60 < picked.count([t]) < 140 for t in texts)
    assert picked != [chosen(texts, "pick", 2, f"{i}.png") for i in range(300)]
    assert chosen(texts, "wildcard", 0, "a") == ["{1girl|a girl.|1girl, smile}"]
    # what would be read as the group's own stays a line
    assert chosen(["a ||| b", "c"], "wildcard", 0, "a") == ["a ||| b", "c"]


def test_an_export_in_another_style_leaves_the_dataset_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER_LOG", str(tmp_path / "analysed.log"))
    root = folder(tmp_path / "set", {"a.png": PICTURE, "b.png": PICTURE})
    run(root)
    caption = root / "a.txt"
    caption.write_text(caption.read_text(encoding="utf-8") + ", my pin", encoding="utf-8")
    before = {p.name: p.read_bytes() for p in root.glob("*.txt")}

    def exported(name: str, *options: str) -> Path:
        out = tmp_path / name
        command = ["export", str(root), str(out), "--base", "anima", "--trigger", "mychar", *options]
        assert main(command) == 0
        return out / "pictures" / "mychar"

    made = exported("one", "--for", "sd-scripts", "--format", "anima")
    text = (made / "a.txt").read_text(encoding="utf-8")
    fixed, _, free = text.strip().partition(" ||| ")
    assert fixed.startswith("mychar, ") and "my pin" in free
    general = tomlkit.parse((tmp_path / "one" / "dataset.toml").read_text(encoding="utf-8"))["general"]
    assert general["shuffle_caption"] is True and general["keep_tokens_separator"] == "|||"  # type: ignore[index]
    # another trainer would read the separator
    text = (exported("two", "--for", "onetrainer", "--format", "anima") / "a.txt").read_text(encoding="utf-8")
    assert "|||" not in text and "my pin" in text
    json.loads(
        (exported("three", "--for", "sd-scripts", "--format", "json") / "a.txt").read_text(encoding="utf-8")
    )
    general = tomlkit.parse((tmp_path / "three" / "dataset.toml").read_text(encoding="utf-8"))["general"]
    assert general["shuffle_caption"] is False  # type: ignore[index]
    assert {p.name: p.read_bytes() for p in root.glob("*.txt")} == before
