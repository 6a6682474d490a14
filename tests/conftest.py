"""The two lanes of the tests, and a real browser for whoever needs one.

The browser is one for all tests of a process, since two of its drivers cannot run at once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections import deque
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

FAST = (
    "records captions questions people vocabulary files datasets preparation export jobs services generation api web cli config docs"
).split()
"""Folders of the fast lane: pure rooms, command line and API in the process, a worker that answers at once."""
LONG = "hosts packaging worker sketch ui models jobs docs".split()
"""What takes long, the longest first."""
# How long an example takes says more of the machine than of the code. CI tries the same examples each time, so that a
# change is judged by what it changes; everybody else's runs look for new ones.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FAILED = pytest.StashKey[bool]()
LAST_ANSWERS = 40
"""Answers of the server that are printed for a test that failed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fast", action="store_true", help="only the fast lane: no real models, hosts or browser"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent

    def room(item: pytest.Item) -> str:
        return item.path.relative_to(here).parts[0].removesuffix(".py").removeprefix("test_")

    if not config.getoption("--fast"):
        # several files run at a time: with a long one at the end all others would wait for it
        items.sort(key=lambda item: LONG.index(room(item)) if room(item) in LONG else len(LONG))
        return
    fast, rest = [], []
    for item in items:
        where = room(item)
        quick = where in (*FAST, "imports", "install") and not item.get_closest_marker("slow")
        (fast if quick else rest).append(item)
    config.hook.pytest_deselected(items=rest)
    items[:] = fast


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing: see .ci/run")
    pytest.skip(f"{what} is missing: pip install playwright gradio, and install Chromium")


def chromium() -> str:
    """Chromium's program, or the test is skipped."""
    named = os.environ.get("CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, NAMES)), "")
    if not found:
        missing("Chromium")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if importlib.util.find_spec("playwright") is None:
        missing("playwright")
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # root, as in a container, cannot have Chromium's sandbox
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def window(browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """`window(width, dark)` opens a browser window of its own; errors of the page's scripts fail the test.

    What a failing test leaves on its pages is printed: the sentence that explains it may stand there.
    """
    opened: list[Any] = []
    errors: list[str] = []
    told: deque[str] = deque(maxlen=LAST_ANSWERS)

    def open_window(width: int = 1280, *, dark: bool = False) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        # fonts from elsewhere are no part of the page
        context.route(lambda url: "127.0.0.1" not in url and url.startswith("http"), lambda r: r.abort())
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("response", lambda r: told.append(f"{r.request.method} {r.url} {r.status}"))
        opened.append(context)
        return page

    yield open_window
    if request.node.stash.get(FAILED, False):
        for page in (page for context in opened for page in context.pages):
            with contextlib.suppress(Exception):
                print(f"-- {page.url} shows:", page.locator("body").aria_snapshot(timeout=5000), sep="\n")
        print("-- the last answers:", *told, sep="\n")
    for context in opened:
        context.close()
    assert not errors, errors
