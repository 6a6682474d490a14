"""Records as JSON values and back, by the types of their fields.

JSON may come from a pipe, a stored row or a file. A value whose type is not that of its field is refused with a
sentence that names the field; it never becomes part of a record.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

R = TypeVar("R", bound="Record")
Reader = Callable[[Any], Any]


class RecordError(ValueError):
    """The JSON values do not fit the record; the sentence names the field."""


class Record:
    """Mixin of frozen dataclasses: JSON in and out.

    A field may be `str`, `int`, `float`, `bool`, an Enum of texts, another record, `tuple[X, ...]`, `list[X]`,
    `Mapping[str, X]`, `X | None`, or `Any`, which is taken as it is.
    """

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values (dict, list, str, float, int, bool, None)."""
        return {name: _plain(getattr(self, name)) for name, _, _ in _fields(type(self))}

    @classmethod
    def from_json(cls: type[R], data: Any) -> R:
        """The inverse of `to_json`. Unknown keys are ignored, so that older code reads newer rows.

        A list is read by position.

        Raises:
            RecordError: a field is missing, or its value is not of its type.
        """
        fields = _fields(cls)
        if isinstance(data, Mapping):
            try:
                return cls(**{name: read(data[name]) for name, read, _ in fields if name in data})
            except (TypeError, ValueError, KeyError):
                raise _wrong(cls, data) from None
        if isinstance(data, (list, tuple)) and sum(f[2] for f in fields) <= len(data) <= len(fields):
            return cls.from_json({f[0]: value for f, value in zip(fields, data, strict=False)})
        raise RecordError(f"{cls.__name__} must be an object, not {_shown(data)}")


_FIELDS: dict[type, tuple[tuple[str, Reader, bool], ...]] = {}


def _fields(record: type[Record]) -> tuple[tuple[str, Reader, bool], ...]:
    """Name, reader and whether it is needed, of each field; looked up once a class."""
    found = _FIELDS.get(record)
    if found is None:
        hints = typing.get_type_hints(record)
        missing = dataclasses.MISSING
        found = _FIELDS[record] = tuple(
            (f.name, _reader(hints[f.name]), f.default is missing and f.default_factory is missing)
            for f in dataclasses.fields(record)  # type: ignore[arg-type]
        )
    return found


def _wrong(record: type[Record], data: Mapping[str, Any]) -> RecordError:
    """The error in these values. It is searched for only after reading them has failed."""
    for name, read, needed in _fields(record):
        if name not in data:
            if needed:
                return RecordError(f"{record.__name__} has no {name}")
            continue
        try:
            read(data[name])
        except RecordError as error:
            return error
        except (TypeError, ValueError, KeyError):
            return RecordError(f"{record.__name__}.{name} cannot be {_shown(data[name])}")
    return RecordError(f"{record.__name__} cannot be {_shown(data)}")


def _reader(hint: Any) -> Reader:
    """The function that turns a JSON value into this type; it raises TypeError, ValueError or KeyError if the value
    does not fit."""
    if hint is Any:
        return lambda value: value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        some = [_reader(a) for a in inner if a is not type(None)]
        if len(some) != 1:
            raise TypeError(f"a record cannot hold {hint}")
        return lambda value: None if value is None else some[0](value)
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return _many(_reader(inner[0]), tuple)
    if origin is tuple:
        readers = [_reader(a) for a in inner]
        return lambda value: tuple(r(v) for r, v in zip(readers, _checked(value, list, tuple), strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        read = _reader(inner[1])
        return lambda value: {str(k): read(v) for k, v in _checked(value, Mapping).items()}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return _many(_reader(inner[0]), list if origin is list else tuple)
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {member.value: member for member in hint}.__getitem__
    if hint is float:
        return lambda value: value if type(value) is float else float(_checked(value, int, float))
    if hint in (str, int, bool):
        return lambda value: value if type(value) is hint else _checked(value, hint)
    raise TypeError(f"a record cannot hold {hint}")


def _many(read: Reader, make: type) -> Reader:
    return lambda value: make(read(v) for v in _checked(value, list, tuple))


def _checked(value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError
    return value


_SCALARS = {str, int, float, bool, type(None)}


def _plain(value: Any) -> Any:
    if type(value) in _SCALARS:  # most are, and the checks below are slow
        return value
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(v) for v in value]
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
