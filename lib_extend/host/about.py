"""The WebUI around us, for display."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

from lib_extend.host import webuis
from lib_extend.host.detect import hosted

UNKNOWN = "an unknown WebUI"


@dataclass(frozen=True)
class WebUI:
    """What this process is.

    Attributes:
        name: such as "Forge".
        version: as the WebUI writes it into its pictures; "" when it does not say.
        gradio: the version of its Gradio.
    """

    name: str
    version: str
    gradio: str


def about() -> WebUI | None:
    """The WebUI this process is, None for the standalone page and the command line."""
    if not hosted():
        return None
    import gradio

    host = webuis.current()
    return WebUI(host.name if host else UNKNOWN, _version(), str(getattr(gradio, "__version__", "")))


def _version() -> str:
    # asked at the WebUI's start, and the answer kept: no process is started here
    for module, name in (("modules.processing", "program_version"), ("modules.launch_utils", "git_tag")):
        ask = getattr(sys.modules.get(module), name, None)
        with contextlib.suppress(Exception):  # it is for display only, and somebody else's code
            said = ask() if ask is not None else None
            if said:
                return str(said)
    return ""
