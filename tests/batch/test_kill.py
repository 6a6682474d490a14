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

from lib_extend.batch.undo import undo
from lib_extend.errors import UserError
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


def kill_at_random(process: subprocess.Popen[str], rng: random.Random) -> str:
    """Kill -9 the job or its worker within the busy part of the run; says which."""
    victim = rng.choice(["job", "worker"])
    assert process.stdout is not None
    time.sleep(rng.uniform(0.05, 1.8))
    try:
        parent = psutil.Process(process.pid)
        workers = [c for c in parent.children(recursive=True) if "lib_extend.worker" in c.cmdline()]
        if victim == "worker" and workers:
            workers[0].send_signal(signal.SIGKILL)
        else:
            victim = "job"
            parent.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return "nobody"
    return victim


def check_whole(folder: Path, originals: dict[str, bytes], final: dict[str, str] | None = None) -> None:
    """Every caption is an original, or one whole caption as the models give it."""
    for file in folder.glob("*.txt"):
        data = file.read_bytes()
        if originals.get(file.name) == data:
            continue
        text = data.decode("utf-8")
        tags = [t.strip() for t in text.split(",")]
        assert all(tags) and len(tags) == len(set(tags)), f"{file.name} is torn or doubled: {text!r}"
        if final is not None and file.name not in originals:
            assert text == final[file.name]


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
    who: dict[str, int] = {}
    edited: dict[str, str] = {}
    for _ in range(ROUNDS):
        process = start(folder)
        victim = kill_at_random(process, rng)
        who[victim] = who.get(victim, 0) + 1
        output, _ = process.communicate(timeout=120)
        check_whole(folder, originals)
        if process.returncode == 0:
            # it finished: the next rounds kill a run that has everything to write anew
            captions = sorted(folder.glob("*.txt"))
            if len(edited) < 5:
                file = rng.choice(captions)
                text = file.read_text(encoding="utf-8") + ", edited by hand"
                file.write_text(text, encoding="utf-8")
                edited[file.name] = "edited by hand"
            for option in ("0.3", "0.4"):
                again = start(folder, "--threshold", option)
                kill_at_random(again, rng)
                again.communicate(timeout=120)
                check_whole(folder, originals)
    assert who.get("job", 0) >= 5 and who.get("worker", 0) >= 5, who
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
        kill_at_random(process, rng)
        process.communicate(timeout=120)
    last = start(folder)
    last.communicate(timeout=120)
    assert last.returncode == 0
    assert len(list(folder.glob("*.txt"))) == 24
    while True:
        try:
            undo(folder)
        except UserError as e:
            assert "changed a caption" in str(e)
            break
    after = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix == ".txt"}
    assert after == before
