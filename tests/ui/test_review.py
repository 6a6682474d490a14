"""Reviewing in a real browser, by keys and by dragging; what counts is in the caption files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.generation.panel import Panel
from tests.ui.conftest import ROOT, SAMPLES, WAIT, Server
from tests.ui.page import Page, captions

pytestmark = pytest.mark.slow
PICTURES = ("playroom.jpg", "blue_balls.webp", "coffee_break.png")


@pytest.fixture(scope="session")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three samples, tagged by the built-in models, with persons told apart."""
    folder = tmp_path_factory.mktemp("tagged") / "pictures"
    folder.mkdir()
    for name in PICTURES:
        shutil.copy2(SAMPLES / name, folder)
    models = [
        "--tagger",
        "sketch",
        "--vlm",
        "sketch",
        "--people",
        "--detector",
        "sketch",
        "--format",
        "greek",
    ]
    # an environment for the models that somebody made in their home is not looked at
    data = str(folder.parent / "data")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PROMPT_EXTEND_DATA": data,
        "HF_HUB_OFFLINE": "1",
    }
    subprocess.run(
        [sys.executable, "-m", "lib_extend", "tag", str(folder), *models],
        check=True,
        env=environment,
        cwd=folder.parent,
        stdout=subprocess.DEVNULL,
        timeout=600,
    )
    return folder


@pytest.fixture
def copied(tagged: Path, tmp_path: Path) -> Path:
    """A copy of the tagged folder, with what is known of its pictures."""
    return Path(shutil.copytree(tagged, tmp_path / "pictures"))


def review(window: Callable[..., Any], server: Server, folder: Path, **how: Any) -> Page:
    """The view on all answers nobody has looked at."""
    page = Page(window(**how), server)
    page.open(folder)
    page.view("Review")
    page.app.get_by_label("How certain").select_option("1")
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until picture, boxes and caption of the item are there."""
    page.app.locator(".review-stage img.there").wait_for()
    page.app.locator(".review-caption .diff").wait_for()


def item(page: Page) -> tuple[str, str, str]:
    """Stem of the picture, the question in words, the answer."""
    name = page.app.locator(".review-caption .name").inner_text()
    return (
        Path(name).stem,
        page.app.locator(".asked").inner_text(),
        page.app.locator(".given .value").inner_text(),
    )


def find(page: Page, picture: str, question: str) -> str:
    """Go on until this question is asked; its answer."""
    for _ in range(200):
        settle(page)
        name, asked, answer = item(page)
        if (name, asked) == (picture, question):
            return answer
        page.window.keyboard.press("j")
    raise AssertionError(f"{question} was never asked about {picture}")


def tags(folder: Path, picture: str) -> list[str]:
    return [t.strip() for t in captions(folder)[picture].split(",")]


def wait_for(
    page: Page, folder: Path, picture: str, *, has: tuple[str, ...] = (), lacks: tuple[str, ...] = ()
) -> None:
    for _ in range(200):
        now = tags(folder, picture)
        if set(has) <= set(now) and not set(lacks) & set(now):
            return
        page.window.wait_for_timeout(100)
    assert set(has) <= set(now) and not set(lacks) & set(now), now


def test_correct_reject_and_undo_by_keys(window: Callable[..., Any], server: Server, copied: Path) -> None:
    page = review(window, server, copied)
    before = captions(copied)
    answer = find(page, "playroom", "How many balls are in the image?")
    old = f"{answer} balls"
    assert old in tags(copied, "playroom")
    keys = page.window.keyboard
    keys.press("c")
    page.app.get_by_role("group", name="Which is right?").wait_for()
    keys.press("7")
    wait_for(page, copied, "playroom", has=("7 balls",), lacks=(old,))
    assert item(page)[:2] != ("playroom", "How many balls are in the image?")  # it went on by itself
    keys.press("z")
    wait_for(page, copied, "playroom", has=(old,), lacks=("7 balls",))
    page.app.locator(".asked", has_text="How many balls").wait_for()
    settle(page)
    assert item(page) == ("playroom", "How many balls are in the image?", answer)
    assert captions(copied) == before
    keys.press("r")
    wait_for(page, copied, "playroom", lacks=(old, "7 balls"))
    unlike = {name for name, text in captions(copied).items() if text != before[name]}
    assert unlike == {"playroom"}


def test_a_picture_is_left_out_and_taken_in_again(
    window: Callable[..., Any], server: Server, copied: Path
) -> None:
    page = review(window, server, copied)
    before = captions(copied)
    find(page, "playroom", "How many balls are in the image?")
    page.window.keyboard.press("x")
    page.app.get_by_text("playroom.jpg is left out.").wait_for()
    assert item(page)[0] != "playroom"
    with Dataset(copied).reading() as reader:
        assert list(reader.left_out()) == ["playroom.jpg"]
    page.window.keyboard.press("z")
    page.app.locator(".review-caption .name", has_text="playroom").wait_for()
    with Dataset(copied).reading() as reader:
        assert not reader.left_out()
    assert captions(copied) == before


def test_accepted_and_locked_answers_are_not_asked_again(
    window: Callable[..., Any], server: Server, copied: Path
) -> None:
    page = review(window, server, copied)
    written: list[int] = []

    def heard(response: Any) -> None:
        if response.request.method == "POST" and response.url.endswith("/review"):
            written.append(response.status)

    page.window.on("response", heard)
    total = page.app.locator(".review-side .nav [role=status]")
    at_first = int(total.inner_text().split(" of ")[1])
    verdicts = {"How many balls are in the image?": "a", "How many boxes are in the image?": "l"}
    said: dict[str, str] = {}
    while len(said) < 2:
        settle(page)
        picture, asked, answer = item(page)
        mine = picture == "playroom" and asked in verdicts
        if mine:
            said[asked] = answer
        page.window.keyboard.press(verdicts[asked] if mine else "j")
    page.window.keyboard.press("k")
    note = page.app.locator(".note.good")
    note.wait_for()
    assert note.locator("span").inner_text() == (
        "You locked this." if list(said)[1].startswith("How many boxes") else "You accepted this."
    )
    for asked, answer in said.items():
        wait_for(page, copied, "playroom", has=(f"{answer} {asked.split()[2]}",))
    for _ in range(200):
        if len(written) == 2:
            break
        page.window.wait_for_timeout(100)
    assert written == [200, 200]

    again = review(window, server, copied)
    assert again.app.locator(".review-side .nav [role=status]").inner_text() == f"1 of {at_first - 2}"


def test_a_verdict_is_withdrawn_also_after_a_reload(
    window: Callable[..., Any], server: Server, copied: Path
) -> None:
    page = review(window, server, copied)
    before = captions(copied)
    asked = "How many balls are in the image?"
    answer = find(page, "playroom", asked)
    total = page.app.locator(".review-side .nav [role=status]").inner_text().split(" of ")[1]
    keys = page.window.keyboard
    keys.press("r")
    wait_for(page, copied, "playroom", lacks=(f"{answer} balls",))
    keys.press("k")
    page.app.locator(".note.good", has_text="You rejected this.").wait_for()
    keys.press("w")
    wait_for(page, copied, "playroom", has=(f"{answer} balls",))
    page.app.locator(".note.good").wait_for(state="detached")
    assert captions(copied) == before

    keys.press("r")
    wait_for(page, copied, "playroom", lacks=(f"{answer} balls",))
    page.window.reload()
    settle(page)
    assert page.app.locator(".review-side .nav [role=status]").inner_text() == f"1 of {int(total) - 1}"
    keys.press("z")
    wait_for(page, copied, "playroom", has=(f"{answer} balls",))
    page.app.locator(".asked", has_text=asked).wait_for()
    settle(page)
    assert item(page) == ("playroom", asked, answer)
    assert captions(copied) == before
    page.window.reload()
    settle(page)
    assert page.app.locator(".review-side .nav [role=status]").inner_text() == f"1 of {total}"
    keys.press("?")
    page.app.locator("dialog", has_text="withdraw what was said of this one").wait_for()


def test_a_tag_moves_to_the_other_person(window: Callable[..., Any], server: Server, copied: Path) -> None:
    page = review(window, server, copied)
    find(page, "playroom", "How many balls are in the image?")
    own = [t for t in tags(copied, "playroom") if t.startswith("α ")]
    assert "α purple hair" in own
    page.window.keyboard.press("p")
    page.app.get_by_label("purple hair, of α").focus()
    page.window.keyboard.press("2")
    page.app.get_by_label("purple hair, of β").wait_for()
    page.click("Save persons")
    wait_for(page, copied, "playroom", has=("β purple hair",), lacks=("α purple hair",))
    settle(page)
    page.window.keyboard.press("z")
    wait_for(page, copied, "playroom", has=("α purple hair",), lacks=("β purple hair",))


def test_letters_swap_and_boxes_are_dragged(window: Callable[..., Any], server: Server, copied: Path) -> None:
    page = review(window, server, copied)
    find(page, "playroom", "How many balls are in the image?")
    sent: list[Any] = []

    def asked(request: Any) -> None:
        if request.url.endswith("/persons"):
            sent.append(request.post_data_json)

    page.window.on("request", asked)
    before = tags(copied, "playroom")
    page.click("Edit persons")
    stage = page.app.locator(".review-stage")
    frame = stage.locator(".frame").first
    old = frame.bounding_box()
    # the upper left corner inwards, then the whole box down
    corner = stage.locator(".handle").first.bounding_box()
    drag(page, center(corner), (center(corner)[0] + 20, center(corner)[1] + 30))
    resized = frame.bounding_box()
    assert resized["width"] == pytest.approx(old["width"] - 20, abs=2)
    assert resized["height"] == pytest.approx(old["height"] - 30, abs=2)
    drag(page, center(resized), (center(resized)[0] + 15, center(resized)[1] - 10))
    moved = frame.bounding_box()
    put = within(stage)
    assert (moved["x"] - resized["x"], moved["y"] - resized["y"]) == pytest.approx((15, -10), abs=2)
    assert moved["width"] == pytest.approx(resized["width"], abs=1)
    page.app.get_by_label("Letter of person α").select_option("β")
    page.click("Save persons")
    swapped = {"α": "β", "β": "α"}
    wanted = {swapped[t[0]] + t[1:] for t in before if t[0] in swapped and t[1] == " "}
    wait_for(page, copied, "playroom", has=tuple(wanted))
    people = sent[0]["persons"]
    assert [p["letter"] for p in people] == ["β", "α"]
    left = people[0]["box"][0]
    right = people[1]["box"][0]
    assert left < right and people[0]["box"][2] > left, "boxes are in pixels of the picture, left to right"

    # a second look has the box where it was put
    again = review(window, server, copied)
    find(again, "playroom", "How many balls are in the image?")
    looked = again.app.locator(".review-stage")
    looked.locator(".frame").nth(1).wait_for()
    assert within(looked) == pytest.approx(put, abs=0.01)


def test_a_folder_that_was_never_tagged(window: Callable[..., Any], server: Server, folder: Path) -> None:
    page = Page(window(390, dark=True), server)
    page.open(folder)
    page.view("Review")
    page.app.get_by_role("heading", name="Nothing to review yet").wait_for()
    assert page.window.evaluate("document.documentElement.scrollWidth") == 390
    page.click("Tag this folder")
    page.app.locator("[data-act=start]").wait_for()


def within(stage: Any) -> tuple[float, ...]:
    """Edges of the first person's box, as shares of the picture."""
    box, whole = stage.locator(".frame").first.bounding_box(), stage.locator("img.there").bounding_box()
    x, y = (box["x"] - whole["x"]) / whole["width"], (box["y"] - whole["y"]) / whole["height"]
    return x, y, x + box["width"] / whole["width"], y + box["height"] / whole["height"]


def center(box: dict[str, float]) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    mouse = page.window.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*end, steps=4)
    mouse.up()


PANEL = """async (address) => {
  document.body.insertAdjacentHTML("beforeend", `<div id="prompt_extend_txt2img"><div class="label-wrap">…</div>
    <prompt-extend-cast data-tab="txt2img"></prompt-extend-cast></div>
    <div id="prompt_extend_txt2img_value"><textarea></textarea></div>`);
  await import(`${address}prompt-extend/v1/page/cast/element.mjs`);
}"""


def test_a_picture_under_review_goes_into_the_panel(
    window: Callable[..., Any], server: Server, copied: Path
) -> None:
    """Where there is a panel, as in a WebUI; the cast is found by the models chosen in the tab."""
    page = Page(window(), server)
    page.open(copied)
    page.sketch()
    page.window.evaluate(PANEL, server.address)
    page.view("Review")
    page.app.get_by_label("How certain").select_option("1")
    settle(page)
    name = page.app.locator(".review-caption .name").inner_text()
    page.click("Send cast to txt2img")
    value = page.window.locator("#prompt_extend_txt2img_value textarea")
    page.window.wait_for_function("e => e.value", arg=value.element_handle(), timeout=WAIT)
    cast = Panel.parse(value.input_value()).cast
    lines = (SAMPLES / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {row["file"]: row["persons"] for row in map(json.loads, lines)}
    assert len(cast.characters) == len(truth[name])
    assert all("hair" in c.prompt for c in cast.characters)
