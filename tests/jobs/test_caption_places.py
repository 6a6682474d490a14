"""Captions under other names, blank ones, words from elsewhere, and files that are passed over: all of it is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_extend.cli.main import main
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.undo import undo
from lib_extend.services import browse_edits
from lib_extend.services.edit_actions import Edit

from .conftest import caption, failures, finished, images, run

INFOTEXT = (
    "1girl, (smile:1.2), <lora:style:0.8>, red_hat\nNegative prompt: lowres, blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 64x48, Model: x"
)


def notices(events: list[ev.Event]) -> dict[str, str]:
    return {e.code: e.text for e in events if isinstance(e, ev.Notice)}


def pieces(text: str) -> list[str]:
    return [p.strip() for p in text.split(",")]


def texts(folder: Path) -> dict[str, str]:
    return {
        p.name: p.read_text(encoding="utf-8") for p in folder.iterdir() if p.suffix in (".txt", ".caption")
    }


def test_a_caption_file_is_written_back_under_its_own_name(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / "cake3-red.caption").write_text("1girl, mychar, red ribbon")
    events = run(folder)
    (written,) = texts(folder).items()
    assert written[0] == "cake3-red.caption" and pieces(written[1])[:3] == ["1girl", "mychar", "red ribbon"]
    assert "3 cakes" in pieces(written[1]) and pieces(written[1]).count("1girl") == 1
    assert "cake3-red.caption instead of cake3-red.txt" in notices(events)["caption_suffix"]
    assert finished(run(folder)).written == 0
    undo(Dataset(folder))
    assert texts(folder) == {"cake3-red.caption": "1girl, mychar, red ribbon"}


def test_a_caption_under_the_whole_name_is_found_and_told(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png")
    (folder / "cake3-red.png.txt").write_text("1girl\nmychar\nred_ribbon\n")
    events = run(folder)
    (written,) = texts(folder).items()
    assert written[0] == "cake3-red.png.txt"
    assert {"1girl", "mychar", "red_ribbon"} <= set(pieces(written[1].replace("\n", ",")))
    assert "cake3-red.png.txt instead of cake3-red.txt" in notices(events)["whole_name"]


def test_of_two_captions_one_is_used_and_the_other_left_alone(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "cake2-red.png")
    (folder / "cake3-red.txt").write_text("one")
    (folder / "cake3-red.caption").write_text("two")
    (folder / "cake2-red.txt").write_text("")
    (folder / "cake2-red.caption").write_text("three")
    events = run(folder)
    now = texts(folder)
    assert now["cake3-red.caption"] == "two" and pieces(now["cake3-red.txt"])[0] == "one"
    assert now["cake2-red.txt"] == "" and pieces(now["cake2-red.caption"])[0] == "three"
    assert (
        "2 pictures with two captions (cake2-red.png: cake2-red.caption is used"
        in notices(events)["two_captions"]
    )


def test_pictures_of_one_stem_have_captions_of_their_own_by_name(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "cake3-red.jpg", "cake2-red.png", "cake2-red.jpg")
    (folder / "cake3-red.png.txt").write_text("of the png")
    (folder / "cake3-red.jpg.txt").write_text("of the jpg")
    events = run(folder)
    assert set(failures(events)) == {"cake2-red.png"}  # these two still share one
    assert pieces(texts(folder)["cake3-red.png.txt"])[0] == "of the png"
    assert pieces(texts(folder)["cake3-red.jpg.txt"])[0] == "of the jpg"


@pytest.mark.parametrize("blank", [b"", b"  \r\n", b", , ,\n", "，、\u3000".encode(), b"\xef\xbb\xbf\n"])
def test_a_blank_caption_is_none(folder: Path, log: Path, blank: bytes) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    (folder / "cake3-red.txt").write_bytes(blank)
    (folder / "book1-blue.txt").write_text("mine")
    browser = Browser(Dataset(folder))
    try:
        assert browser.wait(20)
        assert [r["name"] for r in browser.images("has:caption")[1]] == ["book1-blue.png"]
    finally:
        browser.close()
    events = run(folder, existing="skip")
    assert finished(events).skipped == 1 and caption(folder, "book1-blue.png") == "mine"
    assert "3 cakes" in pieces(caption(folder, "cake3-red.png")) and "" not in pieces(
        caption(folder, "cake3-red.png")
    )
    undo(Dataset(folder))
    assert (folder / "cake3-red.txt").read_bytes() == blank


# sources


def test_json_is_told_and_read_when_asked_for(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    record = {"caption": "1girl, mychar", "tags": ["1girl", "mychar", "blue_skirt"]}
    (folder / "cake3-red.json").write_text(json.dumps(record))
    events = run(folder)
    assert (
        "1 picture with a JSON file beside that is not read (cake3-red.json)"
        in notices(events)["json_not_used"]
    )
    assert "mychar" not in caption(folder, "cake3-red.png")
    undo(Dataset(folder))
    events = run(folder, caption_source=("json",))
    assert "json_not_used" not in notices(events)
    now = pieces(caption(folder, "cake3-red.png"))
    assert now[:3] == ["1girl", "mychar", "blue skirt"] and now.count("1girl") == 1 and "3 cakes" in now
    # what came from there is a person's: it stays whatever the next run says
    run(folder, threshold=0.9, exclude=("hat",))
    assert pieces(caption(folder, "cake3-red.png"))[:3] == ["1girl", "mychar", "blue skirt"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"tag_string": "1girl highres red_hat", "tag_string_general": "1girl red_hat", "tag_string_meta": "highres"},
         ["1girl", "red hat"]),
        ({"tags_general": ["solo"], "tags_character": ["saber_(fate)"], "tags_meta": ["highres"]}, ["saber (fate)", "solo"]),
        ({"tags": "1girl red_hat ^_^"}, ["1girl", "red hat", "^_^"]),
        ({"tags": "red hat, smile"}, ["red hat", "smile"]),
        ({"tags": {"red_hat": 0.9, "smile": 0.5}}, ["red hat", "smile"]),
        ({"tags": {"__type": "bytes", "red_hat": 1}}, ["red hat"]),
        ({"text": "A girl, with a hat."}, ["A girl", "with a hat."]),
    ],
)  # fmt: skip
def test_records_of_downloaders_and_trainers(
    folder: Path, log: Path, record: dict[str, Any], expected: list[str]
) -> None:
    images(folder, "cake3-red.png")
    (folder / "cake3-red.png.json").write_text(json.dumps(record))
    run(folder, tagger="none", vlm="none", caption_source=("json",))
    assert pieces(caption(folder, "cake3-red.png")) == expected


def test_a_broken_json_is_one_sentence(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-blue.png")
    (folder / "cake3-red.json").write_text("[" * 100_000)
    events = run(folder, caption_source=("json",))
    assert (
        failures(events)["cake3-red.png"].startswith("cake3-red.json is no JSON")
        and finished(events).done == 1
    )


def picture(path: Path, **options: Any) -> None:
    Image.new("RGB", (64, 48), "red").save(path, **options)


def test_a_pictures_own_text_is_told_and_read_when_asked_for(folder: Path, log: Path) -> None:
    info = PngInfo()
    info.add_text("parameters", INFOTEXT)
    picture(folder / "cake3-red.png", pnginfo=info)
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + INFOTEXT.encode("utf-16-be")
    picture(folder / "cake2-red.jpg", exif=exif)
    picture(folder / "cake1-red.webp", exif=exif)
    novel = PngInfo()
    novel.add_text("Software", "NovelAI")
    novel.add_text("Description", "1girl, blue hat")
    picture(folder / "book2-red.png", pnginfo=novel)
    picture(folder / "book1-red.png")
    events = run(folder)
    assert "4 pictures without a caption but with generation data" in notices(events)["infotext_not_used"]
    undo(Dataset(folder))
    events = run(folder, caption_source=("infotext",))
    assert "infotext_not_used" not in notices(events)
    for name in ("cake3-red.png", "cake2-red.jpg", "cake1-red.webp"):
        assert pieces(caption(folder, name))[:3] == ["1girl", "(smile:1.2)", "red_hat"]
        assert "lora" not in caption(folder, name) and "lowres" not in caption(folder, name)
    assert pieces(caption(folder, "book2-red.png"))[:2] == ["1girl", "blue hat"]


def test_the_file_name_as_a_source(folder: Path, log: Path) -> None:
    images(folder, "red_hat, my char (2).png", "0001234.png", "IMG_2034.png", "0123456789abcdef01.png")
    run(folder, caption_source=("filename",))
    assert pieces(caption(folder, "red_hat, my char (2).png"))[:2] == ["red hat", "my char"]
    for name in ("0001234.png", "IMG_2034.png", "0123456789abcdef01.png"):
        assert pieces(caption(folder, name))[0] == "1girl"


def test_a_caption_that_is_there_comes_before_any_source(folder: Path, log: Path) -> None:
    images(folder, "red hat.png")
    (folder / "red hat.json").write_text('{"caption": "from json"}')
    (folder / "red hat.txt").write_text("mine")
    run(folder, caption_source=("json", "filename"))
    assert pieces(caption(folder, "red hat.png"))[0] == "mine" and "from json" not in caption(
        folder, "red hat.png"
    )


def test_an_unknown_source_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", str(folder), "--caption-source", "exif"]) == 2
    assert (
        "caption_source is 'exif', but must be one of: json, infotext, filename." in capsys.readouterr().err
    )


# what is passed over


def test_kinds_that_are_not_read_are_counted_and_named(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "a.jxl", "b.JXL", "c.heic", "notes.md", "model.safetensors")
    text = notices(run(folder))["not_read"]
    assert "1 .heic, 2 .jxl (a.jxl, b.JXL, c.heic)" in text


def test_mask_files_and_globs_are_left_out(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "cake3-red-masklabel.png", "cake3-red-condlabel.png", "sub/draft1.png")
    events = run(folder, recursive=True)
    assert set(texts(folder)) == {"cake3-red.txt"} and (folder / "sub/draft1.txt").exists()
    assert "2 pictures (cake3-red-condlabel.png, cake3-red-masklabel.png)" in notices(events)["excluded"]
    (folder / "sub/draft1.txt").unlink()
    browser = Browser(Dataset(folder), recursive=True)
    try:
        assert browser.wait(20)
        assert [r["name"] for r in browser.images()[1]] == ["cake3-red.png", "sub/draft1.png"]
    finally:
        browser.close()
    assert set(failures(run(folder, recursive=True, exclude_images=("draft*",)))) == set()
    assert (folder / "cake3-red-masklabel.txt").exists() and not (folder / "sub/draft1.txt").exists()


def test_a_folder_of_numbered_folders_hints_at_recursive(
    folder: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(folder, "10_mychar/cake3-red.png", "2_other/cake2-red.png")
    assert main(["tag", str(folder), "--tagger", "none"]) == 0
    assert "2 folders hold some (10_mychar, 2_other): add --recursive." in capsys.readouterr().out
    assert not notices(run(folder, recursive=True))


# who else reads and writes them


def test_browsing_and_editing_use_the_same_file(folder: Path, log: Path) -> None:
    images(folder, "cake3-red.png", "book1-red.png", "ball1-red.png")
    (folder / "cake3-red.caption").write_text("1girl, mychar")
    (folder / "book1-red.png.txt").write_text("1girl, other")
    browser = Browser(Dataset(folder))
    try:
        assert browser.wait(20)
        rows = {r["name"]: r["caption"] for r in browser.images()[1]}
        assert rows == {
            "cake3-red.png": "1girl, mychar",
            "book1-red.png": "1girl, other",
            "ball1-red.png": "",
        }
        done = browse_edits.edit(browser, Edit("add", ("hat",)), filter="1girl")
        assert done.changed == 2
        assert browse_edits.save(browser, "book1-red.png", "mine", "1girl, other, hat") == "mine"
        assert [r["name"] for r in browser.images("changed:last")[1]] == ["book1-red.png"]
    finally:
        browser.close()
    assert texts(folder) == {"cake3-red.caption": "1girl, mychar, hat", "book1-red.png.txt": "mine"}
    again = Browser(Dataset(folder))
    try:
        assert again.wait(20)
        assert again.row("cake3-red.png").caption == "1girl, mychar, hat"
        (folder / "cake3-red.caption").rename(folder / "cake3-red.txt")
        again.look_again()
        again.settle()
        assert browse_edits.save(again, "cake3-red.png", "new", "1girl, mychar, hat") == "new"
    finally:
        again.close()
    assert texts(folder) == {"cake3-red.txt": "new", "book1-red.png.txt": "mine"}
