"""What a person does on the page, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.ui.conftest import WAIT, Server


class Page:
    """The page in one browser window; `app` is its custom element."""

    def __init__(self, window: Any, server: Server) -> None:
        self.window = window
        self.server = server
        window.goto(server.address)
        self.app = window.locator("prompt-extend-app")
        self.app.get_by_role("tab", name="Tag a folder").wait_for()

    def view(self, name: str) -> None:
        self.app.get_by_role("tab", name=name, exact=True).click()

    def open(self, folder: Path) -> None:
        field = self.app.get_by_label("Dataset folder")
        field.fill(str(folder))
        field.press("Enter")
        self.app.locator(".folder-bar [role=status]").filter(has_text="picture").wait_for()

    def sketch(self, *, vlm: bool = True) -> None:
        """The built-in models."""
        self.app.locator("select option[value=sketch]").first.wait_for(state="attached")
        self.app.get_by_label("Tagger", exact=True).select_option("sketch")
        if vlm:
            self.app.get_by_label("Vision-language model").select_option("sketch")

    def ask_only(self, *names: str) -> None:
        """Switch all other questions off."""
        for chip in self.app.locator(".chip[data-question]").all():
            on = chip.get_attribute("aria-pressed") == "true"
            if on != (chip.get_attribute("data-question") in names):
                chip.click()

    def start(self) -> None:
        self.app.locator("[data-act=start]").click()

    def click(self, name: str) -> None:
        self.app.get_by_role("button", name=name, exact=True).click()

    def job(self, state: str) -> Any:
        """The job's panel, once the job is in this state. One that has failed is not waited for any longer."""
        panel = self.app.locator(f".job[data-state={state}]")
        failed = self.app.locator(".job[data-state=failed]")
        panel.or_(failed).first.wait_for(timeout=WAIT)
        assert state == "failed" or not failed.count(), failed.inner_text()
        return panel

    def agree(self, name: str) -> None:
        """Press the button in the dialog's foot."""
        self.app.locator("dialog footer").get_by_role("button", name=name, exact=True).click()


def captions(folder: Path) -> dict[str, str]:
    """The caption files of a folder, by name without suffix."""
    return {f.stem: f.read_text(encoding="utf-8") for f in folder.glob("*.txt")}


def pictures(folder: Path) -> set[str]:
    """Names without suffix of the pictures."""
    return {f.stem for f in folder.iterdir() if f.suffix in (".png", ".jpg", ".webp")}
