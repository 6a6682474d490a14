"""LoRA files in every usual way of writing them: the same change, whoever named its tensors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lib_extend.errors import UserError
from lib_extend.generation import lora_names
from lib_extend.generation.lora_weights import Strengths, bind_text, bind_unet, read_weights
from tests.generation.small_unet import UNet, changeable, factors, matrix

_RESNET = {
    "in_layers.2": "conv1",
    "out_layers.3": "conv2",
    "emb_layers.1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}
_PLACES = {
    **{f"input_blocks.{i + 1}": ("down_blocks.0", i) for i in range(2)},
    **{f"output_blocks.{i}": ("up_blocks.0", i) for i in range(3)},
}


def of_diffusers(name: str) -> str:
    """A module's name in diffusers, for the small UNet."""
    fixed = {
        "input_blocks.0.0": "conv_in",
        "out.2": "conv_out",
        "input_blocks.3.0.op": "down_blocks.0.downsamplers.0.conv",
        "output_blocks.2.2.conv": "up_blocks.0.upsamplers.0.conv",
    }
    if name in fixed:
        return fixed[name]
    if m := re.match(r"middle_block\.(\d)\.(.+)", name):
        return (
            f"mid_block.attentions.0.{m[2]}"
            if m[1] == "1"
            else f"mid_block.resnets.{int(m[1]) // 2}.{_RESNET[m[2]]}"
        )
    m = re.match(r"(\w+_blocks\.\d+)\.(\d)\.(.+)", name)
    assert m is not None
    level, number = _PLACES[m[1]]
    return (
        f"{level}.attentions.{number}.{m[3]}" if m[2] == "1" else f"{level}.resnets.{number}.{_RESNET[m[3]]}"
    )


def _flat(name: str) -> str:
    return name.replace(".", "_")


KOHYA = {"down": ".lora_down.weight", "up": ".lora_up.weight", "alpha": ".alpha"}
PEFT = {"down": ".lora_A.weight", "up": ".lora_B.weight", "alpha": ".alpha"}
WRITTEN = {
    "kohya, diffusers' names": (lambda n: f"lora_unet_{_flat(of_diffusers(n))}", KOHYA),
    "kohya, the checkpoint's names": (lambda n: f"lora_unet_{_flat(n)}", KOHYA),
    "PEFT": (lambda n: f"unet.{of_diffusers(n)}", PEFT),
    "PEFT, wrapped": (
        lambda n: f"base_model.model.unet.{of_diffusers(n)}",
        {"down": ".lora_A.default.weight", "up": ".lora_B.default.weight", "alpha": ".alpha"},
    ),
    "diffusers": (
        lambda n: f"unet.{of_diffusers(n)}",
        {"down": ".lora.down.weight", "up": ".lora.up.weight", "alpha": ".alpha"},
    ),
    "ComfyUI": (lambda n: f"diffusion_model.{n}", PEFT),
    "LyCORIS": (lambda n: f"lycoris_{_flat(n)}", KOHYA),
}


@pytest.mark.parametrize(("module", "spelling"), WRITTEN.values(), ids=WRITTEN)
def test_every_way_of_writing_is_the_same_change(tmp_path: Path, module: Any, spelling: Any) -> None:
    unet = UNet()
    parts = {n: factors(s, i, "lora") for i, (n, s) in enumerate(changeable(unet).items())}
    path = tmp_path / "a.safetensors"
    save_file({module(n) + spelling[p]: t for n, of in parts.items() for p, t in of.items()}, str(path))
    found = bind_unet(read_weights(path), Strengths(0.5), unet.named_modules())
    assert found.keys() == parts.keys()
    for name, (change,) in found.items():
        made = change.factor * change.delta.matrix()
        torch.testing.assert_close(made, 0.5 * matrix(parts[name], changeable(unet)[name]))


def test_attention_as_diffusers_wrote_it_before_peft(tmp_path: Path) -> None:
    unet = UNet()
    path = tmp_path / "old.safetensors"
    where = "unet.down_blocks.0.attentions.1.transformer_blocks.0.attn2.processor"
    save_file(
        {
            f"{where}.to_out_lora.up.weight": torch.ones(8, 2),
            f"{where}.to_out_lora.down.weight": torch.ones(2, 8),
        },
        str(path),
    )
    assert list(bind_unet(read_weights(path), Strengths(), unet.named_modules())) == [
        "input_blocks.2.1.transformer_blocks.0.attn2.to_out.0"
    ]


class Anima(nn.Module):
    """As much of the DiT as its LoRAs' names speak of."""

    def __init__(self) -> None:
        super().__init__()
        block = nn.ModuleDict(
            {
                kind: nn.ModuleDict({f"{x}_proj": nn.Linear(8, 8) for x in ("q", "k", "v", "output")})
                for kind in ("self_attn", "cross_attn")
            }
            | {"mlp": nn.ModuleDict({"layer1": nn.Linear(8, 16), "layer2": nn.Linear(16, 8)})}
        )
        self.blocks = nn.ModuleList([block])


@pytest.mark.parametrize(
    "prefix", ["lora_unet_blocks_0_cross_attn_q_proj", "diffusion_model.blocks.0.cross_attn.q_proj"]
)
def test_a_lora_for_anima(tmp_path: Path, prefix: str) -> None:
    spelling = KOHYA if prefix.startswith("lora") else PEFT
    path = tmp_path / "anima.safetensors"
    save_file(
        {prefix + spelling["up"]: torch.ones(8, 2), prefix + spelling["down"]: torch.ones(2, 8)}, str(path)
    )
    assert list(bind_unet(read_weights(path), Strengths(), Anima().named_modules())) == [
        "blocks.0.cross_attn.q_proj"
    ]


def test_block_weights_as_the_webuis_extension_counts_them(tmp_path: Path) -> None:
    unet = UNet()
    parts = {n: factors(s, i, "lora") for i, (n, s) in enumerate(changeable(unet).items())}
    path = tmp_path / "a.safetensors"
    save_file(
        {f"lora_unet_{_flat(n)}{KOHYA[p]}": t for n, of in parts.items() for p, t in of.items()}, str(path)
    )
    blocks = [0.0] * 26
    blocks[lora_names.BLOCKS[26].index("IN01")] = 0.25
    blocks[lora_names.BLOCKS[26].index("M00")] = -1.0
    found = bind_unet(read_weights(path), Strengths(2.0, blocks=tuple(blocks)), unet.named_modules())
    inside = {n: c[0].factor / c[0].delta.scale for n, c in found.items()}
    assert {n.partition(".")[0] for n in inside} == {"input_blocks", "middle_block", "out"}
    assert {v for n, v in inside.items() if n.startswith("input_blocks.1.")} == {0.5}
    assert {v for n, v in inside.items() if n.startswith("middle_block")} == {-2.0}
    assert {len(names) for names in lora_names.BLOCKS.values()} == set(lora_names.BLOCKS)


class OpenClip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(8, 16), "c_proj": nn.Linear(16, 8)})


def text_encoders() -> list[nn.Module]:
    """CLIP-L as transformers has it, and OpenCLIP-G, each wrapped as the WebUIs wrap them."""
    layer = nn.ModuleDict(
        {
            "self_attn": nn.ModuleDict({f"{x}_proj": nn.Linear(8, 8) for x in ("q", "k", "v", "out")}),
            "mlp": nn.ModuleDict({"fc1": nn.Linear(8, 16), "fc2": nn.Linear(16, 8)}),
        }
    )
    one = nn.ModuleDict(
        {
            "transformer": nn.ModuleDict(
                {"text_model": nn.ModuleDict({"encoder": nn.ModuleDict({"layers": nn.ModuleList([layer])})})}
            )
        }
    )
    two = nn.ModuleDict(
        {"model": nn.ModuleDict({"transformer": nn.ModuleDict({"resblocks": nn.ModuleList([OpenClip()])})})}
    )
    return [one, two]


@pytest.mark.parametrize("first", ["lora_te1_", "lora_te_"])
def test_text_encoders_in_every_layout(tmp_path: Path, first: str) -> None:
    tensors: dict[str, Tensor] = {}
    for prefix in (first, "lora_te2_"):
        for part, (into, out) in {
            "self_attn_v_proj": (8, 8),
            "self_attn_out_proj": (8, 8),
            "mlp_fc1": (8, 16),
        }.items():
            name = f"{prefix}text_model_encoder_layers_0_{part}"
            tensors[f"{name}.lora_down.weight"] = torch.ones(2, into)
            tensors[f"{name}.lora_up.weight"] = torch.ones(out, 2)
    path = tmp_path / "te.safetensors"
    save_file(tensors, str(path))
    lora = read_weights(path)
    found = bind_text(lora, Strengths(text=0.5), text_encoders())
    assert {n.rpartition("layers.0.")[2] for n in found[0]} == {
        "self_attn.v_proj",
        "self_attn.out_proj",
        "mlp.fc1",
    }
    assert {n.rpartition("resblocks.0.")[2] for n in found[1]} == {"attn", "attn.out_proj", "mlp.c_fc"}
    (change,) = found[1]["model.transformer.resblocks.0.attn"]
    assert change.third == 2 and change.factor == 0.5
    assert bind_text(lora, Strengths(text=0.0), text_encoders()) == {}
    with pytest.raises(UserError, match="second text encoder"):
        bind_text(lora, Strengths(), text_encoders()[:1])


REFUSED = {
    "DoRA": ({"lora_unet_out_2.dora_scale": (4,)}, "DoRA"),
    "whole weights": ({"lora_unet_out_2.diff": (4, 8, 3, 3)}, "whole weights"),
    "OFT": ({"lora_unet_out_2.oft_blocks": (4, 2, 2)}, "OFT"),
    "a checkpoint": ({"model.diffusion_model.out.2.weigth": (4,)}, "not a LoRA"),
    "of no module": ({"bundle_emb.x.string_to_param": (4, 8)}, "not a LoRA"),
    "another size": ({"lora_unet_out_2.lora_down.weight": (2, 9, 3, 3), "lora_unet_out_2.lora_up.weight": (4, 2, 1, 1)}, "does not fit"),
    "another model": ({"lora_unet_input_blocks_7_1_proj_in.lora_down.weight": (2, 8), "lora_unet_input_blocks_7_1_proj_in.lora_up.weight": (8, 2)}, "does not fit"),
    "half of it": ({"lora_unet_out_2.lora_down.weight": (2, 8, 3, 3)}, "has only down"),
}  # fmt: skip


@pytest.mark.parametrize(("shapes", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_applied_is_one_sentence_with_its_name(tmp_path: Path, shapes: Any, said: str) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({name: torch.ones(shape) for name, shape in shapes.items()}, str(path))
    with pytest.raises(UserError) as caught:
        bind_unet(read_weights(path), Strengths(), UNet().named_modules())
    text = str(caught.value)
    assert said in text and "odd" in text and text.count("\n") == 0 and text.endswith(".")


def test_a_cut_off_file_and_no_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"lora_unet_out_2.lora_down.weight": torch.ones(2, 8, 3, 3)}, str(path))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match="damaged"):
        read_weights(path)
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(UserError, match="not a safetensors"):
        read_weights(path)


def test_it_takes_the_memory_of_its_file(tmp_path: Path) -> None:
    """Low-rank kinds are never multiplied out."""
    unet = UNet()
    for kind in ("lora", "tucker", "lokr", "lokr factored", "loha"):
        parts = {n: factors(s, i, kind) for i, (n, s) in enumerate(changeable(unet).items())}
        path = tmp_path / f"{kind}.safetensors"
        names = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight"}
        save_file(
            {f"lora_unet_{_flat(n)}.{names.get(p, p)}": t for n, of in parts.items() for p, t in of.items()},
            str(path),
        )
        lora = read_weights(path)
        bound = bind_unet(lora, Strengths(), unet.named_modules())
        kept = sum(
            t.numel() for changes in bound.values() for c in changes for t in c.delta._tensors.values()
        )  # type: ignore[attr-defined]
        assert kept <= lora.numbers() == sum(t.numel() for of in parts.values() for t in of.values())
