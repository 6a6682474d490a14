"""The page in other languages: complete, chosen by the browser or the person, and it fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extend import web
from tests.ui.conftest import Server
from tests.ui.page import Page

SHAPES = """async ids => {
  const given = [3, 5, 7, 9];
  const words = () => ["rgb"];
  const shape = (value, path, found) => {
    if (typeof value === "function") {
      let said;
      try { said = value(...given); } catch { said = null; } // takes something else than numbers
      found[path] = `function ${value.length} ${said === null ? "" : typeof said}`;
    } else if (Array.isArray(value)) {
      found[path] = `list ${value.length}`;
      value.forEach((item, n) => shape(item, `${path}[${n}]`, found));
    } else if (value && typeof value === "object") {
      for (const [name, item] of Object.entries(value)) shape(item, path ? `${path}.${name}` : name, found);
    } else found[path] = `${typeof value}${value === "" ? " empty" : ""}`;
    return found;
  };
  const result = {};
  for (const id of ids) {
    const { settings, ...rest } = await import(`/prompt-extend/v1/page/texts/${id}.mjs`);
    result[id] = shape(rest, "", {});
  }
  return result;
}"""
LATIN = re.compile(r"[A-Za-z]{3,}(?: [A-Za-z]{2,}){2,}")
"""Three words of English in a row."""


def window_in(window: Callable[..., Any], language: str, width: int) -> Any:
    page = window(width)
    page.add_init_script(
        f"Object.defineProperty(navigator, 'languages', {{get: () => ['{language}', 'en']}})"
    )
    return page


def test_every_language_has_every_text(window: Callable[..., Any], server: Server) -> None:
    page = Page(window(), server)
    shapes = page.window.evaluate(SHAPES, [name for name, _ in web.languages()])
    english = shapes.pop("en")
    assert len(english) > 500
    for language, shape in shapes.items():
        assert {k: v for k, v in english.items() if shape.get(k) != v} == {}, language
        assert set(shape) == set(english), language


def test_the_browser_or_the_person_chooses(window: Callable[..., Any], server: Server, folder: Path) -> None:
    browser = window_in(window, "zh-CN", 390)
    browser.goto(server.address)
    app = browser.locator("prompt-extend-app")
    field = app.get_by_label("数据集文件夹")
    field.fill(str(folder))
    field.press("Enter")
    app.locator(".folder-bar [role=status]").filter(has_text="12 张图片").wait_for()
    assert app.get_attribute("lang") == "zh"
    for name in ("检查", "浏览", "单张图片", "运行记录", "为文件夹打标"):
        app.get_by_role("tab", name=name, exact=True).click()
        app.get_by_role("tabpanel", name=name).wait_for()
        assert browser.evaluate("() => document.documentElement.scrollWidth") <= 390, name
    # all that the page says itself is Chinese; the folder's name, file names and models are no words of ours
    for text in app.locator("h2, h3, summary, .label, label, button").all_inner_texts():
        assert not LATIN.search(text), text

    browser.set_viewport_size({"width": 1280, "height": 900})
    app.get_by_label("语言", exact=True).select_option("ja")
    app.get_by_role("tab", name="フォルダーにタグ付け").wait_for()
    app.get_by_label("言語", exact=True).select_option("")
    app.get_by_role("tab", name="为文件夹打标").wait_for()
