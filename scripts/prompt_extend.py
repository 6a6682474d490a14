"""The WebUI's way in: registers the tab, the settings and the API. Wiring only.

Loaded by path at the start and at every "Reload UI"; the package `lib_extend` is loaded once. Whatever fails
here, the WebUI starts: the log has one line and the tab says what to do.
"""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

from modules import script_callbacks, scripts

ROOT = Path(__file__).resolve().parents[1]
TITLE, TAB_ID = "Prompt Extend", "prompt_extend"


def load() -> Any:
    """The package's list of what went wrong; a sentence where the package itself cannot be loaded."""
    try:
        # Now, while the folder is on the path: A1111 takes it off after this script.
        import lib_extend
        from lib_extend.host import options, trouble

        if Path(lib_extend.__file__).resolve().parents[1] != ROOT:
            return (
                f"{ROOT} is not used, because a second copy of the extension is installed in "
                f"{Path(lib_extend.__file__).resolve().parents[1]}: remove one of them, then restart the WebUI."
            )
        options.apply_flags()
        return trouble.Trouble()
    except Exception as error:  # noqa: BLE001 - whatever it is, the WebUI has to start
        return (
            f"the extension cannot be loaded ({type(error).__name__}: {error}): install it again in the Extensions "
            "tab, then restart the WebUI."
        )


trouble = load()
if isinstance(trouble, str):
    print(f"{TITLE}: {trouble}", file=sys.stderr, flush=True)


def tab() -> list[tuple[Any, str, str]]:
    if isinstance(trouble, str):
        import gradio

        with gradio.Blocks(analytics_enabled=False) as blocks:
            gradio.HTML(f'<p role="alert" id="prompt_extend_problem">{html.escape(trouble)}</p>')
        return [(blocks, TITLE, TAB_ID)]

    def build() -> list[tuple[Any, str, str]]:
        from lib_extend.ui import tab

        return tab.build()

    tabs: list[tuple[Any, str, str]] = trouble.attempt("the tab cannot be shown", build, [])
    if not tabs:
        from lib_extend.host.gradio import problem_tab

        tabs = [(problem_tab("Prompt Extend cannot be used yet", trouble.sentences), TITLE, TAB_ID)]
    return tabs


def settings() -> None:
    from lib_extend.host import options

    trouble.attempt("its settings cannot be shown", options.register, None)


def app_started(demo: Any, app: Any) -> None:
    """Also after "Reload UI", on a new app; jobs belong to the process and go on."""

    def mount() -> None:
        from lib_extend.api import routes

        routes.mount(app)

    trouble.attempt("its API does not answer", mount, None)


class BringCheckpointBack(scripts.Script):  # type: ignore[misc]
    """No controls: a checkpoint that was unloaded for tagging returns before the next generation."""

    def title(self) -> str:
        return "Prompt Extend: checkpoint"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        return []

    def before_process(self, p: Any, *args: Any) -> None:
        if not isinstance(trouble, str):
            from lib_extend.host import memory

            memory.before_generation()


script_callbacks.on_ui_tabs(tab)
if not isinstance(trouble, str):
    script_callbacks.on_ui_settings(settings)
    script_callbacks.on_app_started(app_started)
