"""README and docs: links lead somewhere, commands exist, the three READMEs are in step."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from lib_extend.cli.main import _parser
from lib_extend.worker.commands import _parser as _models_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
READMES = [ROOT / name for name in ("README.md", "README.zh-CN.md", "README.ja.md")]
TRANSLATED = 4
"""The first sections of the English README, which the others have as well."""


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual forges make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = without_code(page.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"", text)
    for target in (a or b for a, b in targets):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file) if file else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_command_exists(page: Path) -> None:
    known = {"install.py"}
    for parser in (_parser(), _models_parser()):
        known |= set(next(a for a in parser._actions if a.dest == "command").choices or ())
    text = page.read_text(encoding="utf-8")
    for word in re.findall(r"(?:^ {4}|`)(?:\S*/)?prompt-extend ([a-z][a-z-]*)", text, re.MULTILINE):
        assert word in known, f"{page.name}: prompt-extend {word}"
    for file in re.findall(r"python (install\.py|tests/\S+\.py)", text):
        assert (ROOT / file).is_file(), f"{page.name}: {file}"


def test_the_translations_are_in_step() -> None:
    """As many sections as the first ones of the English page, with the same commands, links and pictures."""
    english, *others = (p.read_text(encoding="utf-8") for p in READMES)
    head = english.split("\n## ")[:TRANSLATED]

    def commands(section: str) -> list[str]:
        lines = re.findall(r"^ {4}(\S.*)$", section, re.MULTILINE)
        return [line.partition("#")[0].strip() for line in lines]

    for page, other in zip(READMES[1:], others, strict=True):
        sections = other.split("\n## ")
        assert len(sections) == len(head), page.name
        for ours, theirs in zip(head, sections, strict=True):
            assert commands(ours) == commands(theirs), page.name
        images = re.findall(r"!\[[^]]*\]\(([^)]+)\)", english)
        assert re.findall(r"!\[[^]]*\]\(([^)]+)\)", other) == images, page.name
        assert set(re.findall(r"`(--[a-z-]+)", other)) <= set(re.findall(r"--[a-z-]+", english)), page.name


def test_pictures_are_small() -> None:
    sizes = [p.stat().st_size for p in (ROOT / "docs" / "pictures").iterdir()]
    assert sizes and sum(sizes) < 400_000


def said() -> str:
    """All texts that the program can say: its string constants, what is put into them as `…`, and the page's words."""
    words = ("lib_extend/web/app/texts/en.mjs", "lib_extend/web/app/cast/texts.mjs")
    texts = [(ROOT / file).read_text(encoding="utf-8") for file in words]
    for file in (ROOT / "lib_extend").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
                texts.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(re.sub(r"\{\w+[^}]*\}", "…", node.value))
    return "\n".join(texts)


def test_what_does_not_work_is_told_in_the_words_of_the_program() -> None:
    """A person looks for the sentence that they see: each one of the page is one that can be seen."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    sentences = re.findall(r"^\| (?!what it says|---)(.+?) \|", page, re.MULTILINE)
    assert len(sentences) > 15
    there = said()
    missing = [s for s in sentences if s not in there]
    assert not missing, missing
