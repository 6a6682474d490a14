"""The tab's Gradio component: one mount. It holds a custom element, see `lib_extend/web`."""

from __future__ import annotations

from typing import Any

import gradio

from lib_extend.ui import ids

WAITING = "Prompt Extend is loading …"
_MOUNT = f'<{ids.APP}><p class="prompt-extend-waiting">{WAITING}</p></{ids.APP}>'


def mount() -> Any:
    """The element to put inside any Blocks. Its text is shown until the page's module has loaded."""
    return gradio.HTML(value=_MOUNT, elem_id=ids.MOUNT)


def build() -> list[tuple[Any, str, str]]:
    """For `on_ui_tabs`: the tab's Blocks, its title and its element id. Makes new Blocks at every call."""
    with gradio.Blocks(analytics_enabled=False) as blocks:
        mount()
    return [(blocks, ids.TAB_TITLE, ids.TAB)]
