"""Draws the pictures of README and guide anew from the sample folder, with the real page: `python docs/make_pictures.py`.

Needs the test environment of install.py and Chromium. The picture of the panel needs the environment of a WebUI double as
well, which the tests make in `.test/hosts`; without it, it stays as it is.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib_extend.ui import ids

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "pictures"
HOST = ROOT / ".test" / "hosts" / "a1111" / "bin" / "python"
WIDTH, HEIGHT = 1280, 800
WAIT = 300_000
SETTLED = 1500
"""Milliseconds after which thumbnails are there and nothing moves."""
SKETCH = ("--tagger", "sketch", "--vlm", "sketch", "--offline")


def main() -> int:
    from playwright.sync_api import sync_playwright

    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = samples(Path(scratch, "pictures"))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with server(ROOT, "-m", "lib_extend", "serve", "--no-browser", "--port", "0") as address:
            page = window(browser, address)
            draw_tab(page, folder)
            page.close()
        if HOST.exists():
            webui = Path(scratch, "webui")
            (webui / "extensions").mkdir(parents=True)
            (webui / "extensions" / "sd-webui-prompt-extend").symlink_to(ROOT, target_is_directory=True)
            host = (str(ROOT / "tests" / "hosts" / "webui.py"), "--host", "a1111", "--port", "7931")
            with server(webui, *host, "--skip-installers", python=HOST) as address:
                page = window(browser, address)
                draw_panel(page)
                page.close()
        browser.close()
    return 0


def samples(folder: Path) -> Path:
    """A copy of the sample pictures; two have captions of a person's."""
    folder.mkdir()
    for sample in (ROOT / "samples").iterdir():
        if sample.suffix != ".jsonl":
            shutil.copy(sample, folder)
    (folder / "classroom.txt").write_text("my classroom, afternoon light", encoding="utf-8")
    return folder


@contextlib.contextmanager
def server(place: Path, *command: str, python: Path = Path(sys.executable)) -> Iterator[str]:
    """The address of what is started in a folder, with data of its own."""
    with (
        tempfile.TemporaryDirectory() as data,
        subprocess.Popen(
            [str(python), *command],
            cwd=place,
            env={**os.environ, "PROMPT_EXTEND_DATA": data, "PYTHONPATH": ""},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(r"http://\S+", line)
                if found:
                    yield found[0]
                    return
            raise RuntimeError("the page did not start")
        finally:
            process.terminate()


def window(browser: Any, address: str) -> Any:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.set_default_timeout(WAIT)
    page.goto(address)
    return page


def draw_tab(page: Any, folder: Path) -> None:
    """The views of the tab, in the order in which the guide tells of them."""
    app = page.locator("prompt-extend-app")
    field = app.get_by_label("Dataset folder")
    field.fill(str(folder))
    field.press("Enter")
    app.locator(".folder-bar [role=status]").filter(has_text="picture").wait_for()
    app.locator("select option[value=sketch]").first.wait_for(state="attached")
    app.get_by_label("Tagger", exact=True).select_option("sketch")
    app.get_by_label("Vision-language model").select_option("sketch")

    def view(name: str) -> None:
        app.get_by_role("tab", name=name).click()
        page.wait_for_timeout(SETTLED)
        field.evaluate("(input) => { input.value = '~/pictures'; }")

    app.locator("[data-act=start]").click()
    app.locator(".job[data-state=done]").wait_for()
    view("Tag a folder")
    app.locator(".job[data-state=done]").scroll_into_view_if_needed()
    save(page, "tag")
    view("Review")
    save(page, "review")
    view("Browse")
    page.wait_for_timeout(SETTLED)
    save(page, "tab")
    app.locator(".cell", has_text="classroom").click()
    page.locator("dialog[open]").wait_for()
    page.wait_for_timeout(SETTLED)
    save(page, "caption")
    page.keyboard.press("Escape")
    view("Curate")
    page.wait_for_timeout(SETTLED)
    save(page, "curate")
    view("Runs")
    save(page, "runs")


def draw_panel(page: Any) -> None:
    """A cast of two in txt2img."""
    panel = page.locator(f"#{ids.panel('txt2img')}")
    panel.locator(".label-wrap").click()
    for letter, prompt in {
        "α": "1girl, black hair, blue skirt, smile",
        "β": "1girl, white hair, red dress",
    }.items():
        panel.get_by_role("button", name=re.compile(r"^\+ Add (a character|another)$")).click()
        panel.get_by_label(f"Prompt of {letter}").fill(prompt)
    page.wait_for_timeout(SETTLED)
    # the double has no UNet in which boxes could act, and says so
    panel.evaluate("""(panel) => {
      const root = panel.querySelector("prompt-extend-cast").shadowRoot;
      for (const note of root.querySelectorAll(".note, .badge")) note.remove();
    }""")
    save(panel, "panel", height=980)


def save(what: Any, name: str, height: int | None = None) -> None:
    from PIL import Image

    file = OUT / f"{name}.webp"
    picture = Image.open(io.BytesIO(what.screenshot())).convert("RGB")
    picture = picture.crop((0, 0, picture.width, min(height or picture.height, picture.height)))
    picture.save(file, quality=72, method=6)
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(main())
