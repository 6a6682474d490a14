"""Install the extension in a running WebUI as a user does: Extensions → Install from URL, from a `file://` clone.

    python tests/live/install_from_url.py http://127.0.0.1:7860 [REPOSITORY]

Needs playwright and a Chromium (`PROMPT_EXTEND_CHROMIUM` names it where playwright has none of its own). The
WebUI has to be restarted afterwards; it says so itself. Prints what the WebUI answered; exit code 1 when it did not
install it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    url, source = arguments[0], Path(arguments[1] if len(arguments) > 1 else ROOT)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "sd-webui-prompt-extend")
        subprocess.run(["git", "clone", "--quiet", "--bare", str(source), str(clone)], check=True)
        answer = install(url, clone.as_uri())
    print(answer)
    return 0 if "Installed into" in answer else 1


def install(url: str, repository: str) -> str:
    """What the WebUI says once the button was pressed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        program = os.environ.get("PROMPT_EXTEND_CHROMIUM") or shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        # A tab is a button in one Gradio and has the role of a tab in the other.
        page.locator("#tabs button", has_text=re.compile("^\\s*Extensions\\s*$")).first.click(timeout=120_000)
        tab = page.locator("#tab_extensions")
        tab.get_by_text("Install from URL", exact=True).click()
        tab.get_by_label("URL for extension's git repository").fill(repository)
        tab.get_by_role("button", name="Install", exact=True).click()
        told = tab.get_by_text(re.compile("Installed into|already (exists|installed)|Error|disabled")).first
        told.wait_for(timeout=180_000)
        answer = told.inner_text()
        browser.close()
        return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
