"""Browsing in a real browser: filters, one caption, many captions, a grid that stays small; what counts is on the disk."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.dataset import Dataset
from tests.ui.conftest import Server
from tests.ui.page import Page, captions

pytestmark = pytest.mark.slow

WORDS = {
    "balloon_day": "1girl, 1boy, hat, balloon",
    "classroom": "1boy, solo, hat, chair",
    "coffee_break": "1girl, solo, chair, green hair",
    "night_picnic": "2girls, night",
    "playroom": "",
}


@pytest.fixture
def captioned(folder: Path) -> Path:
    """Five pictures, four of them with a caption."""
    for picture in list(folder.iterdir()):
        if picture.stem not in WORDS:
            picture.unlink()
        elif WORDS[picture.stem]:
            picture.with_suffix(".txt").write_text(WORDS[picture.stem], encoding="utf-8")
    return folder


def browse(window: Callable[..., Any], server: Server, folder: Path, **how: Any) -> Page:
    page = Page(window(**how), server)
    page.open(folder)
    page.view("Browse")
    page.app.locator(".cell .name", has_text=".").first.wait_for()
    return page


def shown(page: Page) -> list[str]:
    """The pictures in the grid, in its order."""
    cells = page.app.locator(".cell:not([data-waits])")
    named = cells.evaluate_all(
        "all => all.map(c => [+c.ariaPosInSet || +c.getAttribute('aria-posinset'), c.querySelector('.name').textContent])"
    )
    return [Path(name).stem for _, name in sorted(named)]


def narrow(page: Page, filter: str, *wanted: str) -> None:
    """Type a filter and wait until the grid shows just these."""
    page.app.get_by_label("Filter", exact=True).fill(filter)
    expect(page, *wanted)


def expect(page: Page, *wanted: str) -> None:
    for _ in range(100):
        if shown(page) == list(wanted):
            return
        page.window.wait_for_timeout(100)
    assert shown(page) == list(wanted)


def wait_for(page: Page, folder: Path, wanted: dict[str, str]) -> None:
    for _ in range(100):
        if captions(folder) == wanted:
            return
        page.window.wait_for_timeout(100)
    assert captions(folder) == wanted


def test_filters_by_words_tags_and_clicks(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    assert shown(page) == sorted(WORDS)
    narrow(page, "hat -1girl", "classroom")
    narrow(page, "balloon or tags<3 has:caption", "balloon_day", "night_picnic")
    page.app.get_by_role("button", name="No caption").click()
    expect(page)  # the chip counts for all of what stood there
    page.app.get_by_label("Filter", exact=True).fill("")
    page.app.get_by_role("button", name="No caption").click()
    expect(page, "playroom")
    page.app.get_by_role("button", name="No caption").click()
    expect(page, *sorted(WORDS))

    row = page.app.locator(".tag-row", has_text="chair")
    assert row.locator(".count").inner_text() == "2"
    row.locator(".tag-name").click()
    expect(page, "classroom", "coffee_break")
    page.app.locator(".tag-row", has_text="solo").get_by_label("Only pictures without solo").click()
    expect(page)
    page.app.get_by_role("button", name="Clear the filter").click()
    expect(page, *sorted(WORDS))


def test_a_filter_that_cannot_be_read_is_told_with_its_place(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    page.app.get_by_label("Filter", exact=True).fill("hat (chair")
    fault = page.app.locator(".fault", has_text="character 5")
    fault.wait_for()
    assert fault.locator("mark").text_content() == "(chair"
    narrow(page, "hat", "balloon_day", "classroom")
    assert page.app.locator(".fault").text_content() == ""


def as_text(box: Any) -> Any:
    """The caption as text, in the field where it is edited."""
    box.get_by_role("button", name="As text").click()
    area = box.locator("textarea")
    area.wait_for()
    return area


LINES = "1girl,  (red hat:1.2), black_hair\r\nA girl stands in a room, smiling. BREAK <lora:a:1>, {a|b} hat,, \r\n"
"""A caption whose gaps, line ends, brackets and sentences are a person's own."""


def test_chips_change_what_is_meant_and_nothing_else(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    (captioned / "classroom.txt").write_bytes(LINES.encode())
    page = browse(window, server, captioned)
    page.app.locator(".cell", has_text="classroom").click()
    keys = page.window.keyboard
    box = page.app.locator("dialog.picture-dialog")
    chips = box.locator(".tag-chip")
    chips.first.wait_for()
    kinds = {"A girl stands in a room, smiling.": "prose", "<lora:a:1>": "literal", "BREAK": "separator"}
    for words, kind in kinds.items():
        assert chips.filter(has_text=words).get_attribute("data-kind") == kind
    text = "e => e.getRootNode().querySelector('prompt-extend-chips').text"
    assert chips.first.evaluate(text) == LINES
    # remove, take back, move, add, change: by keys alone
    box.locator("[data-at='0:1']").focus()
    keys.press("Delete")
    assert chips.first.evaluate(text) == LINES.replace("(red hat:1.2), ", "")
    keys.press("Control+z")
    page.window.wait_for_function(
        f"t => ({text})(document.querySelector('prompt-extend-app').shadowRoot.firstElementChild) === t",
        arg=LINES,
    )
    box.locator("[data-at='0:2']").focus()
    keys.press("Alt+ArrowLeft")
    moved = LINES.replace("(red hat:1.2), black_hair", "black_hair, (red hat:1.2)").replace(
        "1girl,  b", "1girl, b"
    )
    assert chips.first.evaluate(text).replace(",  ", ", ") == moved.replace(",  ", ", ")
    box.get_by_label("Add a tag to line 1").fill("smile")
    keys.press("Enter")
    box.locator(".tag-chip", has_text="smile").last.wait_for()
    keys.press("Control+Enter")
    box.locator(".hint", has_text="CLIP token").wait_for()  # it says "not saved yet" until then
    saved = (captioned / "classroom.txt").read_bytes().decode()
    assert saved.endswith(LINES[LINES.index("\r\n") :]) and "(red hat:1.2)" in saved.split("\r\n")[0]
    assert saved.split("\r\n")[0].split(",")[-1].strip() == "smile"  # with the gap that this line has


def test_tags_are_completed_by_keys(window: Callable[..., Any], server: Server, captioned: Path) -> None:
    page = browse(window, server, captioned)
    page.app.locator(".cell", has_text="classroom").click()
    box = page.app.locator("dialog.picture-dialog")
    box.locator(".tag-chip").first.wait_for()
    field = box.get_by_label("Add a tag")
    field.press_sequentially("peace_sig")
    # an alias leads to its tag, with how often it is used
    row = box.locator(".complete [role=option]", has_text="also called peace sign")
    row.wait_for()
    assert row.locator(".count").inner_text()
    page.window.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == row.get_attribute("id")
    page.window.keyboard.press("Enter")
    box.locator(".tag-chip .chip-name").last.filter(has_text="v").wait_for()
    page.window.keyboard.press("Control+Enter")
    box.locator(".hint", has_text="CLIP token").wait_for()
    assert captions(captioned)["classroom"] == WORDS["classroom"] + ", v"


def test_one_caption_by_keys(window: Callable[..., Any], server: Server, captioned: Path) -> None:
    page = browse(window, server, captioned)
    keys = page.window.keyboard
    keys.press("/")
    keys.type("solo")
    expect(page, "classroom", "coffee_break")
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    keys.press("Enter")
    box = page.app.locator("dialog.picture-dialog")
    box.get_by_role("heading", name="coffee_break.png").wait_for()
    assert as_text(box).input_value() == WORDS["coffee_break"]
    keys.press("PageUp")
    box.get_by_role("heading", name="classroom.jpg").wait_for()
    box.get_by_label("Caption").fill("1boy, hat, two words")
    assert captions(captioned)["classroom"] == WORDS["classroom"]  # nothing before it is said
    keys.press("Control+Enter")
    wait_for(page, captioned, {**without_empty(), "classroom": "1boy, hat, two words"})
    keys.press("Escape")
    box.wait_for(state="detached")
    keys.press("Escape")
    expect(page, *sorted(WORDS))
    page.app.locator(".tag-row", has_text="two words").wait_for()


def test_missing_tags_are_proposed_and_written_only_when_saved(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    asked: list[Any] = []

    def expand(route: Any) -> None:
        asked.append(route.request.post_data_json)
        drafts = [{"tags": ["blue_sky", "hat_(witch)"], "prose": ""}]
        route.fulfill(content_type="application/json", body=json.dumps({"drafts": drafts}))

    page.window.route("**/v1/expand", expand)
    page.app.locator(".cell", has_text="coffee_break").click()
    box = page.app.locator("dialog.picture-dialog")
    box.locator(".caption-chips").wait_for()
    file = (captioned / box.locator("h2").inner_text()).with_suffix(".txt")
    before = WORDS[file.stem]
    box.locator("select.expander").select_option("sketch")
    box.get_by_role("button", name="Expand").click()
    box.get_by_role("button", name="+ blue sky").click()
    assert asked[0]["prompt"] == before and asked[0]["expander"] == "sketch"
    box.get_by_text("not saved yet").wait_for()
    assert file.read_text(encoding="utf-8") == before
    assert box.locator(".proposals .chip").all_inner_texts() == ["+ hat (witch)"]
    box.get_by_role("button", name="Save").click()
    box.get_by_text("not saved yet").wait_for(state="hidden")
    assert file.read_text(encoding="utf-8") == f"{before}, blue sky"


def test_text_that_was_typed_is_not_lost(window: Callable[..., Any], server: Server, captioned: Path) -> None:
    page = browse(window, server, captioned)
    page.app.locator(".cell", has_text="classroom").click()
    box = page.app.locator("dialog.picture-dialog")
    as_text(box).fill("something else")
    page.window.keyboard.press("Escape")
    page.agree("Discard")
    page.app.locator("dialog.picture-dialog").wait_for(state="detached")
    assert captions(captioned) == without_empty()
    page.app.locator(".cell", has_text="classroom").click()
    as_text(box).fill("something else")
    page.window.keyboard.press("PageDown")
    page.agree("Save")
    wait_for(page, captioned, {**without_empty(), "classroom": "something else"})
    page.app.get_by_role("heading", name="coffee_break.png").wait_for()


def test_what_somebody_else_wrote_meanwhile_is_shown(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    page.app.locator(".cell", has_text="classroom").click()
    box = page.app.locator("dialog.picture-dialog")
    box.locator(".tag-chip").first.wait_for()
    as_text(box).fill("mine, hat")
    (captioned / "classroom.txt").write_text("theirs, hat", encoding="utf-8")
    box.get_by_role("button", name="Save").click()
    clash = box.locator(".note.warn")
    clash.wait_for()
    assert "theirs, hat" in clash.inner_text()
    assert captions(captioned)["classroom"] == "theirs, hat"
    clash.get_by_role("button", name="Write mine").click()
    wait_for(page, captioned, {**without_empty(), "classroom": "mine, hat"})


def test_many_captions_with_preview_and_undo(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    narrow(page, "hat", "balloon_day", "classroom")
    page.app.get_by_role("button", name="Edit all").click()
    box = page.app.locator("dialog.bulk")
    box.get_by_role("radio", name="Rename a tag").check()
    box.get_by_label("Tag", exact=True).fill("hat")
    box.get_by_label("New name").fill("top hat")
    box.locator(".samples ins", has_text="top hat").first.wait_for()
    assert "2 of 2 captions would change" in box.inner_text()
    assert captions(captioned) == without_empty()
    box.get_by_role("button", name="Change 2 captions").click()
    box.wait_for(state="detached")
    renamed = {name: text.replace("hat", "top hat") for name, text in without_empty().items()}
    assert captions(captioned) == renamed
    page.app.locator(".tag-row", has_text="top hat").wait_for()
    page.click("Undo this edit")
    wait_for(page, captioned, without_empty())

    narrow(page, "-has:caption", "playroom")
    page.app.get_by_role("button", name="Edit all").click()
    box.get_by_label("Tags", exact=True).fill("ball, box")
    box.get_by_role("button", name="Change 1 caption").click()
    box.wait_for(state="detached")
    assert captions(captioned) == {**without_empty(), "playroom": "ball, box"}


def test_a_large_folder_keeps_the_page_small(
    window: Callable[..., Any], server: Server, tmp_path: Path, folder: Path
) -> None:
    count = 3000
    large = tmp_path / "large"
    large.mkdir()
    for n in range(count):
        link(folder / "coffee_break.png", large / f"{n:05}.png")
    page = Page(window(), server)
    asked: list[str] = []
    page.window.on("request", lambda r: asked.append(r.url))
    page.open(large)
    page.view("Browse")
    page.app.locator(".cell .name", has_text="00000.png").wait_for()
    grid = page.app.get_by_role("listbox", name="Pictures")
    grid.focus()
    page.window.keyboard.press("End")
    page.app.locator(".cell .name", has_text=f"{count - 1:05}.png").wait_for()
    page.app.locator(".cell[data-at] img.there").wait_for()
    assert page.app.locator(".cell").count() < 60
    thumbs = {u for u in asked if "/thumb/" in u and "large" not in u}
    assert 0 < len(thumbs) < 150
    assert len([u for u in asked if "/images?" in u]) < 12
    # from top to bottom in one go: what is flown past is not fetched
    asked.clear()
    grid.evaluate(
        "g => { let at = g.scrollHeight; const step = () => { at -= 2000; g.scrollTop = at; if (at > 0) requestAnimationFrame(step); }; step(); }"
    )
    page.app.locator(".cell .name", has_text="00000.png").wait_for()
    page.window.wait_for_timeout(500)
    assert len([u for u in asked if "/thumb/" in u]) < 400


def test_on_a_narrow_window_the_tags_fold_away(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned, width=390, dark=True)
    assert page.window.evaluate("document.documentElement.scrollWidth") == 390
    assert not page.app.locator(".tag-row").first.is_visible()
    page.app.locator(".tag-table summary").click()
    page.app.locator(".tag-row", has_text="night").locator(".tag-name").click()
    expect(page, "night_picnic")


def picked(page: Page) -> list[str]:
    """The pictures that are picked, by name."""
    names = page.app.locator(".cell[aria-selected=true] .name").all_inner_texts()
    return sorted(Path(n).stem for n in names)


def wait_picked(page: Page, *wanted: str) -> None:
    for _ in range(100):
        if picked(page) == sorted(wanted):
            return
        page.window.wait_for_timeout(50)
    assert picked(page) == sorted(wanted)


def test_single_pictures_are_picked_for_an_edit(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    every = sorted(WORDS)
    cell = {name: page.app.locator(".cell", has_text=name) for name in every}
    cell["classroom"].hover()
    cell["classroom"].locator(".pick").click()
    wait_picked(page, "classroom")
    cell["playroom"].click()  # while some are picked, a click picks
    cell["classroom"].click(modifiers=["Control"])
    wait_picked(page, "playroom")
    cell["coffee_break"].click(modifiers=["Shift"])
    # from the last one that was clicked, whether that picked it or not
    wait_picked(page, "classroom", "coffee_break", "playroom")
    page.app.get_by_text("3 of 5 pictures picked").wait_for()
    keys = page.window.keyboard
    keys.press("Escape")
    wait_picked(page)
    page.app.get_by_role("button", name="Edit all").wait_for()

    grid = page.app.get_by_role("listbox", name="Pictures")
    grid.focus()
    keys.press("Home")
    keys.press("Shift+ArrowRight")
    wait_picked(page, *every[:2])
    keys.press("Home")
    keys.press("Space")
    wait_picked(page, every[1])
    keys.press("Control+a")
    wait_picked(page, *every)
    keys.press("End")
    keys.press("Space")
    wait_picked(page, *every[:-1])
    narrow(page, "hat", "balloon_day", "classroom")
    wait_picked(page)  # an edit changes nothing that is not seen
    page.app.get_by_label("Filter", exact=True).fill("")
    expect(page, *every)

    cell["coffee_break"].click(modifiers=["Control"])
    cell["night_picnic"].click()
    page.app.get_by_role("button", name="Edit these").click()
    box = page.app.locator("dialog.bulk")
    assert "The 2 pictures you picked." in box.inner_text()
    box.get_by_label("Tags", exact=True).fill("mine")
    box.get_by_role("button", name="Change 2 captions").click()
    box.wait_for(state="detached")
    changed = {
        n: f"{t}, mine" if n in ("coffee_break", "night_picnic") else t for n, t in without_empty().items()
    }
    wait_for(page, captioned, changed)
    wait_picked(page)


def test_pictures_are_left_out_and_taken_in_by_a_key(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    keys = page.window.keyboard
    page.app.get_by_role("listbox", name="Pictures").focus()
    keys.press("Home")
    keys.press("x")
    page.app.locator(".cell", has_text="balloon_day").get_by_text("left out").wait_for()
    page.app.locator(".cell", has_text="classroom").click(modifiers=["Control"])
    page.app.locator(".cell", has_text="coffee_break").click()
    page.app.get_by_role("listbox", name="Pictures").focus()
    keys.press("x")
    page.app.locator(".cell", has_text="coffee_break").get_by_text("left out").wait_for()
    narrow(page, "left-out", "balloon_day", "classroom", "coffee_break")
    narrow(page, "-left-out", "night_picnic", "playroom")
    narrow(page, "", *WORDS)
    assert Dataset(captioned).has_state
    with Dataset(captioned).reading() as reader:
        assert {Path(n).stem for n in reader.left_out()} == {"balloon_day", "classroom", "coffee_break"}
    assert captions(captioned) == without_empty()
    page.app.get_by_role("listbox", name="Pictures").focus()
    keys.press("Home")
    keys.press("x")
    page.app.locator(".cell", has_text="balloon_day").get_by_text("left out").wait_for(state="detached")


def test_what_is_picked_while_the_server_writes_stays_picked(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    page = browse(window, server, captioned)
    held: list[Any] = []
    page.window.route("**/left-out", lambda route: held.append(route))
    page.app.get_by_role("listbox", name="Pictures").focus()
    with page.window.expect_request("**/left-out"):
        page.window.keyboard.press("x")
    page.app.locator(".cell", has_text="classroom").click(modifiers=["Control"])
    held[0].continue_()
    page.app.locator(".cell", has_text="balloon_day").get_by_text("left out").wait_for()
    page.app.locator(".cell[aria-selected=true]", has_text="classroom").wait_for()


def test_an_edit_shows_how_far_it_is_and_is_stopped(
    window: Callable[..., Any], server: Server, captioned: Path
) -> None:
    """The server's own part is in tests/api; here it takes as long as the test wants."""
    page = browse(window, server, captioned)
    state = {"running": True, "done": 512, "total": 3000, "stopping": False}
    held: list[Any] = []
    stops: list[Any] = []

    def answer(route: Any) -> None:
        if route.request.url.endswith("/stop"):
            stops.append(route)
            state["stopping"] = True
            route.fulfill(json=state)
        elif route.request.method == "GET":
            route.fulfill(json=state)
        elif route.request.post_data_json.get("preview"):
            route.continue_()
        else:
            held.append(route)

    page.window.route("**/edit", answer)
    page.window.route("**/edit/stop", answer)
    page.app.get_by_role("button", name="Edit all").click()
    box = page.app.locator("dialog.bulk")
    box.get_by_label("Tags", exact=True).fill("mine")
    box.get_by_role("button", name="Change 5 captions").click()
    box.get_by_text("512 of 3,000 captions looked at").wait_for()
    bar = box.get_by_role("progressbar")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuemax")) == ("512", "3000")
    box.get_by_role("button", name="Stop").click()
    box.get_by_text("Stopping …").wait_for()
    assert len(stops) == 1
    held[0].fulfill(
        json={"changed": 512, "total": 3000, "run": 1, "failures": [], "samples": [], "stopped": True}
    )
    box.wait_for(state="detached")
    page.app.get_by_text("Stopped: 512 captions changed.").wait_for()
    page.app.get_by_role("button", name="Undo this edit").wait_for()

    # one that was begun before a reload is shown, too
    state["stopping"] = False
    page.window.reload()
    page.app.get_by_text("512 of 3,000 captions looked at").wait_for()
    state["running"] = False
    page.app.locator(".writing").wait_for(state="detached")


def without_empty() -> dict[str, str]:
    return {name: text for name, text in WORDS.items() if text}


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
