"""Puts the API on a FastAPI or Starlette app: a WebUI's, or the standalone page's.

    mount(app)

Mounting only adds an entry to the app's table of routes, so that it does not slow a WebUI's start. The routes and their
services are made at the first request, in a thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lib_extend.api.address import PREFIX
from lib_extend.host import gradio

if TYPE_CHECKING:
    from lib_extend.api.gate import ASGIApp, Receive, Scope, Send
    from lib_extend.host.safety import Safety
    from lib_extend.services.container import Services

NAME = "prompt-extend"


def mount(
    app: Any,
    *,
    services: Services | None = None,
    safety: Safety | None = None,
    closing: Callable[[], bool] | None = None,
) -> None:
    """Serve the API from `app`; again on the same app replaces what was there.

    Args:
        services: what the routes work with; when not given, one set for the process.
        safety: how far the server is open, where no WebUI's flags say so (the standalone page).
        closing: whether the server was told to end, so that streams let it; known of Gradio's own server.
    """
    from starlette.routing import Mount

    def build() -> ASGIApp:
        from lib_extend.api import serving
        from lib_extend.services.container import shared

        return serving.serve(services or shared(safety), app, closing or partial(gradio.closing, app))

    routes = app.router.routes
    routes[:] = [r for r in routes if getattr(r, "name", "") != NAME]
    # first: newer Gradio versions have routes that take any address
    routes.insert(0, Mount(PREFIX, app=Later(build), name=NAME))


class Later:
    """An ASGI app that is built at its first request, once."""

    def __init__(self, build: Callable[[], ASGIApp]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._app: ASGIApp | None = None

    def built(self) -> ASGIApp:
        """The app itself."""
        with self._lock:
            if self._app is None:
                self._app = self._build()
            return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            # imports and files take a moment, in which the server goes on
            app = await asyncio.get_running_loop().run_in_executor(None, self.built)
        await app(scope, receive, send)
