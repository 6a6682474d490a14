"""The panel in txt2img and img2img, in doubles of A1111 (Gradio 3.41) and Forge (Gradio 4.40), by a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from lib_extend.generation import places
from lib_extend.generation.panel import OFF
from lib_extend.ui import ids
from tests.ui.panel_page import BOTH, PanelOf, panel, webui, webuis

__all__ = ["panel", "webui", "webuis"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # a host's environment may have to be made first


def near(found: tuple[float, ...], wanted: tuple[float, ...], by: float = 0.012) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def test_nothing_is_asked_before_it_is_opened(
    panel: Callable[..., PanelOf], window: Callable[..., Any]
) -> None:
    page = window()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url.split("/v1/")[1]) if "/v1/" in r.url else None)
    it = panel(page, opened=False)
    page.wait_for_timeout(800)
    assert [a for a in asked if not a.startswith("page/")] == []
    assert "page/cast/panel.mjs" not in asked and "page/css/cast.css" not in asked
    assert sum(a.startswith("page/cast/") for a in asked) < 12
    assert it.text == "" and not it.switch.is_checked()
    it.open()
    assert {"panel", "loras", "page/css/cast.css"} <= set(asked)


@BOTH
def test_off_is_off(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    assert it.value is OFF and it.text == ""
    it.add("black hair")
    assert it.switch.is_checked() and it.value.enabled  # the first thing put in switches it on
    it.switch.uncheck()
    assert it.text == ""
    assert it.element.get_by_label("Prompt of α").input_value() == "black hair"  # it is only off, not lost
    it.page.locator("#txt2img_prompt textarea").fill("a tree, α")
    it.page.locator("#txt2img_generate").click()
    made = it.page.locator("#html_info_txt2img textarea")
    it.page.wait_for_function("() => document.querySelector('#html_info_txt2img textarea').value")
    assert made.input_value().startswith("a tree, α\n") and "Prompt Extend" not in made.input_value()


@BOTH
def test_boxes_are_drawn_dragged_resized_and_moved_by_keys(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.drag((0.1, 0.2), (0.4, 0.8))
    it.drag((0.95, 0.9), (0.6, 0.3))
    assert len(it.boxes) == 2
    assert near(it.boxes[0], (0.1, 0.2, 0.4, 0.8)) and near(it.boxes[1], (0.6, 0.3, 0.95, 0.9))
    it.drag((0.25, 0.5), (0.35, 0.4))  # from its middle: the whole box
    assert near(it.boxes[0], (0.2, 0.1, 0.5, 0.7))
    it.drag((0.49, 0.69), (0.56, 0.995))  # its corner; the edge snaps to the picture's
    assert near(it.boxes[0], (0.2, 0.1, 0.57, 1.0)) and it.boxes[0][3] == 1
    before = it.boxes[0]
    box = it.element.locator(".box").first
    box.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowLeft", "Shift+ArrowUp"):
        it.page.keyboard.press(key)
    x0, y0, x1, y1 = before
    wanted = (x0 + 0.02, y0, x1 + 0.02 - 0.01, y1 - 0.01)
    assert near(it.boxes[0], wanted, 0.0011)
    assert f"{round(100 * wanted[0])} to" in box.get_attribute("aria-label")
    it.page.keyboard.press("Control+z")
    assert it.boxes[0] != pytest.approx(wanted, abs=1e-6)


def test_a_press_without_a_drag_and_escape_change_nothing(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.drag((0.1, 0.1), (0.101, 0.101))
    assert it.text == ""
    it.drag((0.1, 0.1), (0.5, 0.5))
    before = it.boxes
    frame = it.element.locator(".canvas").bounding_box()
    it.page.mouse.move(frame["x"] + 0.3 * frame["width"], frame["y"] + 0.3 * frame["height"])
    it.page.mouse.down()
    it.page.mouse.move(frame["x"] + 0.6 * frame["width"], frame["y"] + 0.6 * frame["height"], steps=3)
    it.page.keyboard.press("Escape")
    it.page.mouse.up()
    assert it.boxes == before


def test_one_click_arranges_and_boxes_follow_the_size(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    for prompt in ("black hair", "white hair", "red hair"):
        it.add(prompt)
    assert it.boxes == [*places.columns(3)]
    it.click("One above the other")
    assert it.boxes == [*places.rows(3)]
    it.click("In a grid")
    assert len({b[1] for b in it.boxes}) == 2
    it.click("Side by side")
    assert it.boxes == [*places.columns(3)]
    canvas = it.element.locator(".canvas")
    assert canvas.bounding_box()["width"] == pytest.approx(canvas.bounding_box()["height"], abs=1)
    it.page.locator("#txt2img_width input[type=number]").fill("1024")
    it.element.get_by_text("1024 × 512").wait_for()
    frame = canvas.bounding_box()
    assert frame["width"] / frame["height"] == pytest.approx(2, abs=0.02)
    for _ in range(2):
        it.add("hat")
    assert len(it.boxes) == 5 and it.element.get_by_text("5 characters are the most.").is_visible()


def test_characters_change_places_and_go(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("black hair", "Ann")
    it.add("white hair", "Ben")
    it.element.get_by_label("Name of β").press("Alt+ArrowUp")
    assert [c.name for c in it.value.cast.characters] == ["Ben", "Ann"]
    it.element.get_by_label("More for α").click()
    it.element.get_by_role("menuitem", name="Remove").click()
    assert [c.name for c in it.value.cast.characters] == ["Ann"]
    it.click("Undo")
    assert [c.name for c in it.value.cast.characters] == ["Ben", "Ann"]
    it.element.locator(".box").nth(1).focus()
    it.page.keyboard.press("Delete")
    assert [c.name for c in it.value.cast.characters] == ["Ben"]


def test_the_background_says_what_it_adds(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.element.get_by_text("Background", exact=True).click()
    it.click("+ cake")
    it.element.get_by_label("Number of cake").fill("3")
    it.element.get_by_label("Color of cake").select_option("red")
    it.element.get_by_placeholder("Any object").fill("magic lamp")
    it.element.get_by_placeholder("Any object").press("Enter")
    it.element.get_by_label("Floor").fill("wooden")
    it.element.locator(".adds").get_by_text("3 cakes, red cake, magic lamp, wooden floor").wait_for()
    assert [(t.object, t.number, t.color) for t in it.value.cast.things] == [
        ("cake", 3, "red"),
        ("magic lamp", 1, ""),
    ]
    it.page.locator("#txt2img_prompt textarea").fill("night sky")
    compiled = it.element.locator(".compiled")
    compiled.get_by_text("3 cakes, red cake, magic lamp, wooden floor, night sky").wait_for()
    assert re.search(r"\d+/75 tokens", it.element.locator(".preview").inner_text())


@BOTH
def test_generate_has_what_was_typed_last_and_a_paste_brings_it_back(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("1girl, black hair", "Ann")
    it.add("1girl, white hair", "Ben")
    it.element.get_by_text("Separation", exact=True).click()
    it.element.get_by_text("only the prompt", exact=True).click()
    prompt = it.page.locator("#txt2img_prompt textarea")
    prompt.fill("a tree")
    field = it.element.get_by_label("Prompt of β")
    field.press("End")
    field.type(", hat")
    it.page.locator("#txt2img_generate").click()
    info = it.page.locator("#html_info_txt2img textarea")
    it.page.wait_for_function("() => document.querySelector('#html_info_txt2img textarea').value")
    text = info.input_value()
    assert text.startswith("2girls, α black hair, β white hair, β hat, a tree")
    made = it.value
    it.switch.uncheck()
    it.element.get_by_label("Prompt of β").fill("something else")
    assert it.text == ""
    prompt.fill(text)
    it.page.locator("#paste").click()
    it.page.wait_for_function("() => document.querySelector('#txt2img_prompt textarea').value === 'a tree'")
    it.until(it.switch.is_checked)
    assert it.value.cast == made.cast
    assert it.element.get_by_label("Prompt of β").input_value() == "1girl, white hair, hat"
    prompt.fill("a tree\nSteps: 1, Seed: 5, Size: 512x512")  # a picture without the extension
    it.page.locator("#paste").click()
    it.page.wait_for_function("() => document.querySelector('#txt2img_seed input').value === '5'")
    it.until(lambda: not it.switch.is_checked())
    assert it.text == ""


def test_a_value_that_cannot_be_read_is_told_and_left_alone(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("black hair")
    put = "([id, v]) => { document.querySelector(`#${id} textarea`).value = v; }"
    it.page.evaluate(
        put, [ids.panel_value("txt2img"), '{"enabled": false, "problem": "Its cast is too long."}']
    )
    it.element.get_by_text("Its cast is too long.").wait_for()
    assert "problem" in it.text and it.value is OFF
    it.page.evaluate(put, [ids.panel_value("txt2img"), "{broken"])
    it.element.get_by_text("cannot be read, so it is off").wait_for()
    it.switch.check()
    assert it.value.cast.characters[0].prompt == "black hair"
    assert it.element.get_by_text("cannot be read").count() == 0


@BOTH
def test_a_reload_keeps_it_switched_off_and_windows_do_not_mix(
    panel: Callable[..., PanelOf], window: Callable[..., Any]
) -> None:
    """What is seen is what acts: the WebUI's own prompt is empty after a reload, and the panel is closed."""
    page = window()
    it = panel(page)
    it.add("black hair")
    again = panel(page, opened=False)
    assert again.text == "" and not again.switch.is_checked()
    again.switch.check()
    assert again.value.cast.characters[0].prompt == "black hair"
    other = panel(window(), opened=False)
    assert other.text == ""
    images = panel(page, tab="img2img", opened=False)
    assert images.text == ""


@BOTH
def test_it_works_in_img2img_on_a_phone_by_touch(panel: Callable[..., PanelOf]) -> None:
    it = panel(width=390, tab="img2img")
    it.element.locator(".canvas").scroll_into_view_if_needed()
    frame = it.element.locator(".canvas").bounding_box()
    touch = it.page.context.new_cdp_session(it.page)

    def at(kind: str, x: float, y: float) -> None:
        points = [{"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}]
        touch.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []}
        )

    at("touchStart", 0.2, 0.2)
    for n in range(1, 6):
        at("touchMove", 0.2 + n * 0.1, 0.2 + n * 0.12)
    at("touchEnd", 0.7, 0.8)
    assert near(it.boxes[0], (0.2, 0.2, 0.7, 0.8), 0.02)
    it.add("white hair, a very long prompt " * 5)
    it.element.get_by_text("Background", exact=True).click()
    it.element.get_by_text("Separation", exact=True).click()
    it.element.get_by_text("Check", exact=True).click()
    shell = it.element.locator(".shell")
    assert shell.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    assert it.page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def test_the_check_of_the_picture_shown_is_on_the_characters(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("black hair, hat")
    it.element.get_by_text("Check", exact=True).click()
    it.element.get_by_label("Check the result").check()
    it.element.get_by_label("Keep trying").fill("4")
    assert it.value.check and it.value.keep_trying == 4
    result = {"score": 0.5, "characters": [{"letter": "α", "found": ["black hair"], "missing": ["hat"]}]}
    info = json.dumps(json.dumps(result, ensure_ascii=False), ensure_ascii=False)
    it.page.locator("#html_info_txt2img textarea").evaluate(
        "(e, v) => { e.value = v; }", f"a\nSteps: 1, Prompt Extend check: {info}, Seed: 5"
    )
    it.element.locator(".found").get_by_text("✓ black hair").wait_for()
    assert it.element.locator(".found").get_by_text("✗ hat").is_visible()
    assert it.element.get_by_text("Missing in the picture shown: α hat.").is_visible()
    it.element.get_by_label("Check the result").uncheck()
    assert not it.value.checks


def test_characters_and_casts_are_kept(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("black hair", "Ann")
    it.add("white hair")
    it.element.get_by_label("More for α").click()
    it.element.get_by_role("menuitem", name="Save to the library").click()
    it.click("Save")
    it.click("Library")
    it.click("Save this cast …")
    it.element.get_by_label("Name", exact=True).fill("tea")
    it.click("Save")
    it.element.locator(".library-row").get_by_text("tea").wait_for()
    it.element.get_by_text("Characters", exact=True).last.click()
    it.click("Add")
    it.until(lambda: [c.name for c in it.value.cast.characters] == ["Ann", "", "Ann"])
    it.click("Library")
    it.click("Load")
    it.until(lambda: [c.prompt for c in it.value.cast.characters] == ["black hair", "white hair"])
    it.click("Library")
    it.click("Delete tea")
    it.element.locator("dialog footer").get_by_role("button", name="Delete", exact=True).click()
    it.element.get_by_text("No casts saved yet").wait_for()
