"""`prompt-extend lint` as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_extend.cli.main import main
from tests.export.folders import PICTURE, folder


def test_it_says_what_is_wrong_and_how_to_mend_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path, {"a.txt": "1girl, mychar", "b.txt": "", "c.png": PICTURE})
    assert main(["lint", str(root), "--for", "sd-scripts", "--trigger", "mychar"]) == 1
    out = capsys.readouterr().out
    first, *rest = out.splitlines()
    assert first == "error   empty_caption: 1 caption is empty (0 bytes): sd-scripts ends with an error."
    assert rest[0] == "        b.png"
    assert "        mend: Bring mychar to the front (--mend trigger_not_first)" in rest
    assert rest[-1] == "3 pictures, 1 caption: 1 error, 2 warnings."
    (root / "b.txt").write_text("mychar, hat")
    assert main(["lint", str(root), "--for", "sd-scripts", "--trigger", "mychar", "--mend", "all"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f"trigger_not_first: 1 caption changed (run 1; to take it back: prompt-extend undo {root} --run 1)."
    )
    assert (root / "a.txt").read_text() == "mychar, 1girl"
    assert main(["undo", str(root), "--run", "1"]) == 0
    assert (root / "a.txt").read_text() == "1girl, mychar"


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path, {f"{i}.txt": "" for i in range(7)})
    assert main(["lint", str(root), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (finding,) = report["findings"]
    assert finding["code"] == "empty_caption" and len(finding["pictures"]) == finding["count"] == 7
    assert report["breaks"] is False and report["mended"] == []


def test_no_folder_and_no_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert main(["lint", str(folder(tmp_path, {"a.txt": "x"})), "--mend", "spelling"]) == 2
    assert "Nothing is found that spelling mends here" in capsys.readouterr().err
