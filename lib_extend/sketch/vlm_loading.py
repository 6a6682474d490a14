"""Loading a Qwen2-VL folder with transformers' own Auto classes, as any other model of that kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load_processor(directory: Path) -> Any:
    """The folder's processor: `AutoProcessor`, or the same without its video half.

    From transformers 5 on, the video half needs torchvision and nothing loads without it. Pictures and
    text do not, so where torchvision is missing the processor is made without videos.
    """
    from transformers import AutoProcessor

    try:
        return AutoProcessor.from_pretrained(directory)
    except (ImportError, AttributeError) as error:
        if "torchvision" not in str(error).lower() and "VIDEO_PROCESSOR" not in str(error):
            raise
    return _without_videos().from_pretrained(directory)


def _without_videos() -> Any:
    from transformers.models.qwen2_vl.processing_qwen2_vl import Qwen2VLProcessor
    from transformers.processing_utils import ProcessorMixin

    class PicturesOnly(Qwen2VLProcessor):  # type: ignore[misc]
        """The parts a processor has are read from `attributes` in 4.x, from the signature in 5.x."""

        attributes = ("image_processor", "tokenizer")

        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **_: Any
        ) -> None:
            self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
            self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids(
                [self.image_token, self.video_token]
            )
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    return PicturesOnly


def load_model(directory: Path) -> Any:
    """The folder's model in float32 on the CPU, ready to answer."""
    import torch
    import transformers
    from transformers import AutoModelForImageTextToText

    # 4.x knows the argument by its older name only.
    name = "dtype" if int(transformers.__version__.split(".")[0]) >= 5 else "torch_dtype"
    return AutoModelForImageTextToText.from_pretrained(directory, **{name: torch.float32}).eval()


def temperature(directory: Path) -> float:
    """The temperature that makes the folder's probabilities honest; 1 where none is stored."""
    file = directory / "prompt_extend.json"
    if not file.is_file():
        return 1.0
    return float(json.loads(file.read_text(encoding="utf-8")).get("temperature", 1.0))
