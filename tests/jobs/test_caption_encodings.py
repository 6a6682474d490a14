"""A run over captions that are not UTF-8: what it reads, reports, says and writes, and who else reads them so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_extend.cli.main import main
from lib_extend.datasets.browser import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.jobs.edit_runs import edit_captions, save_caption
from lib_extend.jobs.undo import undo
from lib_extend.services.picture_details import details

from .conftest import caption, failures, finished, images, run

CHINESE = {
    "book4-red.txt": "公园, 长椅, 树, 她坐在窗边看书",
    "cake1-red.txt": "一个女孩站在公园里，穿着红色的裙子，面带微笑。",
    "cake2-red.txt": "少女, 红色头发, 长发",
    "cake3-red.txt": "红发, 猫耳",
}


def chinese(folder: Path) -> dict[str, bytes]:
    images(folder, *(n.replace(".txt", ".png") for n in CHINESE))
    written = {name: text.encode("gb18030") for name, text in CHINESE.items()}
    for name, data in written.items():
        (folder / name).write_bytes(data)
    return written


def test_the_words_stay_and_the_summary_says_how_they_were_read(folder: Path, log: Path) -> None:
    before = chinese(folder)
    events = run(folder)
    assert not failures(events) and finished(events).encodings == {"gb18030": 4}
    for name, text in CHINESE.items():
        assert caption(folder, name).startswith(text)
    undo(Dataset(folder))
    assert {n: (folder / n).read_bytes() for n in CHINESE} == before
    # what was undone is read as before, though a picture comes from elsewhere
    images(folder, "book1-red.png")
    (folder / "book1-red.txt").write_bytes("une fille à la fenêtre, très détaillé".encode("cp1252"))
    events = run(folder)
    assert finished(events).encodings == {"gb18030": 4, "cp1252": 1}
    assert caption(folder, "book1-red.png").startswith("une fille à la fenêtre, très détaillé")


def test_what_is_not_certain_is_reported_and_untouched(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png", "cake2-red.png")
    (folder / "cake1-red.txt").write_bytes("año".encode("cp850"))
    events = run(folder)
    (reason,) = failures(events).values()
    assert (
        "The encoding of the caption cake1-red.txt is not certain" in reason
        and "--caption-encoding" in reason
    )
    assert (folder / "cake1-red.txt").read_bytes() == "año".encode("cp850")
    assert finished(events).encodings == {"": 1} and finished(events).done == 1
    # and can be set
    events = run(folder, caption_encoding="cp850")
    assert not failures(events) and caption(folder, "cake1-red.png").startswith("año, ")


def test_a_choice_that_does_not_fit_is_reported(folder: Path, log: Path) -> None:
    before = chinese(folder)
    events = run(folder, caption_encoding="utf-8")
    assert len(failures(events)) == 4 and {n: (folder / n).read_bytes() for n in CHINESE} == before


def test_browser_edits_and_details_read_the_same(folder: Path, log: Path) -> None:
    before = chinese(folder)
    browser = Browser(Dataset(folder))
    try:
        assert browser.wait(20)
        assert {browser.row(n.replace(".txt", ".png")).caption for n in CHINESE} == set(CHINESE.values())
        assert details(browser, "cake3-red.png")["caption"] == "红发, 猫耳"
    finally:
        browser.close()
    done = save_caption(Dataset(folder), "cake3-red.txt", "红发, 猫耳, 笑", "红发, 猫耳")
    assert done.changed and (folder / "cake3-red.txt").read_text(encoding="utf-8") == "红发, 猫耳, 笑"
    edited = edit_captions(Dataset(folder), ["cake2-red.txt"], lambda text, style: f"{text}, hat", {})
    assert edited.changed and caption(folder, "cake2-red.png") == "少女, 红色头发, 长发, hat"
    assert (folder / "cake1-red.txt").read_bytes() == before["cake1-red.txt"]


def test_the_browser_reads_again_when_a_run_was_told_the_encoding(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png")
    (folder / "cake1-red.txt").write_bytes("año".encode("cp850"))
    browser = Browser(Dataset(folder))
    try:
        assert browser.wait(20)
        assert browser.row("cake1-red.png").caption == ""
        run(folder, caption_encoding="cp850", existing="skip")
        browser.look_again()
        browser.settle()
        assert browser.row("cake1-red.png").caption == "año"
    finally:
        browser.close()


def test_the_command_line_says_it(folder: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chinese(folder)
    (folder / "cake3-red.txt").write_bytes(b"caf\xff\xfe\xfd")
    assert main(["tag", str(folder), "--tagger", "none", "--dry-run"]) == 1
    out = capsys.readouterr().out
    assert "Captions that were not UTF-8: 3 as gb18030" in out
    assert "The encoding of the caption cake3-red.txt is not certain" in out
    assert "1 caption left alone: its encoding is not certain." in out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.timeout(60)
def test_pipes_cost_a_sentence_in_jobs_and_in_the_browser(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png", "cake2-red.png")
    os.mkfifo(folder / "cake1-red.txt")
    events = run(folder)
    assert (
        "cake1-red.txt is no regular file" in failures(events)["cake1-red.png"] and finished(events).done == 1
    )
    browser = Browser(Dataset(folder))
    try:
        assert browser.wait(20)
        rows = {r["name"]: r["problems"] for r in browser.images()[1]}
        assert "caption" in rows["cake1-red.png"] and "caption" not in rows["cake2-red.png"]
    finally:
        browser.close()
