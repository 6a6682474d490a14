"""The lint: for every code a folder that has it, one that has not, and the mend where there is one."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.export.lint_finding import Level
from lib_extend.export.linting import LintOptions, lint, rules
from lib_extend.export.trainer_table import trainers
from lib_extend.jobs.undo import UndoJob
from lib_extend.services.lint_mending import mend
from tests.export.folders import PICTURE, folder, found, picture

TURNED = picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")
MOVING = picture(
    "GIF", save_all=True, append_images=[__import__("PIL.Image").Image.new("RGB", (64, 64), "blue")]
)
FIVE = {f"{i}.txt": "mychar, 1girl, blue eyes, smile" for i in range(5)}
LONG = ", ".join(f"zq{i}x" for i in range(36))

# code, what is wrong, what is right, options, the level, the files it names
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Level, set[str]]] = [
    ("no_caption", {"a.png": PICTURE}, {"a.txt": "x"}, {}, Level.WARNING, {"a.png"}),
    ("no_caption", {"a.png": PICTURE}, {"a.txt": "x"}, {"trainer": "simpletuner"}, Level.ERROR, {"a.png"}),
    ("empty_caption", {"a.txt": ""}, {"a.txt": "x"}, {}, Level.WARNING, {"a.png"}),
    ("empty_caption", {"a.txt": ""}, {"a.txt": "x"}, {"trainer": "sd-scripts"}, Level.ERROR, {"a.png"}),
    ("blank_caption", {"a.txt": " , ,\n"}, {"a.txt": "x"}, {}, Level.WARNING, {"a.png"}),
    ("caption_elsewhere", {"a.png": PICTURE, "a.caption": "x"}, {"a.txt": "x"}, {}, Level.WARNING, {"a.png"}),
    ("caption_elsewhere", {"a.png": PICTURE, "a.png.txt": "x"}, {"a.txt": "x"}, {}, Level.WARNING, {"a.png"}),
    ("not_utf8", {"a.txt": "mychar, 1girl, pok\xe9mon".encode("utf-16")}, {"a.txt": "pok\xe9mon"}, {}, Level.ERROR, {"a.png"}),
    ("byte_order_mark", {"a.txt": "\ufeff1girl, caf\xe9"}, {"a.txt": "1girl"}, {}, Level.WARNING, {"a.png"}),
    ("blank_first_line", {"a.txt": "\n1girl, smile"}, {"a.txt": "1girl, smile\n"}, {}, Level.WARNING, {"a.png"}),
    ("lines_not_read", {"a.txt": "1girl, hat\nboy, cap"}, {"a.txt": "1girl, hat\n\n"}, {}, Level.WARNING, {"a.png"}),
    ("tag_lines", {"a.txt": "1girl\nred_hat\nblue_skirt"}, {"a.txt": "1girl, red_hat"}, {"trainer": "onetrainer"}, Level.WARNING, {"a.png"}),
    ("over_75_tokens", {"a.txt": LONG}, {"a.txt": "1girl"}, {}, Level.NOTE, {"a.png"}),
    ("over_base_tokens", {"a.txt": ", ".join([LONG] * 9)}, {"a.txt": LONG}, {"base": "anima"}, Level.NOTE, {"a.png"}),
    ("over_225_tokens", {"a.txt": f"{LONG}, {LONG}"}, {"a.txt": LONG}, {"base": "sdxl"}, Level.WARNING, {"a.png"}),
    ("trigger_missing", {**FIVE, "z.txt": "1girl"}, FIVE, {"trigger": "mychar"}, Level.WARNING, {"z.png"}),
    ("trigger_not_first", {**FIVE, "z.txt": "1girl, mychar"}, FIVE, {"trigger": "mychar"}, Level.WARNING, {"z.png"}),
    ("trait_in_some", {**FIVE, "y.txt": "mychar, 1girl, smile", "z.txt": "mychar, 1girl"}, FIVE, {}, Level.WARNING, {f"{i}.png" for i in range(5)}),
    ("spelling", {"a.txt": "red hat", "b.txt": "red hat", "c.txt": "red_hat"}, {"a.txt": "red hat", "b.txt": "Red hat"}, {}, Level.WARNING, {"c.png"}),
    ("spelling", {"a.txt": "twintails", "b.txt": "twintails", "c.txt": "twin-tails"}, {"a.txt": "red hat", "b.txt": "red cat"}, {}, Level.WARNING, {"c.png"}),
    ("spelling", {"a.txt": "Red hat", "b.txt": "red hat", "c.txt": "red hat"}, {"a.txt": "red hat"}, {"base": "anima"}, Level.WARNING, {"a.png"}),
    ("repeated_tag", {"a.txt": "hat, smile, hat"}, {"a.txt": "hat, smile"}, {}, Level.WARNING, {"a.png"}),
    ("contradiction", {"a.txt": "1girl, black hair, blonde hair"}, {"a.txt": "2girls, black hair, blonde hair", "b.txt": "1girl, multicolored hair, black hair, blonde hair"}, {}, Level.WARNING, {"a.png"}),
    ("people_contradiction", {"a.txt": "1girl, 2girls", "b.txt": "solo, 1girl, 1boy", "c.txt": "no humans, 1girl"}, {"a.txt": "1girl, 1boy", "b.txt": "solo, 1girl", "c.txt": "6+girls, multiple girls"}, {}, Level.WARNING, {"a.png", "b.png", "c.png"}),
    ("brackets", {"a.txt": "hat, (smile:1.2"}, {"a.txt": r"hat, (smile:1.2), :(, saber \(fate\), (o)_(o)"}, {}, Level.WARNING, {"a.png"}),
    ("wildcards", {"a.txt": "{red|blue} hat"}, {"a.txt": "red hat"}, {"trainer": "ai-toolkit"}, Level.WARNING, {"a.png"}),
    ("braces", {"a.txt": "{red} hat"}, {"a.txt": "{{red}} hat, {a|b}"}, {"trainer": "sd-scripts"}, Level.NOTE, {"a.png"}),
    ("weights", {"a.txt": "hat, (smile:1.2)"}, {"a.txt": "hat, saber (fate)"}, {}, Level.WARNING, {"a.png"}),
    ("escaped_brackets", {"a.txt": r"saber \(fate\)"}, {"a.txt": "saber (fate)"}, {}, Level.WARNING, {"a.png"}),
    ("others_caption", {"a.txt": "x", "a_1_2_3_4.png": PICTURE}, {"a.txt": "x", "a_1_2_3_4.txt": "y"}, {}, Level.ERROR, {"a_1_2_3_4.png"}),
    ("crop_numbers", {"a_1_2_3_4.txt": "y"}, {"a_1_2_3.txt": "y", "a_b_c_d_e.txt": "z"}, {}, Level.NOTE, {"a_1_2_3_4.png"}),
    ("same_stem", {"a.png": PICTURE, "a.jpg": picture("JPEG"), "a.txt": "x"}, {"a.txt": "x", "b.txt": "x"}, {}, Level.WARNING, {"a.png", "a.jpg"}),
    ("same_stem", {"a.png": PICTURE, "A.jpg": picture("JPEG")}, {"a.txt": "x"}, {"trainer": "kohya-colab"}, Level.ERROR, {"a.png", "A.jpg"}),
    ("lost_cache", {"b_0064x0064_sdxl.npz": b"x", "a.txt": "x"}, {"a_0064x0064_sdxl.npz": b"x", "a.png": PICTURE}, {}, Level.NOTE, {"b_0064x0064_sdxl.npz"}),
    ("broken_picture", {"a.png": PICTURE[:60]}, {"a.png": PICTURE}, {}, Level.ERROR, {"a.png"}),
    ("broken_picture", {"a.jpg": picture("JPEG", (800, 800))[:-400]}, {"a.jpg": picture("JPEG", (800, 800))}, {}, Level.ERROR, {"a.jpg"}),
    ("broken_picture", {"a.webp": b""}, {"a.webp": picture("WEBP")}, {}, Level.ERROR, {"a.webp"}),
    ("wrong_ending", {"a.png": picture("JPEG")}, {"a.jpeg": picture("JPEG")}, {}, Level.WARNING, {"a.png"}),
    ("not_taken", {"a.gif": picture("GIF")}, {"a.png": PICTURE}, {}, Level.WARNING, {"a.gif"}),
    ("not_taken", {"a.Png": PICTURE}, {"a.PNG": PICTURE}, {"trainer": "sd-scripts"}, Level.WARNING, {"a.Png"}),
    ("not_read", {"a.jxl": b"x"}, {"a.png": PICTURE}, {}, Level.WARNING, {"a.jxl"}),
    ("moving_picture", {"a.gif": MOVING}, {"a.gif": picture("GIF")}, {}, Level.WARNING, {"a.gif"}),
    ("turned_picture", {"a.jpg": TURNED}, {"a.jpg": picture("JPEG")}, {}, Level.WARNING, {"a.jpg"}),
    ("transparent_picture", {"a.png": picture(mode="RGBA")}, {"a.png": PICTURE}, {}, Level.WARNING, {"a.png"}),
    ("other_files", {"a.txt": "x", "notes.json": "{}"}, {"a.txt": "x"}, {"trainer": "kohya-colab"}, Level.ERROR, {"notes.json"}),
    ("other_files", {"a.png": PICTURE, "a.caption": "x"}, {"a.txt": "x", "notes.json": "{}"}, {"trainer": "diffusion-pipe"}, Level.ERROR, {"a.caption"}),
    ("hidden_folder", {"a.txt": "x", ".git/x": "y"}, {"a.txt": "x"}, {"trainer": "kohya-colab"}, Level.ERROR, {".git/"}),
    ("enlarged", {"a.png": picture(size=(500, 500))}, {"a.png": picture(size=(900, 900))}, {"base": "sdxl"}, Level.WARNING, {"a.png"}),
    ("cut_off", {"a.png": picture(size=(3000, 400))}, {"a.png": picture(size=(1024, 1024))}, {"base": "noobai"}, Level.NOTE, {"a.png"}),
    ("lone_bucket", {"a.png": picture(size=(1344, 768)), **{f"{i}.png": picture(size=(1024, 1024)) for i in range(4)}}, {"a.png": picture(size=(1344, 768)), "b.png": picture(size=(1344, 768))}, {"base": "sdxl"}, Level.NOTE, {"a.png"}),
    ("spelling", {"a.txt": "necktie", "b.txt": "necktie", "c.txt": "neck tie"}, {"a.txt": "necktie", "b.txt": "bow"}, {}, Level.WARNING, {"c.png"}),
    ("subfolders", {"a.txt": "x", "b/c.txt": "y"}, {"a.txt": "x"}, {}, Level.NOTE, {"b"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "wrong", "right", "options", "level", "names"), CASES, ids=[c[0] for c in CASES]
)
def test_a_folder_that_has_it_and_one_that_has_not(
    tmp_path: Path, code: str, wrong: Any, right: Any, options: Any, level: Level, names: set[str]
) -> None:
    (finding,) = found(folder(tmp_path / "wrong", wrong), code, **options)
    assert {s.name for s in finding.spots} == names
    assert finding.level is level
    assert "{" not in finding.text.replace("{a|b}", "") and finding.text.endswith((".", ":"))
    assert not found(folder(tmp_path / "right", right), code, **options)


def test_every_rule_has_a_case() -> None:
    covered = {c[0] for c in CASES} | {"stale_cache", "persons_contradiction"}
    assert {r.code for r in rules()} <= covered


def test_what_a_clean_folder_says(tmp_path: Path) -> None:
    root = folder(tmp_path, FIVE)
    for trainer in trainers():
        report = lint(Dataset(root), LintOptions(trainer, "", "mychar"))
        assert report.findings == () and report.pictures == report.captions == 5


def test_caches_are_stale_when_their_source_is_newer(tmp_path: Path) -> None:
    files = {"a_0064x0064_sdxl.npz": b"x", "a_te_outputs.npz": b"x", "b.npz": b"x", "b_anima_te.npz": b"x"}
    root = folder(tmp_path, {**files, "a.png": PICTURE, "a.txt": "x", "b.png": PICTURE, "b.txt": "x"})
    now = time.time()
    for name, age in (("a.png", 0), ("b.png", 90), ("a.txt", 0), ("b.txt", 90), *((n, 60) for n in files)):
        os.utime(root / name, (now - age, now - age))
    (finding,) = found(root, "stale_cache")
    assert {s.name for s in finding.spots} == {"a_0064x0064_sdxl.npz", "a_te_outputs.npz"}
    assert not found(root, "lost_cache")


def test_persons_that_were_found_are_compared(tmp_path: Path) -> None:
    root = folder(tmp_path, {"a.txt": "2girls, hat", "b.txt": "1girl"})
    with Dataset(root).state():
        pass
    db = sqlite3.connect(root / ".prompt-extend" / "state.sqlite3")
    for name, persons in (("a.png", "[{}]"), ("b.png", "[{}]")):
        s = (root / name).stat()
        row = (name.encode(), "persons", "k", s.st_size, s.st_mtime_ns, 64, 64, persons)
        db.execute("INSERT INTO analysis VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    db.commit()
    db.close()
    (finding,) = found(root, "persons_contradiction")
    assert [(s.name, s.detail) for s in finding.spots] == [("a.png", "2 in the caption, 1 found")]


def test_left_out_pictures_are_left_out(tmp_path: Path) -> None:
    from lib_extend.jobs.leaving_out import leave_out

    root = folder(tmp_path, {"a.txt": "x", "b.png": PICTURE})
    leave_out(Dataset(root), ["b.png"])
    assert not found(root, "no_caption")


MENDS = [
    ("not_utf8", {}, "a.txt", "mychar, café".encode("utf-16"), "mychar, café".encode()),
    ("byte_order_mark", {}, "a.txt", b"\xef\xbb\xbf1girl, hat", b"1girl, hat"),
    ("blank_first_line", {}, "a.txt", b"\n\r\n1girl,  hat\r\n", b"1girl,  hat\r\n"),
    ("tag_lines", {}, "a.txt", b"1girl\nred_hat\nblue_skirt\n", b"1girl, red_hat, blue_skirt\n"),
    ("trigger_missing", {"trigger": "my char"}, "a.txt", b"1girl,hat\nother", b"my char,1girl,hat\nother"),
    ("trigger_not_first", {"trigger": "mychar"}, "a.txt", b"1girl, mychar, hat", b"mychar, 1girl, hat"),
    ("repeated_tag", {}, "a.txt", b"Hat, smile,  hat, park. \n", b"Hat, smile,  park. \n"),
    ("braces", {"trainer": "sd-scripts"}, "a.txt", b"{red} hat, {a|b}", b"{{red}} hat, {a|b}"),
    ("weights", {}, "a.txt", b"hat, (red skirt:1.2), ((smile)), (a, b:1.1)", b"hat, red skirt, smile, (a, b:1.1)"),
    ("escaped_brackets", {}, "a.txt", rb"saber \(fate\), hat", b"saber (fate), hat"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "options", "name", "before", "after"), MENDS, ids=[m[0] for m in MENDS])
def test_a_mend_changes_what_it_says_and_can_be_undone(
    tmp_path: Path, code: str, options: Any, name: str, before: bytes, after: bytes
) -> None:
    root = folder(tmp_path, {name: before})
    if code in ("braces", "wildcards"):
        (root / name).write_bytes(before.replace(b", {a|b}", b""))
        before, after = before.replace(b", {a|b}", b""), after.replace(b", {a|b}", b"")
    (done,) = mend(Dataset(root), LintOptions(**options), [code])
    assert (root / name).read_bytes() == after
    assert done.changed == 1 and done.run
    assert not found(root, code, **options)
    list(UndoJob(Dataset(root), done.run).events())
    assert (root / name).read_bytes() == before


def test_spellings_become_the_most_frequent_one(tmp_path: Path) -> None:
    texts = {"a.txt": "red hat, blue_skirt", "b.txt": "(Red_Hat:1.2), blue skirt", "c.txt": "red hat, blue skirt, A girl stands. She wears a red_hat."}  # fmt: skip
    root = folder(tmp_path, texts)
    (finding,) = found(root, "spelling")
    assert finding.fields["tags"] == 2 and {s.name for s in finding.spots} == {"a.png", "b.png"}
    mend(Dataset(root), LintOptions(), ["spelling"])
    assert (root / "a.txt").read_text() == "red hat, blue skirt"
    assert (root / "b.txt").read_text() == "(red hat:1.2), blue skirt"
    assert (root / "c.txt").read_text() == texts["c.txt"]


def test_a_trait_is_bound_to_the_trigger(tmp_path: Path) -> None:
    files = {**FIVE, "y.txt": "mychar, 1girl, smile", "z.txt": "mychar, 1girl, closed eyes"}
    root = folder(tmp_path, files)
    mend(Dataset(root), LintOptions(trigger="mychar"), ["all"])
    assert (root / "0.txt").read_text() == "mychar, 1girl, smile"
    assert (root / "z.txt").read_text() == files["z.txt"]


def test_wrong_use_is_said(tmp_path: Path) -> None:
    root = folder(tmp_path, FIVE)
    for options, field in ((LintOptions("kohya"), "trainer"), (LintOptions(base="sd9"), "base"), (LintOptions(trigger="a, b"), "trigger")):  # fmt: skip
        with pytest.raises(UserError) as raised:
            lint(Dataset(root), options)
        assert raised.value.field == field
    with pytest.raises(UserError, match="can be mended: none"):
        mend(Dataset(root), LintOptions(), ["weights"])
