"""Comparing versions of packages. Standard library only."""

from __future__ import annotations

import re


def parse(version: str) -> tuple[int, ...]:
    """The numbers a version begins with: "2.1.2+cu121" → (2, 1, 2)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(n) for n in found[0].split(".")) if found else ()


def older(version: str, than: str) -> bool:
    """Whether a version comes before another."""
    return parse(version) < parse(than)
