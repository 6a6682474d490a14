"""Folders: the extension's own, and the WebUI's models and LoRAs."""

from __future__ import annotations

import os
from pathlib import Path

from lib_extend.host.detect import cmd_opts, module
from lib_extend.worker.environment import DATA

ROOT = Path(__file__).resolve().parents[2]
"""The extension's folder."""


def data_folder() -> Path:
    """The folder for the extension's data that belongs to no dataset: presets, recent folders.

    The folder `PROMPT_EXTEND_DATA` names, `prompt-extend` in the WebUI's data folder, or one in the user's
    home for the standalone page. It need not exist yet.
    """
    named = os.environ.get(DATA, "")
    if named:
        return Path(os.path.abspath(named))
    paths = module("modules.paths_internal")
    base = getattr(paths, "data_path", "")
    return Path(base).absolute() / "prompt-extend" if base else Path.home() / ".prompt-extend"


def models_folder() -> Path | None:
    """The WebUI's folder of models; None outside of a WebUI."""
    path = getattr(module("modules.paths_internal"), "models_path", "")
    return Path(path).absolute() if path else None


def lora_folders() -> list[Path]:
    """The folders in which the WebUI looks for LoRAs, the main one first; those that exist."""
    options = cmd_opts()
    # A1111 has the first and the second, neo the first and the last.
    found = [getattr(options, name, None) for name in ("lora_dir", "lyco_dir_backcompat", "lora_dirs")]
    models = models_folder()
    if models is not None:
        found.append(str(models / "Lora"))
    folders: list[Path] = []
    for item in found:
        for text in item if isinstance(item, (list, tuple)) else [item]:
            folder = Path(text).absolute() if text else None
            if folder is not None and folder.is_dir() and folder not in folders:
                folders.append(folder)
    return folders
