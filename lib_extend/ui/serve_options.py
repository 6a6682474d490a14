"""The options of `prompt-extend serve`: shown also where the page's packages are missing. Standard library only."""

from __future__ import annotations

import argparse

PORT = 7865


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser(
        prog="prompt-extend serve", description="Open the page in a browser, without a WebUI."
    )
    p.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: this machine only); with any other, name the folders by --root",
    )
    p.add_argument("--port", type=int, default=None, help=f"default: {PORT}, or the next free one")
    p.add_argument(
        "--root",
        action="append",
        default=[],
        metavar="DIR",
        help="folder the page may use when other machines can reach it; repeatable",
    )
    p.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return p
