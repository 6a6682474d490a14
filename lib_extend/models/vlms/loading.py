"""From what a user wrote behind `--vlm` to a model: a server, a folder, `sketch`, a registry name, or `auto`."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import ModelError
from lib_extend.models.family import recognise
from lib_extend.models.vlms.vlm_options import VlmOptions, VlmSource

if TYPE_CHECKING:
    from lib_extend.models.ports import Progress, Vlm
    from lib_extend.models.vlms.auto import Choice


def load_vlm(
    spec: str,
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    max_pixels: int = 1_048_576,
    vlm_model: str = "",
    vram_limit: float | None = None,
    four_bit: str = "auto",
    batch: int | None = None,
    progress: Progress | None = None,
) -> Vlm:
    """The vision-language model that `spec` names, ready to be asked.

    Args:
        spec: an `http(s)://…/v1` server, an existing folder, `sketch`, a name of the registry, or `auto`: the
            best that fits (`auto.choose`).
        device: `auto`, `cpu`, `cuda` or `directml`; where a local model runs. Servers ignore it.
        offline: download nothing. A server on this machine may still be asked, one elsewhere not.
        models_dir: where downloads are kept; "" is the Hugging Face cache.
        max_pixels: pixels of an image shown to the model, at the most.
        vlm_model: the model to ask a server for; "" is the first it lists.
        vram_limit, four_bit, batch: see `LocalVlm`.
        progress: told about files that arrive.

    Raises:
        ModelError: there is no such model, or it cannot be downloaded, loaded or reached.
    """
    options = VlmOptions(device, offline, max_pixels, vlm_model, vram_limit, four_bit, batch)
    source, why = VlmSource(spec), ""
    family = recognise("vlms.families", source)
    if family is None:
        if spec == "auto":
            choice = _choice(device, offline, models_dir, vram_limit, four_bit)
            spec, why = choice.name, choice.why
            on, small = "cuda" if choice.cuda else "cpu", "yes" if choice.four_bit else "no"
            options = replace(options, device=on, four_bit=small)
        folder = _folder(spec, offline=offline, models_dir=models_dir, progress=progress)
        source = VlmSource(spec, folder)
        family = recognise("vlms.families", source)
    if family is None:
        raise ModelError(f"{source.folder} holds no vision-language model that is known here.")
    vlm: Vlm = family.load(source, options)
    if why:
        vlm.device += f"; {why}"
    return vlm


def _choice(device: str, offline: bool, models_dir: str, vram_limit: float | None, four_bit: str) -> Choice:
    """What `auto` comes to on this machine as it is now. Raises ModelError."""
    import torch
    import transformers

    from lib_extend.models import downloads, registry
    from lib_extend.models.vlms import four_bit as nf4
    from lib_extend.models.vlms.auto import RANK, choose
    from lib_extend.models.vlms.local import choose_device
    from lib_extend.models.vlms.memory_need import Card, free_ram

    cuda = choose_device(device)[0] == "cuda"
    free, total = torch.cuda.mem_get_info() if cuda else (0, 0)
    entries = [registry.find_vlm(name) for name in RANK]
    return choose(
        free,
        total,
        limit=Card.of(vram_limit).limit,
        cuda=cuda,
        four_bit=four_bit,
        hindrance=nf4.obstacle(cuda=cuda),
        usable=[e.name for e in entries if _release(e.needs) <= _release(transformers.__version__)],
        cached=[e.name for e in entries if downloads.is_cached(e, models_dir=models_dir)],
        offline=offline,
        ram=free_ram(),
    )


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


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
