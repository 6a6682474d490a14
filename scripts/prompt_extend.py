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
        from lib_extend.api import mounting

        mounting.mount(app)

    trouble.attempt("its API does not answer", mount, None)


class PromptExtend(scripts.Script):  # type: ignore[misc]
    """The panel of txt2img and img2img. What it does to a run is in `lib_extend.host.generate`."""

    def title(self) -> str:
        return TITLE

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        if isinstance(trouble, str):
            return []

        def build() -> list[Any]:
            from lib_extend.host import pasting
            from lib_extend.ui import panel_mount as panel

            value, others = panel.build("img2img" if is_img2img else "txt2img")
            # one function for both tabs: "Send to img2img" goes by it
            self.infotext_fields = [(value, pasting.value)]
            self.paste_field_names = [pasting.value]
            return [value, others]

        found: list[Any] = trouble.attempt("its panel cannot be shown", build, [])
        return found

    def before_process(self, p: Any, *args: Any) -> None:
        if not isinstance(trouble, str):
            from lib_extend.host import checkpoint_memory as memory
            from lib_extend.host import generate

            generate.before_process(p, args[0] if args else None, helpers, others=args[1:])
            # a checkpoint that was unloaded for tagging
            memory.before_generation()

    def process(self, p: Any, *args: Any) -> None:
        hooks().process(p)

    def before_process_batch(self, p: Any, *args: Any, batch_number: int = 0, **kwargs: Any) -> None:
        hooks().before_process_batch(p, batch_number)

    def process_before_every_sampling(self, p: Any, *args: Any, x: Any = None, **kwargs: Any) -> None:
        hooks().before_sampling(p, x)

    def post_sample(self, p: Any, ps: Any, *args: Any) -> None:
        hooks().post_sample(p, ps)

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        hooks().after_sampling(p)

    def postprocess_image(self, p: Any, pp: Any, *args: Any) -> None:
        hooks().postprocess_image(p, pp.image)

    def postprocess(self, p: Any, processed: Any, *args: Any) -> None:
        hooks().postprocess(p, processed)


class _Nothing:
    """In place of the package where that could not be loaded."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


def hooks() -> Any:
    if isinstance(trouble, str):
        return _Nothing()
    from lib_extend.host import generate

    return generate


def helpers() -> Any:
    from lib_extend.host import lora_reload as loras
    from lib_extend.host import run, xyz
    from lib_extend.services import cast_checking, cast_expanding, cast_loras

    return run.Helpers(
        cast_loras.aliases,
        cast_loras.about_loras,
        loras.missing,
        cast_checking.check,
        xyz.overridden,
        cast_loras.file_of,
        cast_expanding.expand_offline,
    )


def axes() -> None:
    from lib_extend.host import xyz

    trouble.attempt("its axes are missing in the XYZ plot", xyz.register, None)


def pasted(text: str, params: Any) -> None:
    from lib_extend.host import pasting

    pasting.infotext_pasted(text, params)


script_callbacks.on_ui_tabs(tab)
if not isinstance(trouble, str):
    script_callbacks.on_ui_settings(settings)
    script_callbacks.on_app_started(app_started)
    script_callbacks.on_infotext_pasted(pasted)
    script_callbacks.on_before_ui(axes)
