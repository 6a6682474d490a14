"""Tagging a folder from the browser, with the built-in models; what counts is on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ui.conftest import SAMPLES, WAIT, Gate, Server
from tests.ui.page import Page, captions, pictures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_whole_run_and_its_undo(window: Callable[..., Any], server: Server, folder: Path) -> None:
    (folder / "classroom.txt").write_text("my own words, 1boy\n", encoding="utf-8")
    before = captions(folder)
    page = Page(window(), server)
    page.open(folder)
    assert "12 pictures · 1 caption" in page.app.locator(".folder-bar [role=status]").inner_text()
    page.sketch()
    page.start()
    panel = page.job("done")

    written = captions(folder)
    assert set(written) == pictures(folder)
    assert "12 captions written" in panel.inner_text()
    # the page says what is in the files
    for row in panel.locator(".picture-row").all():
        name = row.locator(".name").inner_text()
        kept = "".join(
            row.locator(".diff").evaluate(
                "e => [...e.childNodes].map(n => n.tagName === 'DEL' ? '' : n.textContent)"
            )
        )
        tags = [t.strip() for t in kept.split(",") if t.strip()]
        assert tags == [t.strip() for t in written[Path(name).stem].split(",")], name
    # what a person wrote stays, and the models' answers are in
    assert "my own words" in written["classroom"]
    truth = [json.loads(line) for line in (SAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    right = [
        str(n) in written[Path(t["file"]).stem]
        for t in truth
        for n in t["counts"].values()
    ]  # fmt: skip
    assert sum(right) / len(right) > 0.7

    page.click("Undo this run")
    page.agree("Undo this run")
    page.app.locator(".job h2", has_text="Done").wait_for(timeout=WAIT)
    page.app.locator(".folder-bar [role=status]", has_text="1 caption").wait_for()
    assert captions(folder) == before


def test_whose_the_captions_are_is_asked_once(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    text = "zebra, smile, apple, 1girl"
    (folder / "classroom.txt").write_text(text, encoding="utf-8")
    page = Page(window(), server)
    page.open(folder)
    page.sketch(vlm=False)
    question = page.app.get_by_role("group", name="Whose captions are these?")
    assert "1 caption was here before." in question.inner_text()
    page.app.get_by_role("button", name="Mine: keep every word").press("Enter")
    question.wait_for(state="detached")
    page.click("Change")
    page.click("A tagger’s: they may be sorted and replaced")
    page.window.reload()
    page.app.get_by_text("their tags may be sorted, cut and replaced").wait_for()
    page.start()
    page.job("done")
    # people come first now: a person's own order would have stayed
    assert captions(folder)["classroom"].index("1girl") < captions(folder)["classroom"].index("zebra")
    page.click("Close")
    assert not page.app.get_by_text("Whose words are they?").count()


def test_a_later_run_without_questions_says_what_it_keeps(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.sketch()
    page.start()
    page.job("done")
    before = captions(folder)
    page.app.get_by_label("Vision-language model").select_option("none")
    page.click("Close")
    page.start()
    panel = page.app.locator(".job", has_text="Kept from earlier runs:")
    panel.wait_for(timeout=WAIT)
    assert "“Drop what earlier runs found” takes them out." in panel.inner_text()
    assert captions(folder) == before, "nothing that was found is gone or moved"


Held = tuple[Server, Gate]


def test_a_reload_in_the_middle_changes_nothing(
    window: Callable[..., Any], held: Held, gate: Gate, folder: Path
) -> None:
    page = begun(window, held[0], folder)
    gate.let(3)
    page.start()
    wait_rows(page, 3)
    page.window.reload()
    page.job("running")
    # what came before the reload is told again
    wait_rows(page, 3)
    assert page.app.get_by_label("Tagger", exact=True).input_value() == "sketch"
    assert len(captions(folder)) == 3
    gate.open()
    panel = page.job("done")
    assert set(captions(folder)) == pictures(folder)

    # and one that ended while nobody looked is still told of, until it is put away
    page.window.reload()
    page.job("done")
    assert "12 captions written" in panel.inner_text()
    panel.get_by_role("button", name="Close").click()
    panel.wait_for(state="detached")
    page.window.reload()
    page.app.locator(".start").wait_for()
    page.app.locator(".sample").wait_for()
    assert panel.count() == 0


def test_stop_and_continue(window: Callable[..., Any], held: Held, gate: Gate, folder: Path) -> None:
    page = begun(window, held[0], folder)
    gate.let(5)
    page.start()
    wait_rows(page, 5)
    page.click("Stop")
    page.job("stopped")
    some = captions(folder)
    assert len(some) == 5

    # somebody else's window knows as much
    gate.open()
    other = Page(window(), held[0])
    other.open(folder)
    note = other.app.locator(".start .note")
    assert "5 of 12 pictures done" in note.inner_text()
    other.click("Continue")
    other.job("done")
    after = captions(folder)
    assert set(after) == pictures(folder)
    assert {name: after[name] for name in some} == some

    other.view("Runs")
    other.app.locator(".run").first.wait_for()
    assert other.app.locator(".run").count() == 1  # the same run, continued
    assert "12 changed" in other.app.locator(".run").inner_text()


def test_two_windows_see_one_job(window: Callable[..., Any], held: Held, gate: Gate, folder: Path) -> None:
    first, second = begun(window, held[0], folder), begun(window, held[0], folder)
    gate.let(2)
    first.start()
    wait_rows(first, 2)
    second.start()  # told that a job is at it, and shown that one
    second.app.locator(".toast.bad").wait_for()
    second.job("running")
    wait_rows(second, 2)
    second.click("Pause")
    first.job("paused")
    second.job("paused")
    assert len(captions(folder)) == 2
    gate.open()
    first.click("Resume")
    first.job("done")
    second.job("done")
    assert set(captions(folder)) == pictures(folder)


def test_failures_are_told_with_their_reason(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    (folder / "broken.png").write_bytes((folder / "night_picnic.png").read_bytes()[:500])
    page = Page(window(), server)
    page.open(folder)
    page.sketch(vlm=False)
    page.start()
    panel = page.job("done")
    failures = panel.locator(".failures li")
    assert failures.count() == 1
    assert "broken.png" in failures.inner_text()
    assert len(failures.inner_text()) > len("broken.png ") + 10
    assert set(captions(folder)) == pictures(folder) - {"broken"}


def test_a_preview_writes_nothing(window: Callable[..., Any], server: Server, folder: Path) -> None:
    (folder / "classroom.txt").write_text("my own words", encoding="utf-8")
    page = Page(window(), server)
    page.open(folder)
    page.sketch(vlm=False)
    page.app.get_by_role("button", name="Preview", exact=True).click()
    page.app.get_by_role("menuitem", name="Preview all").click()
    panel = page.job("done")
    assert "12 captions would change" in panel.inner_text()
    row = panel.locator(".picture-row", has_text="classroom")
    assert row.locator("ins").count() > 3
    assert row.locator("del").count() == 0
    assert captions(folder) == {"classroom": "my own words"}
    # and is what a start then does, without models
    shown = row.locator(".diff").inner_text()
    panel.get_by_role("button", name="Start tagging").click()
    page.app.locator(".job h2", has_text="Done").wait_for(timeout=WAIT)
    assert [t.strip() for t in captions(folder)["classroom"].split(",")] == [
        t.strip() for t in shown.split(",")
    ]


def test_one_picture_follows_the_settings(window: Callable[..., Any], server: Server, folder: Path) -> None:
    page = Page(window(), server)
    page.open(folder)
    page.sketch(vlm=False)
    sample = page.app.locator(".sample")
    sample.get_by_role("button", name="Try on this picture").click()
    caption = sample.locator(".diff").last
    caption.filter(has_text="balloon").wait_for(timeout=WAIT)
    assert "blue hair" in caption.inner_text()
    page.app.locator("summary", has_text="Caption").click()
    page.app.get_by_label("Keep underscores").check()
    sample.locator(".diff", has_text="blue_hair").wait_for()
    assert "1girl" in caption.inner_text()
    page.app.get_by_label("General tags above").fill("0.999")
    sample.locator(".diff", has_text="1girl").wait_for(state="detached")
    assert captions(folder) == {}


def begun(window: Callable[..., Any], server: Server, folder: Path) -> Page:
    """A window with the folder open and the built-in tagger chosen."""
    page = Page(window(), server)
    page.open(folder)
    page.sketch(vlm=False)
    return page


def wait_rows(page: Page, number: int) -> None:
    """Until so many pictures of the job have been shown."""
    rows, failed = page.app.locator(".picture-row"), page.app.locator(".job[data-state=failed]")
    rows.nth(number - 1).or_(failed).wait_for(timeout=WAIT)
    assert not failed.count(), failed.inner_text()
