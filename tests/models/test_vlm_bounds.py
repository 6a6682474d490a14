"""Bounds that must hold whatever the model: pixels of tiling processors, scores that are no numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from PIL import Image

from lib_extend.errors import ImageError
from lib_extend.models import registry
from lib_extend.models.vlms.chat import _cap, load_processor
from lib_extend.models.vlms.plain import check_numbers
from lib_extend.models.vlms.prepared_pictures import to_rgb


def _processor(name: str, **options: Any) -> Any:
    for word in (f"{name}Pil", name):  # from 5.x on the plain name may need torchvision
        try:
            return getattr(transformers, word)(**options)
        except (AttributeError, ImportError):
            continue
    pytest.skip(f"this transformers has no {name} without torchvision")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Idefics3ImageProcessor", {}),
        ("SmolVLMImageProcessor", {}),
        ("GotOcr2ImageProcessor", {"crop_to_patches": True, "max_patches": 12}),
    ],
)
@pytest.mark.parametrize("cap", [262_144, 1_048_576])
def test_tiles_stay_within_the_cap(name: str, options: dict[str, Any], cap: int) -> None:
    image = Image.new("RGB", (1600, 1200), (9, 99, 200))
    loose = _processor(name, **options)(images=[image], return_tensors="pt")["pixel_values"].numel() // 3
    processor = _processor(name, **options)
    _cap(processor, cap)
    made = processor(images=[image], return_tensors="pt")["pixel_values"].numel() // 3
    assert made <= cap < loose


def test_scores_that_are_no_numbers_are_no_answer() -> None:
    check_numbers(torch.zeros(4))
    with pytest.raises(ImageError, match="--device cpu"):
        check_numbers(torch.tensor([0.0, float("nan")]))


def test_a_transparent_color_is_white() -> None:
    image = Image.new("RGB", (4, 4), (1, 2, 3))
    image.info["transparency"] = (1, 2, 3)
    assert to_rgb(image).getpixel((0, 0)) == (255, 255, 255)


def test_a_processor_works_where_torch_is_older_than_it_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 2.3 torch cannot say whether it compiles; transformers asks as soon as torchvision is there."""
    monkeypatch.delattr(torch.compiler, "is_compiling", raising=False)
    processor = load_processor(registry.SKETCH / "vlm")
    made = processor.image_processor([Image.new("RGB", (80, 60))], return_tensors="pt")
    assert made["pixel_values"].shape[0] > 1 and torch.compiler.is_compiling() is False
