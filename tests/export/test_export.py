"""Exports: what stands on the disk for each trainer, and that nothing half is ever left there."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from PIL import Image

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import Stopped, StorageError, UserError
from lib_extend.export import exported_pictures
from lib_extend.export.export_plan import ExportOptions, repeats_of
from lib_extend.export.exported_captions import captions_in, file_text
from lib_extend.export.exported_names import Names
from lib_extend.export.exporting import ExportReport, export
from lib_extend.export.key_schema import check
from lib_extend.export.lint_finding import Level
from lib_extend.export.sd_scripts_settings import DATASET_SCHEMA
from lib_extend.export.trainer import Lines
from lib_extend.export.trainer_table import trainers
from tests.export.folders import PICTURE, folder, picture
from tests.export.test_lint import TURNED

TRAINERS = list(trainers())
BIG = picture(size=(1024, 1024))
HARD = {
    "a.png": BIG,
    "a.txt": "mychar, 1girl, saber \\(fate\\)",
    "A.jpg": picture("JPEG", (1920, 1080)),
    "b_1_2_3_4.png": picture(mode="RGBA"),
    "b_1_2_3_4.txt": "",
    "c.jpg": TURNED,
    "c.caption": "mychar, 1boy\nmychar, a boy",
    "d.gif": picture("GIF"),
    "d.gif.txt": "\ufeffmychar\r\n".encode(),
    "猫 一.png": PICTURE,
    "猫 一.txt": "mychar, 1girl\nhat\n".encode("utf-16"),
    "e.png": picture("JPEG"),
    "e.txt": "1girl\nred_hat\nblue_skirt",
    "notes.json": "{}",
    ".git/config": "x",
}
"""A folder with nearly all that stops trainers."""


def made(root: Path, out: Path, **options: Any) -> ExportReport:
    return export(Dataset(root), out, ExportOptions(**{"trigger": "mychar", **options}))


def files(out: Path) -> set[str]:
    return {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_export_of_a_hard_folder_is_clean(tmp_path: Path, trainer: str) -> None:
    root, out = folder(tmp_path / "set", HARD), tmp_path / "out"
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    report = made(root, out, trainer=trainer)
    assert not report.failed and [f for f in report.findings if f.level is Level.ERROR] == []
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before
    where = out / trainers()[trainer].pictures_in / "mychar"
    pictures = sorted(p for p in where.iterdir() if p.suffix in (".png", ".jpg", ".webp"))
    assert len(pictures) == 7 and len({p.stem.lower() for p in pictures}) == 7
    for path in pictures:
        assert re.fullmatch(r"[A-Za-z0-9.-]+(_[A-Za-z0-9.-]+){0,3}", path.stem)
        with Image.open(path) as image:
            image.load()
            assert image.mode == "RGB" and image.getexif().get(0x0112, 1) == 1
            assert path.suffix == {"PNG": ".png", "JPEG": ".jpg"}[image.format or ""]
        caption = path.with_suffix(".txt").read_bytes()
        assert caption.strip() and not caption.startswith(b"\xef\xbb\xbf") and caption.decode().endswith("\n")
    assert (where / "a-2.txt").read_text() == "mychar, 1girl, saber (fate)\n"
    assert (where / "e.txt").read_text() == "1girl, red_hat, blue_skirt\n"
    assert (where / "b-1-2-3-4.txt").read_text() == "mychar\n"
    lines = {
        Lines.FIRST: "mychar, 1boy\n",
        Lines.EVERY: "mychar, 1boy\nmychar, a boy\n",
        Lines.WHOLE: "mychar, 1boy\n",
    }
    assert (where / "c.txt").read_text() == lines[trainers()[trainer].lines]
    with Image.open(where / "c.png") as image:
        assert image.size == (64, 64)
    assert (where / "a-2.png").read_bytes() == HARD["a.png"]
    assert not [p for p in out.rglob("*") if p.name.startswith(".")]
    assert not out.with_name("out.unfinished").exists()


def test_what_is_transparent_is_laid_on_a_color(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.png": picture(mode="RGBA")})
    made(root, tmp_path / "out", color=(0, 0, 255))
    with Image.open(tmp_path / "out" / "pictures" / "mychar" / "a.png") as image:
        red, _, blue = image.getpixel((3, 3))  # type: ignore[misc]
        assert 90 < red < 110 and 160 < blue < 180


def test_sd_scripts_settings(tmp_path: Path) -> None:
    root = folder(
        tmp_path / "set",
        {"10_hats/a.txt": "mychar, hat", "faces/b.txt": "mychar, smile", "faces/c.txt": "mychar"},
    )
    out = tmp_path / "my out"
    report = made(
        root,
        out,
        trainer="sd-scripts",
        recursive=True,
        folder_repeats={"faces": 3},
        base="noobai-vpred",
        role="background",
    )
    dataset = tomlkit.parse((out / "dataset.toml").read_text()).unwrap()
    check(dataset, DATASET_SCHEMA)
    (only,) = dataset["datasets"]
    subsets = {Path(s["image_dir"]).name: s for s in only["subsets"]}
    assert {n: s["num_repeats"] for n, s in subsets.items()} == {"hats": 10, "faces": 3}
    assert all(Path(s["image_dir"]).is_dir() for s in subsets.values())
    assert (only["resolution"], only["max_bucket_reso"], only["batch_size"]) == (1024, 2048, 4)
    assert dataset["general"]["keep_tokens"] == 1 and dataset["general"]["caption_extension"] == ".txt"
    training = tomlkit.parse((out / "training.toml").read_text()).unwrap()
    assert (
        training["v_parameterization"] and training["zero_terminal_snr"] and "min_snr_gamma" not in training
    )
    assert training["training_comment"] == "prompt-extend:background:english trigger=mychar"
    assert Path(training["dataset_config"]) == out / "dataset.toml"
    # 1 × 10 + 2 × 3 = 16 of one bucket in batches of 4
    assert (report.plan.repeated, report.plan.steps_an_epoch, report.plan.steps) == (16, 4, 40)
    assert "sdxl_train_network.py" in (out / "command.txt").read_text()


def test_the_mark_is_read_by_the_panel(tmp_path: Path) -> None:
    import struct

    from lib_extend.generation.lora_files import read_lora

    root = folder(tmp_path / "set", {"a.txt": "mychar"})
    made(root, tmp_path / "out", trainer="sd-scripts", role="separation")
    training = tomlkit.parse((tmp_path / "out" / "training.toml").read_text()).unwrap()
    header = json.dumps({"__metadata__": {"ss_training_comment": training["training_comment"]}}).encode()
    lora = tmp_path / "x.safetensors"
    lora.write_bytes(struct.pack("<Q", len(header)) + header)
    assert read_lora(lora).role == "separation"


@pytest.mark.parametrize("base", ["sd15", "sdxl", "noobai-vpred", "anima"])
@pytest.mark.parametrize("trainer", [t for t in TRAINERS if trainers()[t].bases])
def test_settings_of_every_trainer_are_valid_and_whole(tmp_path: Path, trainer: str, base: str) -> None:
    root, out = (
        folder(tmp_path / "set", {"a.txt": "mychar, hat\na girl", "b.txt": "mychar"}),
        tmp_path / "out",
    )
    family = "sdxl" if base.startswith("noobai") else base
    if family not in trainers()[trainer].bases:
        with pytest.raises(UserError, match="not for"):
            made(root, out, trainer=trainer, base=base)
        assert not out.exists()
        return
    report = made(root, out, trainer=trainer, base=base, repeats=3)
    there = files(out)
    for name in report.written:
        assert name in there
        text = (out / name).read_bytes()
        if name.endswith(".toml"):
            assert tomlkit.parse(text.decode())
        elif name.endswith(".json"):
            assert json.loads(text)
    folders = re.findall(
        r'"([^"]*/pictures/mychar)"',
        "".join((out / n).read_text() for n in report.written if n.endswith(("ml", "son"))),
    )
    assert trainer == "kohya-colab" or (folders and all(Path(f).is_dir() for f in folders))


def test_diffusion_pipe_gets_lists_of_captions(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar, hat\na girl \\(big\\)", "b.txt": "mychar"})
    made(root, tmp_path / "out", trainer="diffusion-pipe")
    texts = json.loads((tmp_path / "out" / "pictures" / "mychar" / "captions.json").read_text())
    assert texts == {"a.png": ["mychar, hat", "a girl (big)"], "b.png": ["mychar"]}


def test_imagefolder_rows(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar, hat", "b.txt": "mychar"})
    made(root, tmp_path / "out", trainer="imagefolder", repeats=2)
    rows = [json.loads(x) for x in (tmp_path / "out" / "train" / "metadata.jsonl").read_text().splitlines()]
    assert rows.count({"file_name": "mychar/a.png", "text": "mychar, hat"}) == 2 and len(rows) == 4
    assert all((tmp_path / "out" / "train" / r["file_name"]).is_file() for r in rows)


def test_kohya_colab_has_an_archive_as_its_drive_wants_it(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar, hat"})
    made(root, tmp_path / "out", trainer="kohya-colab", name="My_Char")
    names = zipfile.ZipFile(tmp_path / "out" / "My_Char.zip").namelist()
    assert names == ["Loras/My_Char/dataset/a.png", "Loras/My_Char/dataset/a.txt"]
    with pytest.raises(UserError, match="project's name"):
        made(root, tmp_path / "other", trainer="kohya-colab", name="My Char.")


def test_every_line_is_kept_where_the_trainer_picks_one(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar, hat\nmychar, cap"})
    made(root, tmp_path / "out", trainer="sd-scripts", every_line=True)
    assert (tmp_path / "out" / "pictures" / "mychar" / "a.txt").read_text() == "mychar, hat\nmychar, cap\n"
    assert (
        tomlkit.parse((tmp_path / "out" / "dataset.toml").read_text())["general"]["enable_wildcard"] is True
    )  # type: ignore[index]


def test_resizing_into_buckets(tmp_path: Path) -> None:
    root = folder(
        tmp_path / "set",
        {"a.png": picture(size=(1920, 1080)), "b.png": BIG, "c.png": picture(size=(300, 300))},
    )
    report = made(root, tmp_path / "out", trainer="sd-scripts", resize=True)
    where = tmp_path / "out" / "pictures" / "mychar"
    sizes = {}
    for path in where.glob("*.png"):
        with Image.open(path) as image:
            sizes[path.name] = image.size
    assert sizes == {"a.png": (1344, 768), "b.png": (1024, 1024), "c.png": (1024, 1024)}
    assert report.plan.table.lost == 0 and (where / "b.png").read_bytes() == BIG


# bad input


def test_a_place_that_may_not_be_used(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar"})
    for place in (root, root / "out", tmp_path):
        with pytest.raises(UserError):
            made(root, place)
    full = folder(tmp_path / "full", {"x.txt": "y"})
    with pytest.raises(UserError, match="is not empty"):
        made(root, full)
    (tmp_path / "o.unfinished").mkdir()
    with pytest.raises(UserError, match=r"o\.unfinished is not empty"):
        made(root, tmp_path / "o")
    empty = tmp_path / "empty"
    empty.mkdir()
    made(root, empty)
    assert (empty / "pictures" / "mychar" / "a.png").is_file()


def test_stopping_leaves_nothing_and_the_same_command_makes_it_whole(tmp_path: Path) -> None:
    root, out = folder(tmp_path / "set", {f"{i}.txt": "mychar" for i in range(4)}), tmp_path / "out"
    seen: list[int] = []
    with pytest.raises(Stopped):
        export(
            Dataset(root),
            out,
            ExportOptions(),
            progress=lambda done, total: seen.append(done),
            stopped=lambda: len(seen) == 2,
        )
    assert not out.exists() and sorted(p.name for p in tmp_path.iterdir()) == ["set"]
    # what a killed one leaves is known by its mark, and goes
    left = folder(tmp_path / "out.unfinished", {".prompt-extend-export": "", "pictures/x.png": PICTURE})
    made(root, out)
    assert len(list((out / "pictures" / "mychar").glob("*.png"))) == 4 and not left.exists()


def test_a_full_disk_is_one_sentence_and_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = folder(tmp_path / "set", {"a.txt": "mychar", "b.txt": "mychar"}), tmp_path / "out"

    def no_room(*what: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(exported_pictures.shutil, "copyfile", no_room)
        with pytest.raises(StorageError, match="No space left on device"):
            made(root, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set"]
    with monkeypatch.context() as patch:
        patch.setattr(
            "lib_extend.export.exporting.shutil.disk_usage", lambda p: type("Usage", (), {"free": 10})()
        )
        with pytest.raises(UserError, match="make room"):
            made(root, out)


def test_pictures_that_cannot_be_read_or_vanish_are_named(tmp_path: Path) -> None:
    root = folder(tmp_path / "set", {"a.txt": "mychar", "b.png": PICTURE[:60], "z.txt": "mychar"})

    def gone(done: int, total: int) -> None:
        (root / "z.png").unlink(missing_ok=True)

    report = export(Dataset(root), tmp_path / "out", ExportOptions(), progress=gone)
    assert [n for n, _ in report.failed] == ["b.png", "z.png"]
    assert "z.png is gone" in report.failed[1][1]
    assert sum(s.pictures for s in report.plan.subsets) == 1
    with pytest.raises(UserError, match="has no pictures"):
        made(folder(tmp_path / "none", {"x.json": "{}"}), tmp_path / "other")


# pieces


@pytest.mark.parametrize(
    ("text", "captions"),
    [
        ("", []),
        (" ,\n", []),
        ("1girl, hat\r\n\r\n", ["1girl, hat"]),
        ("1girl\nred_hat\n", ["1girl, red_hat"]),
        ("\n1girl, hat\n\n1boy, cap", ["1girl, hat", "1boy, cap"]),
        (
            "A girl stands in a park.\n\nThe park has a bench.\n",
            ["A girl stands in a park.\n\nThe park has a bench."],
        ),
    ],
)
def test_captions_in_a_file(text: str, captions: list[str]) -> None:
    assert captions_in(text) == captions


def test_paragraphs_become_one_line_where_lines_are_captions() -> None:
    captions = captions_in("A girl stands in a park.\n\nThe park has a bench.\n")
    assert file_text(captions, Lines.FIRST) == "A girl stands in a park. The park has a bench.\n"
    assert file_text(captions, Lines.WHOLE) == "A girl stands in a park.\n\nThe park has a bench.\n"
    assert file_text([], Lines.FIRST) == "\n"


def test_names() -> None:
    names = Names()
    wanted = ["a", "a-2", "picture", "x-1-2-3-4", "con-1", "cafe", "picture-2", "m"]
    given = [
        "a.png",
        "A.jpg",
        "猫.png",
        "x_1_2_3_4.png",
        "con 1.png",
        "café.png",
        "con.png",
        "m-masklabel.png",
    ]
    assert [names.stem(n).lower() for n in given] == wanted


def test_repeats() -> None:
    assert repeats_of(["5", "hats=10", "a/b=2"]) == (5, {"hats": 10, "a/b": 2})
    for wrong in ("0", "x", "hats=", "1001"):
        with pytest.raises(UserError):
            repeats_of([wrong])


def test_unknown_keys_are_refused() -> None:
    for wrong in ({"datasets": [], "x": 1}, {}, {"datasets": [{"subsets": [{"image_dir": 1}]}]}, {"general": {"keep_tokens": True}, "datasets": []}):  # fmt: skip
        with pytest.raises(ValueError):
            check(wrong, DATASET_SCHEMA)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lib_extend.cli.main import main

    root, out = folder(tmp_path / "set", {"a.txt": "mychar, hat", "b.png": PICTURE[:60]}), tmp_path / "out"
    assert (
        main(
            [
                "export",
                str(root),
                str(out),
                "--for",
                "sd-scripts",
                "--trigger",
                "mychar",
                "--repeats",
                "20",
                "--json",
            ]
        )
        == 1
    )
    report = json.loads(capsys.readouterr().out)
    assert report["steps"] == 50 and report["failures"][0]["name"] == "b.png"
    (root / "b.png").unlink()
    assert main(["export", str(root), str(tmp_path / "two"), "--for", "folder"]) == 0
    assert "1 picture for a trainer in " in capsys.readouterr().out
    for wrong in (["--resolution", "12"], ["--background", "blue"], ["--epochs", "0"]):
        assert main(["export", str(root), str(tmp_path / "three"), *wrong]) == 2
    assert isinstance(capsys.readouterr().err, str) and not (tmp_path / "three").exists()


def test_preparing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lib_extend.cli.main import main

    root = folder(
        tmp_path / "set",
        {"a.png": picture(size=(1920, 1080)), "a.txt": "mychar", "b.png": picture(size=(300, 300))},
    )
    assert main(["prepare", str(root), "--resolution", "512"]) == 0
    out = capsys.readouterr().out
    assert "  512 × 512   1 picture" in out and "enlarged: b.png 1.71×" in out
    assert main(["prepare", str(root), str(tmp_path / "out"), "--resolution", "512", "--no-upscale"]) == 0
    where = tmp_path / "out" / "pictures" / "set"
    with Image.open(where / "a.png") as a, Image.open(where / "b.png") as b:
        assert a.size[0] * a.size[1] <= 512 * 512 and b.size == (256, 256)
    assert (where / "a.txt").read_text() == "mychar\n"
