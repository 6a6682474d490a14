"""The sketch vision-language model: its shape, its folder, and a forward pass made for training.

The model is an ordinary `Qwen2VLForConditionalGeneration` of about 3.8 million parameters. The forward
passes here compute what transformers' own do, but for a batch of pictures of equal size and for many
questions behind one picture; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from lib_extend.sketch.vlm_tokenizer import SPECIAL, save_tokenizer, write_json

PATCH = 14
MERGE = 2
CELL = PATCH * MERGE
"""Pixels of the side of a cell: what one visual token stands for."""

MAX_PIXELS = 392 * 392
MIN_PIXELS = round(0.85 * MAX_PIXELS)
"""Every picture is brought to about one size, small ones too: 150 to 196 visual tokens."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Qwen2-VL's pixel normalisation, of values in 0…1."""

HIDDEN = 192

SECTIONS = [4, 6, 6]
"""How the rotary frequencies are shared out among time, row and column."""

VISION: dict[str, Any] = {
    "depth": 4,
    "embed_dim": 192,
    "hidden_size": HIDDEN,
    "hidden_act": "silu",
    "mlp_ratio": 4,
    "num_heads": 3,
    "in_channels": 3,
    "in_chans": 3,
    "patch_size": PATCH,
    "spatial_merge_size": MERGE,
    "spatial_patch_size": PATCH,
    "temporal_patch_size": 2,
}


def make_config(vocabulary: int) -> Any:
    """The `Qwen2VLConfig` for a vocabulary of this many entries."""
    from transformers import Qwen2VLConfig

    def token(name: str) -> int:
        return SPECIAL.index(name)

    return Qwen2VLConfig(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        hidden_act="silu",
        max_position_embeddings=8192,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        rope_theta=10000.0,
        rope_scaling={"type": "mrope", "mrope_section": SECTIONS},
        bos_token_id=token("<|endoftext|>"),
        eos_token_id=token("<|im_end|>"),
        pad_token_id=token("<|endoftext|>"),
        vision_config=VISION,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )


def flat_config(vocabulary: int) -> dict[str, Any]:
    """`config.json` in the flat layout of the published Qwen2-VL models, which 4.x and 5.x both read."""
    text = make_config(vocabulary).to_dict()["text_config"]
    kept = (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "hidden_act", "max_position_embeddings", "rms_norm_eps",
        "bos_token_id", "eos_token_id", "pad_token_id",
    )  # fmt: skip
    names = ("image", "video", "vision_start", "vision_end")
    return {
        **{k: text[k] for k in kept},
        "architectures": ["Qwen2VLForConditionalGeneration"],
        "model_type": "qwen2_vl",
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "rope_theta": 10000.0,
        "rope_scaling": {"type": "mrope", "mrope_section": SECTIONS},
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "use_sliding_window": False,
        "vision_config": VISION,
        **{f"{n}_token_id": SPECIAL.index(f"<|{n}{'_pad' if n in names[:2] else ''}|>") for n in names},
    }


def save_model(model: Any, tokenizer: Any, directory: Path) -> None:
    """Writes the whole model folder: weights in float16, configuration, tokenizer and processor."""
    from safetensors.torch import save_file

    directory.mkdir(parents=True, exist_ok=True)
    weights = {}
    for name, value in model.state_dict().items():
        # The published names: `visual.` and `model.` at the top; every release maps them to its own.
        name = name.replace("model.visual.", "visual.").replace("model.language_model.", "model.")
        if name != "lm_head.weight":  # tied to the embedding
            weights[name] = value.detach().to(torch.float16).contiguous()
    save_file(weights, str(directory / "model.safetensors"), metadata={"format": "pt"})
    save_tokenizer(tokenizer, directory)
    write_json(directory / "config.json", flat_config(tokenizer.get_vocab_size()))
    end, pad = SPECIAL.index("<|im_end|>"), SPECIAL.index("<|endoftext|>")
    write_json(
        directory / "generation_config.json",
        {"bos_token_id": pad, "eos_token_id": [end, pad], "pad_token_id": pad, "do_sample": False},
    )
    write_json(
        directory / "preprocessor_config.json",
        {
            "do_convert_rgb": True,
            "do_normalize": True,
            "do_rescale": True,
            "do_resize": True,
            "image_mean": list(MEAN),
            "image_processor_type": "Qwen2VLImageProcessor",
            "image_std": list(STD),
            "max_pixels": MAX_PIXELS,
            "merge_size": MERGE,
            "min_pixels": MIN_PIXELS,
            "patch_size": PATCH,
            "processor_class": "Qwen2VLProcessor",
            "resample": 3,
            "rescale_factor": 1 / 255,
            "size": {"longest_edge": MAX_PIXELS, "shortest_edge": MIN_PIXELS},
            "temporal_patch_size": 2,
        },
    )


def patches(pixels: Tensor) -> Tensor:
    """uint8 (B, H, W, 3), H and W multiples of 28 → normalised (B, H·W/196, 588), in merge order."""
    b, h, w, _ = pixels.shape
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    values = (pixels.float() / 255 - mean) / std
    cut = values.view(b, h // CELL, MERGE, PATCH, w // CELL, MERGE, PATCH, 3)
    return cut.permute(0, 1, 4, 2, 5, 7, 3, 6).reshape(b, -1, 3 * PATCH * PATCH)


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention computed step by step: on a CPU its backward pass is twice as fast as the fused one's."""
    return torch.softmax((q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2), dim=-1) @ v


def _vision_angles(cells_high: int, cells_wide: int, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (patches, width) of the 2-D rotary embedding, patches in merge order."""
    y, x = torch.meshgrid(torch.arange(cells_high * MERGE), torch.arange(cells_wide * MERGE), indexing="ij")

    def ordered(position: Tensor) -> Tensor:
        return position.view(cells_high, MERGE, cells_wide, MERGE).transpose(1, 2).reshape(-1)

    frequency = 1.0 / 10000.0 ** (torch.arange(0, width // 2, 2).float() / (width // 2))
    angle = torch.cat([ordered(p).float()[:, None] * frequency for p in (y, x)], dim=-1)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos(), angle.sin()


def visual_tokens(visual: Any, flat: Tensor, grid: tuple[int, int]) -> Tensor:
    """Pictures of one size as `patches` gives them → visual tokens (B, rows·columns, hidden).

    `grid` is (rows, columns) of cells; the tokens come row by row.
    """
    b = flat.shape[0]
    heads = visual.blocks[0].attn.num_heads
    embed = visual.patch_embed.proj.weight  # (embed, 3, 2, 14, 14): a still picture is shown twice
    x = F.linear(flat, (embed[:, :, 0] + embed[:, :, 1]).flatten(1))
    width = x.shape[-1] // heads
    cos, sin = (a.to(x.dtype) for a in _vision_angles(*grid, width))
    x = x.float()
    for block in visual.blocks:
        qkv = block.attn.qkv(block.norm1(x)).view(b, -1, 3, heads, width)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = _attend(_turn(q, cos, sin), _turn(k, cos, sin), v)
        x = x + block.attn.proj(seen.transpose(1, 2).flatten(2))
        x = x + block.mlp.fc2(F.silu(block.mlp.fc1(block.norm2(x))))
    merged = visual.merger.ln_q(x).view(b, -1, x.shape[-1] * MERGE * MERGE)
    return visual.merger.mlp(merged)  # type: ignore[no-any-return]


def answer_states(text: Any, prefix: Tensor, questions: Tensor, picture: Tensor, last: Tensor) -> Tensor:
    """The language model's last hidden states where answers are given: (B, Q, 2, hidden).

    Shapes: `prefix` (B, P, hidden), everything up to the picture's end, and its positions `picture`
    (3, P); `questions` (B, Q, L, hidden), each alone behind the prefix, padded at the end; `last` (B, Q),
    the place in each question whose next token is the answer. The two states are those of that place
    and of the answer itself.

    The same numbers as a row of P + Q·L tokens with a block mask would give, without computing what
    the mask throws away; in the last layer only the wanted places are computed.
    """
    b, q, length, hidden = questions.shape
    p = prefix.shape[1]
    settings = text.config
    heads, shared = settings.num_attention_heads, settings.num_key_value_heads
    width = hidden // heads
    behind = torch.arange(length) + picture.max() + 1
    angles = _text_angles(torch.cat([picture, behind.repeat(q).expand(3, -1)], 1), width)
    here = torch.stack([last, last + 1], -1)  # (B, Q, 2)
    x = torch.cat([prefix, questions.flatten(1, 2)], 1).float()
    for number, layer in enumerate(text.layers):
        final = number == len(text.layers) - 1
        a = layer.self_attn
        y = _rms(x, layer.input_layernorm)
        keys = _turn(a.k_proj(y).view(b, -1, shared, width).transpose(1, 2), *angles)
        values = a.v_proj(y).view(b, -1, shared, width).transpose(1, 2)
        group = heads // shared
        k, v = (t.to(values.dtype).repeat_interleave(group, dim=1) for t in (keys, values))
        wanted = torch.arange(length).expand(b, q, -1)
        turns = tuple(t.expand(b, -1, -1) for t in angles)
        if final:
            wanted = here
            rows = (p + torch.arange(q)[None, :, None] * length + here).flatten(1)[..., None]
            x, y = (t.gather(1, rows.expand(-1, -1, hidden)) for t in (x, y))
            turns = tuple(t.gather(1, rows.expand(-1, -1, width)) for t in turns)
        cos, sin = (t.unsqueeze(1) for t in turns)
        queries = _turn(a.q_proj(y).view(b, -1, heads, width).transpose(1, 2), cos, sin)
        queries = queries.to(values.dtype) * width**-0.5
        seen = [] if final else [_causal(queries[:, :, :p], k[:, :, :p], v[:, :, :p])]
        seen.append(_behind(queries[:, :, 0 if final else p :], k, v, p, wanted))
        x = x + a.o_proj(torch.cat(seen, 2).transpose(1, 2).flatten(2))
        y = _rms(x, layer.post_attention_layernorm)
        x = x + layer.mlp.down_proj(F.silu(layer.mlp.gate_proj(y)) * layer.mlp.up_proj(y))
    return _rms(x, text.norm).view(b, q, 2, hidden)


def _causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    later = torch.full((q.shape[2], q.shape[2]), -1e4, dtype=q.dtype).triu(1)
    return torch.softmax(q @ k.transpose(-1, -2) + later, dim=-1) @ v


def _behind(queries: Tensor, k: Tensor, v: Tensor, p: int, wanted: Tensor) -> Tensor:
    """Attention of question tokens to the prefix (the first `p` keys) and to their own question.

    `queries` (B, heads, Q·W, width) are those of the places `wanted` (B, Q, W) of each question.
    """
    b, heads, _, width = queries.shape
    q = wanted.shape[1]
    to_prefix = queries @ k[:, :, :p].transpose(-1, -2)
    asked = queries.reshape(b, heads, q, -1, width)
    own_k, own_v = (t[:, :, p:].reshape(b, heads, q, -1, width) for t in (k, v))
    later = torch.arange(own_k.shape[3]) > wanted[..., None]  # (B, Q, W, L)
    hidden = torch.zeros(later.shape, dtype=queries.dtype).masked_fill_(later, -1e4)[:, None]
    to_own = asked @ own_k.transpose(-1, -2) + hidden
    share = torch.softmax(torch.cat([to_prefix, to_own.flatten(2, 3)], -1), dim=-1)
    own = share[..., p:].reshape(b, heads, q, asked.shape[3], -1) @ own_v
    return share[..., :p] @ v[:, :, :p] + own.flatten(2, 3)


def _rms(x: Tensor, norm: Any) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), norm.weight, norm.variance_epsilon)


def _text_angles(positions: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines (S, width) of the three-axis rotary embedding; `positions` (3, S)."""
    frequency = 1.0 / 10000.0 ** (torch.arange(0, width, 2).float() / width)
    angle = positions[..., None].float() * frequency  # (3, S, width / 2)
    sections = torch.split_with_sizes(angle, SECTIONS, dim=-1)
    angle = torch.cat([section[axis] for axis, section in enumerate(sections)], dim=-1)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos(), angle.sin()
