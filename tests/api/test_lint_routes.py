"""The lint over HTTP: the findings, and mending them as runs."""

from __future__ import annotations

from pathlib import Path

from tests.export.folders import PICTURE, folder

from .conftest import Server


def test_findings_and_mends(server: Server, tmp_path: Path) -> None:
    root = folder(
        tmp_path / "set", {"a.txt": "1girl, mychar", "b.txt": "mychar, (hat:1.2)", "c.png": PICTURE}
    )
    (root / "other.json").write_text("{}")
    id = server.open(root)
    report = server.get(f"/datasets/{id}/lint", trainer="kohya-colab", trigger="mychar")
    by_code = {f["code"]: f for f in report["findings"]}
    assert report["breaks"] and report["findings"][0]["level"] == "error"
    assert by_code["other_files"]["pictures"] == [{"id": None, "name": "other.json", "detail": ""}]
    assert by_code["no_caption"]["pictures"][0]["id"] == "c.png"
    asked = {"codes": ["trigger_not_first", "weights"], "trainer": "kohya-colab", "trigger": "mychar"}
    mended = server.post(f"/datasets/{id}/lint/mend", asked)["mended"]
    assert [(m["code"], m["changed"]) for m in mended] == [("trigger_not_first", 1), ("weights", 1)]
    assert (root / "a.txt").read_text() == "mychar, 1girl" and (root / "b.txt").read_text() == "mychar, hat"
    assert server.get(f"/datasets/{id}/images", filter="hat")["total"] == 1
    assert {t["name"] for t in server.get("/trainers")["trainers"]} >= {"folder", "sd-scripts", "onetrainer"}
