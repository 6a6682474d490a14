"""Files are loaded by path, under their file's name, and not entered into sys.modules."""
# ruff: noqa: BLE001 - a WebUI swallows whatever an extension raises

import importlib.util
import os

from modules import errors


def load_module(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def preload_extensions(folder, parser):
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name, "preload.py")
        if not os.path.isfile(path):
            continue
        try:
            module = load_module(path)
            if hasattr(module, "preload"):
                module.preload(parser)
        except Exception:
            errors.report(f"Error running preload() for {path}", exc_info=True)
