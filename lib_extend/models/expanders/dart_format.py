"""dart's prompts, token by token as they were trained (p1atdev's danbooru-tags-transformer). A tag is one token."""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.prompt_expansion import Given, Length, spoken

INPUT_END = "<|input_end|>"
GENERAL_END, TEXT_END = "</general>", "<|eos|>"
COUNTS_V1 = {
    Length.VERY_SHORT: (4, 9),
    Length.SHORT: (10, 19),
    Length.LONG: (20, 39),
    Length.VERY_LONG: (40, 64),
}
"""The least and the most tags that a length stands for."""
COUNTS_V2 = {**COUNTS_V1, Length.LONG: (30, 39)}
"""v2 has a `medium` between short and long."""

_PAIRS = {
    "general": ("sfw", "general"),
    "sensitive": ("sfw", "sensitive"),
    "questionable": ("nsfw", "questionable"),
    "explicit": ("nsfw", "explicit"),
}
_WORDS = {"safe": "general", "sfw": "general", "nsfw": "explicit"}


def v1(given: Given, length: Length) -> list[str]:
    """The tokens whose continuation is the new tags."""
    rating = _rating(given) or "general"
    rating = _WORDS.get(rating, rating)
    return [
        "<|bos|>", "<rating>", *(f"rating:{word}" for word in _PAIRS[rating]), "</rating>",
        *_group("copyright", given.copyrights), *_group("character", given.characters),
        "<general>", f"<|{length.value}|>", *map(spoken, given.tags), INPUT_END,
    ]  # fmt: skip


def v2(given: Given, length: Length, finetuned: bool) -> list[str]:
    """Likewise of v2. `finetuned`: the model is one of those whose name ends with sft."""
    rating = _rating(given) or "sfw"
    return [
        "<|bos|>", *_group("copyright", given.copyrights), *_group("character", given.characters),
        f"<|rating:{'sfw' if rating == 'safe' else rating}|>", f"<|aspect_ratio:{shape(given.aspect)}|>",
        f"<|length:{length.value}|>", "<general>", *map(spoken, given.tags),
        *(("<|identity:none|>", INPUT_END) if finetuned else ()),
    ]  # fmt: skip


def shape(aspect: float | None) -> str:
    """The word for width / height; `tall`, what most pictures are, where it is open."""
    if aspect is None:
        return "tall"
    if aspect >= 9 / 8:
        return "ultra_wide" if aspect >= 2 else "wide"
    return "square" if aspect > 8 / 9 else "tall" if aspect > 1 / 2 else "ultra_tall"


def _rating(given: Given) -> str:
    known = {*_PAIRS, *_WORDS}
    return next((name for name in given.rating if name in known), "")


def _group(name: str, tags: Sequence[str]) -> list[str]:
    return [f"<{name}>", *map(spoken, tags), f"</{name}>"]
