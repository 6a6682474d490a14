"""Find the extension whose code changes the same attention, to name it in a sentence."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lib_extend.generation.batch_rows import RegionsError

_FOLDERS = ("extensions", "extensions-builtin")
_OURS = Path(__file__).resolve().parents[2]
_PATCHES = ("attn2_patch", "attn2_output_patch")


def extension_of(function: Any) -> str:
    """The folder's name of the extension that defines a function, or an object's class; "" for the WebUI's own."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    function = getattr(function, "__func__", function)
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        function = type(function)
    try:
        path = Path(inspect.getfile(inspect.unwrap(function)))
    except (TypeError, ValueError, OSError):
        return ""
    if path.resolve().is_relative_to(_OURS):
        return ""
    parts = path.parts
    return next((parts[i + 1] for i, part in enumerate(parts[:-2]) if part in _FOLDERS), "")


def of_patches(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The extensions with patches of the cross-attention in Forge's transformer options."""
    patches = options.get("patches") or {}
    replaced = (options.get("patches_replace") or {}).get("attn2") or {}
    return _names((*(f for name in _PATCHES for f in patches.get(name) or ()), *replaced.values()))


def of_modules(modules: Iterable[Any]) -> tuple[str, ...]:
    """The extensions that have replaced `forward` in modules or their classes."""
    return _names(module.forward for module in modules)


def with_names(error: RegionsError, names: tuple[str, ...]) -> RegionsError:
    """The error, with the names of the extensions that may cause it."""
    if not names:
        return error
    known = RegionsError(
        f"{error.reason}. {' and '.join(names)} works on the same attention: turn one of the two off"
    )
    known.__cause__ = error
    return known


class NamingCall:
    """An `attention.Call` whose errors name the other extensions that change the attention."""

    def __init__(self, call: Any, names: tuple[str, ...]) -> None:
        self._call, self._names = call, names
        self.idle = call.idle

    def blend(self, *given: Any, **named: Any) -> Any:
        try:
            return self._call.blend(*given, **named)
        except RegionsError as error:
            raise with_names(error, self._names) from error

    def plain(self, *given: Any) -> Any:
        try:
            return self._call.plain(*given)
        except RegionsError as error:
            raise with_names(error, self._names) from error


def _names(functions: Iterable[Any]) -> tuple[str, ...]:
    def found() -> Iterator[str]:
        for function in functions:
            name = extension_of(function)
            if name:
                yield name

    return tuple(dict.fromkeys(found()))
