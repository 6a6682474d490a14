"""The benchmark runs and says what it promises; how fast it is, is for a quiet machine to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_last_line_is_the_measurement(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.folder", "--json", "--count", "3", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--pictures", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    report = json.loads(lines[-1])
    assert set(report["jobs"]) == {"160", "2400"}
    for row in report["jobs"].values():
        assert row["ratio"] == pytest.approx(
            row["images_per_second"] / row["pipeline_images_per_second"], abs=0.01
        )
    assert {"ours_images_per_second", "reference_images_per_second", "ratio"} <= set(report)
    assert report["ratio"] > 0 and report["mean_pixel_difference"] < 0.6
    assert "emulated accelerator" in lines[1]
    assert len(list(tmp_path.iterdir())) == 3
