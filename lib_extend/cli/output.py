"""Show a job's events: JSON lines for programs, a progress bar or plain lines for people."""

from __future__ import annotations

import difflib
import json
from typing import Any, Protocol, TextIO

from lib_extend.files.scan import show
from lib_extend.jobs import job_events as ev
from lib_extend.people.not_separated import NOBODY

_SUSPICIOUS = 3  # from this number of images without a person on, the user is told to check the detector


class Report(Protocol):
    """Takes the events of a job."""

    def event(self, event: ev.Event) -> None: ...

    def close(self) -> None: ...


class Lines:
    """One JSON object a line (ASCII, so that every file name passes through every pipe)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def event(self, event: ev.Event) -> None:
        print(json.dumps(event.to_json()), file=self._out, flush=True)

    def close(self) -> None:
        pass


class Terminal:
    """Text for a person: a bar on a terminal, one line an image otherwise.

    Args:
        out: captions and the summary. err: the bar and other messages.
        captions: print each caption also on a terminal.
    """

    def __init__(self, out: TextIO, err: TextIO, *, captions: bool = False, dry_run: bool = False) -> None:
        self._out = out
        self._err = err
        self._dry_run = dry_run
        self._captions = captions or dry_run or not err.isatty()
        self._bar: Any = None
        self._failed = 0
        self._unseparated = 0
        self._nobody = 0

    def event(self, event: ev.Event) -> None:
        if isinstance(event, ev.Planned):
            self._planned(event)
        elif isinstance(event, ev.Notice):
            self._print(event.text, self._out)
        elif isinstance(event, ev.Status):
            self._status(event)
        elif isinstance(event, ev.Loaded):
            for device in event.devices:
                self._say(device)
        elif isinstance(event, ev.Image):
            self._image(event)
        elif isinstance(event, ev.Failed):
            self._failed += 1
            self._print(f"{show(event.path)}: FAILED: {event.reason}", self._out)
            self._step()
        elif isinstance(event, ev.Incomplete):
            where = f"{show(event.path)}: no {event.part}: " if event.path else ""
            self._print(f"{where}{event.reason}", self._err)
        elif isinstance(event, ev.Finished):
            self._finished(event)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _planned(self, event: ev.Planned) -> None:
        text = f"{count(event.images, 'image')}"
        if event.already_done:
            text += f", {event.already_done:,} already analysed"
        if event.skipped:
            text += f", {event.skipped:,} with a caption skipped"
        if event.earlier:
            text += f"; what earlier runs found stays in {count(event.earlier, 'caption')} (--drop-earlier drops it)"
        if event.continued:
            text += f" (run {event.run} continues)"
        self._say(text + ".")
        if event.images and self._err.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=event.images, file=self._err, unit="img", dynamic_ncols=True, smoothing=0.1
            )

    def _status(self, event: ev.Status) -> None:
        if self._bar is not None:
            amount = f" {event.done / 1e6:,.0f} of {event.total / 1e6:,.0f} MB" if event.total else ""
            self._bar.set_description_str(event.what + amount)
        elif not event.done:
            self._say(f"{event.what} …")

    def _image(self, event: ev.Image) -> None:
        if self._dry_run:
            if event.changed:
                self._print(f"{show(event.path)}\n{_diff(event.before, event.caption)}", self._out)
        elif self._captions:
            self._print(f"{show(event.path)}: {show(event.caption)}", self._out)
        if event.reason:
            self._unseparated += 1
            self._nobody += event.reason_code == NOBODY.code
            self._print(f"{show(event.path)}: not separated: {event.reason}.", self._err)
        self._step()

    def _finished(self, event: ev.Finished) -> None:
        self.close()
        verb = "would change" if self._dry_run else "written"
        if event.stopped:
            self._print("Stopped. What is done is kept; the same command continues.", self._out)
        parts = [f"{count(event.done, 'image')} done", f"{event.failed:,} failed"]
        if not self._dry_run:
            parts.append(f"{count(event.written, 'caption')} {verb}")
        if event.incomplete:
            parts.append(f"{event.incomplete:,} without answers")
        if event.earlier:
            parts.append(f"kept from earlier runs: {count(event.earlier, 'tag')}")
        if event.separated or self._unseparated:
            parts.append(f"persons told apart in {event.separated:,}")
        self._print(
            f"{', '.join(parts)} in {event.seconds:.1f} s ({event.images_per_second:.1f} images a second).",
            self._out,
        )

        self._encodings(event.encodings)
        if event.several_lines:
            self._print(
                f"Of {count(event.several_lines, 'caption')} with several lines only the first was written to: trainers "
                "read that one (--lines every writes to all).",
                self._out,
            )
        if self._nobody == event.done >= _SUSPICIOUS:
            self._print("No person was found in any image: is it the right --detector?", self._out)

    def _encodings(self, counts: dict[str, int]) -> None:
        read = {name: n for name, n in counts.items() if name}
        if read:
            how = ", ".join(
                f"{n:,} as {name}" for name, n in sorted(read.items(), key=lambda x: (-x[1], x[0]))
            )
            self._print(
                f"Captions that were not UTF-8: {how} (where that is wrong: undo, and name it with --caption-encoding).",
                self._out,
            )
        if counts.get(""):
            self._print(f"{count(counts[''], 'caption')} left alone: its encoding is not certain.", self._out)

    def _step(self) -> None:
        if self._bar is not None:
            self._bar.set_description_str(f"{self._failed} failed" if self._failed else "")
            self._bar.update(1)

    def _say(self, text: str) -> None:
        self._print(text, self._err)

    def _print(self, text: str, file: TextIO) -> None:
        if self._bar is not None:
            self._bar.write(text, file=file)
        else:
            print(text, file=file, flush=True)


def _diff(before: str | None, after: str) -> str:
    """The changes, tag by tag: `- old` and `+ new` on one line each."""
    old = [t.strip() for t in before.split(",")] if before else []
    new = [t.strip() for t in after.split(",")]
    removed: list[str] = []
    added: list[str] = []
    for op, a0, a1, b0, b1 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op != "equal":
            removed += old[a0:a1]
            added += new[b0:b1]
    lines = []
    if removed:
        lines.append("  - " + show(", ".join(removed)))
    if added:
        lines.append("  + " + show(", ".join(added)))
    return "\n".join(lines)


def count(n: int, noun: str) -> str:
    """A number with its noun: "1 image", "1,200 images"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
