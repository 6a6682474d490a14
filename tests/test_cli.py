"""The command line as a person meets it: the real process, real pictures, the built-in tagger."""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lib_extend.cli.main import _parser
from lib_extend.config import TagConfig, settings
from lib_extend.config.arguments import split_list
from lib_extend.worker.commands import _parser as _models_parser

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"
SKETCH = ("--tagger", "sketch", "--offline")


def prompt_extend(*arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lib_extend", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    for sample in sorted(SAMPLES.iterdir())[:5]:
        if sample.suffix != ".jsonl":
            shutil.copy(sample, root)
    return root


def test_tag_runs_undo(folder: Path) -> None:
    pictures = sorted(p.name for p in folder.iterdir())
    done = prompt_extend("tag", folder, *SKETCH)
    assert done.returncode == 0, done.stderr
    for name in pictures:
        text = (folder / name).with_suffix(".txt").read_text(encoding="utf-8")
        assert f"{name}: {text}" in done.stdout
    assert f"{len(pictures)} images done, 0 failed, {len(pictures)} captions written" in done.stdout
    listed = prompt_extend("runs", folder)
    assert listed.returncode == 0 and 'tagger="sketch"' in listed.stdout
    undone = prompt_extend("undo", folder)
    first, back = undone.stdout.splitlines()
    assert first == f"Run 1 undone: {len(pictures)} captions restored."
    assert back == f"To bring it back: prompt-extend undo {folder} --run 2"
    assert not list(folder.glob("*.txt"))
    assert prompt_extend("undo", folder).returncode == 2


def test_json_events(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"")
    done = prompt_extend("tag", folder, *SKETCH, "--json")
    assert done.returncode == 1
    lines = events(done.stdout)
    assert lines[0]["event"] == "planned" and lines[0]["images"] == 6 and lines[0]["already_done"] == 0
    image = next(e for e in lines if e["event"] == "image")
    assert {"path", "caption", "tags", "answers", "persons"} <= image.keys()
    assert {"name", "score", "source"} <= image["tags"][0].keys()
    failed = [e for e in lines if e["event"] == "failed"]
    assert [e["path"] for e in failed] == ["broken.png"] and "broken.png" in failed[0]["reason"]
    last = lines[-1]
    assert last["event"] == "finished" and (last["done"], last["failed"]) == (5, 1)
    assert last["seconds"] > 0 and last["images_per_second"] > 0
    again = events(prompt_extend("tag", folder, *SKETCH, "--json").stdout)
    assert again[0]["already_done"] == 5


def test_dry_run_shows_tags_that_change(folder: Path) -> None:
    name = sorted(p.name for p in folder.iterdir())[0]
    (folder / name).with_suffix(".txt").write_text("mine", encoding="utf-8")
    shown = prompt_extend("tag", folder, *SKETCH, "--dry-run", "--existing", "overwrite")
    assert shown.returncode == 0 and f"{name}\n  - mine\n  + " in shown.stdout
    assert (folder / name).with_suffix(".txt").read_text() == "mine"
    assert len(list(folder.glob("*.txt"))) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tag", "nowhere", "--tagger", "sketch"), "There is no folder nowhere"),
        (("tag", "samples", "--tagger", "wd-swin-v3"), "did you mean wd-swinv2-v3"),
        (
            ("tag", "samples", "--tagger", "sketch", "--threshold", "2"),
            "threshold is 2.0, but must be 0 to 1",
        ),
        (
            ("tag", "samples", "--tagger", "sketch", "--vlm", "x", "--ask", "colour"),
            "the questions are count",
        ),
        (("tag", "samples", "--tagger", "sketch", "--format", "{peple}"), "the fields are: people"),
        (("undo", "lib_extend"), "was never tagged"),
        (("tag",), "required"),
        (("frobnicate",), "invalid choice"),
    ],
)
def test_wrong_use(arguments: Sequence[str], words: str, tmp_path: Path) -> None:
    extra = ("--state", str(tmp_path)) if arguments[0] == "tag" and len(arguments) > 1 else ()
    done = prompt_extend(*arguments, *extra)
    assert done.returncode == 2 and words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping(tmp_path: Path, number: int) -> None:
    root = tmp_path / "pictures"
    root.mkdir()
    for i in range(300):
        shutil.copy(SAMPLES / "classroom.jpg", root / f"{i:03d}.jpg")
    process = subprocess.Popen(
        [sys.executable, "-m", "lib_extend", "tag", str(root), *SKETCH, "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += '"event": "image"' in line
        if seen == 5:
            break
    asked = time.monotonic()
    process.send_signal(number)
    rest = process.stdout.read()
    process.wait(timeout=10)
    assert time.monotonic() - asked < 1.5
    assert process.returncode == 130
    last = events(rest)[-1]
    assert last["stopped"] and last["done"] == len(list(root.glob("*.txt"))) >= 5


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_progress_bar_on_a_terminal(folder: Path) -> None:
    fcntl, pty, termios = (pytest.importorskip(m) for m in ("fcntl", "pty", "termios"))
    main, sub = pty.openpty()
    fcntl.ioctl(sub, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "lib_extend", "tag", str(folder), *SKETCH],
        cwd=ROOT,
        stdout=sub,
        stderr=sub,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm"},
    )
    os.close(sub)
    output = b""
    while select.select([main], [], [], 60)[0]:
        try:
            chunk = os.read(main, 4096)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    os.close(main)
    assert process.wait(timeout=30) == 0
    text = output.decode()
    assert "5/5" in text and "img" in text and "5 images done" in text
    assert ".jpg: " not in text, "captions are not listed on a terminal unless asked for"


@pytest.mark.skipif(os.name == "nt", reason="names")
def test_names_that_are_no_text(folder: Path) -> None:
    odd = os.fsencode(folder) + b"/caf\xe9 \xf0\x9f\x8d\xb0\n.jpg"
    shutil.copy(SAMPLES / "classroom.jpg", os.fsdecode(odd))
    done = prompt_extend("tag", folder, *SKETCH)
    assert done.returncode == 0, done.stderr
    assert os.path.exists(odd[:-4] + b".txt")


def test_split_list() -> None:
    assert split_list("a, b ,,c") == ["a", "b", "c"]
    assert split_list("/a{1,2}b/, c") == ["/a{1,2}b/", "c"]
    assert split_list("/a,b/=c,d=e") == ["/a,b/=c", "d=e"]


def test_every_setting_is_an_option_with_its_help() -> None:
    parser = next(a for a in _parser()._actions if a.dest == "command").choices["tag"]  # type: ignore[index]
    text = re.sub(r"\s+", " ", parser.format_help())
    for s in settings(TagConfig):
        assert s.flag in text
        assert re.sub(r"\s+", " ", s.help)[:40] in text


def test_the_pages_name_real_options() -> None:
    commands: list[Any] = []
    for parser in (_parser(), _models_parser()):
        commands += next(a for a in parser._actions if a.dest == "command").choices.values()  # type: ignore[union-attr]
    flags = argparse.ArgumentParser()
    runpy.run_path(str(ROOT / "preload.py"))["preload"](flags)
    known = {o for p in (*commands, flags) for a in p._actions for o in a.option_strings}
    known |= {"--count", "--seed", "--pictures"}  # of benchmarks
    known |= {"--listen", "--share"}  # the WebUIs' own
    for page in ("README.md", "docs/command_line.md", "docs/captions.md", "docs/sketch.md", "docs/speed.md"):
        named = set(re.findall(r"--[a-z][a-z-]+", (ROOT / page).read_text(encoding="utf-8")))
        assert named <= known, (page, named - known)


def test_models_and_sketch(tmp_path: Path) -> None:
    listed = prompt_extend("models")
    assert listed.returncode == 0 and "wd-swinv2-v3" in listed.stdout and "qwen2-vl-2b" in listed.stdout
    assert re.search(r"\* sketch\b", listed.stdout)
    assert re.search(r"Detectors:\n.*anime-person .*deepghs/anime_person_detection", listed.stdout)
    where = prompt_extend("models", "where", "sketch")
    assert where.returncode == 0 and Path(where.stdout.strip()).is_dir()
    missing = prompt_extend("models", "where", "wd-vit-v3", "--models-dir", tmp_path)
    assert missing.returncode == 1 and "models get wd-vit-v3" in missing.stderr
    assert prompt_extend("models", "get", "wd-vitt-v3").returncode == 2
    meant = prompt_extend("models", "get", "anime-persn")
    assert meant.returncode == 2 and "did you mean anime-person" in meant.stderr
    drawn = prompt_extend("sketch", "draw", tmp_path / "scenes", "--count", "3", "--seed", "5")
    assert drawn.returncode == 0
    rows = [json.loads(r) for r in (tmp_path / "scenes" / "truth.jsonl").read_text().splitlines()]
    assert len(rows) == 3 and all((tmp_path / "scenes" / r["file"]).exists() for r in rows)


def test_each_command_is_known_when_it_alone_is_wanted() -> None:
    def names(wanted: str) -> set[str]:
        (commands,) = (a for a in _parser(wanted)._actions if isinstance(a, argparse._SubParsersAction))
        return set(commands.choices)

    everything = names("")
    assert {"tag", "curate", "export", "doctor", "leave-out"} < everything and names("tagg") == everything
    for name in everything:
        assert name in names(name), name
    assert "curate" not in names("tag")
