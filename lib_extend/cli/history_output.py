"""Show an undo, and the earlier texts of a caption."""

from __future__ import annotations

import json as jsons
from typing import Any, TextIO

from lib_extend.cli.output import count
from lib_extend.datasets.dataset import Dataset
from lib_extend.files.encodings import unicode_text
from lib_extend.files.scan import show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.caption_history import Version
from lib_extend.jobs.undo import Undone, command

_LONGEST = 200
"""Characters of a caption shown on a line."""


class UndoReport:
    """The events of an undo for a person (a bar on a terminal, then what was done), or the result as one JSON line.

    Args:
        out: the summary. err: the bar.
    """

    def __init__(self, out: TextIO, err: TextIO, dataset: Dataset, *, json: bool = False) -> None:
        self._out, self._err, self._dataset, self._json = out, err, dataset, json
        self._bar: Any = None

    def event(self, event: ev.Event | Undone) -> None:
        if isinstance(event, ev.Planned):
            if event.images and self._err.isatty() and not self._json:
                from tqdm import tqdm

                self._bar = tqdm(total=event.images, file=self._err, unit="caption", dynamic_ncols=True)
        elif isinstance(event, ev.Status):
            if self._bar is not None:
                self._bar.update(event.done - self._bar.n)
        elif isinstance(event, Undone):
            self.close()
            self._json_line(event) if self._json else self._lines(event)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _json_line(self, done: Undone) -> None:
        rows = {
            name: [{"path": path, "reason": reason} for path, reason in of]
            for name, of in (("failed", done.failed), ("partly", done.partly))
        }
        data = {"run": done.run, "restored": done.restored, "by": done.by, "stopped": done.stopped, **rows}
        print(jsons.dumps(data), file=self._out)

    def _lines(self, done: Undone) -> None:
        for _, reason in (*done.failed, *done.partly):
            print(reason, file=self._out)
        restored = f"{count(done.restored, 'caption')} restored"
        if done.stopped:
            print(f"Stopped: {restored}. The same command continues.", file=self._out)
            return
        print(f"Run {done.run} undone: {restored}.", file=self._out)
        if done.restored:
            again = command(self._dataset, "undo", "--run", str(done.by))
            print(f"To bring it back: {again}", file=self._out)


def version_json(version: Version) -> dict[str, Any]:
    """A version as JSON values; the text is null where there was no file."""
    return {
        "version": version.number,
        "text": None if version.text is None else _text(version.text),
        "run": version.run or None,
        "found": version.found or None,
        "present": version.present,
    }


def version_line(version: Version) -> str:
    """A version on one line."""
    if version.run:
        by = f"run {version.run}"
    elif version.number == 1:
        by = "before"
    else:
        by = "by hand"
    text = "(no file)" if version.text is None else show(_text(version.text))
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return f"{version.number:>4}{'*' if version.present else ' '} {by:<9} {text}"


def _text(data: bytes) -> str:
    reading = unicode_text(data)
    return data.decode("utf-8", "backslashreplace") if reading is None else reading.text
