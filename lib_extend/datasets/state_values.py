"""Read values from a dataset's database. The database may come from elsewhere or be damaged, so values are checked
first."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from typing import Any, TypeVar

from lib_extend.errors import UserError
from lib_extend.files.dataset_names import is_caption_name, is_name

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")


class DamagedState(UserError):
    """The database holds a value that this program never writes."""


def name_of(path: object) -> str:
    """The name of a dataset's file from a column. Raises DamagedState when it is invalid or leads out of the
    dataset."""
    if isinstance(path, bytes):
        name = os.fsdecode(path)
        if is_name(name):
            return name
    raise DamagedState("a name is none")


def caption_of(path: object) -> str:
    """The name of a caption from a column. Raises DamagedState when it is invalid or leads out of the dataset."""
    name = name_of(path)
    if not is_caption_name(name):
        raise DamagedState("the name of a caption is none")
    return name


def stored(read: Callable[[_Value], _Result], value: _Value) -> _Result:
    """`read(value)`; raises DamagedState when `read` does not accept the value."""
    try:
        return read(value)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
        raise DamagedState("a value is none that is written there") from None


def stored_json(read: Callable[[Any], _Result], text: object) -> _Result:
    """`read` of the JSON value in a column; raises DamagedState when it is not JSON or `read` does not accept it."""
    (checked,) = typed((text,), str)
    return stored(lambda t: read(json.loads(t)), checked)


def mapping(value: Any) -> dict[str, Any]:
    """For `stored_json`: an object."""
    if not isinstance(value, dict):
        raise TypeError
    return value


def typed(row: tuple[Any, ...], *kinds: type | tuple[type, ...]) -> tuple[Any, ...]:
    """A row whose columns are of these kinds; numbers are finite. Raises DamagedState."""
    for value, kind in zip(row, kinds, strict=True):
        if not isinstance(value, kind) or (isinstance(value, float) and not math.isfinite(value)):
            raise DamagedState("a value is of another kind than is written there")
    return row
