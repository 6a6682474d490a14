"""What a family of models is: one file of `taggers/`, `detectors/` or `vlms/families/` that ends with a `FAMILY`.

No other file has to name a family: families are found by their folder, and each says what it recognises and how early
it is asked. A model of a known family is one line of `registry.py`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

Given = TypeVar("Given")
Options = TypeVar("Options")
Model = TypeVar("Model")

EARLY, USUAL, LATE = 10, 50, 90


@dataclass(frozen=True)
class Family(Generic[Given, Options, Model]):
    """A family.

    Attributes:
        recognises: whether what is given is of this family: a folder's `ModelFiles`, or where a vision-language model is.
        load: (the folder or address, the options) → the model. Raises ModelError.
        order: families of a lower number are asked first whether they recognise something: `EARLY` for one whose
            files another would take for its own, `LATE` for one that takes what is left.
    """

    recognises: Callable[[Given], bool]
    load: Callable[[Given, Options], Model]
    order: int = USUAL


@functools.cache
def families(folder: str) -> Mapping[str, Family[Any, Any, Any]]:
    """The families of a folder of `lib_extend.models` ("taggers"), by their files' names, in the order they are asked."""
    package = importlib.import_module(f"lib_extend.models.{folder}")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        family = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), "FAMILY", None)
        if isinstance(family, Family):
            found[module.name] = family
    ordered = sorted(found.items(), key=lambda item: (item[1].order, item[0]))
    return MappingProxyType(dict(ordered))


def recognise(folder: str, given: Any) -> Family[Any, Any, Any] | None:
    """The first family of a folder that recognises what is given; None where none does."""
    return next((family for family in families(folder).values() if family.recognises(given)), None)
