"""The tab inside the doubles of the WebUIs, on their real Gradio, in a real browser: tag, reload, review, take back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import WAIT, Gate, folder
from tests.ui.page import Page, captions, pictures

from .conftest import WebUI

__all__ = ["folder"]

Start = Callable[..., WebUI]
KEPT = ("playroom", "classroom", "coffee_break", "night_picnic")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.name == "nt", reason="the held worker is a script with #!"),
]


class Tab(Page):
    """The tab in a WebUI's page, which shows another one first."""

    def __init__(self, window: Any, url: str) -> None:
        self.window = window
        window.goto(url)
        self.app = window.locator("prompt-extend-app").first
        self.show()

    def show(self) -> None:
        """Go to the tab."""
        named = {"name": "Prompt Extend", "exact": True}
        tab = self.window.get_by_role("tab", **named).or_(self.window.get_by_role("button", **named))
        tab.first.click()
        self.app.get_by_role("tab", name="Tag a folder").wait_for()

    def reload(self) -> None:
        self.window.reload()
        self.show()


def test_a_run_from_the_browser(
    start: Start, host: str, window: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    for picture in list(folder.iterdir()):
        if picture.stem not in KEPT:
            picture.unlink()
    (folder / "classroom.txt").write_text("my own words, 1boy", encoding="utf-8")
    before = captions(folder)
    place = tmp_path / "gate"
    place.mkdir()
    gate = Gate(place)
    variables = {"PROMPT_EXTEND_WORKER_PYTHON": str(gate.python), "HELD_WORKER": str(gate.file)}
    webui = start(env={**variables, "HF_HUB_OFFLINE": "1"}).wait()

    page = Tab(window(dark=True), webui.url)
    page.open(folder)
    page.sketch()
    page.ask_only("count")
    gate.let(2)
    page.start()
    page.app.locator(".picture-row").nth(1).wait_for(timeout=WAIT)
    # a reload in the middle, and a second window that sees the same job
    page.reload()
    page.job("running")
    page.app.locator(".picture-row").nth(1).wait_for()
    other = Tab(window(390), webui.url)
    other.open(folder)
    other.job("running")
    other.click("Pause")
    page.job("paused")
    assert len(captions(folder)) == 2 + ("classroom" not in written(folder, before))
    gate.open()
    page.click("Resume")
    page.job("done")
    other.job("done")
    after = captions(folder)
    assert set(after) == pictures(folder) == set(KEPT) and "my own words" in after["classroom"]

    # a verdict by keys, and back
    page.view("Review")
    page.app.get_by_label("How certain").select_option("1")
    page.app.locator(".review-stage img.there").wait_for()
    while "balls" not in page.app.locator(".asked").inner_text():
        page.window.keyboard.press("j")
        page.app.locator(".review-caption .diff").wait_for()
    page.window.keyboard.press("r")
    until(page, lambda: captions(folder) != after)
    page.window.keyboard.press("z")
    until(page, lambda: captions(folder) == after)

    # browsed in the other window: A1111's page compresses what it sends, events too
    other.view("Browse")
    other.app.locator(".cell img.there").first.wait_for()
    other.app.get_by_label("Filter", exact=True).fill("my own words")
    until(other, lambda: other.app.locator(".cell:not([data-waits])").count() == 1)
    assert "classroom" in other.app.locator(".cell .name").inner_text()
    assert other.window.evaluate("document.documentElement.scrollWidth") == 390

    page.view("Runs")
    page.app.locator(".run").last.click()
    page.click("Undo this run")
    page.agree("Undo this run")
    until(page, lambda: captions(folder) == before)
    assert "Traceback" not in webui.text()


def written(folder: Path, before: dict[str, str]) -> set[str]:
    """The captions that are not as they were."""
    return {name for name, text in captions(folder).items() if before.get(name) != text}


def until(page: Page, true: Callable[[], bool]) -> None:
    """Wait for something to come true."""
    for _ in range(300):
        if true():
            return
        page.window.wait_for_timeout(100)
    assert true()
