"""From what a user wrote behind `--vlm` to a model: a server, a folder, `sketch`, or a registry name."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import ModelError

if TYPE_CHECKING:
    from lib_extend.models.ports import Progress, Vlm


def load_vlm(
    spec: str,
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    max_pixels: int = 1_048_576,
    vlm_model: str = "",
    progress: Progress | None = None,
) -> Vlm:
    """The vision-language model that `spec` names, ready to be asked.

    Args:
        spec: an `http(s)://…/v1` server, an existing folder, `sketch`, or a name of the registry.
        device: `auto`, `cpu`, `cuda` or `directml`; where a local model runs. Servers ignore it.
        offline: download nothing. A server on this machine may still be asked, one elsewhere not.
        models_dir: where downloads are kept; "" is the Hugging Face cache.
        max_pixels: pixels of an image shown to the model, at the most.
        vlm_model: the model to ask a server for; "" is the first it lists.
        progress: told about files that arrive.

    Raises:
        ModelError: there is no such model, or it cannot be downloaded, loaded or reached.
    """
    if spec.lower().startswith(("http://", "https://")):
        from lib_extend.models.vlms.server import connect

        return connect(spec, model=vlm_model, max_pixels=max_pixels, offline=offline)
    from lib_extend.models.vlms.local import LocalVlm

    return LocalVlm(
        _folder(spec, offline=offline, models_dir=models_dir, progress=progress),
        device=device,
        max_pixels=max_pixels,
    )


def _folder(spec: str, *, offline: bool, models_dir: str, progress: Progress | None) -> Path:
    """The folder with the model's files, downloaded where it must be. Raises ModelError."""
    with contextlib.suppress(OSError):  # a name too long for a path is no folder
        folder = Path(spec).expanduser()
        # A registry name wins over a folder of the same name in the working directory only if that
        # folder holds no model: `./qwen2-vl-2b` says it plainly.
        if folder.is_dir() and (any(c in spec for c in "/\\~") or (folder / "config.json").is_file()):
            return folder
    if any(c in spec for c in "\\~") or spec.startswith(("/", "./", "../")):
        raise ModelError(f"There is no folder {spec!r}: give a folder with a model's config.json.")
    from lib_extend.models import downloads, registry

    entry = registry.find_vlm(spec)
    return Path(downloads.get(entry, offline=offline, models_dir=models_dir, progress=progress))
