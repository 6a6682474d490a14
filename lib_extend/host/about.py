"""Name and versions of the WebUI, for display."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

from lib_extend.host import webuis
from lib_extend.host.detect import hosted

UNKNOWN = "an unknown WebUI"


@dataclass(frozen=True)
class WebUI:
    """The WebUI of this process.

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
    # the WebUI stores the answer at its start, so no process is started here
    for module, name in (("modules.processing", "program_version"), ("modules.launch_utils", "git_tag")):
        ask = getattr(sys.modules.get(module), name, None)
        with contextlib.suppress(Exception):  # only for display, and the WebUI's code may raise anything
            said = ask() if ask is not None else None
            if said:
                return str(said)
    return ""
