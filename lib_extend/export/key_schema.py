"""Check the settings of an export against a table of the trainer's keys, so that no unknown key is written."""

from __future__ import annotations

from typing import Any

Schema = Any
"""A type, a tuple of types, `[schema]` for a list, or a dict of keys; a key that ends with `!` must be there."""


def check(value: Any, schema: Schema, where: str = "") -> None:
    """Raises ValueError that names the first key that is unknown, missing or of another kind."""
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            raise ValueError(f"{where or 'the file'} is no table")
        keys = {key.removesuffix("!"): inner for key, inner in schema.items()}
        for key in value:
            if key not in keys:
                raise ValueError(f"{where}.{key} is no key of the trainer's")
            check(value[key], keys[key], f"{where}.{key}")
        for key in schema:
            if key.endswith("!") and key[:-1] not in value:
                raise ValueError(f"{where}.{key[:-1]} is missing")
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} is no list")
        for i, item in enumerate(value):
            check(item, schema[0], f"{where}[{i}]")
    else:
        kinds = schema if isinstance(schema, tuple) else (schema,)
        # True is no number
        if not (type(value) in kinds or (not isinstance(value, bool) and isinstance(value, kinds))):
            raise ValueError(f"{where} is {value!r}")
