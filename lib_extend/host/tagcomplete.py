"""The lists of the WebUI's tag autocompletion (a1111-sd-webui-tagcomplete), where it is installed."""

from __future__ import annotations

from pathlib import Path

from lib_extend.host.detect import module

_USUAL = "danbooru.csv"
_NONE = "None"


def tag_files() -> list[Path]:
    """Its list of tags and its translations, as its settings name them; [] if it is not installed."""
    extensions = getattr(module("modules.paths_internal"), "extensions_dir", "")
    if not extensions:
        return []
    data = getattr(getattr(module("modules.shared"), "opts", None), "data", None) or {}
    names = (data.get("tac_tagFile", _USUAL), data.get("tac_translation.translationFile", _NONE))
    found: list[Path] = []
    try:
        folders = sorted(f / "tags" for f in Path(extensions).iterdir() if "tagcomplete" in f.name.lower())
    except OSError:
        return []
    for folder in folders:
        # the setting must be a file name and may not lead out of the folder
        found += [folder / Path(str(n)).name for n in names if n and n != _NONE]
    return [path for path in found if path.suffix.lower() == ".csv" and path.is_file()]
