"""`kill -9` of the job or of its worker at random moments: nothing is lost, doubled or torn."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs.undo import undo
from lib_extend.sketch.folder import draw_folder

PICTURES = 60
ROUNDS = 30
COMMAND = [sys.executable, "-m", "lib_extend", "tag", "--tagger", "sketch", "--offline", "--json"]

pytestmark = pytest.mark.slow


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def kill_at_random(process: subprocess.Popen[str], victim: str, rng: random.Random) -> bool:
    """Kill -9 the job or its worker at a random moment of its work; says whether it was alive."""
    parent = psutil.Process(process.pid)
    worker = None
    began = time.monotonic()
    while worker is None and time.monotonic() - began < 10 and process.poll() is None:
        worker = next((c for c in parent.children() if "lib_extend.worker" in c.cmdline()), None)
        time.sleep(0.01)
    time.sleep(rng.uniform(0.0, 1.5))
    target = worker if victim == "worker" else parent
    try:
        if target is None or target.status() == psutil.STATUS_ZOMBIE:
            return False
        target.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return False
    return True


def touch(pictures: list[Path], rng: random.Random) -> None:
    """Let half of the pictures look new, so that there is something to analyse again."""
    for picture in rng.sample(pictures, len(pictures) // 2):
        os.utime(picture)


def check_whole(folder: Path, originals: dict[str, bytes]) -> None:
    """Every caption is an original, or whole: tags as the models give them, none twice."""
    for file in folder.glob("*.txt"):
        data = file.read_bytes()
        if originals.get(file.name) == data:
            continue
        text = data.decode("utf-8")
        tags = [t.strip() for t in text.split(",")]
        assert all(tags) and len(tags) == len(set(tags)), f"{file.name} is torn or doubled: {text!r}"


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_thirty_kills(tmp_path: Path) -> None:
    rng = random.Random(20)
    folder = tmp_path / "dataset"
    draw_folder(folder, PICTURES, seed=7)
    (folder / "truth.jsonl").unlink()
    pictures = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    assert len(pictures) == PICTURES
    originals = {}
    for picture in pictures[:10]:
        file = picture.with_suffix(".txt")
        file.write_bytes(f"human {picture.stem},  kept spacing\r\n".encode())
        originals[file.name] = file.read_bytes()
    killed = {"job": 0, "worker": 0}
    edited: dict[str, str] = {}
    for round_ in range(ROUNDS):
        victim = ("job", "worker")[round_ % 2]
        touch(pictures, rng)
        process = start(folder, "--threshold", rng.choice(["0.3", "0.35", "0.4"]))
        killed[victim] += kill_at_random(process, victim, rng)
        output, _ = process.communicate(timeout=120)
        if victim == "worker":
            assert process.returncode == 0, [line for line in output.splitlines() if "failed" in line]
        check_whole(folder, originals)
        captions = sorted(folder.glob("*.txt"))
        if captions and len(edited) < 5:
            file = rng.choice(captions)
            file.write_text(file.read_text(encoding="utf-8") + ", edited by hand", encoding="utf-8")
            originals.pop(file.name, None)
            edited[file.name] = "edited by hand"
    assert min(killed.values()) >= 10, killed
    last = start(folder)
    output, _ = last.communicate(timeout=120)
    assert last.returncode == 0, output
    events = [json.loads(line) for line in output.splitlines()]
    seen = [e["path"] for e in events if e["event"] == "image"]
    assert sorted(seen) == [p.name for p in pictures], "every picture once"
    for picture in pictures:
        assert picture.with_suffix(".txt").stat().st_size > 0
    for picture in pictures[:10]:
        assert f"human {picture.stem}" in picture.with_suffix(".txt").read_text(encoding="utf-8")
    for name, text in edited.items():
        assert text in (folder / name).read_text(encoding="utf-8")
    assert not list(folder.glob(".prompt-extend-*.tmp"))


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_undo_after_kills_restores_every_byte(tmp_path: Path) -> None:
    rng = random.Random(3)
    folder = tmp_path / "dataset"
    draw_folder(folder, 24, seed=8)
    (folder / "truth.jsonl").unlink()
    pictures = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    for i, picture in enumerate(pictures):
        if i % 3 == 0:
            picture.with_suffix(".txt").write_bytes(f"mine {i}\r\n\r\n".encode())
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".txt"}
    for _ in range(4):
        process = start(folder)
        kill_at_random(process, "job", rng)
        process.communicate(timeout=120)
    last = start(folder)
    last.communicate(timeout=120)
    assert last.returncode == 0
    assert len(list(folder.glob("*.txt"))) == 24
    while True:
        try:
            undo(Dataset(folder))
        except UserError as e:
            assert "changed a caption" in str(e)
            break
    after = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".txt"}
    assert after == before
