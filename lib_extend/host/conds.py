"""Conditionings of single prompts, made by the WebUI's own parser and text encoders with the active LoRAs."""

from __future__ import annotations

import contextlib
from typing import Any

from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast_lora import Lora
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host import webuis
from lib_extend.host.detect import module

UNKNOWN = "this WebUI is not known here"


class Encoder:
    """The prompts of one run of `process_images`; each is encoded once as long as the LoRAs are the same.

        encode = Encoder(p)
        schedule = encode("1girl, black hair", negative=False, hires=False)

    The result is a list of pairs (last step, conditioning), as `generation.pictures.Schedule.of` takes it; a
    conditioning is a tensor (tokens, channels), in SDXL a dict with one as `crossattn`.
    """

    def __init__(self, p: Any, placed: PlacedLoras | None = None) -> None:
        """`placed`: the LoRAs that act in places, whose text encoders' part acts in prompts of their own."""
        self._p = p
        self._placed = placed
        self._known: dict[tuple[str, bool, bool, tuple[Lora, ...]], Any] = {}

    def forget(self) -> None:
        """Forgets all conditionings: the next batch may have other LoRAs."""
        self._known.clear()

    def __call__(self, text: str, *, negative: bool, hires: bool, loras: tuple[Lora, ...] = ()) -> Any:
        key = (text, negative, hires, loras)
        if key not in self._known:
            with self._placed.encoding(loras, _encoders) if self._placed else contextlib.nullcontext():
                self._known[key] = self._encode(text, negative, hires)
        return self._known[key]

    def _encode(self, text: str, negative: bool, hires: bool) -> Any:
        from modules import prompt_parser, shared

        host = webuis.current()
        if host is None:
            raise RegionsError(UNKNOWN)
        p = self._p
        size = (p.hr_upscale_to_x, p.hr_upscale_to_y) if hires else (p.width, p.height)
        prompts = prompt_parser.SdConditioning(
            [text], is_negative_prompt=negative, width=size[0], height=size[1]
        )
        with autocast():
            made = host.encode(
                shared.sd_model, prompts, steps(p, hires=False), steps(p, hires=True) if hires else None
            )
        return made[0]


def _encoders() -> list[Any]:
    """The loaded checkpoint's text encoders: CLIP-L, for SDXL OpenCLIP-G behind it."""
    from modules import shared

    sd_model = shared.sd_model
    clip = getattr(getattr(sd_model, "forge_objects", None), "clip", None)
    stage = getattr(clip, "cond_stage_model", None)
    found = [getattr(stage, name, None) for name in ("clip_l", "clip_g")]
    if not any(one is not None for one in found):
        embedders = getattr(getattr(sd_model, "conditioner", None), "embedders", None)
        found = [getattr(one, "wrapped", None) for one in embedders or ()]
    if not any(one is not None for one in found):
        stage = stage if stage is not None else getattr(sd_model, "cond_stage_model", None)
        found = [getattr(stage, "wrapped", stage)]
    return [one for one in found if hasattr(one, "named_modules")]


def steps(p: Any, *, hires: bool) -> int:
    """The UNet's steps in a pass, as the host counts them: some samplers take two a step."""
    if not hires and getattr(p, "firstpass_steps", None):
        return int(p.firstpass_steps)
    wanted = (getattr(p, "hr_second_pass_steps", 0) or p.steps) if hires else p.steps
    name = (getattr(p, "hr_sampler_name", None) if hires else None) or p.sampler_name
    find = getattr(module("modules.sd_samplers"), "find_sampler_config", None)
    config = find(name) if find is not None else None
    return int(config.total_steps(wanted)) if config else int(wanted)


def autocast() -> contextlib.AbstractContextManager[Any]:
    """The autocast context in which the WebUI encodes prompts."""
    make = getattr(module("modules.devices"), "autocast", None)
    return make() if make is not None else contextlib.nullcontext()
