"""Tag names between their canonical form (`black_hair`) and their written ones (`black hair`).

`canonical(written(n)) == n` for every canonical `n` and every way of writing.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Danbooru tags whose underscores are part of the face.
KAOMOJI = frozenset(
    "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_|| -_- ;_; "
    "t_t o_0 0_o ^_- *_* #_# $_$ !_! ?_? n_n q_q v_v z_z d_d c_c".split()
)
# Any number of backslashes, so that what is read once reads the same the second time; looked at from the first one
# only, so that the time grows with their number.
_ESCAPED = re.compile(r"(?<!\\)\\+([()\[\]{}])")
_SPACES = re.compile(r"[\s_]+")
_BRACKET = re.compile(r"([()])")
LONG_SENTENCE, SHORT_SENTENCE = 7, 3
"""Words that make a capitalised piece a sentence: by themselves, and with a full stop at the end."""


@lru_cache(maxsize=65536)
def canonical(written: str) -> str:
    """The canonical name of a tag as anybody writes it: with spaces or underscores, brackets escaped or not.

    A sentence stays as it is, and so does the case of letters (compare with `key`). Weights such as
    `(tag:1.2)` are part of the name: a caption for training has none.
    """
    text = written.strip()
    if is_sentence(text):
        return text
    joined = _SPACES.sub("_", text)
    if joined.lower() in KAOMOJI:
        return joined.lower()
    name = _SPACES.sub("_", _ESCAPED.sub(r"\1", text))
    # a lone underscore is somebody's tag too
    return name.strip("_") or name


def key(name: str) -> str:
    """The key by which two tags are compared: the canonical name without regard to case."""
    return name.lower()


def is_sentence(text: str) -> bool:
    """Whether a piece of a caption is natural language rather than a tag: it is kept letter by letter.

    A sentence has several lines, or a capital first and many words or a full stop. Words alone do not
    make one: `the legend of zelda: breath of the wild` is a tag.
    """
    if "\n" in text or "\r" in text:
        return True
    if not text[:1].isupper():
        return False
    words = len(_SPACES.split(text.strip("_ ")))
    return words >= LONG_SENTENCE or (words >= SHORT_SENTENCE and text.endswith((".", "!", "?")))


@lru_cache(maxsize=65536)
def written(name: str, underscores: bool = False, escape_brackets: bool = False) -> str:
    """A canonical name as it is written in a caption; kaomoji keep their underscores, sentences stay unchanged."""
    if is_sentence(name):
        return name
    text = name if underscores or name in KAOMOJI or name == "_" else name.replace("_", " ")
    return _BRACKET.sub(r"\\\1", text) if escape_brackets else text
