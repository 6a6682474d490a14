"""A tag that ends with another tag's words is more specific: `white_shirt` says more than `shirt`.

Only whole words count, and there are exceptions: `no_bra` is not a bra and `teddy_bear` is not a bear. `word_rule.txt`
lists the safe ends, the safe words before an end, and the exceptions.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("word_rule.txt")


def says_more(special: str, general: str) -> bool:
    """Whether a canonical name says more than another because it ends with its words."""
    return special.endswith(f"_{general}") and _allowed(special, general)


@lru_cache(maxsize=1 << 16)
def ends(name: str) -> tuple[str, ...]:
    """The safe ends of a name, longest first: ("hair_bow", "bow") for `red_hair_bow`."""
    words = name.split("_")
    found = ("_".join(words[at:]) for at in range(1, len(words)))
    return tuple(end for end in found if end in _rule()["heads"] and _allowed(name, end))


def _allowed(special: str, general: str) -> bool:
    rule = _rule()
    before = special[: -len(general) - 1]
    first = before.split("_")
    words = set(first)
    longer = ("_".join([*first[at:], general]) for at in range(len(first)))
    if words & rule["not after"] or any(end in rule["not these"] for end in longer):
        return False
    return general in rule["heads"] or before in rule["modifiers"] or words <= rule["modifiers"]


@lru_cache(maxsize=1)
def _rule() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    words: set[str] = set()
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            words = found.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            words.update(line.split())
    return {name: frozenset(content) for name, content in found.items()}
