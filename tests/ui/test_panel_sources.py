"""Where the panel gets things from: pictures, LoRAs, the tab's other views. The server's answers are set here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from lib_extend.generation import infotext
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.expansion import NOTHING, Added
from lib_extend.generation.expansion_requests import requests_of
from lib_extend.generation.panel import Panel
from tests.generation import webui_infotext
from tests.ui.panel_page import BOTH, PanelOf, panel, webui, webuis

__all__ = ["panel", "webui", "webuis"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FOUND = Cast(
    (
        Character(prompt="1girl, black hair", box=(0.1, 0.2, 0.4, 0.9)),
        Character(prompt="1girl, white hair", box=(0.5, 0.1, 0.9, 1.0)),
    ),
    scene="indoors, 3 cakes",
)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def answer(page: Any, path: str, body: Any, status: int = 200) -> list[Any]:
    """Answer a route; gives the requests that came."""
    asked: list[Any] = []

    def fulfil(route: Any) -> None:
        asked.append(route.request)
        value = body(route.request) if callable(body) else body
        route.fulfill(status=status, content_type="application/json", body=json.dumps(value))

    page.route(lambda url: url.split("?")[0].endswith(f"/v1/{path}"), fulfil)
    return asked


def test_a_picture_fills_the_cast_and_undo_brings_back_what_was(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("red hair", "Ann")
    it.element.get_by_label("For all characters").fill("watercolor")
    before = it.value
    asked = answer(it.page, "cast/from-picture", FOUND.to_json())
    file = {"name": "tea.png", "mimeType": "image/png", "buffer": png()}
    it.element.locator("input[type=file]").set_input_files(file)
    it.until(lambda: len(it.boxes) == 2)
    cast = it.value.cast
    assert cast.characters == FOUND.characters and cast.scene == FOUND.scene
    assert cast.common == "watercolor"  # the picture says nothing of it
    assert b'name="image"; filename="tea.png"' in asked[0].post_data_buffer
    under = it.element.locator(".under")
    under.wait_for()
    assert under.get_attribute("src").startswith("blob:")
    it.click("Undo")
    assert it.value == before


def test_a_picture_without_persons_changes_nothing_and_says_why(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("red hair")
    before = it.text
    answer(it.page, "cast/from-picture", {"error": "The picture shows nobody: draw boxes by hand."}, 422)
    file = {"name": "tea.png", "mimeType": "image/png", "buffer": png()}
    it.element.locator("input[type=file]").set_input_files(file)
    it.element.get_by_text("The picture shows nobody").wait_for()
    assert it.text == before and it.element.locator(".cover").is_hidden()


LORA = {
    "name": "letters", "role": "separation", "published": True, "family": "sdxl", "base": "NoobAI", "title": "",
    "alias": "", "count_style": "", "problem": "", "fits": "",
}  # fmt: skip
OFFER = {
    "id": "a1", "name": "letters", "file": "letters.safetensors", "size": 228_000_000, "sha256": "", "url": "",
    "page": "", "version": "v1", "base": "Illustrious", "family": "sdxl", "role": "separation", "source": "GitHub",
}  # fmt: skip


def test_a_lora_is_got_with_progress_and_then_chosen(panel: Callable[..., PanelOf], window: Any) -> None:
    page = window()
    there: list[Any] = []
    state = {
        "id": "d1", "file": OFFER["file"], "state": "running", "done": 57_000_000, "total": 228_000_000,
        "seconds_left": 12, "error": "", "name": "",
    }  # fmt: skip
    answer(page, "loras", lambda request: {"loras": there, "folders": ["/loras"]})
    answer(page, "loras/offers", {"offers": [OFFER]})
    asked = answer(page, "loras/get", lambda request: state)
    answer(page, "loras/get/d1", lambda request: state)
    it = panel(page)
    fold = it.element.locator(".separation-fold")
    fold.locator("summary").first.click()
    fold.get_by_text("None was found").wait_for()
    fold.get_by_role("button", name="Get it").click()
    dialog = it.element.locator("dialog")
    dialog.get_by_role("button", name="Download").click()
    dialog.get_by_text("57 MB of 228 MB, about 12 s left").wait_for()
    assert dialog.get_by_role("progressbar").get_attribute("aria-valuenow") == "57000000"
    assert asked[0].post_data_json == {"source": "github", "id": "a1"}
    there.append(LORA)
    state |= {"state": "done", "done": 228_000_000, "name": "letters"}
    dialog.get_by_text("letters is in the LoRA folder.").wait_for()
    page.keyboard.press("Escape")
    it.until(lambda: bool(it.text))
    chosen = it.value.cast.separation_lora
    assert chosen is not None and (chosen.name, chosen.weight) == ("letters", 1)


def test_a_lora_that_does_not_fit_is_marked_and_others_are_behind_a_button(
    panel: Callable[..., PanelOf], window: Any
) -> None:
    page = window()
    misfit = {**LORA, "fits": "letters was made for SDXL, and the checkpoint is SD 1.5."}
    other = {**LORA, "name": "style", "role": ""}
    answer(page, "loras", {"loras": [misfit, other], "folders": ["/loras"]})
    it = panel(page)
    fold = it.element.locator(".separation-fold")
    fold.locator("summary").first.click()
    select = fold.get_by_label("Separation LoRA")
    assert select.locator("option").all_inner_texts() == ["None", "letters (does not fit)"]
    select.select_option("letters")
    fold.get_by_text("letters was made for SDXL").wait_for()
    fold.get_by_role("button", name="Show all (1 more)").click()
    select.select_option("style")
    lora = it.value.cast.separation_lora
    assert lora is not None and lora.name == "style"


def test_without_a_network_the_dialog_says_what_to_do(panel: Callable[..., PanelOf], window: Any) -> None:
    page = window()
    sentence = (
        "api.github.com cannot be reached: check the network, or get the file with a browser and import it."
    )
    answer(page, "loras/offers", {"error": sentence}, 502)
    answer(page, "loras/import", {"name": "letters"})
    it = panel(page)
    it.element.locator(".separation-fold summary").first.click()
    it.element.locator(".separation-fold").get_by_role("button", name="Get it").click()
    it.element.get_by_text(sentence).wait_for()
    it.element.locator("dialog").get_by_text("From a file").click()
    it.element.get_by_label("File on the WebUI's machine").fill("/tmp/letters.safetensors")
    it.element.locator("dialog").get_by_role("button", name="Copy").click()
    it.element.locator("dialog").get_by_text("letters is in the LoRA folder.").wait_for()


def test_one_picture_sends_its_cast(panel: Callable[..., PanelOf], window: Any) -> None:
    page = window()
    person = {"letter": "α", "box": [1, 1, 30, 40], "score": 0.9, "tags": [], "locked": False}
    analysis = {
        "caption": "2girls", "tags": [], "answers": [], "persons": [person, {**person, "letter": "β"}],
        "reason": "", "dropped": [], "width": 64, "height": 48, "seconds": 0.1,
    }  # fmt: skip
    answer(page, "analyze", analysis)
    answer(page, "cast/from-picture", FOUND.to_json())
    it = panel(page, opened=False)
    page.locator("#tabs").get_by_text("Prompt Extend", exact=True).first.click()
    app = page.locator("prompt-extend-app")
    app.get_by_role("tab", name="One picture").click()
    file = {"name": "tea.png", "mimeType": "image/png", "buffer": png()}
    app.locator("input[type=file]").last.set_input_files(file)
    app.get_by_role("button", name="Send cast to txt2img").click()
    it.until(lambda: bool(it.text))
    assert it.value.cast.characters == FOUND.characters
    it.element.get_by_label("Prompt of α").wait_for()  # txt2img is shown, and the panel in it is open


def drawn(request: Any) -> dict[str, Any]:
    """As the server answers, with an expander that says what it was asked and how often."""
    value = request.post_data_json
    places, dropped = value.pop("places"), value.pop("dropped")
    prompt = value.pop("prompt")
    for name in ("width", "height"):
        del value[name]
    cast = Panel.parse(value).cast
    asked = requests_of(cast, prompt, 7, places or ["prompt", *map(str, range(len(cast.characters)))])
    tags = {
        one.place: (*one.kept.tags, f"of {one.text.split(', ')[-1]}", "again" if dropped else "first")
        for one in asked
    }
    return {"seed": 7, "added": {p: Added(t, "", cast_locked(cast, p)).to_json() for p, t in tags.items()}}


def cast_locked(cast: Cast, place: str) -> tuple[str, ...]:
    return cast.characters[int(place)].added.locked if place.isdigit() else cast.main_added.locked


def test_two_characters_are_expanded_by_themselves(panel: Callable[..., PanelOf]) -> None:
    it = panel()
    it.add("1girl, black hair, <lora:x:1>")
    it.add("1boy, white hair BREAK")
    host_prompt = it.page.locator("#txt2img_prompt textarea")
    host_prompt.fill("night BREAK (moon:1.2)")
    asked = answer(it.page, "cast/expand", drawn)
    it.element.locator(".expand-fold > summary").click()
    it.click("Expand everything")
    it.until(lambda: it.value.cast.main_added.tags == ("of moon", "first"))
    ann, ben = it.element.locator(".character").all()
    assert ann.locator(".added-name").all_inner_texts() == ["of black hair", "first"]
    assert ben.locator(".added-name").all_inner_texts() == ["of white hair", "first"]

    # locked stays, dropped does not come again, the other character stays as it is
    ann.get_by_role("button", name="of black hair", exact=True).click()
    ann.get_by_role("button", name="Drop first").click()
    it.click("Draw again: α")
    it.until(lambda: it.value.cast.characters[0].added.tags[-1] == "again")
    assert asked[-1].post_data_json["places"] == ["0"] and asked[-1].post_data_json["dropped"] == ["first"]
    assert it.value.cast.characters[0].added.locked == ("of black hair",)
    assert it.value.cast.characters[1].added.tags == ("of white hair", "first")

    # kept: the user's words with more behind them; undo takes it back
    ben.get_by_role("button", name="Keep", exact=True).click()
    assert it.value.cast.characters[1].prompt == "1boy, white hair BREAK of white hair, first"
    assert it.value.cast.characters[1].added == NOTHING
    it.click("Undo")
    assert it.value.cast.characters[1].prompt == "1boy, white hair BREAK"
    it.element.locator(".expand-fold").get_by_role("button", name="Keep", exact=True).click()
    assert host_prompt.input_value() == "night BREAK (moon:1.2), of moon, first"

    # each picture its own; where no expander can run, the picture comes with the prompt as written, and says so
    it.element.get_by_text("to each picture anew").click()
    assert it.value.cast.expansion.when == "generation"
    it.element.get_by_text("Each picture adds tags of its own").wait_for()
    it.page.locator("#txt2img_generate").click()
    made = it.page.locator("#html_info_txt2img textarea")
    it.page.wait_for_function(
        "() => document.querySelector('#html_info_txt2img textarea').value", timeout=120_000
    )
    text = made.input_value()
    assert (
        text.startswith("1girl, 1boy, α black hair, α of black hair, β white hair")
        and "again" not in text.split("\n")[0]
    )
    restored = infotext.read(webui_infotext.parse(text))
    assert restored is not None and restored.main == "night BREAK (moon:1.2), of moon, first"


@BOTH
def test_the_tags_and_the_characters_of_a_picture(panel: Callable[..., PanelOf]) -> None:
    it = panel(opened=False)
    page = it.page
    analysed = answer(page, "analyze", {"caption": r"1girl, hat \(witch\)"})
    answer(page, "cast/from-picture", FOUND.to_json())
    page.locator("#txt2img_prompt textarea").fill("watercolor BREAK")
    page.locator("#tabs").get_by_text("PNG Info", exact=True).first.click()
    buttons = page.locator("prompt-extend-picture[data-place='1']")
    buttons.get_by_role("button", name="Tags → prompt").click()
    buttons.get_by_text("There is no picture yet.").wait_for()
    file = {"name": "tea.png", "mimeType": "image/png", "buffer": png()}
    page.locator("#pnginfo_image input[type=file]").set_input_files(file)
    page.locator("#pnginfo_image img").wait_for()
    buttons.get_by_role("button", name="Tags → prompt").click()
    buttons.get_by_text("Its tags are in the prompt of txt2img.").wait_for()
    # behind what is there, which stays to the letter
    assert page.locator("#txt2img_prompt textarea").input_value() == r"watercolor BREAK 1girl, hat \(witch\)"
    assert b"PNG" in analysed[0].post_data_buffer
    page.locator("#tabs").get_by_text("img2img", exact=True).first.click()
    other = PanelOf.__new__(PanelOf)
    other.page, other.tab = page, "img2img"
    page.locator("#img2img_image input[type=file]").set_input_files(file)
    page.locator("#img2img_image img").wait_for()
    page.locator("prompt-extend-picture[data-place='0']").get_by_role(
        "button", name="Characters → panel"
    ).click()
    other.until(lambda: other.value.cast.characters == FOUND.characters)
