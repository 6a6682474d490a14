"""The view "Check": what would spoil a training is seen, mended and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ui.conftest import Server
from tests.ui.page import Page, captions


def test_what_spoils_a_training_is_seen_mended_and_taken_back(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    for caption in folder.glob("*.txt"):
        caption.unlink()
    pictures = sorted(p for p in folder.iterdir() if p.suffix in (".png", ".jpg", ".webp"))
    for picture in pictures[3:]:
        picture.unlink()
    texts = ("1girl, black hair", "1girl, black-hair, mychar", "")
    for picture, text in zip(pictures, texts, strict=False):
        picture.with_suffix(".txt").write_text(text, encoding="utf-8")
    before = captions(folder)

    page = Page(window(), server)
    page.open(folder)
    page.view("Check")
    app = page.app
    app.get_by_label("Trainer", exact=True).select_option("sd-scripts")
    empty = app.locator(".finding[data-code=empty_caption]")
    empty.get_by_text("ends with an error").wait_for()
    assert empty.locator(".thumb").count() == 1 and empty.get_by_role("button", name="Mend").count() == 0
    app.get_by_label("Trigger word").fill("mychar")
    missing = app.locator(".finding[data-code=trigger_missing]")
    missing.get_by_role("button", name="Mend").click()
    app.locator(".note.good", has_text="1 caption mended").wait_for()
    missing.wait_for(state="detached")
    mended = captions(folder)
    assert mended[pictures[0].stem].split(", ")[0] == "mychar"
    assert {k: v for k, v in mended.items() if k != pictures[0].stem} == {
        k: v for k, v in before.items() if k != pictures[0].stem
    }
    app.locator(".note.good").get_by_role("button", name="Undo").click()
    missing.wait_for()
    assert captions(folder) == before
