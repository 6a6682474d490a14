"""`prompt-extend serve`: the page without a WebUI, for the browser on this machine."""

from __future__ import annotations

import contextlib
import errno
import html
import ipaddress
import os
import socket
import sys
import sysconfig
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.host.safety import Safety
from lib_extend.ui import ids, tab
from lib_extend.ui.serve_options import PORT, parser

TRIED = 20
"""Ports tried, from the one given on, when none was asked for."""
_STYLES = (
    Path(__file__).resolve().parents[2] / "style.css",
    Path(sysconfig.get_path("data"), "share", "prompt-extend", "style.css"),
)
"""In the repository, where WebUIs look for it, and where an installed package has it."""
_PAGE_STYLE = ".gradio-container .main.fillable { padding: 8px clamp(10px, 3vw, 32px); }"


def main(argv: Sequence[str]) -> int:
    """Serve until Ctrl+C. Raises UserError when the port or a folder cannot be used."""
    args = parser().parse_args(list(argv))
    for root in args.root:
        if not Path(root).is_dir():
            raise UserError(f"There is no folder {root}: check --root.")
    if not args.host.strip():
        raise UserError(
            "--host is empty: leave it out for this machine only, or name an address (0.0.0.0 for all of them)."
        )
    with contextlib.closing(listen(args.host.strip(), args.port)) as listener:
        _serve(args.root, listener, open_browser=not args.no_browser)
    return 0


def addresses_of(listener: socket.socket) -> tuple[str, str]:
    """The address to open, and the sentence that names the address and port the server really listens on."""
    bound, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(bound.partition("%")[0])
    here = "::1" if address.version == 6 else "127.0.0.1"
    shown = here if address.is_unspecified else bound
    url = f"http://{f'[{shown}]' if address.version == 6 else shown}:{port}/"
    if address.is_unspecified:
        return (
            url,
            f"Prompt Extend is at {url} and at every other address of this machine ({bound}, port {port})",
        )
    return url, f"Prompt Extend is at {url}"


def is_shared(listener: socket.socket) -> bool:
    """Whether other machines can reach it."""
    return not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def make_app(safety: Safety, closing: Callable[[], bool] = lambda: False) -> Any:
    """The FastAPI app: the API's routes, and Gradio's page with the mount at `/`.

    Args:
        closing: whether the server was told to stop. The server waits for open streams, so each stream must check this
            and end.
    """
    # no usage data is sent
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio
    from fastapi import FastAPI

    from lib_extend.api import mounting

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mounting.mount(app, safety=safety, closing=closing)
    with gradio.Blocks(title=ids.TAB_TITLE, analytics_enabled=False, fill_width=True) as blocks:
        tab.mount()
    return gradio.mount_gradio_app(app, blocks, path="/", head=_head(), footer_links=[], ssr_mode=False)


def _head() -> str:
    found = [p.read_text(encoding="utf-8") for p in _STYLES if p.is_file()][:1]
    style = "".join([*found, _PAGE_STYLE])
    entry = html.escape(f"{ids.PAGE}{ids.ENTRY}", quote=True)
    return f'<style>{style}</style><script type="module" src="{entry}"></script>'


def listen(host: str, port: int | None) -> socket.socket:
    """A socket on `port`, or on the first free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(PORT, PORT + TRIED) if port is None else [port]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name != "nt":  # on Windows this option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except (OSError, OverflowError) as error:
            listener.close()
            # Windows reserves ranges of ports
            taken = isinstance(error, PermissionError) or getattr(error, "errno", 0) == errno.EADDRINUSE
            if port is None and taken:
                continue
            reason = getattr(error, "strerror", None) or error
            raise UserError(
                f"{host}:{candidate} cannot be used ({reason}): choose another --host or --port."
            ) from None
        return listener
    raise UserError(f"Ports {PORT} to {PORT + TRIED - 1} are all in use: choose one with --port.")


def _serve(roots: Sequence[str], listener: socket.socket, *, open_browser: bool) -> None:
    import uvicorn

    folders = tuple(Path(os.path.realpath(r)) for r in roots)
    safety = Safety(shared=is_shared(listener), roots=folders, login=False)
    server: uvicorn.Server
    app = make_app(safety, closing=lambda: server.should_exit)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3))
    listener.listen()  # from here on a connection waits for the server and is answered, so print the address
    address, sentence = addresses_of(listener)
    print(f"{sentence} — end it with Ctrl+C.", flush=True)
    if open_browser:
        threading.Timer(1.0, webbrowser.open, [address]).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    print("Ended.", file=sys.stderr)
