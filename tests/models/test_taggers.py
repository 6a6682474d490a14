"""Every family on a small ONNX file of its signature: the scores are worked out from the picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extend.errors import ModelError
from lib_extend.models.family import families
from lib_extend.models.files import ModelFiles
from lib_extend.models.model_loading import load_tagger, tagger_family
from lib_extend.models.ports import Tagger
from lib_extend.records import Category, Tag

from .pictures import Array, fitted, opaque, padded_square, picture, stretched
from .tiny_onnx import GRID, LABELS, build, grid, names, wd_folder, write_csv, write_json

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CLOSE = 0.006  # of a score in 0…1: a rounded pixel here and there


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


# --- the families: how to build one, and what it must say


def build_ml_danbooru(folder: Path) -> None:
    build(folder / "ml_caformer_m36_dec-5-97527.onnx", side=448, layout="NCHW", scale=6, shift=-3)
    rows = [(n, n + "_now") for n in names()]
    write_csv(folder / "mldanbooru_tags.csv", ("name", "real_name"), rows)


def build_deepdanbooru(folder: Path) -> None:
    build(folder / "deepdanbooru.onnx", side=512, input="input_1:0")
    rows = [("rating:" + n if i < 4 else n, n, 9 if i < 4 else 0) for i, n in enumerate(names())]
    write_csv(folder / "deepdanbooru_tags.csv", ("name", "real_name", "category"), rows)


def build_cl_tagger(folder: Path) -> None:
    build(folder / "model.onnx", side=448, layout="NCHW", scale=3)
    kinds = ["Rating"] * 4 + ["General"] * (LABELS - 10) + ["Artist", "Meta", "Model", "Quality"]
    kinds += ["Copyright", "Character"]
    # Order in the file is not what counts.
    table = {str(i): {"tag": n, "category": kinds[i]} for i, n in enumerate(names())}
    write_json(folder / "tag_mapping.json", dict(reversed(table.items())))


def build_camie(folder: Path) -> None:
    build(
        folder / "camie-tagger-v2.onnx",
        side=512,
        layout="NCHW",
        outputs=("initial_predictions", "refined_predictions", "selected_candidates"),
        scores="refined_predictions",
    )
    kinds = {n: "rating" if i < 4 else "year" if i == 20 else "general" for i, n in enumerate(names())}
    tags = {n: ("rating_" if k == "rating" else "") + n for n, k in kinds.items()}
    mapping = {
        "idx_to_tag": {str(i): tags[n] for i, n in enumerate(names())},
        "tag_to_category": {tags[n]: k for n, k in kinds.items()},
    }
    write_json(folder / "camie-tagger-v2-metadata.json", {"dataset_info": {"tag_mapping": mapping}})


STRETCH = [
    {"type": "resize", "size": [448, 448], "interpolation": "bilinear", "max_size": None, "antialias": True},
    {"type": "maybe_to_tensor"},
    {"type": "normalize", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
]


def build_pixai(folder: Path) -> None:
    build(
        folder / "model.onnx",
        side=448,
        layout="NCHW",
        scale=0.5,
        shift=0.5,
        outputs=("embedding", "logits", "prediction"),
        scores="prediction",
    )
    rows = [
        (i, i, "" if i == 50 else n, 4 if i > 180 else 0, 9, json.dumps(["fate"] if i > 180 else []))
        for i, n in enumerate(names())
    ]
    write_csv(folder / "selected_tags.csv", ("id", "tag_id", "name", "category", "count", "ips"), rows)
    write_json(folder / "preprocess.json", {"stages": STRETCH})
    kinds = [{"category": 0, "name": "general"}, {"category": 4, "name": "character"}]
    write_json(folder / "categories.json", kinds)
    write_csv(
        folder / "thresholds.csv",
        ("category", "name", "threshold"),
        [(0, "general", 0.3), (4, "character", 0.85)],
    )


ALIGN = [
    {"type": "pad_to_size", "size": [512, 512], "background_color": "white", "interpolation": "bilinear"},
    {"type": "resize", "size": 384, "interpolation": "bicubic", "max_size": None, "antialias": True},
    {"type": "center_crop", "size": [384, 384]},
    {"type": "maybe_to_tensor"},
    {"type": "normalize", "mean": MEAN.tolist(), "std": STD.tolist()},
]


def build_animetimm(folder: Path) -> None:
    build(
        folder / "model.onnx",
        side=384,
        layout="NCHW",
        scale=0.2,
        shift=0.5,
        outputs=("embedding", "logits", "prediction"),
        scores="prediction",
    )
    rows = [
        (i, n, 9 if i < 4 else 4 if i > 180 else 0, "" if i == 30 else 0.2 + i / 1000)
        for i, n in enumerate(names())
    ]
    write_csv(folder / "selected_tags.csv", ("tag_id", "name", "category", "best_threshold"), rows)
    write_json(folder / "preprocess.json", {"test": ALIGN, "val": STRETCH})
    kinds = [{"category": n, "name": w} for n, w in ((0, "general"), (4, "character"), (9, "rating"))]
    write_json(folder / "categories.json", kinds)


def aligned(image: Image.Image) -> Array:
    flat = opaque(image)
    ratio = min(512 / flat.width, 512 / flat.height)
    size = (round(flat.width * ratio), round(flat.height * ratio))
    canvas = Image.new("RGB", (512, 512), "white")
    small = flat.resize(size, Image.Resampling.BILINEAR)
    canvas.paste(small, ((512 - size[0]) // 2, (512 - size[1]) // 2))
    return np.asarray(canvas.resize((384, 384), Image.Resampling.BICUBIC))


@dataclass(frozen=True)
class Family:
    build: Callable[[Path], Any]
    expected: Callable[[Image.Image], Array]
    side: int
    thresholds: tuple[float, float]


BICUBIC, LANCZOS = int(Image.Resampling.BICUBIC), int(Image.Resampling.LANCZOS)

FAMILIES = {
    "wd": Family(wd_folder, lambda i: grid(padded_square(i, 448)[:, :, ::-1] / 255), 448, (0.35, 0.85)),
    "ml_danbooru": Family(
        build_ml_danbooru, lambda i: sigmoid(grid(stretched(i, 448) / 255) * 6 - 3), 896, (0.7, 0.7)
    ),
    "deepdanbooru": Family(
        build_deepdanbooru, lambda i: grid(fitted(i, 512, BICUBIC, (0, 0, 0)) / 255), 512, (0.5, 0.5)
    ),
    "cl_tagger": Family(
        build_cl_tagger,
        lambda i: sigmoid(grid(padded_square(i, 448)[:, :, ::-1] / 127.5 - 1) * 3),
        448,
        (0.55, 0.60),
    ),
    "camie": Family(
        build_camie,
        lambda i: sigmoid(grid((fitted(i, 512, LANCZOS, (124, 116, 104)) / 255 - MEAN) / STD)),
        512,
        (0.614, 0.492),
    ),
    "pixai": Family(build_pixai, lambda i: grid(stretched(i, 448) / 255), 896, (0.30, 0.85)),
    "animetimm": Family(
        build_animetimm, lambda i: grid((aligned(i) / 255 - MEAN) / STD) * 0.2 + 0.5, 512, (0.4, 0.4)
    ),
}


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Tagger]:
    """A family's name and its tagger, loaded from a folder as a user would name it."""
    folder = tmp_path_factory.mktemp("models") / request.param
    FAMILIES[request.param].build(folder)
    return request.param, load_tagger(str(folder), device="cpu")


def scores(tagger: Tagger, *images: Image.Image, floor: float = -1.0) -> list[dict[str, Tag]]:
    tags = tagger.tag([tagger.prepare(image) for image in images], floor)
    for row in tags:
        assert [t.score for t in row] == sorted((t.score or 0.0 for t in row), reverse=True)
    return [{t.name: t for t in row} for row in tags]


PICTURES = {
    "wide": picture(640, 400, seed=1),
    "tall": picture(700, 1100, seed=2),
    "transparent": picture(500, 620, seed=3, mode="RGBA"),
    "grey 16 bits": picture(300, 200, seed=4, mode="I;16"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_scores_are_those_of_the_reference(loaded: tuple[str, Tagger], kind: str) -> None:
    name, tagger = loaded
    image = PICTURES[kind]
    expected = FAMILIES[name].expected(image)
    got = scores(tagger, image)[0]
    for i, tag in enumerate(names()):
        if (name, i) == ("pixai", 50):
            assert tag not in got
            continue
        score = got[tag].score
        assert score is not None and abs(score - min(1, max(0, expected[i]))) < CLOSE, (tag, expected[i])


def test_the_scores_would_show_every_mistake(loaded: tuple[str, Tagger]) -> None:
    """Another family's preprocessing, or another order of channels, is farther off than is allowed."""
    name, tagger = loaded
    image = PICTURES["wide"]
    right = FAMILIES[name].expected(image)
    swapped = Image.merge("RGB", image.split()[::-1])
    for wrong in (swapped, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image.rotate(90, expand=True)):
        got = scores(tagger, wrong)[0]
        off = [abs((got[t].score or 0) - right[i]) for i, t in enumerate(names()) if t in got]
        assert max(off) > 5 * CLOSE


def test_attributes(loaded: tuple[str, Tagger]) -> None:
    name, tagger = loaded
    family = FAMILIES[name]
    assert tagger.device == "CPU" and tagger.batch == 1 and tagger.side == family.side
    assert (tagger.threshold, tagger.character_threshold) == family.thresholds
    prepared = tagger.prepare(PICTURES["wide"])
    assert prepared.dtype == np.float32 and prepared.flags.c_contiguous and prepared.ndim == 3
    if name == "animetimm":
        assert len(tagger.tag_thresholds) == LABELS - 1 and tagger.tag_thresholds["null"] == pytest.approx(
            0.204
        )
    else:
        assert tagger.tag_thresholds == {}


def test_names_and_categories(loaded: tuple[str, Tagger]) -> None:
    name, tagger = loaded
    got = scores(tagger, PICTURES["tall"])[0]
    assert set(got) == set(names()) - ({"tag_34"} if name == "pixai" else set())
    for tag in ("null", "nan", "^_^", "0_0", ">_<", ":3", "fate_(series)", 'quo"te', "comma,_tag", "\\o/"):
        assert got[tag].category is Category.GENERAL
    kinds = {t.category for t in got.values()}
    if name == "ml_danbooru":
        assert kinds == {Category.GENERAL}
    if name == "cl_tagger":
        assert kinds == set(Category) - {Category.YEAR, Category.PROSE}
    if name in ("wd", "deepdanbooru", "camie", "animetimm", "cl_tagger"):
        assert [n for n in names()[:4] if got[n].category is Category.RATING] == names()[:4]


def test_only_tags_above_the_floor_and_all_ratings(loaded: tuple[str, Tagger]) -> None:
    _, tagger = loaded
    every = scores(tagger, PICTURES["tall"])[0]
    floor = float(np.median([t.score or 0 for t in every.values()]))
    got = scores(tagger, PICTURES["tall"], floor=floor)[0]
    assert set(got) == {
        n for n, t in every.items() if t.category is Category.RATING or (t.score or 0) >= floor
    }
    assert 0 < len(got) < len(every)


def test_many_images_are_answered_in_order(loaded: tuple[str, Tagger]) -> None:
    _, tagger = loaded
    images = list(PICTURES.values())
    prepared = [tagger.prepare(image) for image in images]
    one_by_one = [tagger.tag([p], 0.0)[0] for p in prepared]
    assert tagger.tag(prepared, 0.0) == one_by_one
    # The pipeline hands in a slice of one array.
    assert tagger.tag(np.stack(prepared)[:3], 0.0) == one_by_one[:3]  # type: ignore[arg-type]
    assert tagger.tag([], 0.0) == []


def test_the_key_is_the_content(tmp_path: Path) -> None:
    first = load_tagger(str(wd_folder(tmp_path / "a", side=64)))
    same = load_tagger(str(wd_folder(tmp_path / "b", side=64)))
    other = load_tagger(str(wd_folder(tmp_path / "c", side=64, shift=0.1)))
    assert first.key == same.key != other.key
    text = (tmp_path / "b" / "selected_tags.csv").read_text(encoding="utf-8")
    (tmp_path / "b" / "selected_tags.csv").write_text(text.replace("tag_9,", "tag_x,"), encoding="utf-8")
    assert load_tagger(str(tmp_path / "b")).key != first.key


# --- batches and number types


@pytest.mark.parametrize(("fixed", "asked", "batch"), [(1, 8, 1), (4, None, 4), ("N", 3, 3), ("N", None, 1)])
def test_batches(tmp_path: Path, fixed: Any, asked: int | None, batch: int) -> None:
    folder = wd_folder(tmp_path / "model", side=64, batch=fixed)
    tagger = load_tagger(str(folder), device="cpu", batch_size=asked)
    assert tagger.batch == batch
    images = [picture(100 + i, 80, seed=i) for i in range(6)]
    for image, got in zip(images, scores(tagger, *images), strict=True):
        expected = grid(padded_square(image, 64)[:, :, ::-1] / 255)
        for i, tag in enumerate(names()):
            assert abs((got[tag].score or 0) - expected[i]) < CLOSE


def test_a_batch_that_only_seems_free(tmp_path: Path) -> None:
    """Some exports call the batch free but reshape to one image: they get one at a time."""
    folder = wd_folder(tmp_path / "model", side=64)
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(folder / "model.onnx")
    flatten = next(n for n in model.graph.node if n.op_type == "Flatten")
    shape = numpy_helper.from_array(np.array([1, LABELS], np.int64), "one_image")
    model.graph.initializer.append(shape)
    new = helper.make_node("Reshape", [flatten.input[0], "one_image"], list(flatten.output))
    flatten.CopyFrom(new)
    onnx.save(model, folder / "model.onnx")
    tagger = load_tagger(str(folder), device="cpu", batch_size=4)
    assert tagger.batch == 1
    images = [picture(90, 70, seed=i) for i in range(3)]
    assert len(tagger.tag([tagger.prepare(i) for i in images], 0.0)) == 3


def test_float16_inputs(tmp_path: Path) -> None:
    folder = wd_folder(tmp_path / "model", side=64, dtype="float16")
    tagger = load_tagger(str(folder), device="cpu")
    image = picture(120, 90)
    assert tagger.prepare(image).dtype == np.float16
    expected = grid(padded_square(image, 64)[:, :, ::-1] / 255)
    got = scores(tagger, image)[0]
    assert all(abs((got[t].score or 0) - expected[i]) < CLOSE for i, t in enumerate(names()))


def test_scores_that_are_no_numbers_are_no_tags(tmp_path: Path) -> None:
    folder = wd_folder(tmp_path / "model", side=64, shift=float("nan"))
    tagger = load_tagger(str(folder))
    assert [t.score for t in tagger.tag([tagger.prepare(picture(50, 50))], 0.1)[0]] == [0.0] * 4


# --- folders


def test_a_clone_with_its_versions_in_subfolders(tmp_path: Path) -> None:
    build_cl_tagger(tmp_path / "clone" / "cl_tagger_1_02")
    (tmp_path / "clone" / "README.md").write_text("read me")
    assert load_tagger(str(tmp_path / "clone")).threshold == 0.55


def test_the_model_file_itself_may_be_named(tmp_path: Path) -> None:
    wd_folder(tmp_path / "a", side=64)
    assert load_tagger(str(tmp_path / "a" / "model.onnx")).side == 64


@pytest.mark.parametrize("family", FAMILIES)
def test_each_layout_is_recognised(family: str, tmp_path: Path) -> None:
    FAMILIES[family].build(tmp_path / "model")
    found = tagger_family(ModelFiles.of(tmp_path / "model"))
    assert found is families("taggers")[family]
    # With the ONNX file under the usual name too.
    onnx = next((tmp_path / "model").glob("*.onnx"))
    onnx.rename(onnx.with_name("model.onnx"))
    assert tagger_family(ModelFiles.of(tmp_path / "model")) is found
    load_tagger(str(tmp_path / "model"))


def test_preprocess_json_may_be_missing(tmp_path: Path) -> None:
    build_animetimm(tmp_path / "a")
    (tmp_path / "a" / "preprocess.json").unlink()
    tagger = load_tagger(str(tmp_path / "a"))
    image = PICTURES["wide"]
    expected = np.clip(FAMILIES["animetimm"].expected(image), 0, 1)  # at 384 pixels, the model's side
    got = scores(tagger, image)[0]
    assert all(abs((got[t].score or 0) - expected[i]) < CLOSE for i, t in enumerate(names()))


def test_a_table_with_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    folder = wd_folder(tmp_path / "a", side=64)
    table = folder / "selected_tags.csv"
    text = table.read_text(encoding="utf-8").replace("\n", "\r\n")
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert set(scores(load_tagger(str(folder)), picture(9, 9))[0]) == set(names())


def _drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def _shorten(folder: Path) -> None:
    lines = (folder / "selected_tags.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "selected_tags.csv").write_text("".join(lines[:-5]), encoding="utf-8")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 5\n"

BROKEN: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "no model": ("wd", _drop("model.onnx"), ("model.onnx",)),
    "no table": ("wd", _drop("selected_tags.csv"), ("selected_tags.csv",)),
    "short table": ("wd", _shorten, ("192 scores", "selected_tags.csv names 187 tags")),
    "empty table": ("wd", _write("selected_tags.csv", b""), ("selected_tags.csv", "no column 'name'")),
    "only a head": ("wd", _write("selected_tags.csv", b"tag_id,name,category\n"), ("is empty",)),
    "no UTF-8": ("wd", _write("selected_tags.csv", b"name,category\n\xff\xfe,0\n"), ("no CSV",)),
    "truncated model": ("wd", _write("model.onnx", b"\x08\x08\x12\x04tiny:\xff"), ("model.onnx", "run")),
    "text as model": ("wd", _write("model.onnx", b"<html>not found</html>"), ("model.onnx", "run")),
    "empty model": ("wd", _write("model.onnx", b""), ("model.onnx", "run")),
    "LFS note": ("wd", _write("model.onnx", POINTER), ("model.onnx", "git lfs pull")),
    "bad JSON": ("cl_tagger", _write("tag_mapping.json", b"{"), ("tag_mapping.json", "no JSON")),
    "other JSON": ("cl_tagger", _write("tag_mapping.json", b"[1]"), ("numbered list of tags",)),
    "other metadata": (
        "camie",
        _write("camie-tagger-v2-metadata.json", b"{}"),
        ("dataset_info.tag_mapping",),
    ),
    "unknown step": (
        "pixai",
        _write("preprocess.json", b'{"stages": [{"type": "solarize"}]}'),
        ("preprocess.json", "'solarize'"),
    ),
    "impossible step": (
        "pixai",
        _write("preprocess.json", b'{"stages": [{"type": "resize", "size": "large"}]}'),
        ("preprocess.json", "cannot be followed"),
    ),
    "no steps": ("pixai", _write("preprocess.json", b"7"), ("does not hold the preprocessing",)),
    "bad threshold": (
        "pixai",
        _write("thresholds.csv", b"category,name,threshold\n0,general,high\n"),
        ("thresholds.csv", "no number"),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_each_broken_folder_is_one_sentence(case: str, tmp_path: Path) -> None:
    family, spoil, words = BROKEN[case]
    folder = tmp_path / "my model"
    FAMILIES[family].build(folder)
    spoil(folder)
    with pytest.raises(ModelError) as error:
        load_tagger(str(folder), device="cpu")
    text = str(error.value)
    assert all(w in text for w in words), text
    assert str(folder) in text and ":" in text and text.endswith(".") and "\n" not in text
    assert "Traceback" not in text and len(text) < 500


def test_a_width_that_only_running_shows(tmp_path: Path) -> None:
    import onnx

    folder = wd_folder(tmp_path / "a", side=64)
    model = onnx.load(folder / "model.onnx")
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "tags"
    onnx.save(model, folder / "model.onnx")
    assert load_tagger(str(folder), device="cpu").side == 64
    _shorten(folder)
    with pytest.raises(ModelError, match="192 scores"):
        load_tagger(str(folder), device="cpu")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_another_kind(family: str, tmp_path: Path) -> None:
    """The right files around a model whose channels lie elsewhere."""
    FAMILIES[family].build(tmp_path)
    model = next(tmp_path.glob("*.onnx"))
    layout = "NCHW" if family in ("wd", "deepdanbooru") else "NHWC"
    build(model, side=64, layout=layout, outputs=("prediction",), scores="prediction")
    with pytest.raises(ModelError, match=r"takes inputs of .*64 × 64"):
        load_tagger(str(tmp_path), device="cpu")


def test_the_grid_sees_what_it_should() -> None:
    """The tests' own measure: a cell, a channel."""
    pixels = np.zeros((64, 64, 3))
    pixels[8:16, 56:64, 2] = 9
    means = grid(pixels).reshape(3, GRID, GRID)
    assert means[2, 1, 7] == 9 and means.sum() == 9
