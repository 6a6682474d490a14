"""The plain functions, with a model of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PIL import Image

from lib_extend.analysis import functions as f
from lib_extend.records import Prompt, Reply


class Scripted:
    """A model of one's own: says what it was told to, and counts how often it looked."""

    key, pixels, device, parallel = "scripted", 10_000, "nowhere", 1

    def __init__(self, says: dict[str, str]) -> None:
        self.says, self.looks, self.open = says, 0, 0

    def look(self, image: Image.Image) -> Scripted:
        self.looks += 1
        self.open += 1
        return self

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [Reply(next((v for k, v in self.says.items() if k in p.text), "no")) for p in prompts]

    def close(self) -> None:
        self.open -= 1


SAYS = {
    "How many cakes": "Three.",
    "How many boxes": "1",
    "color is the cake": "light brown",
    "color is the sofa": "blue",
    "color is the bed": "none",
    "color is the door": "Brown",
    "a sofa": "Yes",
    "a bed": "yes",
    "a door": "yes",
    "floor visible": "yes",
    "floor made of": "It is wood.",
}


@pytest.fixture
def model() -> Scripted:
    return Scripted(SAYS)


IMAGE = Image.new("RGB", (8, 8))


def test_functions(model: Scripted) -> None:
    assert f.count_objects(IMAGE, ["cake", "box", "1girl"], model=model) == ["3_cakes"]
    assert f.color_objects(IMAGE, ["cake", "1girl"], model=model) == ["light_brown_cake"]
    assert f.find_furniture(IMAGE, model=model) == ["sofa", "blue_sofa"], "a bed without a color is none"
    assert f.find_furniture(IMAGE, ["sofa"], model=model) == ["blue_sofa"]
    assert f.find_floor(IMAGE, model=model) == ["wooden_floor"]
    assert f.find_door(IMAGE, model=model) == ["door", "brown_door"]
    assert model.open == 0 and model.looks == 6, "one look a call, always closed"
    assert f.count_objects(IMAGE, ["1girl"], model=model) == [] and model.looks == 6


def test_the_original_names(model: Scripted) -> None:
    assert f.物件计数 is f.count_objects and f.物件上色 is f.color_objects
    assert f.发现家具 is f.find_furniture and f.发现地板 is f.find_floor and f.发现门 is f.find_door


def test_unsure_answers_give_no_tag() -> None:
    class Unsure(Scripted):
        def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
            return [
                Reply("3", tuple(0.4 if c[0] == "3" else 0.6 / (len(p.choices) - 1) for c in p.choices))
                for p in prompts
            ]

    model = Unsure({})
    assert f.count_objects(IMAGE, ["cake"], model=model) == []
    assert f.count_objects(IMAGE, ["cake"], model=model, threshold=0.3) == ["3_cakes"]


def test_a_model_that_fails_is_closed(model: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(prompts: Sequence[Prompt]) -> list[Reply]:
        raise RuntimeError("boom")

    monkeypatch.setattr(model, "ask", broken)
    with pytest.raises(RuntimeError):
        f.count_objects(IMAGE, ["cake"], model=model)
    assert model.open == 0
