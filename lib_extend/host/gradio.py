"""Differences between the Gradio versions of the WebUIs (3.41, 4.40 and newer)."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any


def problem_tab(title: str, sentences: list[str]) -> Any:
    """A tab that says what is wrong and how to correct it.

    Args:
        sentences: what is wrong; plain text.
    """
    import gradio

    items = "".join(f"<p>{html.escape(s)}</p>" for s in sentences)
    # the host's own colors, so that it can be read in light and dark
    body = (
        f'<div role="alert" id="prompt_extend_problem" style="max-width:48rem;padding:1rem;'
        f'color:var(--body-text-color);border:1px solid var(--border-color-primary)">'
        f"<h3>{html.escape(title)}</h3>{items}</div>"
    )
    with gradio.Blocks(analytics_enabled=False) as blocks:
        gradio.HTML(body)
    return blocks


def user_of(app: Any, cookies: Mapping[str, str]) -> str | None:
    """The name under which the owner of `cookies` has logged in to the Gradio app; None for nobody.

    The cookie is called `access-token`, since Gradio 4 with the app's own number behind it, and `…-unsecure-…`
    without TLS; its value is random and known only to the app.
    """
    tokens = getattr(app, "tokens", None)
    if not isinstance(tokens, Mapping):
        return None
    for name, token in cookies.items():
        if name.startswith("access-token") and token in tokens:
            return str(tokens[token])
    return None


def closing(app: Any) -> bool:
    """Whether the server of the Gradio app has been told to end: it then waits for every open connection."""
    server = getattr(getattr(app, "blocks", None), "server", None)
    return bool(getattr(server, "should_exit", False))
