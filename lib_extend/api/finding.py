"""All declared routes: a file in `routes/` adds its own by being there."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from lib_extend.api import routes as folder
from lib_extend.api.declaring import Route, Routes


@lru_cache(maxsize=1)
def all_routes() -> tuple[Route, ...]:
    """The routes of every subject, the subjects in their places."""
    names = sorted(m.name for m in pkgutil.iter_modules(folder.__path__))
    subjects: list[Routes] = [importlib.import_module(f"{folder.__name__}.{name}").routes for name in names]
    return tuple(route for s in sorted(subjects, key=lambda s: s.place) for route in s.all())
