"""What a safetensors file says about itself: its header, never its weights.

The file begins with 8 bytes, the little-endian length of a JSON object: tensor names with dtype, shape and place
in the rest of the file, and `__metadata__`, texts by name.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError

MAX_HEADER = 32 * 1024 * 1024
"""Bytes of a header that are read; a LoRA's tag statistics make it a few megabytes at the most."""

_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}


@dataclass(frozen=True)
class Header:
    """`metadata`: texts by name. `shapes`: of the tensors, by name. `size`: bytes the whole file must have."""

    metadata: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    size: int


def read_header(path: Path) -> Header:
    """The header of a file.

    Raises:
        UserError: the file cannot be read, or is no safetensors file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MAX_HEADER:
                raise _no_safetensors(path)
            text = file.read(length)
    except OSError as e:
        raise UserError(f"{path.name} cannot be read ({e.strerror}): check the file.") from None
    try:
        data = json.loads(text)
        if len(text) < length or not isinstance(data, dict):
            raise ValueError
        return _header(data, 8 + length)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_safetensors(path) from None


def check_whole(path: Path) -> Header:
    """The header of a file that has as many bytes as it says.

    Raises:
        UserError: it has not, or is no safetensors file.
    """
    header = read_header(path)
    here = path.stat().st_size
    if here != header.size:
        raise UserError(
            f"{path.name} is damaged: it has {here:,} bytes and says it has {header.size:,}. Get it again."
        )
    return header


def _header(data: dict[str, Any], begin: int) -> Header:
    metadata = data.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise ValueError
    shapes = {}
    end = 0
    for name, tensor in data.items():
        shape = tuple(int(n) for n in tensor["shape"])
        start, stop = (int(n) for n in tensor["data_offsets"])
        width = _BYTES.get(str(tensor["dtype"]), 1)
        if min(shape, default=0) < 0 or not 0 <= start <= stop:
            raise ValueError
        if str(tensor["dtype"]) in _BYTES and stop - start != math.prod(shape) * width:
            raise ValueError
        shapes[name] = shape
        end = max(end, stop)
    texts = {str(k): v for k, v in metadata.items() if isinstance(v, str)}
    return Header(texts, shapes, begin + end)


def _no_safetensors(path: Path) -> UserError:
    return UserError(f"{path.name} is not a safetensors file: get it again, or choose another.")
