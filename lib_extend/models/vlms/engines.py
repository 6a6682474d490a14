"""Which way of asking a model can take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_extend.models.vlms.plain import PlainEngine
from lib_extend.models.vlms.prefix import PrefixEngine, split_prompt

if TYPE_CHECKING:
    from lib_extend.models.vlms.chat import Chat

ARCHITECTURES = {"qwen2_vl": "Qwen2-VL", "qwen2_5_vl": "Qwen2.5-VL", "qwen3_vl": "Qwen3-VL"}
"""The `model_type`s whose positions `positions` knows."""


def choose_engine(model: Any, chat: Chat, temperature: float) -> tuple[PlainEngine, str]:
    """The fastest engine a model can take, and in words how it asks and why."""
    reason = obstacle(model, chat)
    if reason:
        return PlainEngine(model, chat, temperature), f"{PlainEngine.name}: {reason}"
    return PrefixEngine(model, chat, temperature), PrefixEngine.name


def obstacle(model: Any, chat: Chat) -> str:
    """Why a model cannot share its prefix, "" when it can."""
    kind = model.config.model_type
    if kind not in ARCHITECTURES:
        return f"the shared prefix is not made for models of the kind {kind!r}"
    text = getattr(model.config, "text_config", model.config)
    for config in (model.config, text):
        attention = getattr(config, "_attn_implementation", None) or "eager"
        if attention not in ("sdpa", "eager"):
            return f"{attention} takes no mask of our own"
    if getattr(text, "use_sliding_window", False) or "sliding_attention" in (
        getattr(text, "layer_types", None) or ()
    ):
        return "its attention looks back a limited way only"
    end = model.config.vision_end_token_id
    parts = [split_prompt(chat, end, question) for question in ("What is it?", "Is it red? Say yes or no.")]
    if None in parts or parts[0][0] != parts[1][0]:  # type: ignore[index]
        return "its chat template puts the question before the picture"
    return ""
