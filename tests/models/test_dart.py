"""dart through its real loading code, with random models of its layouts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_extend.errors import ModelError
from lib_extend.expanding.expansion_request import Request, expanded
from lib_extend.models.expanders import dart_format
from lib_extend.models.expanders.dart import Dart
from lib_extend.models.model_loading import load_expander
from lib_extend.prompt_expansion import Given, Length, Sampling, Wanted, Wish
from tests.models import dart_models

ALL = Given(
    people=("1girl",), general=("black_hair", "no_such_tag"), characters=("hatsune_miku",), copyrights=("vocaloid",),
    rating=("safe",), aspect=1.5,
)  # fmt: skip


def test_the_prompts_letter_by_letter() -> None:
    assert "".join(dart_format.v1(Given(people=("1girl",)), Length.LONG)) == (
        "<|bos|><rating>rating:sfwrating:general</rating><copyright></copyright><character></character>"
        "<general><|long|>1girl<|input_end|>"
    )
    assert "|".join(dart_format.v1(Given(rating=("nsfw",)), Length.SHORT)).startswith(
        "<|bos|>|<rating>|rating:nsfw|rating:explicit|</rating>|"
    )
    assert "".join(dart_format.v2(ALL, Length.VERY_SHORT, finetuned=True)) == (
        "<|bos|><copyright>vocaloid</copyright><character>hatsune miku</character><|rating:sfw|><|aspect_ratio:wide|>"
        "<|length:very_short|><general>1girlblack hairno such tag<|identity:none|><|input_end|>"
    )
    assert dart_format.v2(ALL, Length.LONG, finetuned=False)[-1] == "no such tag"
    shapes = [dart_format.shape(a) for a in (2.0, 9 / 8, 1.0, 8 / 9, 0.5, None)]
    assert shapes == ["ultra_wide", "wide", "square", "tall", "ultra_tall", "tall"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    made = {}
    for name in ("dart-v1-sft", "dart-v2-sft", "dart-v2-moe-base"):
        folder = tmp_path_factory.mktemp("dart") / name
        folder.mkdir()
        model = dart_models.first(folder) if "v1" in name else dart_models.second(folder, "moe" in name)
        made[name] = (folder, model)
    return made


@pytest.mark.parametrize("name", ["dart-v1-sft", "dart-v2-sft", "dart-v2-moe-base"])
def test_logits_are_those_of_the_model(folders: dict[str, tuple[Path, Any]], name: str) -> None:
    """Of the prompt, and of tokens that are read one by one in rows that end one after the other."""
    folder, model = folders[name]
    expander = load_expander(str(folder), device="cpu")
    assert isinstance(expander, Dart)
    tags = expander._model
    prompt, rest = [0, 8, 9, 20, 21], torch.tensor([[22, 23, 24], [30, 31, 32], [40, 41, 42]])
    with torch.inference_mode():
        reader = tags.open(prompt, 3)
        seen = [reader.first()[1]]
        for at in range(2):
            seen.append(reader.read(rest[:, at].tolist(), [0] * 3)[1])
        reader.keep([1, 2])
        seen.append(reader.read(rest[1:, 2].tolist(), [0] * 2)[0])
        whole = model(input_ids=torch.tensor([[*prompt, *rest[1].tolist()]])).logits[0, len(prompt) - 1 :]
    assert float((torch.stack(seen) - whole).abs().max()) <= 5e-4


@pytest.mark.parametrize("name", ["dart-v1-sft", "dart-v2-sft", "dart-v2-moe-base"])
def test_bans_contradictions_and_lengths(folders: dict[str, tuple[Path, Any]], name: str) -> None:
    expander = load_expander(str(folders[name][0]), device="cpu")
    request = Request(
        name, "1girl, black hair, indoors", Length.SHORT, drafts=5, ban=("*hat", "/o./"), force=("cake",),
        sampling=Sampling(seed=2, temperature=2.0, min_p=0.0, top_p=1.0, top_k=0),
    )  # fmt: skip
    drafts = expanded(expander, request)
    known = {t.replace(" ", "_") for t in dart_models.TAGS}
    for draft in drafts:
        assert draft.tags[0] == "cake" and {*draft.tags} <= known and len({*draft.tags}) == len(draft.tags)
        assert 10 <= len(draft.tags) + 3 <= 19
        assert not {*draft.tags} & {
            "hat",
            "white_hat",
            "blonde_hair",
            "red_hair",
            "2girls",
            "1boy",
            "outdoors",
            "1girl",
        }
    assert len({d.tags for d in drafts}) == 5 and expanded(expander, request) == drafts
    every = expander.expand(Wish(Given(people=("1girl",)), Length.SHORT, banned=lambda n: True))[0]
    assert every.tags == () and every.exhausted and every.redrawn >= 40
    with pytest.raises(ModelError, match="writes tags only"):
        expander.expand(Wish(Given(), wanted=Wanted.BOTH))
    with pytest.raises(ModelError, match=r"The prompt has 2\d\d tokens and .* reads 128: shorten it"):
        expander.expand(Wish(Given(general=("cake",) * 200)))


def test_damaged_files(folders: dict[str, tuple[Path, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "dart-v1-sft"
    shutil.copytree(folders["dart-v1-sft"][0], folder)
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"model\.onnx cannot be loaded"):
        load_expander(str(folder))
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        load_expander(str(folder))
