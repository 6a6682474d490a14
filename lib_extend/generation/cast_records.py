"""Shared code of a cast's records: checking fields at construction, and JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lib_extend.generation import value_checks as checks
from lib_extend.generation.value_checks import FieldError

T = TypeVar("T")


def inside(field: str, make: Callable[[Any], T], value: Any) -> T:
    """A record from JSON values; an error names the field that holds it."""
    try:
        return make(value)
    except FieldError as e:
        raise e.within(field) from None


def made(given: dict[str, Any], *lists: tuple[str, Callable[[Any], Any], int]) -> dict[str, Any]:
    """Values with the lists among them made into records: name, how, and how many at the most."""
    for name, make, most in lists:
        if name in given:
            entries = checks.items(name, given[name], most)
            given[name] = tuple(inside(f"{name}[{i}]", make, e) for i, e in enumerate(entries))
    return given


def records(name: str, value: Any, kind: type[T], most: int) -> tuple[T, ...]:
    """A field's records. Raises FieldError for an invalid one."""
    entries = checks.items(name, value, most)
    for i, item in enumerate(entries):
        if not isinstance(item, kind):
            raise FieldError(f"{name}[{i}]", f"is no {kind.__name__}")
    return entries


def put(record: Any, name: str, value: Any) -> None:
    """Sets a frozen record's field while it is made."""
    object.__setattr__(record, name, value)


def field_names(cls: type) -> tuple[str, ...]:
    """The names of a record's fields."""
    return tuple(f.name for f in dataclasses.fields(cls))


def plain_json(record: Any, brief: bool) -> dict[str, Any]:
    """A record's JSON values; `brief` leaves out what has its default."""
    result = {}
    for f in dataclasses.fields(record):
        value = getattr(record, f.name)
        if not brief or value != f.default:
            result[f.name] = plain(value, brief)
    return result


def plain(value: Any, brief: bool) -> Any:
    """A field's value as a JSON value."""
    if hasattr(value, "to_json"):
        return value.to_json(brief=brief)
    if isinstance(value, tuple):
        return [plain(v, brief) for v in value]
    return dict(value) if isinstance(value, Mapping) else value
