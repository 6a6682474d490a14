"""The part of docs/caption_styles.md that shows one picture in every style: `python -m tests.captions.style_page` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from lib_extend.captions.composing import compose
from lib_extend.captions.style import Style
from lib_extend.captions.style_table import styles
from lib_extend.config import TagConfig
from tests.captions.scenes import scene

PAGE = Path(__file__).resolve().parents[2] / "docs" / "caption_styles.md"
_PART = re.compile(r"(<!-- styles -->\n).*?(<!-- /styles -->)", re.DOTALL)
_LANGUAGE = {"{": "json", "<": "xml"}


def text() -> str:
    """The page as it should be."""
    sections = "\n".join(_section(style) for style in styles().values())
    return _PART.sub(lambda m: f"{m[1]}\n{sections}\n{m[2]}", PAGE.read_text(encoding="utf-8"))


def _section(style: Style) -> str:
    config = TagConfig(people=True, threshold=0.5, format=style.name)
    made = compose(scene(2), config, image_key="k").text
    lines = [f"## {style.title}: `--format {style.name}`", ""]
    if style.fallback:
        needs = f"Best with {', '.join(style.needs)}. " if style.needs else ""
        lines += [needs + style.fallback, ""]
    lines += [f"```{_LANGUAGE.get(made[:1], 'text')}", made, "```", ""]
    if style.protection.reason:
        lines += [style.protection.reason, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8", newline="\n")
