"""The mount: what Gradio is given, and what the custom element does where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib_extend.ui import ids
from tests.ui.conftest import Server


def test_gradio_gets_one_mount_each_time() -> None:
    pytest.importorskip("gradio", reason="gradio is missing")
    from lib_extend.ui import tab

    [(blocks, title, name)] = tab.build()
    assert (title, name) == (ids.TAB_TITLE, ids.TAB)
    components = [c["props"] for c in blocks.get_config_file()["components"]]
    [mount] = [p for p in components if p.get("elem_id") == ids.MOUNT]
    assert f"<{ids.APP}>" in mount["value"] and tab.WAITING in mount["value"]
    assert tab.build()[0][0] is not blocks


def bare(server: Server, body: str) -> str:
    return (
        f"<!doctype html><html><body>{body}"
        f'<script type="module" src="{server.address}prompt-extend/v1/page/app.mjs"></script></body></html>'
    )


def test_a_tab_that_nobody_opens_asks_nothing(window: Callable[..., Any], server: Server) -> None:
    page = window()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/v1/" in r.url and "/page/" not in r.url else None)
    html = bare(server, f'<div id="tab" style="display:none"><{ids.APP}></{ids.APP}></div>')
    page.route("**/bare", lambda r: r.fulfill(body=html, content_type="text/html"))
    page.goto(f"{server.address}bare")
    page.wait_for_function(f"() => document.querySelector('{ids.APP}').shadowRoot")
    page.wait_for_timeout(1500)
    assert asked == []
    page.evaluate("document.getElementById('tab').style.display = ''")
    page.locator(ids.APP).get_by_label("Dataset folder").wait_for()
    assert any(u.endswith("/state") for u in asked)


def test_it_outlives_being_taken_out_of_the_page(window: Callable[..., Any], server: Server) -> None:
    """Newer Gradio versions take what is in a tab out of the page while another is shown."""
    page = window()
    html = bare(server, f"<main><{ids.APP}></{ids.APP}></main>")
    page.route("**/bare", lambda r: r.fulfill(body=html, content_type="text/html"))
    page.goto(f"{server.address}bare")
    app = page.locator(ids.APP)
    app.get_by_role("tab", name="Runs").click()
    app.get_by_text("Runs of a folder").wait_for()
    page.evaluate(f"window.kept = document.querySelector('{ids.APP}'); kept.remove()")
    page.evaluate("document.querySelector('main').append(kept)")
    app.get_by_text("Runs of a folder").wait_for()
    app.get_by_role("tab", name="Tag a folder").click()
    app.get_by_text("Choose a folder with pictures").wait_for()


def test_a_tab_clicked_while_the_page_loads_is_shown(window: Callable[..., Any], server: Server) -> None:
    page = window()
    held: list[Any] = []
    page.route("**/v1/settings", lambda route: held.append(route))
    page.goto(server.address)
    app = page.locator(ids.APP)
    app.get_by_role("tab", name="Runs").click()
    assert app.get_by_role("tab", name="Runs").get_attribute("aria-selected") == "true"
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    app.get_by_text("Runs of a folder").wait_for()
