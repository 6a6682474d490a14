"""A person's edits while browsing, of many captions at once or of one: with a preview, and as runs that can be
undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.captions.editing import Style
from lib_extend.datasets import filters
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.caption_encodings import CaptionEncodings
from lib_extend.datasets.rows import image_id
from lib_extend.errors import UserError
from lib_extend.files.caption_files import LONGEST_CAPTION
from lib_extend.files.caption_forms import find
from lib_extend.files.scan import show
from lib_extend.jobs.edit_runs import edit_captions, save_caption, style_of, style_of_dataset, too_long
from lib_extend.services.edit_actions import Edit, Plan, plan

SAMPLES = 20
"""Captions shown before and after."""
SAMPLE_LENGTH = 2000
"""Characters of a caption that a sample shows."""
_LEAD = 200
"""Of these, how many before the first that changed."""
CUT = "…"


@dataclass(frozen=True)
class Result:
    """What an edit did, or (a preview) would do.

    Attributes:
        total: pictures it was asked for. changed: captions it changes. run: its number; None for a preview, or when
            nothing changed.
        samples: (image, before, after) of some captions; long ones are cut to where they begin to differ, see `shown`.
            failed: (caption, reason) of those left as they are.
        stopped: it was stopped before the end.
    """

    total: int
    changed: int
    run: int | None = None
    samples: tuple[tuple[str, str, str], ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    stopped: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "changed": self.changed,
            "total": self.total,
            "samples": [
                {"id": image_id(name), "name": name, "before": before, "after": after}
                for name, before, after in self.samples
            ],
            "run": self.run,
            "stopped": self.stopped,
            "failures": [{"name": name, "reason": reason} for name, reason in self.failed],
        }


def edit(
    browser: Browser,
    edit: Edit,
    *,
    filter: str | None = None,
    names: Sequence[str] | None = None,
    preview: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Edit the captions of a filter's pictures, or of the images `names`.

    Only captions that change are written, each from what stands in its file at that moment. `progress` is called with
    (done, total); once `stop` returns true, no further captions are begun.

    Raises:
        UserError: the filter or the edit is invalid, an image does not exist, or a job is running.
        StorageError: the disk is full; what was done is kept and can be undone.
    """
    if not preview:
        _look_now(browser, names)
    bits = _meant(browser, filter, names)
    total = bits.bit_count()
    with browser.lock:
        vocabulary = list(browser.index.tag_names)
    work = plan(edit, vocabulary)
    images = browser.names(filters.evaluate(work.where, browser, bits))
    caption_name = browser.index.caption_name
    captions = list({caption_name(n): n for n in reversed(images)})[::-1]
    if preview:
        return _previewed(browser, work, captions, images, total)
    before = _texts(browser, images)
    work.prepare([t for t, _ in before.values()])
    what = {**edit.to_json(), **({"filter": filter} if names is None else {"images": len(names)})}
    if not captions:
        return Result(total, 0)
    done = edit_captions(
        browser.dataset,
        captions,
        work.change,
        what,
        style=default_style(browser),
        progress=progress,
        stop=stop,
    )
    changed = set(done.changed)
    _bring_up(browser, [n for n in images if caption_name(n) in changed])
    after = _texts(browser, [n for n in images if caption_name(n) in changed][:SAMPLES])
    samples = tuple(
        (name, *shown(before[name][0], text)) for name, (text, _) in after.items() if name in before
    )
    run = done.run if done.changed or done.failed else None
    return Result(total, len(done.changed), run, samples, done.failed, done.stopped)


def shown(before: str, after: str) -> tuple[str, str]:
    """Two captions as a sample shows them: whole, or from where they begin to differ; `…` stands where one is cut."""
    if max(len(before), len(after)) <= SAMPLE_LENGTH:
        return before, after
    low, high = 0, min(len(before), len(after))
    while low < high:  # the length of what both begin with
        middle = (low + high + 1) // 2
        low, high = (middle, high) if before[low:middle] == after[low:middle] else (low, middle - 1)
    start = max(0, low - _LEAD)
    first, second = (
        (CUT if start else "")
        + text[start : start + SAMPLE_LENGTH]
        + (CUT if text[start + SAMPLE_LENGTH :] else "")
        for text in (before, after)
    )
    return first, second


def save(browser: Browser, name: str, text: str, before: str) -> str:
    """Write the caption of one image as a person typed it; returns the file's new text.

    Raises:
        Conflict: the file no longer has the text `before`. UserError: no such image, or a job is running.
    """
    if name not in browser.index.places:
        raise UserError(f"There is no image {show(name)} in this folder: it was renamed or deleted.")
    try:
        save_caption(browser.dataset, find(browser.root, name), text, before)
    finally:
        _bring_up(browser, [name])
    return browser.row(name).caption


def encodings(browser: Browser) -> dict[str, Any]:
    """The decision on the encodings of the folder's captions, as JSON values."""
    browser.wait(60)
    with browser.dataset.reading() as reader:
        stored = reader.encodings()
    decision = (
        CaptionEncodings(browser.root, stored).decision if stored else browser.updater.encodings.decision
    )
    rows = sorted(decision.files.items(), key=lambda row: (-row[1], row[0]))
    files = [{"encoding": name, "files": n} for name, n in rows]
    return {**decision.to_json(), "files": files}


def default_style(browser: Browser) -> Style:
    """How captions of the folder are written, by the newest run that tagged it."""
    return style_of_dataset(browser.dataset)


def _meant(browser: Browser, filter: str | None, names: Sequence[str] | None) -> int:
    if names is None:
        return browser.counted(filter or "")
    browser.wait(60)
    flags = 0
    with browser.lock:
        places = browser.index.places
        for name in names:
            if name not in places:
                raise UserError(f"There is no image {show(name)} in this folder: it was renamed or deleted.")
            flags |= 1 << places[name]
    return flags


def _texts(browser: Browser, images: Iterable[str]) -> dict[str, tuple[str, int]]:
    """The captions of these images as the index knows them, and their places."""
    with browser.lock:
        places, captions = browser.index.places, browser.index.captions
        return {n: (captions[places[n]], places[n]) for n in images if n in places}


def _previewed(
    browser: Browser, work: Plan, captions: Sequence[str], images: Sequence[str], total: int
) -> Result:
    style = default_style(browser)
    by_caption = {browser.index.caption_name(n): n for n in reversed(images)}
    looked_at = captions[:SAMPLES] if work.exact else captions
    texts = {n: t for n, (t, _) in _texts(browser, (by_caption[c] for c in looked_at)).items()}
    work.prepare(list(texts.values()))
    with browser.dataset.reading() as reader:
        records = reader.records(looked_at)
    samples: list[tuple[str, str, str]] = []
    failed: list[tuple[str, str]] = []
    changed = 0
    for caption in looked_at:
        name = by_caption[caption]
        before = texts.get(name, "")
        after = work.change(before, style_of(records.get(caption), style))
        if len(after) > LONGEST_CAPTION:
            failed.append((caption, too_long(caption)))
        elif after != before:
            changed += 1
            if len(samples) < SAMPLES:
                samples.append((name, *shown(before, after)))
    changes = len(captions) if work.exact else changed
    return Result(total, changes, None, tuple(samples), tuple(failed[:SAMPLES]))


def _look_now(browser: Browser, names: Sequence[str] | None) -> None:
    """Read captions that other programs have just changed."""
    browser.wait(60)
    with browser.updating:
        if browser.updater.loaded and names is None:
            browser.updater.refresh(recursive=browser.recursive)
        elif browser.updater.loaded and names is not None:
            browser.updater.touch([n for n in names if n in browser.index.places])


def _bring_up(browser: Browser, images: Sequence[str]) -> None:
    """Update the index with the written captions before the answer is sent."""
    with browser.updating:
        if browser.updater.loaded:
            browser.updater.touch(images)
