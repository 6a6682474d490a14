"""The worker's environment made for the hosts' real pins, from the real package index; minutes on a slow line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT, freeze

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

MAKE = """
import json, sys, threading
from lib_extend.errors import PromptExtendError
from lib_extend.worker import environment
assert not environment.status().ready
told = []
try:
    status = environment.make(lambda *what: told.append(what))
except PromptExtendError as error:
    sys.exit(f"{error}")
heavy = {"torch", "transformers", "onnxruntime", "numpy"} & set(sys.modules)
print(json.dumps([status.ready, dict(status.packages), status.bytes, told, sorted(heavy)]))
"""

TAG = """
import sys
from pathlib import Path
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.tagging import TagJob
from lib_extend.config import TagConfig
config = TagConfig(tagger="sketch", vlm="sketch", ask=("count",), offline=True, device="cpu")
events = list(TagJob(Dataset(Path(sys.argv[1])), config).events())
print(type(events[-1]).__name__, getattr(events[-1], "done", None), getattr(events[-1], "failed", None))
"""


def in_host(python: Path, program: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program as the WebUI would: its python, our package on the path."""
    env = {k: v for k, v in os.environ.items() if k != "PROMPT_EXTEND_WORKER_PYTHON"}
    env |= {"PROMPT_EXTEND_DATA": str(data), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [str(python), "-c", program, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=env,
        timeout=1500,
        check=False,
    )


def test_the_host_stays_as_it_is(host: str, host_python: Path, tmp_path: Path) -> None:
    before = freeze(host_python)
    assert ("gradio==3.41.2" if host == "a1111" else "gradio==4.40.0") in before
    data = tmp_path / "Daten für später"
    made = in_host(host_python, MAKE, data)
    if "cannot be reached" in made.stderr:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr
    ready, packages, size, told, heavy = json.loads(made.stdout.splitlines()[-1])
    assert ready and not heavy
    assert freeze(host_python) == before

    versions = {k.lower().replace("_", "-"): tuple(v.split(".")[:2]) for k, v in packages.items()}
    assert "onnxruntime" in versions and "torch" not in versions and "numpy" not in versions
    transformers = tuple(map(int, versions["transformers"]))
    assert (4, 49) <= transformers < (4, 56) if host == "a1111" else transformers >= (4, 57)
    assert 100e6 < size < 400e6
    assert told[0][1] == 0 and told[-1][0] == "Done" and told[-1][1] > 20e6

    if host == "a1111":
        return  # torch is there in name only
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("classroom.jpg", "night_picnic.png"):
        shutil.copy(ROOT / "samples" / name, folder)
    tagged = in_host(host_python, TAG, data, str(folder))
    assert tagged.stdout.split() == ["Finished", "2", "0"], tagged.stdout + tagged.stderr
    assert len(list(folder.glob("*.txt"))) == 2
    assert freeze(host_python) == before
