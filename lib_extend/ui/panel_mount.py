"""The Gradio components of the panel in txt2img and img2img: an accordion, a mount, a hidden textbox.

The mount holds a custom element, see `lib_extend/web/app/cast`. The element writes the panel's value as JSON into the
textbox, and reads the value that the WebUI writes there on paste.
"""

from __future__ import annotations

from typing import Any

import gradio

from lib_extend.ui import ids

LABEL = "Prompt Extend"
OTHERS = "Prompt Extend: more arguments"
WAITING = "Prompt Extend is loading …"
HIDDEN = "prompt-extend-hidden"
"""A class that style.css hides. `visible=False` would do it otherwise on every Gradio, or not send it at all."""


def build(tab: str) -> tuple[Any, Any]:
    """The panel of a tab of `ids.TABS`, for a script's `ui()`.

    Returns two textboxes: the panel's value, "" where it is off; and one that stays empty, into which a WebUI puts
    further values of an API call. Every call makes new components, because a WebUI calls it three times a tab.
    """
    with gradio.Accordion(LABEL, open=False, elem_id=ids.panel(tab)):
        gradio.HTML(
            value=f'<{ids.PANEL} data-tab="{tab}"><p class="prompt-extend-waiting">{WAITING}</p></{ids.PANEL}>',
            elem_id=f"{ids.panel(tab)}_mount",
        )
        value = gradio.Textbox(
            value="",
            label=LABEL,
            show_label=False,
            elem_id=ids.panel_value(tab),
            elem_classes=[HIDDEN],
        )
        others = gradio.Textbox(value="", label=OTHERS, show_label=False, elem_classes=[HIDDEN])
    for box in (value, others):
        # Else a WebUI would save the value in ui-config.json and start with it every time.
        box.do_not_save_to_config = True
    return value, others
