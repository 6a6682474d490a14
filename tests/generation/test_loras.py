"""Which LoRAs are ours, which fit, and that only headers are read."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.files import safetensors_header as safetensors
from lib_extend.files.safetensors_header import check_whole, read_header
from lib_extend.generation.lora_files import FAMILIES, Library, LoraInfo, family_of, mark, misfit, read_lora
from tests.generation.lora_files import BACKGROUND_TAGS, KOHYA, SEPARATION_TAGS, lora, published, write


@pytest.mark.parametrize(
    ("metadata", "role", "is_published", "style"),
    [
        (published(12004, SEPARATION_TAGS), "separation", True, "english"),
        (published(12004, {}), "separation", True, "english"),
        (published(9330, BACKGROUND_TAGS), "background", True, "naive"),
        # trained by somebody on captions with letters
        (published(77, SEPARATION_TAGS), "separation", False, "english"),
        (published(77, BACKGROUND_TAGS), "", False, "english"),
        # the number alone says nothing
        ({"ss_num_train_images": "9330"}, "", False, "english"),
        ({"ss_tag_frequency": json.dumps({"a": {"α hair": 1}})}, "", False, "english"),
        ({"ss_training_comment": mark("background")}, "background", False, "english"),
        ({"ss_training_comment": f"mine; {mark('background', 'naive')}"}, "background", False, "naive"),
        ({"modelspec.description": "prompt-extend:separation"}, "separation", False, "english"),
        ({"ss_training_comment": "prompt-extend:everything"}, "", False, "english"),
        # our mark counts more than the tags
        ({**published(77, SEPARATION_TAGS), "ss_training_comment": mark("background")}, "background", False, "english"),
        ({"ss_tag_frequency": "{broken", "ss_dataset_dirs": "[1]", "ss_num_train_images": "²"}, "", False, "english"),
        ({}, "", False, "english"),
    ],
)  # fmt: skip
def test_recognised(
    metadata: dict[str, str], role: str, is_published: bool, style: str, tmp_path: Path
) -> None:
    found = read_lora(write(tmp_path / "my style.safetensors", lora(**metadata)))
    assert (found.name, found.role, found.published, found.count_style) == (
        "my style",
        role,
        is_published,
        style,
    )
    assert not found.problem


def test_a_mark_of_nothing() -> None:
    for role, style in (("style", "english"), ("background", "german")):
        with pytest.raises(ValueError, match="style|german"):
            mark(role, style)


@pytest.mark.parametrize(
    ("metadata", "width", "name", "family"),
    [
        ({"ss_base_model_version": "sdxl_base_v1-0"}, 768, KOHYA, "sdxl"),
        ({"ss_base_model_version": "sd_v1"}, 2048, KOHYA, "sd1"),
        ({"ss_base_model_version": "sd_v2_768_v"}, 2048, KOHYA, "sd2"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, 768, KOHYA, "sdxl"),
        ({"modelspec.architecture": "flux-1-dev/lora"}, 768, KOHYA, "flux"),
        # nothing said: the width of the conditioning
        ({}, 2048, KOHYA, "sdxl"),
        ({}, 768, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v.lora_A.weight", "sd1"),
        ({}, 1024, "lora_unet_x_attn2_to_v.hada_w1_b", "sd2"),
        ({"ss_sd_model_name": "NoobAI-XL-v1.0.safetensors"}, 2048, "lora_te1_x.lora_down.weight", "sdxl"),
        ({}, 2048, "lora_te1_x.lora_down.weight", ""),
    ],
)
def test_family(metadata: dict[str, str], width: int, name: str, family: str, tmp_path: Path) -> None:
    assert read_lora(write(tmp_path / "x.safetensors", lora(width, name, **metadata))).family == family


def test_families_by_name() -> None:
    for word in ("Illustrious", "NoobAI", "Pony", "SDXL 1.0", "animagine-xl-3.1"):
        assert family_of(word) == "sdxl"
    assert family_of("SD 1.5") == "sd1" and family_of("", "SD 2.1") == "sd2" and family_of("mine") == ""


def test_misfit() -> None:
    xl = LoraInfo(Path("a"), "sep", family="sdxl")
    assert misfit(xl, "sd1") == (
        "The LoRA sep was trained for SDXL and does nothing on a Stable Diffusion 1.5 checkpoint: choose another "
        "of the two."
    )
    assert misfit(xl, "sdxl") == "" and misfit(xl, "") == "" and misfit(xl, "new") == ""
    assert misfit(LoraInfo(Path("a"), "sep"), "sd1") == ""
    assert all(misfit(LoraInfo(Path("a"), "x", family=f), f) == "" for f in FAMILIES)


def test_library(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one / "b.safetensors", lora(**published(12004, SEPARATION_TAGS)))
    write(one / "sub" / "A.safetensors", lora(ss_training_comment=mark("separation")))
    write(one / "sub" / "notes.txt", b"x")
    write(two / "b.safetensors", lora(768))
    write(two / "broken.safetensors", b"nothing")
    with contextlib.suppress(OSError):  # Windows lets few people make links
        os.symlink(one, one / "sub" / "loop")
    library = Library([one, two, tmp_path / "none"])
    assert [(x.name, x.role) for x in library.scan()] == [
        ("A", "separation"),
        ("b", "separation"),
        ("broken", ""),
    ]
    assert "not a safetensors file" in library.scan()[2].problem
    assert [x.name for x in library.of_role("separation")] == ["A", "b"]
    assert library.of_role("background") == []


def test_aliases(tmp_path: Path) -> None:
    write(tmp_path / "a.safetensors", lora(ss_output_name="Trained As"))
    write(tmp_path / "b.safetensors", lora(ss_output_name="A"))
    library = Library([tmp_path])
    # a name that is another file's is that file's
    assert library.aliases() == {"trained as": "a"}
    assert library.scan()[0].title == "Trained As"


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.safetensors", lora())
    read: list[str] = []
    original = safetensors.read_header
    monkeypatch.setattr(
        "lib_extend.generation.lora_files.read_header", lambda p: (read.append(p.name), original(p))[1]
    )
    library = Library([tmp_path])
    library.scan()
    library.scan()
    assert read == ["a.safetensors"]
    write(path, lora(ss_training_comment=mark("background")))
    os.utime(path, ns=(1, 1))
    assert library.scan()[0].role == "background"
    path.unlink()
    assert library.scan() == [] and len(read) == 2


HUGE = "9" * 3_000_000


@pytest.mark.parametrize(
    "tensors",
    [
        {"a": {"dtype": "F16", "shape": "[" + ",".join(["9223372036854775807"] * 200_000) + "]"}},
        {"a": {"dtype": "F16", "shape": "[9223372036854775807, 9223372036854775807]"}},
        {"a": {"dtype": "F16", "shape": f"[{HUGE}]"}},
        {"a": {"dtype": "F16", "shape": f'["{HUGE}"]'}},
        {"a": {"dtype": "F16", "shape": "[1e999]"}},
        {"a": {"dtype": "F16", "shape": "[-1]"}},
        {"a": {"dtype": "F16", "shape": "[true]"}},
        {"a": {"dtype": "F16", "shape": '"12"'}},
        {"a": {"dtype": "X", "shape": "{}"}},
        {"a": {"dtype": "F16", "shape": "[1]", "data_offsets": f"[0,{HUGE}]"}},
        {"a": {"dtype": "F16", "shape": "[1]", "data_offsets": "[0, NaN]"}},
        {"a": {"dtype": "F16", "shape": "[1]", "data_offsets": "[2, 0]"}},
        {"a": {"dtype": "F16", "shape": "[1]", "data_offsets": "[0, 2, 4]"}},
    ],
    ids=lambda tensors: str(tensors)[:50],
)
def test_no_number_in_a_header_takes_long(tensors: dict[str, dict[str, str]], tmp_path: Path) -> None:
    rows = [
        f'"{name}": {{"dtype": "{t["dtype"]}", "shape": {t["shape"]}, "data_offsets": {t.get("data_offsets", "[0, 2]")}}}'
        for name, t in tensors.items()
    ]
    text = ("{" + ", ".join(rows) + "}").encode()
    path = write(tmp_path / "a.safetensors", len(text).to_bytes(8, "little") + text + b"\0\0")
    begun = time.monotonic()
    with pytest.raises(UserError, match=r"^a\.safetensors is not a safetensors file"):
        read_header(path)
    assert "not a safetensors file" in read_lora(path).problem
    assert time.monotonic() - begun < 2


def test_neither_names_nor_statistics_take_long(tmp_path: Path) -> None:
    begun = time.monotonic()
    name = "attn2.to_k." * 200_000
    assert read_lora(write(tmp_path / "a.safetensors", lora(2048, name))).family == ""
    numbers = {
        "ss_tag_frequency": f'{{"1_A": {{"α hair": {HUGE}, "β hair": 1}}}}',
        "ss_num_train_images": HUGE,
    }
    found = read_lora(write(tmp_path / "b.safetensors", lora(**numbers)))
    assert (found.role, found.problem) == ("", "")
    assert time.monotonic() - begun < 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.safetensors")
    (found,) = Library([tmp_path]).scan()
    assert "not a safetensors file" in found.problem


def test_weights_are_never_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", lora(**published(9330, {})))
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    path.write_bytes(data[:header])
    # the weights are not even there
    assert read_lora(path).role == "background"
    with pytest.raises(UserError, match=r"a\.safetensors is damaged.*Get it again"):
        check_whole(path)
    path.write_bytes(data)
    assert check_whole(path).size == len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        (2**40).to_bytes(8, "little") + b"{}",
        (9).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"[]",
        (7).to_bytes(8, "little") + b'{"a":1}',
        b"<!DOCTYPE html><html>log in</html>",
        *(
            len(x).to_bytes(8, "little") + x
            for x in (
                b'{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}',
                b'{"a":{"dtype":"F16","shape":[-2],"data_offsets":[0,4]}}',
                b'{"a":{"dtype":"F16","shape":[2],"data_offsets":[4,0]}}',
                b'{"a":{"dtype":"F16","shape":[2]}}',
                b'{"__metadata__":[1]}',
                b"[" * 100_000,
            )
        ),
    ],
)
def test_what_is_no_safetensors_file(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^x\.safetensors is not a safetensors file"):
        read_header(write(tmp_path / "x.safetensors", data))


@given(data=st.binary(max_size=60))
def test_any_bytes(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = write(tmp_path_factory.getbasetemp() / "any.safetensors", len(data).to_bytes(8, "little") + data)
    assert isinstance(read_lora(path), LoraInfo)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert "cannot be read" in read_lora(tmp_path / "x.safetensors").problem
