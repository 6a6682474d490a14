"""Captions in the encodings people have: read as they were meant, or reported; never other letters."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extend.config.caption_settings import CAPTION_ENCODINGS
from lib_extend.errors import ImageError
from lib_extend.files.encodings import CHOICES, ENCODINGS, Decision, decide, encode

GIVEN = json.loads(Path(__file__).with_name("encoding_cases.json").read_text(encoding="utf-8"))
CODECS = {e.name: e.codec for e in ENCODINGS}
TONES = "\u0300\u0301\u0303\u0309\u0323"


def samples() -> Iterator[tuple[str, str, list[str]]]:
    """(language, encoding, texts that can be written in it)."""
    for language, given in GIVEN["languages"].items():
        for encoding in given["encodings"]:
            texts = [t for t in map(as_windows_has_it, given["texts"]) if _fits(t, CODECS[encoding])]
            assert texts
            yield language, encoding, texts


def as_windows_has_it(text: str) -> str:
    """Vietnamese tones as signs of their own, Romanian letters with a cedilla: so the old encodings have them."""
    import unicodedata

    text = text.translate(str.maketrans("șțȘȚ", "şţŞŢ"))
    if _fits(text, "cp1258") or not any(
        c in unicodedata.normalize("NFD", text) for c in "\u0309\u0323\u031b"
    ):
        return text
    result = ""
    for c in text:
        parts = unicodedata.normalize("NFD", c)
        if _fits(c, "cp1258"):
            result += c
        else:
            result += unicodedata.normalize("NFC", "".join(p for p in parts if p not in TONES))
            result += "".join(p for p in parts if p in TONES)
    return result


def _fits(text: str, codec: str) -> bool:
    try:
        return not text.encode(codec).isascii()
    except UnicodeEncodeError:
        return False


SAMPLES = list(samples())


@pytest.mark.parametrize(("language", "encoding", "texts"), SAMPLES, ids=[f"{s[0]}-{s[1]}" for s in SAMPLES])
def test_a_folder_in_one_encoding(language: str, encoding: str, texts: list[str]) -> None:
    written = [t.encode(CODECS[encoding]) for t in texts]
    decision = decide(written)
    read = [decision.read(data) for data in written]
    assert [r.text for r in read if r.encoding] == [t for t, r in zip(texts, read, strict=True) if r.encoding]
    # the encodings of today's captions, not those of DOS and old Macs, are read and not only reported
    if encoding not in ("cp850", "cp852", "cp866", "mac-roman"):
        assert sum(bool(r.encoding) for r in read) >= len(texts) * 0.6, (texts, read)


@pytest.mark.parametrize(("language", "encoding", "texts"), SAMPLES, ids=[f"{s[0]}-{s[1]}" for s in SAMPLES])
def test_one_file_alone_is_right_or_reported(language: str, encoding: str, texts: list[str]) -> None:
    for text in texts:
        reading = decide([text.encode(CODECS[encoding])]).read(text.encode(CODECS[encoding]))
        assert reading.text == text if reading.encoding else reading.text == ""


@pytest.mark.parametrize("seed", range(6))
def test_mixed_folders_are_right_or_reported(seed: int) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(SAMPLES, 3)
    files = [(t, t.encode(CODECS[encoding])) for _, encoding, texts in chosen for t in texts]
    files += [(t, encode(t)) for _, _, texts in rng.sample(SAMPLES, 2) for t in texts]
    rng.shuffle(files)
    decision = decide([data for _, data in files])
    certain = 0
    for text, data in files:
        reading = decision.read(data)
        certain += bool(reading.encoding)
        assert reading.text == text if reading.encoding else True, (text, reading)
    assert certain >= len(files) / 2


@pytest.mark.parametrize("case", GIVEN["cases"], ids=lambda case: case["name"])
def test_cases_from_the_field(case: dict[str, Any]) -> None:
    files = {name: base64.b64decode(f["base64"]) for name, f in case["files"].items()}
    decision = decide(files.values())
    for name, data in files.items():
        expected = data.decode({"Windows-1252": "cp1252", "GBK": "gbk", "CP949": "cp949"}[case["encoding"]])
        assert _decoded(decision, data, name) in (expected, None)


def test_what_the_folder_speaks_decides_a_short_caption() -> None:
    alone = "红发, 猫耳".encode("gb18030")
    assert not Decision().read(alone).encoding
    folder = [t.encode("gb18030") for t in GIVEN["languages"]["zh"]["texts"]]
    assert decide([*folder, alone]).read(alone).text == "红发, 猫耳"


def test_unicode_comes_first() -> None:
    text = "café, 少女, α black hair"
    japanese = Decision({"cp932": 1000})
    for data in (
        text.encode(), text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32"),
        b"\xfe\xff" + text.encode("utf-16-be"),
    ):  # fmt: skip
        assert japanese.read(data).text == text
        assert Decision(chosen="cp1252").read(data).text == text
    for mark in "α·°×éöяß–’":  # each of them is two or three bytes that may be one in another encoding
        for folder in (Decision(), japanese, Decision({"gb18030": 1000})):
            assert folder.read(f"1girl, {mark} hat".encode()).text == f"1girl, {mark} hat"
            assert folder.read(f"1girl, a{mark}b".encode()).text == f"1girl, a{mark}b"
    assert Decision().read("少女".encode("iso2022_jp")).text == "少女"


def test_a_single_character_that_is_utf8_by_chance_is_reported() -> None:
    assert "猫".encode("gb18030").decode() == "è"
    with pytest.raises(ImageError, match="utf-8 or "):
        _raising(Decision({"gb18030": 20}), "猫".encode("gb18030"))


def test_a_choice_is_followed_and_named_where_it_does_not_fit() -> None:
    word = "año".encode("cp850")
    assert not Decision().read(word).encoding
    assert Decision(chosen="cp850").read(word).text == "año"
    with pytest.raises(ImageError, match=r"a\.txt is neither UTF-8 nor gb18030: save it as UTF-8"):
        _raising(Decision(chosen="gb18030"), b"caf\xff")
    with pytest.raises(ImageError, match=r"neither UTF-8 nor utf-8"):
        _raising(Decision(chosen="utf-8"), b"caf\xe9")


def test_each_trouble_has_its_sentence() -> None:
    with pytest.raises(ImageError, match=r"a\.txt is not certain \(.+ or .+\): save it as UTF-8, or name it"):
        _raising(Decision(), "é".encode("cp850"))
    with pytest.raises(ImageError, match=r"a\.txt is damaged UTF-8"):
        _raising(Decision(), "少女在公园里".encode() + b"\xe5" + "，微笑".encode())
    with pytest.raises(ImageError, match=r"a\.txt is not text"):
        _raising(Decision(), b"\x00\x01\xff binary")


@pytest.mark.parametrize("seed", range(20))
def test_languages_and_bytes_of_nowhere_are_seldom_read(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(50):
        data = bytes(rng.choice([rng.randrange(128, 256), rng.randrange(97, 123)]) for _ in range(24))
        accepted += bool(Decision().read(data).encoding)
    assert accepted <= 2


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("cp874", "ผู้หญิงผมดำ ยิ้ม สวนสาธารณะ"),
        ("cp855", "девушка в парке, улыбается, чёрные волосы"),
        ("cp737", "κορίτσι στο πάρκο, χαμογελάει"),
        ("iso8859_3", "knabino kun nigraj haroj, ĝardeno, ŝi ridetas"),
    ],
)
def test_encodings_we_do_not_know_are_reported(codec: str, text: str) -> None:
    assert not decide([text.encode(codec)]).read(text.encode(codec)).encoding


def test_the_settings_choices_are_ours() -> None:
    assert CAPTION_ENCODINGS == CHOICES


@pytest.mark.parametrize(
    "data", [None, [], "x", {"files": 3}, {"files": {"cp932": -1, "x": 2}, "chosen": "../../etc"}]
)
def test_a_stored_decision_is_data(data: Any) -> None:
    assert Decision.from_json(data) == Decision()


def _decoded(decision: Decision, data: bytes, name: str) -> str | None:
    reading = decision.read(data)
    return reading.text if reading.encoding else None


def _raising(decision: Decision, data: bytes) -> str:
    reading = decision.read(data)
    if not reading.encoding:
        raise decision.complaint(data, reading, "a.txt")
    return reading.text
