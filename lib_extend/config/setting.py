"""What one setting is: a dataclass field that carries its help, range, choices and group."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lib_extend.errors import UserError


def setting(
    default: Any,
    help: str,
    *,
    group: str,
    label: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    recompose: bool = False,
) -> Any:
    """A dataclass field that carries the facts about one setting."""
    facts = {
        "help": help,
        "label": label,
        "group": group,
        "low": low,
        "high": high,
        "choices": choices,
        "metavar": metavar,
        "recompose": recompose,
    }
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Setting:
    """One setting as the front ends see it.

    Attributes:
        name: the field's name in the config and in JSON; the flag is `--` + name with dashes.
        type: `str`, `int`, `float`, `bool` or `list` (of str).
        label: its name as a person reads it.
        optional: None is allowed (means "the model's own" or "no limit").
        recompose: changing it only re-composes captions; no model runs.
    """

    name: str
    type: type
    optional: bool
    default: Any
    help: str
    label: str
    group: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None
    metavar: str | None
    recompose: bool

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def check(self, value: Any) -> Any:
        """`value` in this setting's type, or UserError with the sentence a user needs."""
        if value is None:
            if self.optional:
                return None
            raise UserError(f"{self.name} needs a value.", field=self.name)
        if self.type is list:
            if isinstance(value, str) or not isinstance(value, (list, tuple)):
                raise UserError(f"{self.name} must be a list of texts.", field=self.name)
            return tuple(str(v) for v in value)
        if self.type is bool:
            if not isinstance(value, bool):
                raise UserError(f"{self.name} must be true or false, not {value!r}.", field=self.name)
            return value
        if self.type in (int, float):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise UserError(f"{self.name} must be a number, not {value!r}.", field=self.name)
            if self.type is int and value != int(value):
                raise UserError(f"{self.name} must be a whole number, not {value!r}.", field=self.name)
            value = self.type(value)
            if value != value or not (
                (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
            ):
                bounds = f"{_bound(self.low, 'any')} to {_bound(self.high, 'any')}"
                raise UserError(f"{self.name} is {value!r}, but must be {bounds}.", field=self.name)
            return value
        if not isinstance(value, str):
            raise UserError(f"{self.name} must be a text, not {value!r}.", field=self.name)
        if self.choices and value not in self.choices:
            raise UserError(
                f"{self.name} is {value!r}, but must be one of: {', '.join(self.choices)}.", field=self.name
            )
        return value


def _bound(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"


_CACHE: dict[type, tuple[Setting, ...]] = {}


def settings(config: type) -> tuple[Setting, ...]:
    """The settings of a config class, in the order in which they are declared."""
    if config not in _CACHE:
        _CACHE[config] = tuple(_settings(config))
    return _CACHE[config]


def _settings(config: type) -> Iterator[Setting]:
    hints = typing.get_type_hints(config)
    for f in dataclasses.fields(config):
        hint = hints[f.name]
        optional = isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
        if optional:
            hint = next(a for a in typing.get_args(hint) if a is not type(None))
        kind = list if typing.get_origin(hint) is tuple else hint
        yield Setting(
            name=f.name,
            type=kind,
            optional=optional,
            default=f.default,
            **{**f.metadata, "label": f.metadata["label"] or f.name.capitalize().replace("_", " ")},
        )
