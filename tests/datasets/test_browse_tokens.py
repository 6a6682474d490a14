"""CLIP token counts, against the tokenizer itself built from the same merges."""

from __future__ import annotations

import gzip
import random
from typing import Any

import pytest

from lib_extend.vocabulary.clip_tokens import MERGES, count
from lib_extend.vocabulary.objects import COUNTABLE
from lib_extend.vocabulary.tag_names import written


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    transformers = pytest.importorskip("transformers")
    merges = gzip.decompress(MERGES.read_bytes()).decode("utf-8").splitlines()
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(b) for b in printable]
    letters += [chr(0x100 + i) for i in range(256 - len(letters))]
    names = [*letters, *(x + "</w>" for x in letters), *(m.replace(" ", "") for m in merges)]
    names += ["<|startoftext|>", "<|endoftext|>"]
    assert len(names) == 49408
    pairs = [tuple(m.split(" ")) for m in merges]
    return transformers.CLIPTokenizer(vocab={n: i for i, n in enumerate(names)}, merges=pairs)


def captions() -> list[str]:
    rng = random.Random(3)
    words = [written(t, rng.random() < 0.3, rng.random() < 0.3) for t in COUNTABLE]
    words += "saber_(fate) ^_^ :d >_< don't it's 2girls 12345 α β hatsune_miku kimetsu_no_yaiba |_|".split()
    words += [
        "A girl, standing in the rain.",
        "日本語",
        "初音ミク",
        "cm²",
        "Ⅷ",
        "½",
        "é",
        "e\u0301",
        "🎀🎀",
        "ÀÉÎ",
        "naïve",
    ]
    tags = [", ".join(rng.choices(words, k=rng.randint(1, 40))) for _ in range(250)]
    letters = "abcdxyz ABC 019 _-.,!?'()\\/:é漢字ミ²α\u0301🎀\n\t"
    return [*tags, *("".join(rng.choices(letters, k=rng.randint(1, 60))) for _ in range(250))]


def test_counts_are_those_of_the_tokenizer(tokenizer: Any) -> None:
    wrong = []
    for text in captions():
        expected = len(tokenizer(text, add_special_tokens=False)["input_ids"])
        if count(text) != expected:
            wrong.append((text, count(text), expected))
    assert not wrong


def test_known_counts() -> None:
    assert count("") == count(" \n ") == 0
    assert count("1girl, solo") == 4
    assert count("a photo of a cat") == 5
    assert count("<|endoftext|>") == 1
