"""The values of the panel in txt2img and img2img as one dict: from the page, from an API call, from a picture's
infotext.

    {"characters": [{"prompt": "black hair", "box": [0, 0, 0.5, 1]}, …], "base_weight": 0.3, "check": true}

The cast's fields stand beside the panel's own. Nothing, an empty text, or `"enabled": false` is a panel that is off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.infotext import MAX_LENGTH, MAX_MAIN, Restored
from lib_extend.generation.value_checks import FieldError

MAX_TRIES = 20
_OWN = ("enabled", "check", "keep_trying", "main", "main_negative", "problem")
_CAST = ("version", *(f.name for f in fields(Cast)))


@dataclass(frozen=True)
class Panel:
    """One state of the panel.

    Attributes:
        enabled: if false, a generation is not changed.
        check: look in the finished picture for each character's tags, in its place.
        keep_trying: how many more seeds are tried until all are found, 0…20; it checks, too.
        main, main_negative: what the host's own prompts were when a picture's infotext was written. If the prompt is
            already the compiled one, these are used instead, so that it is not compiled twice.
    """

    cast: Cast = field(default_factory=Cast)
    enabled: bool = True
    check: bool = False
    keep_trying: int = 0
    main: str | None = None
    main_negative: str | None = None

    @property
    def checks(self) -> bool:
        """Whether the finished picture is looked at."""
        return self.check or self.keep_trying > 0

    @classmethod
    def parse(cls, value: Any) -> Panel:
        """A panel from its dict or from that dict as JSON text; see the module.

        Raises:
            FieldError: not readable, or a field that is unknown or out of range. A panel that is off is not checked.
        """
        data = _read(value)
        if not data:
            return OFF
        enabled = data.get("enabled", True)
        if not isinstance(enabled, bool):
            raise FieldError("enabled", "must be true or false")
        if not enabled:
            return OFF
        given = checks.mapping("", data, (*_OWN, *_CAST))
        own = {name: given.pop(name) for name in _OWN if name in given}
        check = own.get("check", False)
        if not isinstance(check, bool):
            raise FieldError("check", "must be true or false")
        return cls(
            Cast.from_json(given),
            True,
            check,
            int(checks.number("keep_trying", own.get("keep_trying", 0), 0, MAX_TRIES, whole=True)),
            _text(own, "main"),
            _text(own, "main_negative"),
        )

    @classmethod
    def of(cls, restored: Restored) -> Panel:
        """The panel with which a picture was made."""
        return cls(restored.cast, main=restored.main, main_negative=restored.main_negative)

    def to_json(self, *, brief: bool = False) -> dict[str, Any]:
        """The dict that `parse` takes; `brief` leaves out what has its default."""
        own: dict[str, Any] = {"enabled": self.enabled, "check": self.check, "keep_trying": self.keep_trying}
        if brief:
            own = {k: v for k, v in own.items() if v or k == "enabled"}
        own |= {
            k: v for k, v in (("main", self.main), ("main_negative", self.main_negative)) if v is not None
        }
        return own | self.cast.to_json(brief=brief)

    def mains(self, prompt: str, negative: str, aliases: Mapping[str, str]) -> tuple[str, str]:
        """The host's own prompt and negative prompt, where `prompt` and `negative` are what the host has now."""
        if self.main is None:
            return prompt, negative
        made = compile_cast(self.cast, self.main, self.main_negative or "", aliases=aliases)
        return (
            self.main if _same(prompt, made.prompt) else prompt,
            (self.main_negative or "") if _same(negative, made.negative) else negative,
        )


OFF = Panel(enabled=False)


def _read(value: Any) -> dict[str, Any]:
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        if len(value) > MAX_LENGTH:
            raise FieldError("", f"has {len(value):,} characters")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise FieldError("", "is not readable as JSON") from None
    if not isinstance(value, Mapping):
        raise FieldError("", "must be one object, such as {…} in Prompt Extend's args")
    return dict(value)


def _text(data: Mapping[str, Any], name: str) -> str | None:
    return checks.text(name, data[name], MAX_MAIN) if data.get(name) is not None else None


def _same(a: str, b: str) -> bool:
    # the hosts' infotext loses spaces at the ends of lines
    return a.split() == b.split()
