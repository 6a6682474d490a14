"""Folders of small real pictures, and browsers of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from lib_extend.datasets.browse import Browser, Browsers

Make = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "dataset"
    root.mkdir()
    return root


def put(root: Path, name: str, caption: str | bytes | None = None, size: tuple[int, int] = (8, 6)) -> Path:
    """A picture and its caption."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path)
    if caption is not None:
        data = caption if isinstance(caption, bytes) else caption.encode()
        path.with_suffix(".txt").write_bytes(data)
    return path


@pytest.fixture
def browsers() -> Iterator[Browsers]:
    them = Browsers()
    yield them
    them.close()


def opened(browsers: Browsers, root: Path, *, recursive: bool | None = None) -> Browser:
    """A browser that knows the folder as it is now."""
    browser = browsers.open(root, recursive=recursive)
    browser.look_again()
    browser.settle()
    assert browser.wait(10)
    return browser


def found(browser: Browser, filter: str = "", sort: str = "name") -> list[str]:
    total, rows = browser.images(filter, sort=sort)
    assert total == len(rows)
    return [r["name"] for r in rows]
