"""The LoRAs that a cast names, looked up among the WebUI's."""

from __future__ import annotations

from pathlib import Path

from lib_extend.generation.cast import Cast
from lib_extend.generation.lora_files import misfit
from lib_extend.generation.syntax import network_name
from lib_extend.services import messages
from lib_extend.services.container import Services, shared


def aliases() -> dict[str, str]:
    """Other names of the WebUI's LoRAs, in lower case, to those of their files."""
    return shared().loras.aliases()


def file_of(name: str) -> Path | None:
    """The file of a LoRA by the name, or the other name, that prompts call it; None where the WebUI has none."""
    loras = shared().loras
    for fresh in (False, True):  # a new file may not be listed yet: look again
        found = {x.name.lower(): x.path for x in loras.all(fresh=fresh)}
        path = found.get(loras.aliases().get(name.lower(), name).lower())
        if path is not None:
            return path
    return None


def about_loras(cast: Cast, services: Services | None = None) -> list[str]:
    """The problems of a cast's LoRAs, a sentence each. `services`: default: this process' services."""
    services = services or shared()
    here = {x.name.lower(): x for x in services.loras.all()}
    family = services.regions.family()
    notes = []
    placed = (*cast.loras, *(lora for character in cast.characters for lora in character.loras))
    for lora in (cast.background_lora, cast.separation_lora, *placed):
        if lora is None or not services.loras.folders():
            continue
        name = network_name(lora.tag)[1]
        found = here.get(services.loras.aliases().get(name, name).lower())
        notes.append(messages.NO_LORA.format(name=lora.name) if found is None else misfit(found, family))
    return [n for n in notes if n]
