"""Names that Python and the browser must agree on; the page's modules are tested against them."""

from __future__ import annotations

from lib_extend.api.address import PREFIX as API

TAB_TITLE = "Prompt Extend"
TAB = "prompt_extend"
"""The tab's element id; WebUIs put `tab_` before it."""

APP = "prompt-extend-app"
"""The custom element that is the whole tab."""

MOUNT = "prompt_extend_mount"
"""The `gr.HTML` that holds it."""

PAGE = f"{API}/page/"
ENTRY = "app.mjs"
"""The module, below PAGE, that defines the custom element."""

TXT2IMG_PROMPT = "txt2img_prompt"
"""A WebUI's prompt: where "send to txt2img" puts a caption."""

PANEL = "prompt-extend-cast"
"""The custom element that is the panel in txt2img and img2img; `data-tab` says in which."""
PANEL_ENTRY = "cast/element.mjs"
"""The module, below PAGE, that defines it."""
TABS = ("txt2img", "img2img")


def panel(tab: str) -> str:
    """The panel's accordion in a tab of TABS."""
    return f"prompt_extend_{tab}"


def panel_value(tab: str) -> str:
    """The hidden textbox there that carries the panel's value to the server and back."""
    return f"prompt_extend_{tab}_value"
