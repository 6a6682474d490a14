"""`prompt-extend doctor`: the facts of a machine for a bug report. It reads no file of the user."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_extend import __version__
from lib_extend.errors import PromptExtendError
from lib_extend.host import about
from lib_extend.worker import card_needs, card_setup, environment, environment_probe, graphics_cards

PACKAGES = (
    "torch", "torchvision", "transformers", *card_needs.RUNTIMES, "torch-directml", "huggingface-hub", "numpy", "pillow",
    "safetensors", "bitsandbytes", "gradio", "fastapi", "pydantic",
)  # fmt: skip
"""Packages whose versions change what Prompt Extend can do."""

HOSTS = (
    ("AUTOMATIC1111, reForge or Forge classic", "modules/shared.py"),
    ("Forge", "modules_forge/initialization.py"),
    ("Forge neo", "backend/nn/anima.py"),
)
"""A WebUI and a file by which its folder is known; the last that fits counts."""


@dataclass(frozen=True)
class Section:
    """A title and its lines, each a name and its text."""

    title: str
    lines: tuple[tuple[str, str], ...]


def examine(system: graphics_cards.System | None = None, *, models_dir: str = "") -> list[Section]:
    """All facts, section by section. Takes less than a second, and never raises.

    Args:
        system: the machine; None is this one.
        models_dir: where downloaded models are; "" is the Hugging Face cache.
    """
    at = system or graphics_cards.this_machine()
    cards = graphics_cards.graphics_cards(at)
    needs = card_setup.needs_here(system=at)
    return [
        Section("Prompt Extend", tuple(versions())),
        Section("Devices", tuple(_devices(cards, needs))),
        Section("Packages", tuple(_packages())),
        Section("Models run", tuple(_runs(needs))),
        Section("Folders", tuple(_folders(models_dir))),
        Section("WebUIs", tuple(_hosts())),
        Section("Settings of the environment", tuple(_variables())),
    ]


def versions() -> list[tuple[str, str]]:
    """The versions that matter most: `prompt-extend --version`."""
    rows = [
        ("prompt-extend", __version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]
    have = _installed()
    for name in ("torch", "transformers", *card_needs.RUNTIMES, "huggingface-hub", "gradio"):
        if name in have:
            rows.append((name, have[name]))
    return rows


def as_text(sections: Sequence[Section]) -> str:
    """The report as it is copied into a bug report."""
    blocks = []
    for section in sections:
        width = max((len(name) for name, _ in section.lines), default=0)
        lines = [f"  {name:<{width}}  {said}".rstrip() for name, said in section.lines]
        blocks.append("\n".join([f"{section.title}:", *lines]))
    return "\n\n".join(blocks)


def _devices(
    cards: Sequence[graphics_cards.GraphicsCard], needs: card_needs.CardNeeds
) -> list[tuple[str, str]]:
    rows = [("CPU", f"{os.cpu_count() or 1} cores, {platform.processor() or platform.machine()}")]
    for card in cards:
        memory = f", {card.memory / 1024**3:.1f} GB" if card.memory else ""
        driver = f", driver {card.driver}" if card.driver else ", no driver that models can use"
        rows.append(("graphics card", f"{card.name}{memory}{driver}"))
    if not cards:
        rows.append(("graphics card", "none found"))
    return rows


def _installed() -> dict[str, str]:
    return environment_probe.versions(PACKAGES, environment_probe.package_folders())


def _packages() -> list[tuple[str, str]]:
    rows = list(_installed().items())
    build = card_setup.torch_build(environment_probe.package_folders())
    return [(n, f"{v} (built for {build.upper()})" if n == "torch" and build else v) for n, v in rows] or [
        ("none", "of the models' packages is in this python")
    ]


def _runs(needs: card_needs.CardNeeds) -> list[tuple[str, str]]:
    """Where models run, whether they can, and how to change it."""
    rows = []
    status = environment.status()
    if os.environ.get(environment.OVERRIDE):
        rows.append(("python", f"{hidden(status.python)} (named by {environment.OVERRIDE})"))
    elif status.path:
        rows.append(("python", f"the environment beside the WebUI, {status.bytes / 1e6:,.0f} MB"))
    else:
        rows.append(("python", "this one"))
    rows.append(("ready", "yes" if status.ready else f"no: {hidden(status.problem)}"))
    if status.path:
        rows += [(n, v) for n, v in status.packages.items() if n in PACKAGES]
        return rows
    exchange, runtime = card_setup.missing(needs)
    if needs.card is None:
        rows.append(("on", f"the CPU: {needs.why}"))
    elif exchange or runtime:
        lacks = " and ".join(w for w in ("a build of torch" if exchange else "", runtime) if w)
        rows.append(("on", f"the CPU, because {lacks} for {needs.card.name} is not installed"))
        rows.append(
            ("change", f"`prompt-extend card --install` installs it (about {needs.megabytes / 1000:.1f} GB)")
        )
        return rows
    else:
        rows.append(("on", f"{needs.card.name} by {needs.title}" + (f"; {needs.why}" if needs.why else "")))
    rows.append(("change", "`--device cpu` for one run; `prompt-extend card` says what else there is"))
    return rows


def _folders(models_dir: str) -> list[tuple[str, str]]:
    cache = models_dir or _cache()
    rows = [("models", f"{hidden(cache)}{'' if Path(cache).is_dir() else ' (not there yet)'}")]
    with contextlib.suppress(OSError, PromptExtendError):  # the list needs huggingface_hub
        names = [
            n.removeprefix("models--").replace("--", "/")
            for n in os.listdir(cache)
            if n.startswith("models--")
        ]
        from lib_extend.worker import listing

        known = {str(row["repo"]) for row in listing.models(models_dir)}
        rows.append(("of our list there", ", ".join(sorted(n for n in names if n in known)) or "none"))
    place = Path(cache)
    while not place.exists() and place != place.parent:
        place = place.parent
    with contextlib.suppress(OSError):
        rows.append(("free there", f"{shutil.disk_usage(place).free / 1e9:,.1f} GB"))
    with contextlib.suppress(OSError):
        rows.append(("free here", f"{shutil.disk_usage(Path.cwd()).free / 1e9:,.1f} GB"))
    return rows


def _cache() -> str:
    """The cache's folder by huggingface_hub's rules, because huggingface_hub may not be installed here."""
    home = os.environ.get("HF_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "huggingface"
    )
    return os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")


def _hosts() -> list[tuple[str, str]]:
    """The WebUI of this process, or the one in whose folder this copy is."""
    here = about.about()
    if here is not None:
        return [(here.name, f"{here.version}, Gradio {here.gradio}")]
    root = Path(__file__).resolve().parents[2]
    if root.parent.name == "extensions":
        webui = root.parent.parent
        names = [name for name, file in HOSTS if (webui / file).is_file()]
        if names:
            return [(names[-1], "this copy lies in its folder of extensions")]
    return [("none", "this copy is not in a WebUI")]


def _variables() -> list[tuple[str, str]]:
    """The environment variables that are set and have an effect; values only if they are not private."""
    shown = ("CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_XET", environment.CPU_ONLY)
    private = ("HF_ENDPOINT", "HF_TOKEN", "HF_HOME", "HF_HUB_CACHE", "HTTPS_PROXY", "https_proxy",
               environment.OVERRIDE, environment.DATA)  # fmt: skip
    rows = [(name, os.environ[name]) for name in shown if name in os.environ]
    rows += [(name, "is set") for name in private if os.environ.get(name)]
    return rows or [("none", "of those that change anything")]


def hidden(text: str) -> str:
    """`text` without the name of the person whose home folder it names."""
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text


def problem() -> str:
    """Why models cannot run, as a sentence; "" when they can."""
    try:
        return environment.status().problem
    except PromptExtendError as error:
        return str(error)


def python() -> str:
    """This python's path, without the user's name."""
    return hidden(sys.executable)
