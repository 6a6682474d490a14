"""The folders that are open for browsing in one server.

browser = Browsers().open(root)
browser.wait()
total, rows = browser.images("red_hair -hat", sort="changed", offset=0, limit=100)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from lib_extend.datasets.browser import Browser
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.rows import image_id, name_of

__all__ = ["Browser", "Browsers", "image_id", "name_of"]


class Browsers:
    """The open folders of one server. When there are too many, the least recently used one is closed.

    Attributes:
        allowed: whether a link found in a folder may be followed; set it before the first folder is opened.
    """

    def __init__(self, most: int = 4) -> None:
        self.allowed: Callable[[Path], bool] = lambda path: True
        self._most = most
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, Browser] = OrderedDict()

    def open(self, root: Path, *, recursive: bool | None = None) -> Browser:
        """The browser of a folder; starts it if the folder is not open yet. Returns at once.

        `recursive`: whether subfolders belong to it; None keeps the present choice (at first: no).
        """
        old: list[Browser] = []
        with self._lock:
            browser = self._open.get(root)
            if browser is None:
                browser = Browser(
                    Dataset(root),
                    recursive=bool(recursive),
                    allowed=lambda path: self.allowed(path),
                )
                self._open[root] = browser
            elif recursive is not None and browser.recursive != recursive:
                browser.recursive = recursive
                browser.look_again()
            self._open.move_to_end(root)
            while len(self._open) > self._most:
                old.append(self._open.popitem(last=False)[1])
        for b in old:
            b.close()
        browser.start()
        return browser

    def changed(self, root: Path, names: Sequence[str] | None = None) -> None:
        """Report that images of a folder or their captions changed (None: unknown which)."""
        with self._lock:
            browser = self._open.get(root)
        if browser is not None:
            browser.look_again(names)

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            browsers = list(self._open.values())
            self._open.clear()
        for browser in browsers:
            browser.close()
