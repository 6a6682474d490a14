"""axe finds nothing in any view, in the light and the dark theme."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import missing
from tests.ui.conftest import ROOT, SAMPLES, WAIT, Server
from tests.ui.page import Page

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures with answers, one of them uncertain, and a run."""
    folder = tmp_path_factory.mktemp("tagged")
    for name in ("coffee_break.png", "classroom.jpg", "balloon_day.jpg"):
        shutil.copy(SAMPLES / name, folder)
    command = (sys.executable, "-m", "lib_extend", "tag", str(folder), "--offline", "--people")
    subprocess.run([*command, "--tagger", "sketch", "--vlm", "sketch"], cwd=ROOT, check=True)
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_view(window: Callable[..., Any], server: Server, tagged: Path, dark: bool) -> None:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        missing("axe-playwright-python")
    page = Page(window(dark=dark), server)
    page.window.emulate_media(reduced_motion="reduce")  # what fades in is judged when it is there
    views = page.app.get_by_role("tab").all_inner_texts()
    assert len(views) >= 6
    found: list[tuple[str, str, list[str]]] = []

    def look(where: str) -> None:
        page.window.wait_for_timeout(500)
        for rule in Axe().run(page.window, options=RULES).response["violations"]:
            found.append((where, rule["id"], [n["html"][:200] for n in rule["nodes"]]))

    for view in views:
        page.view(view)
        look(f"{view}, without a folder")
    page.view(views[0])
    page.open(tagged)
    for view in views:
        page.view(view)
        look(view)
    page.view("Browse")
    page.app.locator(".cell", has_text="classroom").click()
    page.app.locator("dialog[open] .caption-chips").first.wait_for(timeout=WAIT)
    look("a caption")
    page.window.keyboard.press("Escape")
    page.app.locator(".machine").click()
    page.app.locator("dialog[open]").wait_for()
    look("the machine")
    assert not found
