"""The panel in txt2img and img2img of a double of a WebUI, in one browser window."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib_extend.generation.panel import Panel
from lib_extend.ui import ids
from tests.hosts.conftest import ROOT, WebUI, host_environment

# Gradio 3.41 and 4.40. What does not depend on Gradio is tried in one of them: a start takes seconds.
BOTH = pytest.mark.parametrize("webui", ["a1111", "forge"], indirect=True)


@pytest.fixture(scope="session")
def webuis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], WebUI]]:
    """`webuis(host)`: the running double of a host, one for all tests."""
    running: dict[str, WebUI] = {}

    def get(host: str) -> WebUI:
        if host not in running:
            folder = tmp_path_factory.mktemp(host)
            (folder / "extensions").mkdir()
            (folder / "extensions" / "sd-webui-prompt-extend").symlink_to(ROOT, target_is_directory=True)
            env = {"PROMPT_EXTEND_DATA": str(folder / "data")}
            running[host] = WebUI(host, host_environment(host), folder, "--skip-installers", env=env)
            running[host].wait()
        return running[host]

    yield get
    for one in running.values():
        one.close()


@pytest.fixture
def webui(request: pytest.FixtureRequest, webuis: Callable[[str], WebUI]) -> WebUI:
    return webuis(getattr(request, "param", "a1111"))


class PanelOf:
    """The panel of a tab in one browser window."""

    def __init__(self, page: Any, address: str, tab: str = "txt2img", *, opened: bool = True) -> None:
        self.page, self.tab = page, tab
        page.goto(address)
        self.accordion = page.locator(f"#{ids.panel(tab)}")
        self.switch = self.accordion.locator("prompt-extend-cast-head input")
        self.switch.wait_for(state="attached")
        if tab != "txt2img":
            page.locator("#tabs").get_by_text(tab, exact=True).first.click()
        self.element = self.accordion.locator(ids.PANEL)
        if opened:
            self.open()

    def open(self) -> None:
        self.accordion.locator(".label-wrap").click()
        self.element.get_by_role("button", name="Add a").wait_for()

    @property
    def text(self) -> str:
        """What is in the hidden textbox."""
        return str(self.page.locator(f"#{ids.panel_value(self.tab)} textarea").input_value())

    @property
    def value(self) -> Panel:
        return Panel.parse(self.text)

    @property
    def boxes(self) -> list[tuple[float, ...]]:
        return [c.box for c in self.value.cast.characters]

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for what comes to pass by itself."""
        for _ in range(int(seconds / 0.05)):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it does not come to pass; the value is {self.text}")

    def click(self, name: str) -> None:
        self.element.get_by_role("button", name=name, exact=True).click()

    def add(self, prompt: str, name: str = "") -> None:
        self.element.get_by_role("button", name=re.compile(r"^\+ Add (a character|another)$")).click()
        letter = "αβγδε"[self.element.locator(".character").count() - 1]
        self.element.get_by_label(f"Prompt of {letter}").fill(prompt)
        if name:
            self.element.get_by_label(f"Name of {letter}").fill(name)

    def drag(self, *points: tuple[float, float]) -> None:
        """The mouse over these points of the canvas, as fractions of it."""
        canvas = self.element.locator(".canvas")
        canvas.scroll_into_view_if_needed()
        frame = canvas.bounding_box()
        mouse = self.page.mouse
        for n, (x, y) in enumerate(points):
            mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"], steps=3 if n else 1)
            if n == 0:
                mouse.down()
        mouse.up()


@pytest.fixture
def panel(window: Callable[..., Any], webui: WebUI) -> Callable[..., PanelOf]:
    """`panel()` opens the panel in a window of its own; `page` gives one that is there."""

    def make(page: Any = None, width: int = 1280, **options: Any) -> PanelOf:
        return PanelOf(page or window(width), webui.url, **options)

    return make
