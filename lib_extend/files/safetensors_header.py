"""Read the header of a safetensors file; the weights are not read.

The file begins with 8 bytes, the little-endian length of a JSON object: tensor names with dtype, shape and place
in the rest of the file, and `__metadata__`, texts by name.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import UserError
from lib_extend.files import outside_json

MAX_HEADER = 32 * 1024 * 1024
"""Bytes of a header that are read; a LoRA's tag statistics make it a few megabytes at the most."""

DIMENSIONS = 16
"""Axes of a tensor at the most; real ones have up to 5."""

LARGEST = 2**63 - 1
"""Of a size, and of all numbers of a tensor together."""

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
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its writer
            raise _no_safetensors(path)
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MAX_HEADER:
                raise _no_safetensors(path)
            text = file.read(length)
    except OSError as e:
        raise UserError(f"{path.name} cannot be read ({e.strerror}): check the file.") from None
    try:
        data = outside_json.loads(text)
        if len(text) < length or not isinstance(data, dict):
            raise ValueError
        return _header(data, 8 + length)
    except (ValueError, TypeError, KeyError):
        raise _no_safetensors(path) from None


def check_whole(path: Path) -> Header:
    """The header of a file, after a check that the file has as many bytes as the header says.

    Raises:
        UserError: the size is wrong, or the file is not a safetensors file.
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
        shape = _sizes(tensor["shape"], DIMENSIONS)
        start, stop = _sizes(tensor["data_offsets"], 2)
        width = _BYTES.get(str(tensor["dtype"]))
        if start > stop or (width is not None and stop - start != numbers(shape) * width):
            raise ValueError
        shapes[name] = shape
        end = max(end, stop)
    texts = {str(k): v for k, v in metadata.items() if isinstance(v, str)}
    return Header(texts, shapes, begin + end)


def _sizes(value: Any, most: int) -> tuple[int, ...]:
    """A list of whole numbers in 0 … `LARGEST`, `most` of them or fewer. Raises ValueError."""
    if not isinstance(value, list) or len(value) > most:
        raise ValueError
    if not all(type(n) is int and 0 <= n <= LARGEST for n in value):
        raise ValueError
    return tuple(value)


def numbers(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of this shape has. Raises ValueError when they are too many for a file."""
    count = 1
    for n in shape:
        count *= n
        if count > LARGEST:
            raise ValueError
    return count


def _no_safetensors(path: Path) -> UserError:
    return UserError(f"{path.name} is not a safetensors file: get it again, or choose another.")
