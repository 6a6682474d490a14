"""The page's languages: what a file of one is, and that no view has words of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from lib_extend import web
from lib_extend.config import TagConfig, settings

TEXTS = web.FOLDER / "texts"
SPEAKING = sorted(
    p
    for p in web.FOLDER.rglob("*.mjs")
    if not {"texts", "vendor", "cast"} & set(p.relative_to(web.FOLDER).parts) and p.name != "texts.mjs"
)
"""Modules that show something. The panel in txt2img has words of its own."""
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
_WORDS = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+(?: |$)|[a-z]{2,} [a-z]{2,} [a-z]{2,}")
"""What looks like words for a person: one with a capital, or three in a row."""
NAMES = frozenset(
    "Accept Array Arrow ArrowDown ArrowLeft ArrowRight ArrowUp Backspace Content-Type Delete End Enter Escape Files "
    "Gradio Home PageDown PageUp Shift Space Tab WebUI AbortError GET POST PUT DELETE".split()
)
"""Names of keys, methods and programs."""


def test_each_language_is_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert web.languages() == [("en", "English"), ("ja", "日本語"), ("zh", "简体中文")]
    copy = tmp_path / "app"
    shutil.copytree(web.FOLDER, copy)
    monkeypatch.setattr(web, "FOLDER", copy)
    french = (copy / "texts" / "en.mjs").read_text(encoding="utf-8").replace("en: English", "fr: Français", 1)
    (copy / "texts" / "fr.mjs").write_text(french, encoding="utf-8")
    body, mime, _ = web.read_page(web.LANGUAGE_TABLE)
    assert '{ id: "fr", name: "Français" }' in body.decode("utf-8") and mime.startswith("text/javascript")


@pytest.mark.parametrize("path", SPEAKING, ids=lambda p: p.relative_to(web.FOLDER).as_posix())
def test_what_is_shown_comes_from_the_texts(path: Path) -> None:
    code = re.sub(r"^\s*(?://|/?\*).*$|\s// .*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    code = re.sub(
        r"console\.\w+\([^)]*\)|(?:throw )?new Error\([^)]*\)|cssText = .*|^import .*$",
        "",
        code,
        flags=re.MULTILINE,
    )
    found = [a or re.sub(r"\$\{[^}]*\}", "", b) for a, b in _LITERAL.findall(code)]
    words = [t for t in found if _WORDS.search(t) and t.strip() not in NAMES and not _is_code(t)]
    assert not words, f"put these into texts/*.mjs: {words}"


def _is_code(text: str) -> bool:
    """A list of class names or a selector."""
    return bool(re.fullmatch(r"[a-z -]+", text)) or any(
        mark in text for mark in ("<", "=", "[", "--", ":not", "var(")
    )


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_a_language_names_settings_that_there_are(language: str) -> None:
    text = (TEXTS / f"{language}.mjs").read_text(encoding="utf-8")
    part = text[text.index("export const settings = {") : text.index("export const groups")]
    named = re.findall(r"^  (\w+): \[", part, re.MULTILINE)
    there = {s.name for s in settings(TagConfig)}
    assert len(named) == len(set(named)) and set(named) <= there
    # one that is new is shown in English until somebody has translated it
    assert len(there - set(named)) < len(there) / 2
