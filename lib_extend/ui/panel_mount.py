"""The panel in txt2img and img2img as Gradio sees it: an accordion, a mount, a hidden textbox.

What is in the mount is a custom element, see `lib_extend/web/app/cast`. It puts the panel's value into the textbox,
as JSON, and takes over what the WebUI puts there on paste.
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

    Returns two textboxes: the panel's value, "" where it is off; and one that stays empty, into which a WebUI puts what
    an API call gives beyond the one object. Makes everything anew at every call and keeps nothing: a WebUI calls it three times a tab.
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
        # A WebUI would write it into ui-config.json and begin with it ever after.
        box.do_not_save_to_config = True
    return value, others
