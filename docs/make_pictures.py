"""Draws the pictures of the README anew from the sample folder, with the real page: `python docs/make_pictures.py`.

Needs the test environment of install.py and Chromium.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
WAIT = 300_000


def main() -> int:
    from PIL import Image
    from playwright.sync_api import sync_playwright

    browser_path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "pictures")
        folder.mkdir()
        for sample in (ROOT / "samples").iterdir():
            if sample.suffix != ".jsonl":
                shutil.copy(sample, folder)
        tag = (sys.executable, "-m", "lib_extend", "tag", str(folder), "--offline")
        subprocess.run([*tag, "--tagger", "sketch", "--vlm", "sketch"], cwd=ROOT, check=True)
        serve = (sys.executable, "-m", "lib_extend", "serve", "--no-browser", "--port", "7931")
        with subprocess.Popen(serve, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                found = re.search(r"http://\S+", server.stdout.readline())
                assert found, "the page did not start"
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
                    window = browser.new_page(viewport=SIZE, color_scheme="light")
                    window.goto(found[0], timeout=WAIT)
                    app = window.locator("prompt-extend-app")
                    field = app.get_by_label("Dataset folder")
                    field.fill(str(folder), timeout=WAIT)
                    field.press("Enter")
                    app.locator(".folder-bar [role=status]").filter(has_text="picture").wait_for(timeout=WAIT)
                    app.get_by_role("tab", name="Browse").click()
                    window.wait_for_timeout(6000)
                    field.evaluate("(input) => { input.value = '~/pictures'; }")
                    shot = window.screenshot()
                    browser.close()
            finally:
                server.terminate()
    OUT.mkdir(exist_ok=True)
    Image.open(io.BytesIO(shot)).convert("RGB").save(OUT / "tab.webp", quality=80, method=6)
    print(f"{OUT / 'tab.webp'}: {(OUT / 'tab.webp').stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
