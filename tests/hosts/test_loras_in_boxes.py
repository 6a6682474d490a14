"""LoRAs in boxes through the adapters of A1111 and of the Forge family: hooks of the run's own, and nothing is left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_extend.errors import UserError
from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.cast import Cast, Character, Lora
from lib_extend.generation.masks import shares
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.generation.places import columns
from lib_extend.host import conds
from lib_extend.host.a1111 import A1111
from lib_extend.host.forge import Forge
from tests.generation.doubles import cond
from tests.hosts import forge_unet, test_a1111_regions

STEPS = 4
RED, BASE, NEGATIVE = cond(2), cond(1), cond(4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class OfA1111:
    """A step of A1111 with its UNet."""

    adapter = A1111

    def __init__(self) -> None:
        self.unet: nn.Module = test_a1111_regions.UNet()

    def p(self) -> Any:
        return test_a1111_regions.Run.of(self.unet)  # type: ignore[arg-type]

    def step(self, p: Any, x: Tensor) -> Tensor:
        made: Tensor = p.step(x, [[BASE]] * len(x), torch.stack([NEGATIVE] * len(x)))
        return made


class OfForge:
    """A step of Forge with its UNet."""

    adapter = Forge

    def __init__(self) -> None:
        self.unet: nn.Module = forge_unet.UNet()

    def p(self) -> Any:
        return forge_unet.run(forge_unet.Checkpoint(self.unet))

    def step(self, p: Any, x: Tensor) -> Tensor:
        rows = [torch.stack([c] * len(x)) for c in (NEGATIVE, BASE)]
        made: Tensor = p.sampler.model_wrap_cfg(x, [(1, rows[0]), (0, rows[1])])
        return made


@pytest.fixture(params=[OfA1111, OfForge], ids=["A1111", "Forge"])
def host(request: pytest.FixtureRequest) -> Any:
    return request.param()


def lora_file(folder: Path, unet: nn.Module, seed: int = 1) -> tuple[Path, dict[str, Tensor]]:
    """A LoRA of all linear and convolution layers, and what it adds to each weight."""
    g = torch.Generator().manual_seed(seed)
    tensors, added = {}, {}
    for name, module in unet.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            out, into, *kernel = module.weight.shape
            down = torch.randn(2, into, *kernel, generator=g, dtype=torch.float64) * 0.3
            up = torch.randn(out, 2, *(1 for _ in kernel), generator=g, dtype=torch.float64) * 0.3
            key = f"lora_unet_{name.replace('.', '_')}"
            tensors |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}
            added[name] = (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
    path = folder / "blue.safetensors"
    save_file(tensors, str(path))
    return path, added


def merged(unet: nn.Module, added: dict[str, Tensor], weight: float) -> nn.Module:
    made = copy.deepcopy(unet)
    for name, change in added.items():
        made.get_submodule(name).weight.data += weight * change
    return made


def picture(cast: Cast, *prompts: Tensor) -> Picture:
    boxes, weights = [c.box for c in cast.characters], [c.weight for c in cast.characters]
    return Picture(
        shares(boxes, weights, cast.base_weight), tuple(map(Schedule.of, prompts)), (None,) * len(boxes)
    )


def hooked(unet: nn.Module) -> bool:
    return any(m._forward_hooks or m._forward_pre_hooks for m in unet.modules())


def run(
    host: Any,
    cast: Cast,
    find: Callable[[str], Path | None],
    *prompts: Tensor,
    rows: int = 1,
    size: tuple[int, int] = (8, 12),
) -> Tensor:
    p = host.p()
    adapter = host.adapter(p)
    x = forge_unet.latent(rows, *size)
    adapter.begin([picture(cast, *prompts)] * rows, x, STEPS, PlacedLoras(cast, find))
    try:
        assert hooked(host.unet)
        return host.step(p, x)
    finally:
        adapter.end()
        assert not hooked(host.unet)


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("size", [(8, 12), (9, 13)], ids=["even", "odd"])
def test_a_box_over_all_is_the_hosts_own_lora(
    host: Any, tmp_path: Path, rows: int, size: tuple[int, int]
) -> None:
    path, added = lora_file(tmp_path, host.unet)
    cast = Cast((Character(prompt="a", loras=(Lora("blue", 0.5),)),))
    found = run(host, cast, lambda name: path, RED, rows=rows, size=size)
    plain = host.__class__()
    plain.unet = merged(host.unet, added, 0.5)
    without = replace_loras(cast)
    p = plain.p()
    adapter = plain.adapter(p)
    x = forge_unet.latent(rows, *size)
    adapter.begin([picture(without, RED)] * rows, x, STEPS)
    wanted = plain.step(p, x)
    adapter.end()
    torch.testing.assert_close(found, wanted, atol=1e-9, rtol=1e-9)


def replace_loras(cast: Cast) -> Cast:
    return Cast(tuple(Character(prompt=c.prompt, box=c.box) for c in cast.characters))


def test_each_half_is_its_own_loras(host: Any, tmp_path: Path) -> None:
    """Where layers only look at their own place, a half is what the plain LoRA makes of it: here the first convolution."""
    path, added = lora_file(tmp_path, host.unet)
    left, right = (Character(prompt="a", box=box) for box in columns(2))
    one = Cast((Character(prompt="a", box=left.box, loras=(Lora("blue"),)), right))
    name = next(n for n, m in host.unet.named_modules() if isinstance(m, nn.Conv2d))
    seen: list[Tensor] = []
    p = host.p()
    adapter = host.adapter(p)
    x = forge_unet.latent(1, 8, 12)
    adapter.begin([picture(one, RED, RED)], x, STEPS, PlacedLoras(one, lambda _: path))
    watch = host.unet.get_submodule(name).register_forward_hook(
        lambda m, given, out: seen.append(out.clone())
    )
    host.step(p, x)
    adapter.end()
    watch.remove()
    with torch.no_grad():
        plain = host.unet.get_submodule(name)(x)
        whole = merged(host.unet, added, 1.0).get_submodule(name)(x)
    assert torch.equal(seen[0][0, :, :, 6:], plain[0, :, :, 6:])
    torch.testing.assert_close(seen[0][0, :, :, :6], whole[0, :, :, :6])


def test_a_weight_of_0_is_without_it_to_the_bit(host: Any, tmp_path: Path) -> None:
    path, _ = lora_file(tmp_path, host.unet)
    plain = run_plain(host, Cast((Character(prompt="a"),)))
    for lora, weight in ((Lora("blue", 0.0, 1.0), 1.0), (Lora("blue"), 0.0)):
        cast = Cast((Character(prompt="a", weight=weight, loras=(lora,)),), base_weight=0.3)
        if weight:
            assert torch.equal(run_quiet(host, cast, path), plain)
        else:
            assert torch.equal(run_quiet(host, cast, path), run_plain(host, cast))


def run_plain(host: Any, cast: Cast) -> Tensor:
    p = host.p()
    adapter = host.adapter(p)
    x = forge_unet.latent(1, 8, 12)
    adapter.begin([picture(cast, RED)], x, STEPS)
    found: Tensor = host.step(p, x)
    adapter.end()
    return found


def run_quiet(host: Any, cast: Cast, path: Path) -> Tensor:
    return run(host, cast, lambda name: path, RED)


@pytest.mark.parametrize("fault", ["gone", "another checkpoint's"])
def test_what_cannot_be_applied_is_one_sentence_and_leaves_no_hook(
    host: Any, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "blue.safetensors"
    save_file(
        {
            "lora_unet_nowhere.lora_down.weight": torch.ones(2, 4),
            "lora_unet_nowhere.lora_up.weight": torch.ones(4, 2),
        },
        str(path),
    )
    cast = Cast((Character(prompt="a", loras=(Lora("blue"),)),))
    p = host.p()
    adapter = host.adapter(p)
    placed = PlacedLoras(cast, lambda name: None if fault == "gone" else path)
    with pytest.raises(UserError, match=r"^The LoRA blue .*\.$"):
        adapter.begin([picture(cast, RED)], forge_unet.latent(1, 8, 12), STEPS, placed)
    adapter.end()
    assert not hooked(host.unet)


class Clip(nn.Module):
    """A text encoder's one layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.text_model = nn.ModuleDict(
            {
                "encoder": nn.ModuleDict(
                    {
                        "layers": nn.ModuleList(
                            [nn.ModuleDict({"mlp": nn.ModuleDict({"fc1": nn.Linear(4, 4)})})]
                        )
                    }
                )
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.text_model["encoder"]["layers"][0]["mlp"]["fc1"](x)  # type: ignore[index]
        return made


class OpenClip(nn.Module):
    """OpenCLIP's, with queries, keys and values in one weight."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.resblocks = nn.ModuleList(
            [nn.ModuleDict({"attn": nn.MultiheadAttention(4, 2, batch_first=True)})]
        )

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.resblocks[0]["attn"](x, x, x, need_weights=False)[0]  # type: ignore[index]
        return made


def test_the_text_encoders_part_acts_in_its_own_prompt_only(tmp_path: Path) -> None:
    g = torch.Generator().manual_seed(5)
    tensors = {}
    for name in (
        "lora_te1_text_model_encoder_layers_0_mlp_fc1",
        *(f"lora_te2_text_model_encoder_layers_0_self_attn_{x}_proj" for x in ("v", "out")),
    ):
        tensors |= {
            f"{name}.lora_down.weight": torch.randn(2, 4, generator=g),
            f"{name}.lora_up.weight": torch.randn(4, 2, generator=g),
        }
    path = tmp_path / "blue.safetensors"
    save_file(tensors, str(path))
    one, two = Clip().eval(), OpenClip().eval()
    x = torch.randn(1, 3, 4, generator=g)
    lora = Lora("blue", 1.0, 0.5)
    placed = PlacedLoras(Cast((Character(prompt="a", loras=(lora,)),)), lambda name: path)

    def delta(name: str) -> Tensor:
        return 0.5 * tensors[f"{name}.lora_up.weight"] @ tensors[f"{name}.lora_down.weight"]

    with torch.no_grad():
        before = one(x), two(x)
        with placed.encoding((lora,), lambda: [one, two]):
            within = one(x), two(x)
        after = one(x), two(x)
        changed, other = copy.deepcopy(one), copy.deepcopy(two)
        changed.text_model["encoder"]["layers"][0]["mlp"]["fc1"].weight += delta(
            "lora_te1_text_model_encoder_layers_0_mlp_fc1"
        )  # type: ignore[index,operator,union-attr]
        attn: Any = other.resblocks[0]["attn"]  # type: ignore[index]
        attn.in_proj_weight[8:] += delta("lora_te2_text_model_encoder_layers_0_self_attn_v_proj")
        attn.out_proj.weight += delta("lora_te2_text_model_encoder_layers_0_self_attn_out_proj")
        wanted = changed(x), other(x)
    for i in (0, 1):
        torch.testing.assert_close(within[i], wanted[i])
        assert torch.equal(before[i], after[i]) and not torch.allclose(before[i], within[i])
    assert not hooked(one) and not hooked(two)
    with placed.encoding((), lambda: pytest.fail("asked for no reason")):
        pass


@pytest.mark.parametrize(
    "sd_model",
    [
        SimpleNamespace(cond_stage_model=SimpleNamespace(wrapped=Clip())),
        SimpleNamespace(
            conditioner=SimpleNamespace(
                embedders=[
                    SimpleNamespace(wrapped=Clip()),
                    SimpleNamespace(wrapped=OpenClip()),
                    SimpleNamespace(),
                ]
            )
        ),
        SimpleNamespace(
            forge_objects=SimpleNamespace(
                clip=SimpleNamespace(cond_stage_model=SimpleNamespace(clip_l=Clip(), clip_g=Clip()))
            )
        ),
    ],
    ids=["A1111", "A1111, SDXL", "Forge, SDXL"],
)
def test_where_the_text_encoders_are(monkeypatch: pytest.MonkeyPatch, sd_model: Any) -> None:
    import sys

    modules: Any = SimpleNamespace(shared=SimpleNamespace(sd_model=sd_model), __path__=[])
    monkeypatch.setitem(sys.modules, "modules", modules)
    found = conds._encoders()
    assert isinstance(found[0], Clip) and len(found) == (1 if hasattr(sd_model, "cond_stage_model") else 2)
