"""Runs and what they changed, as JSON values."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lib_extend.datasets.browse import Browser, image_id
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.run_rows import Change
from lib_extend.errors import ImageError, NotFoundError, PromptExtendError
from lib_extend.jobs.recovery import tidy
from lib_extend.jobs.undo import list_runs
from lib_extend.services import messages
from lib_extend.services.browse_edits import shown

MOST_FAILURES = 1000


def runs(browser: Browser) -> list[dict[str, Any]]:
    """What was done to the folder, newest first."""
    return [asdict(run) for run in reversed(list_runs(browser.dataset))]


def run_with_changes(browser: Browser, number: int, offset: int, limit: int) -> dict[str, Any]:
    """One run, with a page of its changes and what failed. Raises NotFoundError."""
    found = [r for r in list_runs(browser.dataset) if r.id == number]
    if not found:
        raise messages.NO_RUN.error(NotFoundError, run=number, field="run")
    with browser.dataset.reading() as reader:
        changes = reader.changes(number, offset, limit)
        failures = reader.failures(number, MOST_FAILURES)
        encodings = CaptionEncodings(browser.root, reader.encodings())
    images = _images_of(browser, {c.name for c in changes})
    return {
        **asdict(found[0]),
        "changes": [_change(c, images.get(c.name, ""), encodings) for c in changes],
        "failures": [{"name": name, "reason": reason} for name, reason in failures],
    }


def newest_run(root: Path, *, running: bool) -> dict[str, Any]:
    """`run`: the newest; `unfinished`: the tagging run that can be continued, unless a job is `running`."""
    dataset = Dataset(root)
    result: dict[str, Any] = {"run": None, "unfinished": None}
    if not dataset.has_state:
        return result
    if not running:
        tidy(dataset)
    # a damaged state is reported when a job begins
    with contextlib.suppress(PromptExtendError), dataset.state(set_aside=False) as state:
        known = state.runs()
        last = known[-1] if known else None
        if last is not None:
            result["run"] = last.id
            if last.kind == "tag" and last.status in ("running", "stopped") and not running:
                done = len(state.items_done(last.id))
                result["unfinished"] = {
                    "run": last.id,
                    "images": last.images,
                    "done": done,
                    "config": last.config,
                }
    return result


def _change(change: Change, image: str, encodings: CaptionEncodings) -> dict[str, Any]:
    """A change as JSON values; `image` is the caption's image, "" when it is gone."""
    before, after = _text(change.before, encodings), _text(change.after, encodings)
    first, second = shown(before or "", after or "")
    return {
        "name": change.name,
        "image": image or None,
        "id": image_id(image) if image else None,
        "before": None if before is None else first,
        "after": None if after is None else second,
    }


def _text(data: bytes | None, encodings: CaptionEncodings) -> str | None:
    if data is None:
        return None
    try:
        return encodings.decode(data, "")
    except ImageError:
        return data.decode("utf-8", "replace")


def _images_of(browser: Browser, captions: set[str]) -> dict[str, str]:
    """The image of each caption, the first by name where there are several."""
    caption_name = browser.index.caption_name
    with browser.lock:
        names = [n for n in browser.index.names if n and caption_name(n) in captions]
    return {caption_name(n): n for n in sorted(names, reverse=True)}
