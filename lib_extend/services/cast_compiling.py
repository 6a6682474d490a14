"""From a cast to the prompts that the host is given, with their tokens and the regions' masks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from lib_extend.generation import masks, slips
from lib_extend.generation import value_checks as checks
from lib_extend.generation.compile import Compiled, compile_cast
from lib_extend.generation.expansion_requests import as_written
from lib_extend.generation.infotext import MAX_MAIN, summary
from lib_extend.generation.lengths import count
from lib_extend.generation.panel import Panel
from lib_extend.services import messages
from lib_extend.services.cast_loras import about_loras
from lib_extend.services.container import Services

SMALLEST_SIDE, LARGEST_SIDE = 16, 4096
"""The shortest and the longest side, in pixels, of a picture for which masks are made."""
_OWN = ("prompt", "negative_prompt", "width", "height", "masks")


def compiled_json(services: Services, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a panel's values compile to, as JSON values.

    Args:
        values: a cast's and a panel's members, and the picture's: prompt, negative_prompt, width, height, masks.

    Raises UserError naming the member.
    """
    value = dict(values)
    own = {name: value.pop(name) for name in _OWN if name in value}
    prompt, negative = (
        checks.text(name, own.get(name, ""), MAX_MAIN) for name in ("prompt", "negative_prompt")
    )
    width, height = (_side(name, own.get(name, 1024)) for name in ("width", "height"))
    if not isinstance(own.get("masks", False), bool):
        raise messages.MUST_BE.error(name="masks", what="true or false", field="masks")
    given = panel_of(value)
    aliases = services.loras.aliases()
    compiled = compile_cast(as_written(given.cast), *given.mains(prompt, negative, aliases), aliases=aliases)
    pngs = _masks(compiled, width, height) if own.get("masks") else []
    return {
        "prompt": compiled.prompt,
        "negative_prompt": compiled.negative,
        "tokens": count(compiled.prompt),
        "negative_tokens": count(compiled.negative, negative=True),
        "regions": [
            {
                "letter": r.letter,
                "name": r.name,
                "prompt": r.prompt,
                "negative": r.negative,
                "box": list(r.box),
                "weight": r.weight,
                "tokens": count(r.prompt),
                **({"mask": pngs[i]} if pngs else {}),
            }
            for i, r in enumerate(compiled.regions)
        ],
        "notes": [
            *(f"No picture can be made: {slip}" for slip in slips.find(given.cast)),
            *compiled.notes,
            *about_loras(given.cast, services),
        ],
        "summary": summary(given.cast),
    }


def panel_of(value: Mapping[str, Any]) -> Panel:
    """A panel from its dict; it is compiled also when it is switched off. Raises FieldError."""
    if not isinstance(value.get("enabled", True), bool):
        raise checks.FieldError("enabled", "must be true or false")
    return Panel.parse({**value, "enabled": True})


def _side(name: str, value: Any) -> int:
    return int(checks.number(name, value, SMALLEST_SIDE, LARGEST_SIDE, whole=True))


def _masks(compiled: Compiled, width: int, height: int) -> list[str]:
    """One PNG a region as a data URL."""
    regions = compiled.regions
    of = masks.shares([r.box for r in regions], [r.weight for r in regions], compiled.cast.base_weight)
    found = (masks.png(of, i + 1, width, height) for i in range(len(regions)))
    return ["data:image/png;base64," + base64.b64encode(png).decode("ascii") for png in found]
