"""Edits of many captions over HTTP: what was asked for, and how far the one is that is being written."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import bad
from lib_extend.api.http import Body
from lib_extend.datasets.browse import name_of
from lib_extend.services.edit_actions import Edit

MEMBERS = ("filter", "ids", "action", "tags", "to", "regex", "preview")


@dataclass(frozen=True)
class Asked:
    """An edit as it was asked for: of what a filter means, or of the images `names`."""

    edit: Edit
    filter: str | None
    names: list[str] | None
    preview: bool


def asked(body: Body) -> Asked:
    """What a body asks for. Raises ApiError or UserError naming what is wrong."""
    filter, ids = body.text("filter", ""), body.texts("ids")
    if "filter" in body and ids is not None:
        raise bad(texts.FILTER_OR_IDS, "ids")
    if "filter" not in body and ids is None:
        raise bad(texts.NEEDED.format(name="filter"), "filter")
    values = {
        "action": body.text("action"),
        "tags": body.texts("tags") or [],
        "to": body.text("to", ""),
        "regex": body.flag("regex"),
    }
    names = None if ids is None else [name_of(i) for i in ids]
    return Asked(Edit.from_json(values), filter if names is None else None, names, body.flag("preview"))


@dataclass
class Writing:
    """An edit that is being written: how many captions are done, and whether it was told to stop."""

    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Edits:
    """The edits that are being written, one a folder. Safe in threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writing: dict[Path, Writing] = {}

    @contextlib.contextmanager
    def writing(self, root: Path) -> Iterator[Writing]:
        """An edit of a folder, while it is written. A second one is refused by the folder's own lock."""
        mine = Writing()
        with self._lock:
            shown = self._writing.setdefault(root, mine)
        try:
            yield mine
        finally:
            with self._lock:
                if shown is mine:
                    del self._writing[root]

    def state(self, root: Path) -> dict[str, Any]:
        """How far the edit of a folder is, as JSON values."""
        with self._lock:
            now = self._writing.get(root)
        if now is None:
            return {"running": False, "done": 0, "total": 0, "stopping": False}
        return {"running": True, "done": now.done, "total": now.total, "stopping": now.stop.is_set()}

    def stop(self, root: Path) -> dict[str, Any]:
        """Have it end before the next captions; what is written stays. Its state."""
        with self._lock:
            now = self._writing.get(root)
        if now is not None:
            now.stop.set()
        return self.state(root)
