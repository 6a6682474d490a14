"""Who can reach this WebUI, and which names and passwords it accepts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.host.detect import cmd_opts

HERE = ("", "127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Safety:
    """How far the WebUI is open.

    Attributes:
        shared: other machines can reach it; then only the folders in `roots` may be used.
        roots: folders named by `--prompt-extend-root`, absolute, symlinks resolved.
        login: it asks for a name and a password.
    """

    shared: bool
    roots: tuple[Path, ...]
    login: bool


def safety() -> Safety:
    """How far this WebUI is open; outside of a WebUI: only to this machine."""
    options = cmd_opts()
    roots = tuple(Path(os.path.realpath(r)) for r in getattr(options, "prompt_extend_root", None) or [])
    return Safety(_shared(options), roots, _login(options))


def credentials() -> dict[str, str]:
    """Name → password of those who may use the API: the WebUI's `--api-auth` and `--gradio-auth`.

    Raises OSError when the file that `--gradio-auth-path` names cannot be read.
    """
    options = cmd_opts()
    lines = [getattr(options, name, None) or "" for name in ("api_auth", "gradio_auth")]
    path = getattr(options, "gradio_auth_path", None)
    if path:
        lines += Path(path).read_text(encoding="utf-8").splitlines()
    pairs = (item.strip().partition(":") for line in lines for item in line.split(","))
    return {name: password for name, colon, password in pairs if colon}


def _shared(options: Any) -> bool:
    if options is None:
        return False
    if any(getattr(options, name, None) for name in ("share", "listen", "ngrok", "webui_is_non_local")):
        # `webui_is_non_local` is also set by other ways of sharing, and by --server-name with a local name
        return not _local_name_only(options)
    name = getattr(options, "server_name", None) or os.environ.get("GRADIO_SERVER_NAME", "")
    return name not in HERE


def _local_name_only(options: Any) -> bool:
    others = any(getattr(options, name, None) for name in ("share", "listen", "ngrok"))
    name = getattr(options, "server_name", None)
    return not others and bool(name) and name in HERE


def _login(options: Any) -> bool:
    return any(getattr(options, name, None) for name in ("gradio_auth", "gradio_auth_path", "api_auth"))
