"""What can be told of a model folder from its files alone: whether it may be loaded, and which one it is."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

from lib_extend.errors import ModelError, UserError
from lib_extend.files.safetensors_header import numbers, read_header

SETTINGS = "prompt_extend.json"
"""Our own file in a model folder: {"temperature": t}, t > 0, measured on pictures of known truth; {"objects": […]}, the only
things that the model was taught and can be asked about."""

_MOST_HEADER = 100_000_000
"""Bytes of a safetensors file's header at the most: the format's own bound."""


def check(folder: Path) -> None:
    """Whether a folder is a model that may be loaded here, told from its files alone.

    Raises ModelError with the sentence a user needs: no model, no native class (its own code would have
    to be run), unknown to this transformers, not for pictures, or weights in a format that runs code.
    """
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = str(config.get("model_type", ""))
    except FileNotFoundError:
        hint = (
            " A GGUF file is served by llama-server: give its http://…/v1."
            if any(folder.glob("*.gguf"))
            else ""
        )
        raise ModelError(f"{folder} holds no model: it has no config.json.{hint}") from None
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read ({error}).") from error
    if kind not in CONFIG_MAPPING_NAMES:
        if "auto_map" in config:
            raise ModelError(
                f"{folder} is a model of the kind {kind!r} that only runs with program code of its own, which is "
                "never run here: take a model that transformers supports itself, or serve this one over http."
            )
        raise ModelError(
            f"{folder} is a model of the kind {kind!r}, which transformers {transformers.__version__} does not "
            "know: a newer transformers may."
        )
    if kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise ModelError(
            f"{folder} is a model of the kind {kind!r}, which takes no picture together with text."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder} has no *.safetensors file; weights in other formats may run code and are never "
            "loaded: convert the model or take one that comes as safetensors."
        )


def temperature(folder: Path) -> float:
    """The temperature that makes the folder's probabilities honest; 1 where none is stored.

    Raises ModelError when the stored one is no positive number.
    """
    file = folder / SETTINGS
    if not file.is_file():
        return 1.0
    try:
        heat = float(json.loads(file.read_text(encoding="utf-8")).get("temperature", 1.0))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{file} cannot be read ({error}).") from error
    if not 0 < heat < float("inf"):
        raise ModelError(f"{file} has the temperature {heat}, but it must be a positive number.")
    return heat


def objects(folder: Path) -> frozenset[str] | None:
    """The things that the model can be asked about (`dining_table`), None where it may be asked about all.

    Raises ModelError when the stored list is no list of names.
    """
    file = folder / SETTINGS
    if not file.is_file():
        return None
    try:
        names = json.loads(file.read_text(encoding="utf-8")).get("objects")
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{file} cannot be read ({error}).") from error
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise ModelError(f"{file} names its objects in another form than a list of names: correct it.")
    return frozenset(names)


def fingerprint(folder: Path) -> str:
    """Hex identity of a model folder's content, the same on every machine.

    Small files are hashed whole; of the weights their header, size and 64 samples spread over the file,
    so that a folder of 16 GB takes milliseconds.
    """
    digest = hashlib.blake2b(digest_size=12)
    for file in sorted(folder.iterdir()):
        if file.suffix not in (".json", ".jinja", ".safetensors", ".txt", ".model") or not file.is_file():
            continue
        size = file.stat().st_size
        digest.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as data:
            if file.suffix != ".safetensors":
                digest.update(data.read())
                continue
            (header,) = struct.unpack("<Q", data.read(8).ljust(8, b"\0"))
            digest.update(data.read(min(header, _MOST_HEADER)))
            for i in range(64):
                data.seek(size * i // 64)
                digest.update(data.read(4096))
    return digest.hexdigest()


def parameters(folder: Path) -> int:
    """Numbers in the folder's weights, read from their headers. Raises ModelError when one is damaged."""
    count = 0
    for file in folder.glob("*.safetensors"):
        try:
            count += sum(numbers(shape) for shape in read_header(file).shapes.values())
        except (UserError, ValueError) as error:
            raise ModelError(f"{file} is damaged: download the model again.") from error
    return count
