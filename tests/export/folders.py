"""Folders of pictures and captions, made in a line."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from lib_extend.datasets.dataset import Dataset
from lib_extend.export.lint_finding import Finding
from lib_extend.export.linting import LintOptions, lint


def picture(
    format: str = "PNG", size: tuple[int, int] = (64, 64), mode: str = "RGB", **options: object
) -> bytes:
    """The bytes of a picture."""
    out = io.BytesIO()
    color = (200, 60, 90, 128)[: len(mode)] if mode != "L" else 90
    Image.new(mode, size, color).save(out, format, **options)
    return out.getvalue()


PICTURE = picture()


def folder(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """A folder with these files; a caption's picture `NAME.png` is made too where no other file is its picture."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        stem = os.path.splitext(name)[0]
        if (
            name.endswith(".txt")
            and stem not in files
            and not any(n.startswith(f"{stem}.") and n != name for n in files)
        ):
            (root / f"{stem}.png").write_bytes(PICTURE)
    return root


def found(root: Path, code: str, **options: object) -> list[Finding]:
    """What the lint finds under one code."""
    report = lint(Dataset(root), LintOptions(**options))  # type: ignore[arg-type]
    return [f for f in report.findings if f.code == code]
