"""The page's files: what is served, under which type, and that they fit together."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from lib_extend import web
from lib_extend.ui import ids

MODULES = sorted(web.FOLDER.rglob("*.mjs"))
IMPORTED = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


def test_a_file_comes_with_its_type_and_a_tag_that_follows_its_bytes() -> None:
    body, mime, tag = web.read_page(ids.ENTRY)
    assert body == (web.FOLDER / ids.ENTRY).read_bytes()
    assert mime.startswith("text/javascript")
    other = web.read_page("css/base.css")
    assert other[1].startswith("text/css")
    assert tag != other[2] and tag.startswith('"') and tag.endswith('"')
    assert web.read_page(ids.ENTRY) == (body, mime, tag)


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../__init__.py",
        "parts",
        "parts/",
        "parts/../app.mjs",
        "/etc/passwd",
        "//app.mjs",
        "app.mjs/",
        "nothing.mjs",
        "parts\\field.mjs",
        "app.mjs\0",
        "APP.MJS",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        web.read_page(path)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(web.FOLDER).as_posix())
def test_what_a_module_imports_is_served(path) -> None:  # type: ignore[no-untyped-def]
    folder = path.parent
    for name in IMPORTED.findall(path.read_text(encoding="utf-8")):
        target = (folder / name).resolve().relative_to(web.FOLDER)
        web.read_page(target.as_posix())


def test_a_view_is_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [name for name, _ in web.views()] == ["tag", "review", "curate", "browse", "one", "check", "runs"]
    copy = tmp_path / "app"
    shutil.copytree(web.FOLDER, copy)
    monkeypatch.setattr(web, "FOLDER", copy)
    before = web.read_page(web.VIEW_TABLE)
    (copy / "views" / "notes.mjs").write_text(
        '// View 25: My "notes"\nexport const view = () => null;\n', encoding="utf-8"
    )
    body, mime, tag = web.read_page(web.VIEW_TABLE)
    assert b'{ id: "notes", title: "My \\"notes\\"", load: () => import("./notes.mjs") }' in body
    assert mime == before[1] and tag != before[2]
    assert [name for name, _ in web.views()][2:4] == ["curate", "notes"]


def test_the_names_of_the_panel() -> None:
    names = (web.FOLDER / "cast" / "ids.mjs").read_text(encoding="utf-8")
    assert f'ELEMENT = "{ids.PANEL}"' in names
    assert f"`{ids.panel_value('${tab}')}`" in names
    loader = (web.FOLDER.parents[2] / "javascript" / "prompt_extend.mjs").read_text(encoding="utf-8")
    assert ids.PAGE + ids.PANEL_ENTRY in loader and f'"{ids.PANEL}"' in loader
    style = (web.FOLDER.parents[2] / "style.css").read_text(encoding="utf-8")
    assert f"{ids.PANEL} {{" in style and f"{ids.PANEL}-head {{" in style
    host = (web.FOLDER / "cast" / "host.mjs").read_text(encoding="utf-8")
    assert all(f"#{ids.panel(tab)}" in style for tab in ids.TABS) and f"#{ids.panel('${tab}')}" in host
    web.read_page(ids.PANEL_ENTRY)


def test_the_names_python_and_the_page_share() -> None:
    entry = (web.FOLDER / ids.ENTRY).read_text(encoding="utf-8")
    assert f'define("{ids.APP}"' in entry
    loader = (web.FOLDER.parents[2] / "javascript" / "prompt_extend.mjs").read_text(encoding="utf-8")
    assert ids.PAGE + ids.ENTRY in loader and ids.APP in loader
    assert ids.APP in (web.FOLDER.parents[2] / "style.css").read_text(encoding="utf-8")
    everything = "".join(p.read_text(encoding="utf-8") for p in MODULES)
    assert f"#{ids.TXT2IMG_PROMPT}" in everything


def test_what_is_not_ours_is_what_its_page_says() -> None:
    folder = web.FOLDER / "vendor"
    said = (folder / "README.md").read_text(encoding="utf-8")
    files = sorted(folder.glob("*.mjs"))
    assert files
    for file in files:
        assert (folder / f"{file.stem}.LICENSE").is_file()
        row = next(line for line in said.splitlines() if line.startswith(f"| `{file.name}`"))
        assert f"`{hashlib.sha256(file.read_bytes()).hexdigest()}`" in row
