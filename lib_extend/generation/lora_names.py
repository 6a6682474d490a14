"""Parse the names of a LoRA file's tensors: which module of which model, and which part of its change.

    lora_unet_down_blocks_1_attentions_0_proj_in.lora_down.weight     kohya's, by diffusers' names of modules
    lora_unet_input_blocks_4_1_proj_in.lora_down.weight               kohya's for SDXL, by the checkpoint's own names
    unet.down_blocks.1.attentions.0.proj_in.lora_A.weight             diffusers and PEFT
    diffusion_model.blocks.0.self_attn.q_proj.lora_A.weight           ComfyUI's, for Anima and its like
    lycoris_blocks_0_self_attn_q_proj.lokr_w1                         LyCORIS by itself

The names are compared with the modules' own, all dots written as `_`, as every WebUI does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

UNET, TEXT, TEXT2 = "unet", "text", "text2"
"""The parts of a checkpoint: what denoises, its text encoder, and its second one (SDXL)."""

_WRAPPER = "base_model.model."
_PREFIXES = (
    ("lora_unet_", UNET),
    ("lora_transformer_", UNET),
    ("lycoris_", UNET),
    ("model.diffusion_model.", UNET),
    ("diffusion_model.", UNET),
    ("unet.", UNET),
    ("transformer.", UNET),
    ("lora_te1_", TEXT),
    ("lora_te2_", TEXT2),
    ("lora_te_", TEXT),
    ("text_encoder_2.", TEXT2),
    ("text_encoder.", TEXT),
    ("text_encoders.clip_g.transformer.", TEXT2),
    ("text_encoders.clip_l.transformer.", TEXT),
    ("text_encoders.qwen3_06b.transformer.", TEXT),
)
_SPELLINGS = {
    "down": ("lora_down.weight", "lora_A.weight", "lora_A.default.weight", "lora.down.weight",
             "lora_linear_layer.down.weight"),
    "up": ("lora_up.weight", "lora_B.weight", "lora_B.default.weight", "lora.up.weight",
           "lora_linear_layer.up.weight"),
    "mid": ("lora_mid.weight",),
    "alpha": ("alpha",),
    **{part: (part,) for part in (
        "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2",
        "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2",
    )},
}  # fmt: skip
_UNKNOWN = {
    "DoRA": ("dora_scale", "lora_magnitude_vector", "lora_magnitude_vector.weight", "lora_magnitude_vector.default.weight"),
    "whole weights": ("diff", "diff_b", "set_weight"),
    "norms": ("w_norm", "b_norm"),
    "OFT": ("oft_blocks", "oft_diag"),
    "(IA)³": ("weight", "on_input"),
    "GLoRA": ("a1.weight", "a2.weight", "b1.weight", "b2.weight"),
    "biases": ("bias", "lora_up.bias", "lora_B.bias"),
}  # fmt: skip
PARTS = {f".{text}": part for part, texts in _SPELLINGS.items() for text in texts}
KINDS = {f".{text}": kind for kind, texts in _UNKNOWN.items() for text in texts}
_OLD = re.compile(r"\.processor\.(to_[qkv]|to_out)_lora\.(down|up)\.weight$")
"""As diffusers wrote attention before PEFT."""
_EMBEDDING = "bundle_emb."
"""Textual inversions that travel in a LoRA's file; the WebUIs take them by themselves."""


@dataclass(frozen=True)
class TensorName:
    """Where a tensor belongs.

    Attributes:
        model: `UNET`, `TEXT` or `TEXT2`. module: its name in there with `_` for dots, as the file has it.
        part: which part of the module's change, a key of the spellings above; "" where it is of a kind that is not
            applied here. kind: that kind's name.
    """

    model: str
    module: str
    part: str
    kind: str = ""


def parsed(name: str) -> TensorName | None:
    """What a tensor's name says, None for one that has no place in a model.

    Raises:
        ValueError: it is no name of a LoRA's tensor.
    """
    if name.startswith(_EMBEDDING):
        return None
    rest = name.removeprefix(_WRAPPER)
    found = next(((p, m) for p, m in _PREFIXES if rest.startswith(p)), None)
    # LyCORIS and PEFT write the model's own names bare where only one model was trained
    prefix, model = found or ("", UNET)
    rest = rest[len(prefix) :]
    if old := _OLD.search(rest):
        module = f"{rest[: old.start()]}.{'to_out.0' if old[1] == 'to_out' else old[1]}"
        return TensorName(model, _flat(module), old[2])
    for table, is_part in ((PARTS, True), (KINDS, False)):
        for suffix in sorted(table, key=len, reverse=True):
            if rest.endswith(suffix) and len(rest) > len(suffix):
                module = _flat(rest[: -len(suffix)])
                kind = table[suffix]
                return TensorName(model, module, kind) if is_part else TensorName(model, module, "", kind)
    raise ValueError(name)


def _flat(name: str) -> str:
    return name.replace(".", "_")


_RESNET = {
    "conv1": "in_layers_2",
    "conv2": "out_layers_3",
    "norm1": "in_layers_0",
    "norm2": "out_layers_0",
    "time_emb_proj": "emb_layers_1",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "conv_in": "input_blocks_0_0",
    "conv_out": "out_2",
    "time_embedding_linear_1": "time_embed_0",
    "time_embedding_linear_2": "time_embed_2",
    "add_embedding_linear_1": "label_emb_0_0",
    "add_embedding_linear_2": "label_emb_0_2",
}
_DOWN = re.compile(r"down_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)")
_MIDDLE = re.compile(r"mid_block_(attentions|resnets)_(\d+)_(.+)")
_UP = re.compile(r"up_blocks_(\d+)_(attentions|resnets)_(\d+)_(.+)")
_SAMPLER = re.compile(r"(down|up)_blocks_(\d+)_(?:down|up)samplers_0_conv")


def unet_names(module: str) -> Sequence[str]:
    """The names under which a UNet's module may be found, the file's own first; then those of the checkpoint's
    layout for diffusers' (Stable Diffusion 1.5 and SDXL have two residual blocks a level)."""
    return (module, *_of_diffusers(module))


def _of_diffusers(module: str) -> Sequence[str]:
    if module in _ENDS:
        return (_ENDS[module],)
    if m := _SAMPLER.fullmatch(module):
        level = int(m[2])
        if m[1] == "down":
            return (f"input_blocks_{3 * level + 3}_0_op",)
        # behind the level's last attention, or its last residual block where it has none
        return tuple(f"output_blocks_{3 * level + 2}_{place}_conv" for place in (2, 1))
    for pattern, side, first in ((_DOWN, "input", 1), (_UP, "output", 0)):
        if m := pattern.fullmatch(module):
            place = 3 * int(m[1]) + int(m[3]) + first
            return (f"{side}_blocks_{place}_{_inner(m[2], m[4])}",)
    if m := _MIDDLE.fullmatch(module):
        if m[1] == "attentions":
            return (f"middle_block_1_{m[3]}",)
        return (f"middle_block_{2 * int(m[2])}_{_RESNET.get(m[3], m[3])}",)
    return ()


def _inner(kind: str, rest: str) -> str:
    return f"1_{rest}" if kind == "attentions" else f"0_{_RESNET.get(rest, rest)}"


_OPEN_CLIP = (("self_attn_out_proj", "attn_out_proj"), ("mlp_fc1", "mlp_c_fc"), ("mlp_fc2", "mlp_c_proj"))
_PROJECTION = re.compile(r"self_attn_([qkv])_proj")
_LAYER = re.compile(r"(?:text_model_)?encoder_layers_(\d+)_(.+)")


def text_names(module: str) -> Sequence[tuple[str, int | None]]:
    """The names under which a text encoder's module may be found, as ends of its full name, and which third of it is
    meant where queries, keys and values are one weight (OpenCLIP)."""
    found: list[tuple[str, int | None]] = [(module, None)]
    if m := _LAYER.fullmatch(module):
        if q := _PROJECTION.fullmatch(m[2]):
            found.append((f"resblocks_{m[1]}_attn", "qkv".index(q[1])))
        found += [(f"resblocks_{m[1]}_{theirs}", None) for ours, theirs in _OPEN_CLIP if m[2] == ours]
    return found


BLOCKS: dict[int, tuple[str, ...]] = {
    12: ("BASE", "IN04", "IN05", "IN07", "IN08", "M00", *(f"OUT{n:02}" for n in range(6))),
    17: ("BASE", "IN01", "IN02", "IN04", "IN05", "IN07", "IN08", "M00", *(f"OUT{n:02}" for n in range(3, 12))),
    20: ("BASE", *(f"IN{n:02}" for n in range(9)), "M00", *(f"OUT{n:02}" for n in range(9))),
    26: ("BASE", *(f"IN{n:02}" for n in range(12)), "M00", *(f"OUT{n:02}" for n in range(12))),
}  # fmt: skip
"""Which block each of 12 or 20 numbers (SDXL), 17 or 26 (Stable Diffusion 1.5) belongs to, as the WebUIs' extension for
block weights counts them; BASE is the text encoders."""

_BLOCK = re.compile(r"(input_blocks|middle_block|output_blocks)_(\d+)")


def block_of(module: str) -> str:
    """The block of a UNet's module by its name in the checkpoint (`input_blocks_4_1_proj_in` is IN04), or ""."""
    m = _BLOCK.match(module)
    if m is None:
        return ""
    return "M00" if m[1] == "middle_block" else f"{'IN' if m[1] == 'input_blocks' else 'OUT'}{int(m[2]):02}"
