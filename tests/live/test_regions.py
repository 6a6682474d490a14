"""Characters in boxes, over HTTP, in a WebUI that really generates: whatever checkpoint is loaded, SD1.5 or SDXL.

The pictures are small and of few steps, so that a CPU does it too; random weights do. Nothing is saved. What a WebUI
offers is asked of it: its upscalers, and the sizes it makes of ours.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import io
import json
import urllib.error
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from lib_extend.files.safetensors_header import read_header

from .conftest import Live

API = "/prompt-extend/v1"
BASE: dict[str, Any] = {
    "prompt": "",
    "negative_prompt": "lowres",
    "seed": 1,
    "steps": 3,
    "width": 136,
    "height": 72,
    "cfg_scale": 5,
    "sampler_name": "Euler",
    "save_images": False,
    "override_settings": {
        "samples_save": False,
        "grid_save": False,
        "return_grid": False,
        # random text encoders have a mean of 0, by which the WebUIs would divide
        "emphasis": "No norm",
    },
}
LEFT, RIGHT = [0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]
LONG = ", ".join(f"thing number {i}" for i in range(40))
"""More than one chunk of 75 tokens."""

WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch": {"batch_size": 2},
    "two batches": {"n_iter": 2},
    "no guidance": {"cfg_scale": 1},
    "longer negative": {"negative_prompt": LONG},
    "another sampler": {"sampler_name": "DDIM"},
    "hires": {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7},
}


def panel(*characters: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"enabled": True, "characters": list(characters), **more}


TWO = panel(
    {"name": "Aoi", "prompt": "black hair, blue skirt", "box": LEFT, "negative": "blurry"},
    {"name": 'B "b", c: d', "prompt": "white hair, [red:green:0.5] dress", "box": RIGHT, "weight": 1.5},
    scene="indoors",
    base_weight=0.2,
)


class Offers:
    """What a WebUI can do."""

    def __init__(self, live: Live) -> None:
        self.upscaler = self._upscaler(live)
        picture = Made(live.ask("/sdapi/v1/txt2img", {**BASE, "steps": 1})).pictures[0]
        self.height, self.width = picture.shape[:2]

    @staticmethod
    def _upscaler(live: Live) -> str:
        """A latent one where there is one, else any that needs no model."""
        names = []
        for path in ("latent-upscale-modes", "upscalers"):
            with contextlib.suppress(urllib.error.HTTPError):
                names += [row["name"] for row in live.ask(f"/sdapi/v1/{path}")]
        return next(name for name in ("Latent", "Lanczos", "None") if name in names)


class Made:
    """The pictures of an answer as arrays, and what it says of them."""

    def __init__(self, answer: Any) -> None:
        files = [io.BytesIO(base64.b64decode(picture)) for picture in answer["images"]]
        self.pictures = [np.asarray(Image.open(file).convert("RGB")).astype(int) for file in files]
        said = json.loads(answer["info"])
        self.prompts, self.negatives = said["all_prompts"], said["all_negative_prompts"]
        self.infotexts: list[str] = said["infotexts"]

    def off(self, other: Made) -> int:
        """The largest difference of any pixel to another's pictures."""
        assert [p.shape for p in self.pictures] == [p.shape for p in other.pictures]
        return max(int(np.abs(a - b).max()) for a, b in zip(self.pictures, other.pictures, strict=True))


def ask(live: Live, value: Any = None, kind: str = "txt2img", **changes: Any) -> Made:
    offers = offers_of(live)
    wanted = {**BASE, "width": offers.width, "height": offers.height, **changes}
    if kind == "img2img" or wanted.get("enable_hr"):
        # some WebUIs draw the noise of the VAE's encoder without a seed, from where the job before left off: the same
        # job before each picture that is compared
        throw_away = {"width": offers.width, "height": offers.height, "steps": 1}
        live.ask("/sdapi/v1/txt2img", {**BASE, **throw_away})
    if wanted.get("enable_hr"):
        wanted["hr_upscaler"] = offers.upscaler
        wanted.setdefault("hr_additional_modules", ["Use same choices"])
    if value is not None:
        wanted["alwayson_scripts"] = {"Prompt Extend": {"args": [value]}}
    return Made(live.ask(f"/sdapi/v1/{kind}", wanted))


def refused(live: Live, value: Any, **changes: Any) -> str:
    """The error's text. It must be an error."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(live, value, **changes)
    assert caught.value.code in (422, 500)
    return caught.value.read().decode("utf-8", "replace")


@functools.cache
def offers_of(live: Live) -> Offers:
    return Offers(live)


@pytest.fixture(scope="module", autouse=True)
def fits(live: Live) -> None:
    state = live.ask(f"{API}/panel")
    if not state["regions"]:
        pytest.skip(state["reason"])


def picture(height: int, width: int) -> str:
    """A picture with something in it, for img2img."""
    waves = np.add.outer(np.arange(height), np.arange(width))
    file = io.BytesIO()
    Image.fromarray(np.stack([waves, waves * 3, waves * 7], -1).astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_one_region_over_all_is_the_plain_picture(live: Live, changes: dict[str, Any]) -> None:
    """A single character's base prompt is its region's, so its box must not be seen: to a step of 255."""
    value = panel({"prompt": "black hair, [blue:red:0.5] skirt"})
    with_region = ask(live, value, **changes)
    plain = ask(live, prompt=with_region.prompts[0], **changes)
    assert with_region.prompts == plain.prompts
    assert with_region.off(plain) <= 1


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_regions_change_the_picture(live: Live, changes: dict[str, Any]) -> None:
    """Against the same base prompt without regions; swapped boxes are yet another picture."""
    regions, prompt = ask(live, TWO, **changes), ask(live, {**TWO, "mode": "prompt"}, **changes)
    assert regions.prompts == prompt.prompts
    swapped = dict(
        TWO, characters=[{**c, "box": b} for c, b in zip(TWO["characters"], (RIGHT, LEFT), strict=True)]
    )
    assert regions.off(prompt) > 1 and regions.off(ask(live, swapped, **changes)) > 1


def test_pictures_of_a_batch_are_those_made_alone(live: Live) -> None:
    batch = ask(live, TWO, batch_size=2)
    alone = [ask(live, TWO, seed=BASE["seed"] + i) for i in range(2)]
    for i, one in enumerate(alone):
        assert np.abs(batch.pictures[i] - one.pictures[0]).max() <= 1


def test_off_is_off(live: Live) -> None:
    """Before and after pictures with regions, and with the panel off in every way it can be said."""
    first = ask(live, prompt="1girl, black hair")
    ask(live, TWO)
    refused(live, {**TWO, "base_weight": 3})
    for value in (None, "", {"enabled": False}, {**TWO, "enabled": False}, panel()):
        again = ask(live, value, prompt="1girl, black hair")
        assert again.off(first) == 0
        assert "Prompt Extend cast" not in again.infotexts[0] or value == panel()


def test_what_is_outside_of_all_boxes_is_the_base(live: Live) -> None:
    """A weight of 0, a base weight of 1 and an end before the first step leave no region anything."""
    base = ask(
        live, {**TWO, "mode": "prompt", "characters": [{**c, "negative": ""} for c in TWO["characters"]]}
    )
    for change in ({"base_weight": 1.0}, {"end_step": 0.0}):
        same = ask(live, {**TWO, **change})
        assert same.prompts == base.prompts and same.off(base) == 0
    weightless = [{**c, "weight": 0.0} for c in TWO["characters"]]
    assert ask(live, {**TWO, "characters": weightless}).off(base) == 0


@pytest.mark.parametrize("changes", [{}, {"batch_size": 2}, WAYS["hires"]], ids=["plain", "batch", "hires"])
def test_again_from_the_infotext(live: Live, changes: dict[str, Any]) -> None:
    """All that is sent is what the picture says of itself."""
    made = ask(live, TWO, prompt="classroom", **changes)
    for i, text in enumerate(made.infotexts):
        wanted = {"infotext": text, "save_images": False, "override_settings": BASE["override_settings"]}
        wanted["styles"] = []  # Forge's API stumbles over the list that it makes of them
        if "enable_hr" in changes:
            # the WebUIs' own APIs stumble over what an infotext says of these by saying nothing
            wanted["hr_additional_modules"] = ["Use same choices"]
            wanted.update(hr_sampler_name=BASE["sampler_name"], hr_scheduler="Automatic")
            live.ask("/sdapi/v1/txt2img", {**BASE, "steps": 1})  # as before the first, see `ask`
        again = Made(live.ask("/sdapi/v1/txt2img", wanted))
        assert again.prompts == [made.prompts[i]] and again.negatives == [made.negatives[i]]
        assert again.infotexts == [text]
        assert np.abs(again.pictures[0] - made.pictures[i]).max() <= (0 if len(made.pictures) == 1 else 1)


def test_img2img_and_inpaint(live: Live) -> None:
    height, width = offers_of(live).height, offers_of(live).width
    given = {"init_images": [picture(height, width)], "denoising_strength": 0.8, "steps": 5}
    prompt, regions = (ask(live, v, "img2img", **given) for v in ({**TWO, "mode": "prompt"}, TWO))
    assert regions.off(prompt) > 5
    half = np.zeros((height, width), np.uint8)
    half[:, width // 2 :] = 255
    file = io.BytesIO()
    Image.fromarray(half).save(file, "PNG")
    given.update(mask=base64.b64encode(file.getvalue()).decode(), mask_blur=0, inpainting_fill=1)
    prompt, regions = (ask(live, v, "img2img", **given) for v in ({**TWO, "mode": "prompt"}, TWO))
    changed = np.abs(regions.pictures[0] - prompt.pictures[0]).max(-1)
    assert changed[:, width // 2 :].max() > 5 and changed[:, : width // 2].max() == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_weight": 3}, "base_weight"),
        ({"characters": [{"prompt": "a", "box": [0.5, 0, 0.4, 1]}]}, "box"),
        ({"characters": [{"prompt": "a", "colour": "red"}]}, "colour"),
        ({"mode": "latent"}, "mode"),
        ({"version": 99}, "version"),
    ],
)
def test_a_mistake_is_named_and_makes_no_picture(live: Live, change: dict[str, Any], field: str) -> None:
    assert field in refused(live, {**TWO, **change})


def test_what_is_no_cast_is_an_error(live: Live) -> None:
    assert "Prompt Extend" in refused(live, "{not json")


LORA = "prompt_extend_live_test"


@pytest.fixture(scope="module")
def lora(live: Live) -> Iterator[str]:
    """A LoRA with random weights for the loaded checkpoint, in the WebUI's folder while the tests run."""
    folder = Path(live.ask(f"{API}/loras")["folders"][0])
    if not folder.is_dir():
        pytest.skip("the WebUI's LoRA folder is not on this machine")
    checkpoint = Path(live.ask("/sdapi/v1/sd-models")[0]["filename"])
    generator = np.random.default_rng(1)
    tensors = {}
    for name, shape in read_header(checkpoint).shapes.items():
        module = name.removeprefix("model.diffusion_model.").removesuffix(".weight")
        if not name.startswith("model.diffusion_model.") or not name.endswith(".weight") or len(shape) < 2:
            continue
        if module.startswith(("time_embed", "label_emb")):
            continue
        key = f"lora_unet_{module.replace('.', '_')}"
        into = int(np.prod(shape[1:]))
        scale = 1.2 / np.sqrt(into)
        tensors[f"{key}.lora_down.weight"] = (generator.normal(size=(4, *shape[1:])) * scale).astype(
            np.float32
        )
        tensors[f"{key}.lora_up.weight"] = (
            generator.normal(size=(shape[0], 4, *(1 for _ in shape[2:]))) * 0.4
        ).astype(np.float32)
    path = folder / f"{LORA}.safetensors"
    save_file(tensors, str(path))
    try:
        live.ask("/sdapi/v1/refresh-loras", {})
        yield LORA
    finally:
        path.unlink()
        live.ask("/sdapi/v1/refresh-loras", {})


def with_lora(weight: float, **more: Any) -> dict[str, Any]:
    return panel({"prompt": "black hair", "loras": [{"name": LORA, "weight": weight}], **more})


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_a_lora_in_a_box_over_all_is_the_hosts_own(live: Live, lora: str, changes: dict[str, Any]) -> None:
    """To a step of 255, for the prompt and the negative one."""
    in_box = ask(live, with_lora(0.7), **changes)
    hosts = ask(live, prompt=f"{in_box.prompts[0]} <lora:{lora}:0.7>", **changes)
    without = ask(live, prompt=in_box.prompts[0], **changes)
    assert in_box.off(hosts) <= 1 < in_box.off(without)
    assert f"lora:{lora}" not in in_box.prompts[0] and lora in in_box.infotexts[0]


def test_loras_in_halves_act_there(live: Live, lora: str) -> None:
    def halves(left: float, right: float) -> Made:
        weights = zip((LEFT, RIGHT), (left, right), strict=True)
        own = [{"prompt": "black hair", "box": b, "loras": [{"name": lora, "weight": w}]} for b, w in weights]
        return ask(live, panel(*own), steps=1)

    plain, left, right, both = halves(0, 0), halves(0.7, 0), halves(0, 0.7), halves(0.7, 0.7)
    middle = plain.pictures[0].shape[1] // 2
    halves_of = (slice(0, middle), slice(middle, None))
    for one, inside, outside in ((left, *halves_of), (right, *halves_of[::-1])):
        changed = np.abs(one.pictures[0] - plain.pictures[0]).mean(axis=(0, 2))
        assert changed[inside].mean() > 1.5 * changed[outside].mean()
    assert both.off(left) > 1 and both.off(right) > 1


def test_a_lora_without_weight_is_no_lora(live: Live, lora: str) -> None:
    assert ask(live, with_lora(0)).off(ask(live, panel({"prompt": "black hair"}))) == 0
    weightless = panel({"prompt": "black hair", "weight": 0, "loras": [{"name": lora, "weight": 0.7}]})
    assert ask(live, weightless).off(ask(live, panel({"prompt": "black hair", "weight": 0}))) == 0


def test_a_lora_that_is_not_there_makes_no_picture(live: Live) -> None:
    value = panel({"prompt": "a", "loras": [{"name": "surely not here"}]})
    assert "surely not here" in refused(live, value)


def test_a_picture_with_loras_in_boxes_again_from_its_infotext(live: Live, lora: str) -> None:
    made = ask(live, with_lora(0.7))
    wanted = {
        "infotext": made.infotexts[0],
        "save_images": False,
        "styles": [],
        "override_settings": BASE["override_settings"],
    }
    again = Made(live.ask("/sdapi/v1/txt2img", wanted))
    assert again.off(made) == 0 and again.infotexts == made.infotexts
