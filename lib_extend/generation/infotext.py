"""The cast in a picture's infotext: written so that the hosts' parser restores it exactly, and checked when it is read.

Two entries are written: `Prompt Extend` for people, and `Prompt Extend cast` with one compact JSON object. It
holds the cast as it was for this very picture (wildcards resolved), and the host's own prompt, which in the
infotext stands inside the compiled one: pasting puts both back into their fields. So a new generation compiles the same
prompt, and does not compile it twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extend.errors import UserError
from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import Compiled
from lib_extend.generation.value_checks import FieldError

KEY = "Prompt Extend cast"
SUMMARY = "Prompt Extend"
MAX_LENGTH = 100_000
"""Characters of a JSON entry that are read at all."""
MAX_MAIN = 50_000


@dataclass(frozen=True)
class Restored:
    """What a picture was made from: its cast, and the host's own prompt and negative prompt."""

    cast: Cast
    main: str
    main_negative: str


def write(compiled: Compiled) -> dict[str, str]:
    """The entries for `extra_generation_params` of one picture; values are texts, as the hosts need them."""
    data = compiled.cast.to_json(brief=True)
    if compiled.main:
        data["main"] = compiled.main
    if compiled.main_negative:
        data["main_negative"] = compiled.main_negative
    # Line ends and quotes are escaped by JSON, and once more by the host: its parser reads one line only.
    return {SUMMARY: summary(compiled.cast), KEY: json.dumps(data, ensure_ascii=False, separators=(",", ":"))}


def summary(cast: Cast) -> str:
    """One line for people: `2 characters (α Ann, β Ben), base 0.3`."""
    number = len(cast.characters)
    if not number:
        return "background"
    names = [f"{x} {c.name}".strip() for x, c in zip(cast.letters, cast.characters, strict=True)]
    parts = [f"{number} character{'s' if number > 1 else ''} ({', '.join(names)})"]
    if cast.regional:
        parts.append(f"base {cast.base_weight:g}")
        if cast.end_step < 1:
            parts.append(f"until {cast.end_step:.0%} of the steps")
    else:
        parts.append("prompt only")
    return ", ".join(parts)


def read(entries: Mapping[str, Any] | str | None) -> Restored | None:
    """What a picture was made from, None where the extension had no part in it: the panel is then off.

    Args:
        entries: the host's parsed infotext, or the value of `KEY` itself; an API's raw text too.

    Raises:
        UserError: there is an entry, but it is no cast, or one of a later version.
    """
    value = entries.get(KEY) if isinstance(entries, Mapping) else entries
    if value is None or value == "":
        return None
    try:
        return _restored(_parsed(value))
    except FieldError as e:
        raise UserError(f"The picture's infotext cannot be used: its cast's {e}") from None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        raise FieldError("entry", "is no text")
    for _ in range(2):
        # A host that cannot unquote leaves the text in quotes.
        if len(value) > MAX_LENGTH:
            raise FieldError("entry", f"has {len(value):,} characters")
        try:
            value = json.loads(value, parse_constant=_refused)
        except (ValueError, RecursionError):
            raise FieldError("entry", "is not JSON; it may have been cut off") from None
        if not isinstance(value, str):
            break
    return value


def _refused(name: str) -> Any:
    raise ValueError(name)


def _restored(data: Any) -> Restored:
    if not isinstance(data, Mapping):
        raise FieldError("entry", "is not an object")
    if "version" not in data:
        raise FieldError("version", "is missing")
    data = dict(data)
    main, negative = (checks.text(name, data.pop(name, ""), MAX_MAIN) for name in ("main", "main_negative"))
    return Restored(Cast.from_json(data), main, negative)
