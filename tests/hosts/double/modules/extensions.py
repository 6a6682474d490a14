"""The installed extensions."""

import json
import os

from modules.paths_internal import data_path, extensions_dir

extensions = []


class Extension:
    def __init__(self, name, path):
        self.name = self.canonical_name = name
        self.path, self.enabled, self.is_builtin = path, True, False

    def list_files(self, folder, ending):
        at = os.path.join(self.path, folder)
        names = sorted(os.listdir(at)) if os.path.isdir(at) else []
        return [
            os.path.join(at, n) for n in names if n.endswith(ending) and os.path.isfile(os.path.join(at, n))
        ]


def active():
    return [e for e in extensions if e.enabled]


def list_extensions():
    extensions.clear()
    disabled = set()
    config = os.path.join(data_path, "config.json")
    if os.path.exists(config):
        with open(config, encoding="utf-8") as file:
            disabled = set(json.load(file).get("disabled_extensions", []))
    for name in sorted(os.listdir(extensions_dir)):
        if os.path.isdir(os.path.join(extensions_dir, name)):
            extension = Extension(name, os.path.join(extensions_dir, name))
            extension.enabled = name not in disabled
            extensions.append(extension)
