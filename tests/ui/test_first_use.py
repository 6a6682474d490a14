"""The first use: the models' environment is made from the page. The server's answers on it are played."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ui.conftest import Server
from tests.ui.page import Page

API = "**/prompt-extend/v1"
LINES = ["Collecting transformers", "Downloading onnxruntime", "Installing collected packages"]


class Played:
    """An environment that is not there yet, and is made in three steps once asked for."""

    def __init__(self, window: Any, error: str = "") -> None:
        self.asked: list[str] = []
        self.doing = ""
        self.made = False
        self.error = error
        window.route(f"{API}/state", self.state)
        window.route(f"{API}/environment", self.act)
        window.route(f"{API}/environment/events*", self.events)

    def state(self, route: Any) -> None:
        state = route.fetch().json()
        state["environment"] = {
            **state["environment"],
            "ready": self.made,
            "doing": self.doing,
            "needs": None if self.made else 226_000_000,
            "bytes": 226_000_000 if self.made else 0,
            "problem": "" if self.made else "The models' environment is not made yet.",
        }
        route.fulfill(json=state)

    def act(self, route: Any) -> None:
        self.asked.append(route.request.post_data_json["action"])
        self.doing = self.asked[-1]
        route.fulfill(json={"task": "1"})

    def events(self, route: Any) -> None:
        lines: list[dict[str, Any]] = [
            {"event": "line", "line": line, "done": n + 1, "total": 3, "n": n + 1}
            for n, line in enumerate(LINES)
        ]
        lines.append({"event": "finished", "error": self.error, "stopped": False, "n": 4})
        self.doing, self.made = "", not self.error
        body = "".join(f"id: {e['n']}\ndata: {json.dumps(e)}\n\n" for e in lines)
        route.fulfill(body=body, content_type="text/event-stream")


def test_the_environment_is_made_before_the_first_start(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    tab = window()
    played = Played(tab)
    page = Page(tab, server)
    page.open(folder)
    card = page.app.locator(".card", has_text="set up the models' own environment")
    assert "226 MB" in card.inner_text()
    start = page.app.locator("[data-act=start]")
    assert start.is_disabled()
    card.get_by_role("button", name="Set up").click()
    card.wait_for(state="hidden")
    assert played.asked == ["make"]
    tab.wait_for_function(
        "() => !document.querySelector('prompt-extend-app').shadowRoot.querySelector('[data-act=start]').disabled"
    )


def test_what_went_wrong_is_said_and_can_be_tried_again(
    window: Callable[..., Any], server: Server, folder: Path
) -> None:
    tab = window()
    played = Played(
        tab, error="There is no network: connect, then start again; it continues where it stopped."
    )
    page = Page(tab, server)
    page.open(folder)
    page.click("Set up")
    page.app.locator(".toast.bad", has_text="no network").wait_for()
    page.app.get_by_role("button", name="Set up", exact=True).wait_for()
    played.error = ""
    page.click("Set up")
    page.app.locator(".card", has_text="set up the models' own environment").wait_for(state="hidden")
    assert played.asked == ["make", "make"]
