"""A model's processor: from a picture and a question to the tensors a model takes.

Prompts are built with the processor's chat template and nothing else; the picture comes first, the
question last, so that all questions about a picture share the beginning of their prompts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.errors import ImageError, ModelError
from lib_extend.models.vlms.prepared_pictures import LONGEST_RATIO, shrink, thicken

if TYPE_CHECKING:
    from PIL import Image

Tensors = dict[str, Any]

_PROBE = "What is shown here?"


class Chat:
    """One model's processor with a pixel cap.

    Attributes:
        processor: transformers' processor.
        tokenizer: its tokenizer.
        pixels: pixels of a picture (width × height) that reach the model at the most.
        most_tokens: tokens of a picture at the most; 0 where the processor does not count pixels.
    """

    def __init__(self, processor: Any, max_pixels: int) -> None:
        """Raises ModelError when the processor has no chat template."""
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.pixels = _cap(processor.image_processor, max_pixels)
        images = processor.image_processor
        self._by_count = _counts_pixels(images)
        self._unit = int(images.patch_size) * int(images.merge_size) if self._by_count else 1
        self.most_tokens = self.pixels // self._unit**2 if self._by_count else 0
        words = {*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()}
        token = getattr(processor, "image_token", None)
        self._image_token = str(token) if token else ""
        words = {w for w in {*words, self._image_token} if w.strip()}
        # Longest first, so that no special token survives as a part of another.
        self._special = re.compile(
            "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)) or r"(?!)"
        )
        self._style = self._find_style()

    def render(self, question: str) -> str:
        """The whole prompt for one picture and `question`, the picture as its placeholder.

        Special tokens inside the question are taken out: a question is text, whoever wrote it.
        """
        return self._render(self._special.sub(" ", question), self._style)

    def inputs(self, image: Image.Image, question: str) -> Tensors:
        """The model's inputs for an RGB picture and a question, batch of one, on the CPU.

        Raises ImageError for a picture the processor does not take.
        """
        return self.encode(image, self.render(question))

    def encode(self, image: Image.Image, prompt: str) -> Tensors:
        """The model's inputs for an RGB picture and a rendered prompt. Raises ImageError."""
        width, height = image.size
        if self._by_count and max(width, height) > LONGEST_RATIO * min(width, height):
            raise ImageError(
                f"The picture is {width}×{height} pixels, too thin for the vision-language model: it takes "
                f"sides of a ratio up to {LONGEST_RATIO}.",
                code="picture_too_thin",
                width=width,
                height=height,
            )
        image = thicken(image, self._unit, self.pixels) if self._by_count else shrink(image, self.pixels)
        options: dict[str, Any] = {}
        bos = self.tokenizer.bos_token
        if bos and prompt.startswith(bos):
            options["add_special_tokens"] = False  # the template wrote it already
        try:
            made = self.processor(text=[prompt], images=[image], return_tensors="pt", **options)
        except ValueError as error:
            raise ImageError(
                f"The vision-language model's processor refused the picture ({error}).",
                code="picture_refused",
            ) from error
        return dict(made)

    def decode(self, ids: list[int]) -> str:
        """Text of generated tokens, without special ones."""
        text = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text).strip()

    def _render(self, question: str, style: str) -> str:
        content: Any = question
        if style == "parts":
            content = [{"type": "image"}, {"type": "text", "text": question}]
        elif style == "token":
            content = f"{self._image_token}\n{question}"
        return str(
            self.processor.apply_chat_template(
                [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
            )
        )

    def _find_style(self) -> str:
        """How the template wants the picture: as a part, by itself, or as the placeholder in the text."""
        import jinja2

        if not getattr(self.processor, "chat_template", None) and not getattr(
            self.tokenizer, "chat_template", None
        ):
            raise ModelError(
                "The model has no chat template, so it cannot be asked questions.", code="model_unusable"
            )
        for style in ("parts", "text", "token"):
            try:
                text = self._render(_PROBE, style)
            except (jinja2.TemplateError, TypeError, ValueError, KeyError):
                continue
            if _PROBE in text and "'type'" not in text and self._image_token in text:
                return style
        raise ModelError(
            "The model's chat template takes no picture: it is no vision-language model.", code="model_blind"
        )


def _counts_pixels(images: Any) -> bool:
    """Whether an image processor bounds the number of pixels, as Qwen's do, instead of the sides."""
    return all(hasattr(images, name) for name in ("patch_size", "merge_size", "temporal_patch_size"))


def _cap(images: Any, max_pixels: int) -> int:
    """Bounds an image processor by `max_pixels` and says how many pixels it then lets through.

    Qwen's processors keep their bounds in `size` (both edges are numbers of pixels), older ones in
    `min_pixels` and `max_pixels` as well, of which some releases read only one: all are set.
    Others bring each picture to a size of their own; they are given a smaller picture.
    """
    size = getattr(images, "size", None)
    edges = _plain(size)
    if not _counts_pixels(images):
        _cap_tiles(images, edges, max_pixels)
        area = int(edges.get("height") or 0) * int(edges.get("width") or 0)
        return min(max_pixels, area) if area else max_pixels
    own = [edges.get("longest_edge"), getattr(images, "max_pixels", None)]
    most = min([max_pixels, *(int(v) for v in own if v)])
    own = [edges.get("shortest_edge"), getattr(images, "min_pixels", None)]
    least = min([most, *(int(v) for v in own if v)])
    bounds = {"shortest_edge": least, "longest_edge": most}
    images.size = type(size)(**bounds) if size is not None and not isinstance(size, dict) else bounds
    for name, value in (("min_pixels", least), ("max_pixels", most)):
        if hasattr(images, name):
            setattr(images, name, value)
    return most


def _cap_tiles(images: Any, edges: dict[str, Any], max_pixels: int) -> None:
    """Bound the processors that enlarge a picture and cut it into tiles, besides one small picture of all.

    Idefics3 and SmolVLM: tiles of `max_image_size` from a picture of `size.longest_edge`. InternVL:
    up to `max_patches` tiles of `size`. LLaVA-NeXT: grids of tiles, `image_grid_pinpoints`.
    """
    tile = int(_plain(getattr(images, "max_image_size", None)).get("longest_edge") or 0)
    if tile and hasattr(images, "do_image_splitting"):
        across = int(max(1.0, (max_pixels / tile**2 - 1) ** 0.5 if max_pixels > 2 * tile**2 else 1.0))
        images.do_image_splitting = bool(images.do_image_splitting) and across > 1
        longest = min(int(edges.get("longest_edge") or tile * across), tile * across)
        images.size = type(images.size)(**{"longest_edge": longest})
    area = int(edges.get("height") or 0) * int(edges.get("width") or 0)
    if area and hasattr(images, "crop_to_patches") and hasattr(images, "max_patches"):
        images.max_patches = max(1, min(int(images.max_patches), max_pixels // area - 1))
        images.min_patches = min(int(getattr(images, "min_patches", 1)), images.max_patches)
        images.crop_to_patches = bool(images.crop_to_patches) and images.max_patches > 1
    grids = getattr(images, "image_grid_pinpoints", None)
    if grids:
        small = int(edges.get("shortest_edge") or edges.get("height") or 0)
        fitting = [g for g in grids if g[0] * g[1] + small**2 <= max_pixels]
        images.image_grid_pinpoints = fitting or [min(grids, key=lambda g: g[0] * g[1])]


def _plain(size: Any) -> dict[str, Any]:
    """An image processor's `size` as a dict: it is a dict, a `SizeDict`, a number or nothing."""
    if size is None:
        return {}
    if isinstance(size, int):
        return {"height": size, "width": size}
    return {k: v for k, v in dict(size).items() if v is not None}


def load_processor(folder: Path) -> Any:
    """The folder's processor: `AutoProcessor`, or for Qwen's models the same without its video half.

    From transformers 5 on the video half needs torchvision and nothing loads without it. Pictures and
    text do not, so where torchvision is missing the processor is made without videos.
    """
    from transformers import AutoConfig, AutoProcessor

    _complete_torch()
    try:
        return AutoProcessor.from_pretrained(folder, trust_remote_code=False)
    except (ImportError, AttributeError, ValueError, OSError) as error:
        text = str(error)
        if not any(word in text for word in ("orchvision", "VIDEO_PROCESSOR", "video")):
            raise
        kind = AutoConfig.from_pretrained(folder, trust_remote_code=False).model_type
        name = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}.get(kind)
        if name is None:
            raise
        return _pictures_only(name).from_pretrained(folder)


def _complete_torch() -> None:
    """torch has `compiler.is_compiling` from 2.3 on; where torchvision is, transformers 4.53 and later ask it
    before they resize a picture, and A1111 has torch 2.1."""
    import torch

    if not hasattr(torch.compiler, "is_compiling"):
        torch.compiler.is_compiling = lambda: False


def _pictures_only(name: str) -> Any:
    """A class like `<name>Processor`, with an image processor and a tokenizer but no video processor."""
    import transformers
    from transformers.processing_utils import ProcessorMixin

    class PicturesOnly(getattr(transformers, f"{name}Processor")):  # type: ignore[misc]
        """The parts a processor has are read from `attributes` in 4.x, from the signature in 5.x."""

        attributes = ("image_processor", "tokenizer")

        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **_: Any
        ) -> None:
            for part in ("image", "video", "vision_start", "vision_end"):
                token = f"<|{part}_pad|>" if part in ("image", "video") else f"<|{part}|>"
                setattr(self, f"{part}_token", token)
                setattr(self, f"{part}_token_id", tokenizer.convert_tokens_to_ids(token))
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return PicturesOnly
