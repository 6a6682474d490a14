"""Kill jobs at random moments and look for what was lost.

    python -m benchmarks faults [--kills 1000] [--json] [--pictures 200] [--seed 1]

Real processes tag, edit, undo and redo a folder of drawn pictures; between them a person edits captions. Each is ended
with SIGKILL at a random moment of its work (or its worker is). Afterwards every caption must be whole: the text from before or
one that the journal holds; every text that a job replaced must be in the journal; and an undo without force must have
left what was edited by hand. At the end texts are restored by the program's own commands and compared byte by byte.
Then 20,000 captions are changed and taken back, to see how long that takes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from lib_extend.captions.editing import Style, with_tags
from lib_extend.cli.main import main as prompt_extend
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.caption_history import versions
from lib_extend.jobs.edit_runs import edit_captions
from lib_extend.jobs.recovery import tidy
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.sketch.folder import draw_folder

DRAWN = 40
KINDS = ("tag", "worker", "edit", "undo", "redo", "force")
WEIGHTS = (5, 1, 4, 5, 3, 1)
RESTORED = 100
MANY = 20_000
Texts = dict[str, bytes | None]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks faults")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after this long")
    args = parser.parse_args(argv)
    if not hasattr(os, "fork"):
        print("Killing needs a system with fork and SIGKILL.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(Path(scratch) / "dataset", args.pictures, random.Random(args.seed))
        began = time.monotonic()
        trial.go(args.kills, began + args.minutes * 60)
        trial.seconds = time.monotonic() - began
    result = trial.result()
    with tempfile.TemporaryDirectory() as scratch:
        result["undo"] = many(Path(scratch))
    print(
        f"{result['kills']:,} kills ({', '.join(f'{n} {kind}' for kind, n in trial.kills.items())}), "
        f"{result['files_checked']:,} captions checked, {result['texts']:,} texts replaced, "
        f"{result['restored']:,} restored; {len(trial.losses)} losses, {result['leftovers']} files left over; "
        f"{trial.seconds:.0f} s"
    )
    print(
        f"{MANY:,} captions changed in {result['undo']['edit']:.1f} s, taken back in {result['undo']['undo']:.1f} s"
    )
    for loss in trial.losses[:20]:
        print("LOST:", loss)
    if args.json:
        print(json.dumps(result))
    return 1 if trial.losses or result["leftovers"] else 0


@dataclass
class Trial:
    """A folder on which jobs are killed.

    Attributes:
        kills: how many jobs of a kind were killed. replaced: by caption the texts that a job took out of the file.
        hand: captions whose text a person wrote last. untouched: those no person ever edited.
    """

    root: Path
    pictures: int
    rng: random.Random
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    losses: list[str] = field(default_factory=list)
    replaced: dict[str, set[bytes | None]] = field(default_factory=dict)
    journal: dict[str, set[bytes | None]] = field(default_factory=dict)
    hand: set[str] = field(default_factory=set)
    checked: int = 0
    restored: int = 0
    leftovers: int = 0
    seconds: float = 0.0
    edits: int = 0

    def go(self, kills: int, until: float) -> None:
        self._draw()
        self.originals = self._texts()
        lasts = dict.fromkeys(KINDS, 0.5)
        self._run("tag", None)  # the first analyses take longest
        while sum(self.kills.values()) < kills and time.monotonic() < until:
            kind = self.rng.choices(KINDS, WEIGHTS)[0]
            if self.rng.random() < 0.5:
                self._edit_by_hand()
            if kind == "worker":
                for picture in self.rng.sample(self.names, len(self.names) // 10):
                    os.utime(self.root / picture)
            before = self._texts()
            hand = set(self.hand)
            began = time.monotonic()
            killed = self._run(kind, self.rng.uniform(0, lasts[kind] * 1.1))
            if killed:
                self.kills[kind] += 1
            else:
                lasts[kind] = max(0.05, 0.8 * lasts[kind] + 0.2 * (time.monotonic() - began))
            self._check(before, hand, careful=kind in ("undo", "redo"))
        self._finish()

    def result(self) -> dict[str, Any]:
        return {
            "kills": sum(self.kills.values()),
            "kinds": self.kills,
            "files_checked": self.checked,
            "texts": sum(map(len, self.replaced.values())),
            "restored": self.restored,
            "losses": len(self.losses),
            "leftovers": self.leftovers,
            "seconds": round(self.seconds, 1),
        }  # fmt: skip

    # what is done

    def _draw(self) -> None:
        draw_folder(self.root, DRAWN, seed=1)
        (self.root / "truth.jsonl").unlink(missing_ok=True)
        drawn = sorted(p for p in self.root.iterdir() if not p.name.startswith("."))
        for i in range(self.pictures - len(drawn)):
            source = drawn[i % len(drawn)]
            shutil.copy(source, self.root / f"copy{i:04d}{source.suffix}")
        self.names = sorted(p.name for p in self.root.iterdir() if not p.name.startswith("."))
        self.captions = [str(Path(n).with_suffix(".txt")) for n in self.names]
        for i, caption in enumerate(self.captions[::3]):
            (self.root / caption).write_bytes(f"own {i},  odd   spacing\r\n".encode())

    def _edit_by_hand(self) -> None:
        caption = self.rng.choice(self.captions[: len(self.captions) // 2])
        self.edits += 1
        (self.root / caption).write_bytes(f"by hand {self.edits}, kept\n".encode())
        self.hand.add(caption)

    def _job(self, kind: str) -> None:
        """What the process does that is to be killed."""
        dataset, folder = Dataset(self.root), str(self.root)
        if kind in ("tag", "worker"):
            threshold = str(self.rng.choice([0.2, 0.3, 0.4, 0.5, 0.6]))
            prompt_extend(
                ["tag", folder, "--tagger", "sketch", "--offline", "--threshold", threshold, "--json"]
            )
        elif kind == "edit":
            tag = f"edit {self.rng.randrange(10**6)}"
            change: Callable[[str, Style], str] = lambda text, style: with_tags(text, [tag], style)  # noqa: E731
            edit_captions(dataset, self.captions, change, {"action": "add", "tags": [tag]})
        elif kind == "redo":
            undos = [r for r in list_runs(dataset) if r.kind == "undo" and r.status != "undone"]
            prompt_extend(["undo", folder, *(["--run", str(undos[-1].id)] if undos else [])])
        else:
            prompt_extend(["undo", folder, *(["--force"] if kind == "force" else [])])

    def _run(self, kind: str, after: float | None) -> bool:
        """Do it in a process of its own; returns whether it was killed, `after` seconds."""
        seed = self.rng.random()
        child = os.fork()
        if not child:
            self.rng.seed(seed)
            with contextlib.suppress(BaseException), open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
                sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
                self._job(kind)
            os._exit(0)
        killed = False
        if after is not None:
            time.sleep(after)
            killed = self._kill(child, self.rng.random() < 0.5 if kind == "worker" else False)
        os.waitpid(child, 0)
        return killed

    def _kill(self, child: int, worker: bool) -> bool:
        with contextlib.suppress(psutil.Error):
            job = psutil.Process(child)
            victims = [c for c in job.children() if "lib_extend.worker" in c.cmdline()] if worker else [job]
            if victims and victims[0].status() != psutil.STATUS_ZOMBIE:
                victims[0].send_signal(signal.SIGKILL)
                return True
        return False

    # what is checked

    def _texts(self) -> Texts:
        return {c: (self.root / c).read_bytes() if (self.root / c).exists() else None for c in self.captions}

    def _journaled(self) -> None:
        """Learn what the journal holds now."""
        held: dict[str, set[bytes | None]] = {}
        with contextlib.closing(sqlite3.connect(Dataset(self.root).state_file)) as db:
            for path, before, after in db.execute("SELECT path, before, after FROM changes"):
                held.setdefault(os.fsdecode(path), set()).update((before, after))
        self.journal = held

    def _check(self, before: Texts, hand: set[str], *, careful: bool) -> None:
        now = self._texts()
        self._journaled()
        self.checked += len(now)
        for name, text in now.items():
            if text == before[name]:
                continue
            if name in hand and careful:
                self.losses.append(
                    f"{name} was edited by hand and taken back without force: {before[name]!r}"
                )
            held = self.journal.get(name, set())
            if text not in held:
                self.losses.append(f"{name} is torn: {text!r}")
            self.replaced.setdefault(name, set()).add(before[name])
            self.hand.discard(name)
        lost = {n: texts - self.journal.get(n, set()) for n, texts in self.replaced.items()}
        self.losses += [f"{n} cannot get back {text!r}" for n, texts in lost.items() for text in texts]

    def _finish(self) -> None:
        dataset = Dataset(self.root)
        tidy(dataset)
        wanted = [
            (name, text) for name, texts in sorted(self.replaced.items()) for text in sorted(texts, key=repr)
        ]
        for name, text in self.rng.sample(wanted, min(RESTORED, len(wanted))):
            number = next((v.number for v in versions(dataset, name) if v.text == text), 0)
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                prompt_extend(["restore", str(self.root), name, "--version", str(number)])
            self.restored += 1
            if self._texts()[name] != text:
                self.losses.append(f"{name} was not restored to {text!r}")
        self.leftovers = len(list(self.root.glob(".prompt-extend-*.tmp")))


def many(root: Path) -> dict[str, float]:
    """Seconds to change `MANY` captions of 60 tags, and to take that back."""
    dataset = Dataset(root)
    text = "1girl, solo, " + ", ".join(f"some_tag_{i}" for i in range(60))
    names = [f"{i:05d}.txt" for i in range(MANY)]
    for name in names:
        (root / name).write_text(text, encoding="utf-8")
    began = time.monotonic()
    edit_captions(dataset, names, lambda text, style: text + ", x", {"action": "add", "tags": ["x"]})
    edited = time.monotonic()
    done = undo(dataset)
    seconds = {"edit": round(edited - began, 2), "undo": round(time.monotonic() - edited, 2)}
    assert done.restored == MANY and (root / names[0]).read_text(encoding="utf-8") == text
    return seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
