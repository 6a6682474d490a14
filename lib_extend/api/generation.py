"""The handlers of the generation panel: what can be chosen, and what a cast compiles to."""

from __future__ import annotations

import base64
from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import bad
from lib_extend.api.http import Call
from lib_extend.api.services import Services
from lib_extend.config import COUNT_STYLES
from lib_extend.generation import background, checks, masks
from lib_extend.generation.cast import LETTERS, MAX_CHARACTERS, MODES, Cast
from lib_extend.generation.compile import Compiled, compile_cast
from lib_extend.generation.infotext import MAX_MAIN, summary
from lib_extend.generation.lengths import count
from lib_extend.generation.loras import misfit
from lib_extend.generation.panel import MAX_TRIES, Panel
from lib_extend.generation.syntax import network_name

ARRANGEMENTS = ("columns", "rows", "grid")
SMALLEST_SIDE, LARGEST_SIDE = 16, 4096
"""Pixels of a side of a picture whose masks can be had."""

_OWN = ("prompt", "negative_prompt", "width", "height", "masks")


def panel(services: Services, call: Call) -> dict[str, Any]:
    reason = services.regions.unfit()
    return {
        "regions": not reason,
        "reason": reason,
        "family": services.regions.family(),
        "colors": list(background.COLORS),
        "objects": list(background.OBJECTS),
        "floors": list(background.FLOORS),
        "letters": list(LETTERS),
        "max_characters": MAX_CHARACTERS,
        "max_tries": MAX_TRIES,
        "arrangements": list(ARRANGEMENTS),
        "count_styles": list(COUNT_STYLES),
        "modes": list(MODES),
    }


def compile_(services: Services, call: Call) -> dict[str, Any]:
    value = dict(call.body)
    own = {name: value.pop(name) for name in _OWN if name in value}
    prompt, negative = (
        checks.text(name, own.get(name, ""), MAX_MAIN) for name in ("prompt", "negative_prompt")
    )
    width, height = (_side(name, own.get(name, 1024)) for name in ("width", "height"))
    if not isinstance(own.get("masks", False), bool):
        raise bad(texts.MUST_BE.format(name="masks", what="true or false"), "masks")
    given = parsed(value)
    aliases = services.loras.aliases()
    compiled = compile_cast(given.cast, *given.mains(prompt, negative, aliases), aliases=aliases)
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
        "notes": [*compiled.notes, *about_loras(given.cast, services)],
        "summary": summary(given.cast),
    }


def parsed(value: dict[str, Any]) -> Panel:
    """A panel from its dict, also when it is switched off: what is asked is what it says. Raises FieldError."""
    if not isinstance(value.get("enabled", True), bool):
        raise checks.FieldError("enabled", "must be true or false")
    return Panel.parse({**value, "enabled": True})


def _own_services() -> Services:
    from lib_extend.api import routes  # it imports this module's handlers

    return routes.shared()


def _side(name: str, value: Any) -> int:
    return int(checks.number(name, value, SMALLEST_SIDE, LARGEST_SIDE, whole=True))


def _masks(compiled: Compiled, width: int, height: int) -> list[str]:
    """One PNG a region as a data URL."""
    regions = compiled.regions
    of = masks.shares([r.box for r in regions], [r.weight for r in regions], compiled.cast.base_weight)
    found = (masks.png(of, i + 1, width, height) for i in range(len(regions)))
    return ["data:image/png;base64," + base64.b64encode(png).decode("ascii") for png in found]


def aliases() -> dict[str, str]:
    """Other names of the WebUI's LoRAs, in lower case, to those of their files."""
    return _own_services().loras.aliases()


def about_loras(cast: Cast, services: Services | None = None) -> list[str]:
    """What is wrong with a cast's LoRAs: a sentence each. `services`: when not given, the process' own."""
    services = services or _own_services()
    here = {x.name.lower(): x for x in services.loras.all()}
    family = services.regions.family()
    notes = []
    for lora in (cast.background_lora, cast.separation_lora):
        if lora is None or not services.loras.folders():
            continue
        name = network_name(lora.tag)[1]
        found = here.get(services.loras.aliases().get(name, name).lower())
        notes.append(texts.NO_LORA.format(name=lora.name) if found is None else misfit(found, family))
    return [n for n in notes if n]
