"""Tag names between their canonical form (`black_hair`) and their written ones (`black hair`)."""

from __future__ import annotations

import re
from functools import lru_cache

# Danbooru tags whose underscores are part of the face.
KAOMOJI = frozenset(
    "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_|| -_- ;_; "
    "t_t o_0 0_o ^_- *_* #_# $_$ !_! ?_? n_n q_q v_v z_z d_d c_c".split()
)
_ESCAPED = re.compile(r"\\([()\[\]{}\\])")
_SPACES = re.compile(r"[\s_]+")
_BRACKET = re.compile(r"([()])")


@lru_cache(maxsize=65536)
def canonical(written: str) -> str:
    """The canonical name of a tag as anybody writes it: with spaces or underscores, brackets escaped or not.

    A sentence stays as it is, and so does the case of letters (compare with `key`).
    """
    text = written.strip()
    if is_sentence(text):
        return text
    joined = _SPACES.sub("_", text)
    if joined.lower() in KAOMOJI:
        return joined.lower()
    return _SPACES.sub("_", _ESCAPED.sub(r"\1", text)).strip("_") or joined


def key(name: str) -> str:
    """What decides whether two tags are the same: their canonical names without regard to case."""
    return name.lower()


def is_sentence(text: str) -> bool:
    """Whether a piece of a caption is natural language rather than a tag: it is kept letter by letter."""
    if "\n" in text or "\r" in text:
        return True
    words = text.split()
    return len(words) > 6 or (len(words) > 2 and words[-1].endswith((".", "!", "?")))


@lru_cache(maxsize=65536)
def written(name: str, underscores: bool = False, escape_brackets: bool = False) -> str:
    """How a canonical name stands in a caption; kaomoji keep their underscores, sentences everything."""
    if is_sentence(name):
        return name
    text = name if underscores or name in KAOMOJI else name.replace("_", " ")
    return _BRACKET.sub(r"\\\1", text) if escape_brackets else text
