"""The view "Curate": what goes is seen, overruled, applied and taken back, on captions that the sketch tagger made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.curation.two_characters import ALONE, HOSHI, LOOKS, TSUKI, draw
from tests.ui.conftest import ROOT, Server
from tests.ui.page import Page, captions


def test_what_goes_is_seen_overruled_applied_and_taken_back(
    window: Callable[..., Any], server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "forty"
    folder.mkdir()
    draw(folder)
    command = [sys.executable, "-m", "lib_extend", "tag", str(folder), "--tagger", "sketch", "--vlm", "none"]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    before = captions(folder)
    assert len(before) == 2 * ALONE + 4

    page = Page(window(), server)
    page.open(folder)
    page.view("Curate")
    app = page.app
    rows = app.locator(".curate-tags tbody tr")
    rows.first.wait_for()
    gone = set(app.locator(".curate-tags tr.gone").evaluate_all("all => all.map(r => r.dataset.tag)"))
    kept = set(rows.evaluate_all("all => all.map(r => r.dataset.tag)")) - gone
    assert gone and kept, "a more exact tag says what another says"
    app.locator("fieldset.segments label", has_text="Core tags").click()
    app.locator(".core").nth(1).wait_for()
    core = " ".join(app.locator(".core").all_text_contents())
    assert f"{ALONE}" in core and all(look in core for look in LOOKS[HOSHI] | LOOKS[TSUKI])
    app.locator("fieldset.segments label", has_text="Tags").first.click()
    rows.first.wait_for()
    # a person's decision goes before the rules, either way
    stays, goes = "pink_hair", sorted(kept)[0]
    for tag, decision in ((stays, "keep"), (goes, "drop")):
        app.locator(f".curate-tags tr[data-tag='{tag}'] select").select_option(decision)
        app.locator(f".curate-tags tr[data-tag='{tag}'] select[data-decision={decision}]").wait_for()
    assert captions(folder) == before, "nothing is written before it is said"
    app.locator("[data-act=curate]").click()
    app.locator(".note.good", has_text="changed").wait_for()
    after = captions(folder)
    spoken = {name: {t.strip().replace(" ", "_") for t in text.split(",")} for name, text in after.items()}
    assert after != before and all(goes not in tags for tags in spoken.values())
    for name, tags in spoken.items():
        if name.startswith("tsuki"):
            assert not tags & {look.replace(" ", "_") for look in LOOKS[TSUKI]}, tags
        elif name.startswith("hoshi"):
            assert stays in tags and not tags & {"twintails", "blue_eyes"}, tags
    app.locator(".note.good").get_by_role("button", name="Undo").click()
    app.locator(".note.good").wait_for(state="detached")
    assert captions(folder) == before
