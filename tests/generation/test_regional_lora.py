"""LoRAs in places against the formula: merged weights, blended by masks that are sampled by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, scaled_dot_product_attention

from lib_extend.errors import UserError
from lib_extend.generation.attention import RegionalAttention
from lib_extend.generation.attention_hooks import AttentionHook
from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import Layout, RegionsError
from lib_extend.generation.cast import WHOLE, Place
from lib_extend.generation.lora_hooks import LoraHooks
from lib_extend.generation.lora_weights import Strengths, bind_unet, read_weights
from lib_extend.generation.masks import shares
from lib_extend.generation.places import columns
from lib_extend.generation.regional_lora import RegionalLoras
from tests.generation.doubles import fine_masks
from tests.generation.small_unet import CONTEXT, HEADS, UNet, changeable, factors, matrix

KINDS = ("lora", "tucker", "lokr", "lokr factored", "loha", "loha tucker")
HALVES = columns(2)
SIZE = (6, 10)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def lora_parts(unet: UNet, seed: int, kind: str = "lora") -> dict[str, dict[str, Tensor]]:
    return {n: factors(s, seed * 1000 + i, kind) for i, (n, s) in enumerate(changeable(unet).items())}


SPELLING = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight"}


def saved(path: Path, parts: dict[str, dict[str, Tensor]]) -> Path:
    """A file as kohya's trainers write them for SDXL."""
    tensors = {
        f"lora_unet_{name.replace('.', '_')}.{SPELLING.get(part, part)}": t.contiguous()
        for name, of in parts.items()
        for part, t in of.items()
    }
    save_file(tensors, str(path))
    return path


def bound(tmp_path: Path, unet: UNet, parts: dict[str, dict[str, Tensor]], strength: float = 1.0) -> Any:
    return bind_unet(
        read_weights(saved(tmp_path / f"{id(parts)}.safetensors", parts)),
        Strengths(strength),
        unet.named_modules(),
    )


class Hooked:
    """A UNet with regions and LoRAs in places, until `end`."""

    def __init__(
        self, unet: UNet, places: dict[int, Any], boxes: tuple[Place, ...], conds: list[Tensor], base: float
    ) -> None:
        self.unet = unet
        weights = (1.0,) * len(boxes)
        loras = RegionalLoras(shares(boxes, weights, 0.0), places)
        picture = Picture(shares(boxes, weights, base), tuple(map(Schedule.of, conds)), (None,) * len(boxes))
        self.regional = RegionalAttention([picture], loras=loras)
        self.call: Any = None
        self.grid = (0, 0)
        self.hooks: list[Any] = [LoraHooks(unet, loras, lambda: self.call is not None)]
        for name, module in unet.named_modules():
            if hasattr(module, "transformer_blocks"):
                self.hooks.append(module.register_forward_pre_hook(self._enter))
            if name.endswith("attn2"):
                self.hooks.append(AttentionHook(module, name, self._state, HEADS, loras=True))

    def _enter(self, module: Any, given: Any) -> None:
        self.grid = tuple(given[0].shape[-2:])

    def _state(self) -> Any:
        return (self.call, self.grid) if self.call is not None else None

    def run(self, x: Tensor, context: Tensor, layout: Layout) -> Tensor:
        self.call = self.regional.call(layout, 0, 10)
        try:
            with torch.no_grad():
                return self.unet(x, context=context)
        finally:
            self.call = None

    def end(self) -> None:
        for hook in self.hooks:
            hook.remove()


def merged(unet: UNet, parts: dict[str, dict[str, Tensor]], strength: float = 1.0) -> UNet:
    """The plain LoRA: as the WebUIs add it to the weights."""
    made = copy.deepcopy(unet)
    for name, of in parts.items():
        weight = made.get_submodule(name).weight
        weight.data += strength * matrix(of, tuple(weight.shape))
    return made


def latent(rows: int, size: tuple[int, int] = SIZE, seed: int = 3) -> Tensor:
    return torch.randn(rows, 4, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def prompt(seed: int, tokens: int = 5) -> Tensor:
    return (
        torch.randn(tokens, CONTEXT, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2
    )


BASE, RED, BLUE, NEGATIVE = (prompt(n) for n in (1, 2, 3, 4))
BOTH = Layout.forge([1, 0], 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_linear", [True, False], ids=["SDXL", "SD15"])
def test_a_mask_of_1_everywhere_is_the_plain_lora(tmp_path: Path, kind: str, is_linear: bool) -> None:
    """To 1e-9 of doubles, where a step of a picture's 255 is 4e-3; prompt and negative prompt, any base weight."""
    unet = UNet(linear=is_linear)
    parts = lora_parts(unet, 7, kind)
    x, context = latent(2), torch.stack([NEGATIVE, BASE])
    for base in (0.0, 0.3):
        hooked = Hooked(unet, {1: bound(tmp_path, unet, parts, 0.7)}, (WHOLE,), [BASE], base)
        found = hooked.run(x, context, BOTH)
        hooked.end()
        with torch.no_grad():
            wanted, without = merged(unet, parts, 0.7)(x, context=context), unet(x, context=context)
        torch.testing.assert_close(found, wanted, atol=1e-9, rtol=1e-9)
        assert (found - without).abs().max() > 0.05


def test_a_mask_of_0_is_without_it_to_the_bit_and_no_hook_is_left(tmp_path: Path) -> None:
    unet = UNet()
    x, context = latent(2), torch.stack([NEGATIVE, BASE])
    with torch.no_grad():
        before = unet(x, context=context)
    changes = bound(tmp_path, unet, lora_parts(unet, 7))
    loras = RegionalLoras(shares((WHOLE,), (0.0,), 0.0), {1: changes})
    assert not loras and not loras.modules()
    nothing = bind_unet(
        read_weights(saved(tmp_path / "b.safetensors", lora_parts(unet, 7))),
        Strengths(0.0),
        unet.named_modules(),
    )
    assert nothing == {}
    hooked = Hooked(unet, {1: changes}, HALVES[:1], [RED], 0.3)
    assert not torch.equal(hooked.run(x, context, BOTH), before)
    with torch.no_grad():
        # a run that is not ours passes the hooks untouched
        assert torch.equal(unet(x, context=context), before)
    hooked.end()
    with torch.no_grad():
        assert torch.equal(unet(x, context=context), before)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in unet.modules())


def test_outside_of_its_box_a_layer_is_untouched_to_the_bit(tmp_path: Path) -> None:
    unet = UNet(linear=False)
    parts = lora_parts(unet, 7)
    loras = RegionalLoras(shares(HALVES[:1], (1.0,), 0.0), {1: bound(tmp_path, unet, parts)})
    name = "input_blocks.1.0.in_layers.2"
    conv, x = unet.get_submodule(name), torch.randn(2, 8, *SIZE, dtype=torch.float64)
    with torch.no_grad():
        out = conv(x)
        changed = out.clone()
        loras.add_grid(name, conv, x, changed)
        whole = conv2d(x, conv.weight + matrix(parts[name], tuple(conv.weight.shape)), conv.bias, padding=1)
    assert torch.equal(changed[..., 5:], out[..., 5:])
    torch.testing.assert_close(changed[..., :5], whole[..., :5])


class Blended(nn.Module):
    """A layer as the formula says: each place's merged weights, blended by its mask."""

    def __init__(
        self, module: Any, of: dict[int, Tensor], masks: Callable[[tuple[int, int]], list[Tensor]], grid: Any
    ) -> None:
        super().__init__()
        self.module, self.of, self.masks, self.grid = module, of, masks, grid

    def made(self, place: int, x: Tensor) -> Tensor:
        weight = self.module.weight + self.of.get(place, 0)
        if weight.dim() == 2:
            return linear(x, weight, self.module.bias)
        return conv2d(x, weight, self.module.bias, self.module.stride, self.module.padding)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 4 and self.module.weight.dim() == 4:
            first = self.made(0, x)
            size = tuple(first.shape[-2:])
            return sum(m.view(size) * self.made(p, x) for p, m in enumerate(self.masks(size)))  # type: ignore[return-value]
        if x.dim() == 2:  # of the time
            size = self.grid[0]
            return sum(
                m.view(size) * self.made(p, x)[..., None, None] for p, m in enumerate(self.masks(size))
            )  # type: ignore[return-value]
        return sum(m * self.made(p, x) for p, m in enumerate(self.masks(self.grid[0])))  # type: ignore[return-value]


def by_the_formula(
    unet: UNet,
    loras: dict[int, dict[str, Tensor]],
    boxes: tuple[Place, ...],
    conds: list[Tensor],
    base: float,
) -> Callable[[Tensor, Tensor, list[bool]], Tensor]:
    """The UNet with regions and LoRAs in places, layer by layer as it is written down."""
    made = copy.deepcopy(unet)
    grid: list[Any] = [None]
    weights = [1.0] * len(boxes)
    negative_rows: list[list[bool]] = [[]]

    def masks(size: tuple[int, int]) -> list[Tensor]:
        return fine_masks(boxes, weights, 0.0, *size)

    for name in changeable(made):
        of = {place: changes[name] for place, changes in loras.items() if name in changes}
        outer, _, last = name.rpartition(".")
        setattr(made.get_submodule(outer), last, Blended(made.get_submodule(name), of, masks, grid))
    for module in made.modules():
        if hasattr(module, "transformer_blocks") or hasattr(module, "emb_layers"):
            module.register_forward_pre_hook(lambda m, given: grid.__setitem__(0, tuple(given[0].shape[-2:])))
        attn2 = getattr(module, "attn2", None)
        if attn2 is not None:
            attn2.forward = attention(attn2, grid, boxes, weights, conds, base, masks, negative_rows)

    def run(x: Tensor, context: Tensor, negative: list[bool]) -> Tensor:
        negative_rows[0] = negative
        with torch.no_grad():
            return made(x, context=context)

    return run


def attention(
    attn: Any, grid: Any, boxes: Any, weights: Any, conds: Any, base: float, masks: Any, rows: Any
) -> Any:
    def forward(x: Tensor, context: Tensor) -> Tensor:
        q = attn.to_q(x)

        def answer(row: int, of: Tensor, place: int) -> Tensor:
            k, v = attn.to_k.made(place, of[None]), attn.to_v.made(place, of[None])
            q1, k1, v1 = (t.unflatten(-1, (HEADS, -1)).transpose(1, 2) for t in (q[row : row + 1], k, v))
            return scaled_dot_product_attention(q1, k1, v1).transpose(1, 2).flatten(2)[0]

        places, given = masks(grid[0]), fine_masks(boxes, weights, base, *grid[0])
        outs = []
        for row, negative in enumerate(rows[0]):
            of_base = sum(m * answer(row, context[row], p) for p, m in enumerate(places))
            if negative:
                outs.append(of_base)
            else:
                outs.append(
                    given[0] * of_base + sum(given[r] * answer(row, c, r) for r, c in enumerate(conds, 1))
                )
        return attn.to_out(torch.stack(outs))

    return forward


LAYOUTS = {
    "joined": BOTH,
    "prompt alone": Layout.forge([0], 1),
    "negative alone": Layout.forge([1], 1),
    "two pictures": Layout.forge([1, 0], 4),
    "composed": Layout.forge([1, 0, 0], 3),
    "a1111": Layout.a1111([1, 1]),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("size", [SIZE, (9, 15)], ids=["first pass", "hires"])
def test_two_loras_in_two_halves_are_the_formula(
    tmp_path: Path, layout: Layout, size: tuple[int, int]
) -> None:
    unet = UNet(linear=False)
    left, right = lora_parts(unet, 7), lora_parts(unet, 8, "lokr")
    places = {1: bound(tmp_path, unet, left), 2: bound(tmp_path, unet, right, -0.5)}
    x = latent(len(layout), size)
    context = torch.stack([NEGATIVE if row.negative else BASE for row in layout])
    hooked = Hooked(unet, places, HALVES, [RED, BLUE], 0.3)
    hooked.regional.pictures = (hooked.regional.pictures[0],) * layout.images
    found = hooked.run(x, context, layout)
    hooked.end()
    matrices = {
        place: {n: strength * matrix(of, changeable(unet)[n]) for n, of in parts.items()}
        for place, parts, strength in ((1, left, 1.0), (2, right, -0.5))
    }
    wanted = by_the_formula(unet, matrices, HALVES, [RED, BLUE], 0.3)(
        x, context, [r.negative for r in layout]
    )
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)  # the sampled masks are of float32


def test_overlapping_boxes_a_background_and_soft_edges(tmp_path: Path) -> None:
    unet = UNet()
    boxes: tuple[Place, ...] = ((0.125, 0.0, 0.625, 0.75), (0.5, 0.25, 1.0, 1.0))
    parts = [lora_parts(unet, n) for n in (5, 6, 7)]
    places = {i: bound(tmp_path, unet, p) for i, p in enumerate(parts)}
    x, context = latent(2), torch.stack([NEGATIVE, BASE])
    hooked = Hooked(unet, places, boxes, [RED, BLUE], 0.25)
    found = hooked.run(x, context, BOTH)
    hooked.end()
    matrices = {i: {n: matrix(of, changeable(unet)[n]) for n, of in p.items()} for i, p in enumerate(parts)}
    wanted = by_the_formula(unet, matrices, boxes, [RED, BLUE], 0.25)(x, context, [True, False])
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)  # the sampled masks are of float32


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-2), (torch.bfloat16, 2e-1)])
def test_half_precision(tmp_path: Path, dtype: torch.dtype, tolerance: float) -> None:
    """As far from the exact result as the same UNet without any LoRA is, but for a small factor."""
    unet = UNet()
    parts = lora_parts(unet, 7)
    hooked = Hooked(unet, {1: bound(tmp_path, unet, parts)}, HALVES[:1], [RED], 0.3)
    x, context = latent(2), torch.stack([NEGATIVE, BASE])
    exact = hooked.run(x, context, BOTH)
    hooked.end()
    rough = copy.deepcopy(unet).to(dtype)
    hooked = Hooked(rough, {1: bound(tmp_path, rough, parts)}, HALVES[:1], [RED], 0.3)
    found = hooked.run(x.to(dtype), context.to(dtype), BOTH)
    hooked.end()
    assert found.dtype == dtype
    assert (found.double() - exact).abs().max() < tolerance * exact.abs().max()


def test_what_merges_tokens_is_refused(tmp_path: Path) -> None:
    unet = UNet()
    loras = RegionalLoras(shares((WHOLE,), (1.0,), 0.0), {1: bound(tmp_path, unet, lora_parts(unet, 7))})
    name = "middle_block.1.transformer_blocks.0.attn1.to_q"
    with pytest.raises(RegionsError, match="merges tokens"):
        loras.add_tokens(name, torch.zeros(1, 11, 8), torch.zeros(1, 11, 8), (3, 5))


def test_what_has_no_place_is_refused(tmp_path: Path) -> None:
    unet = UNet()
    parts = {"time_embed.0": factors((6, 4), 1, "lora")}
    loras = RegionalLoras(shares((WHOLE,), (1.0,), 0.0), {1: bound(tmp_path, unet, parts)})
    with pytest.raises(UserError, match=r"time_embed\.0.*<lora:"):
        LoraHooks(unet, loras, lambda: True)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in unet.modules())
