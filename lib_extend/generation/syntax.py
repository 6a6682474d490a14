"""The syntax of WebUI prompts, as far as it decides where a tag begins and ends.

A tag is what stands between commas that no bracket encloses; `BREAK` and `AND`, words by themselves, end one
too. Enclosed is what lies between two brackets of a kind that belong together: emphasis `(a, b:1.2)`,
schedules and alternation `[a, b:c:0.5]`, dynamic prompts `{a, b|c}`; an unpaired bracket, or one after a backslash, is
an ordinary character, as for the hosts. The words of a tag are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

COMMA, BREAK, AND = ",", "BREAK", "AND"

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {close: open_ for open_, close in _PAIRS.items()}
_NETWORK = re.compile(r"<(\w+):([^>]+)>")
"""How the hosts find extra networks: `<lora:name:weight>`."""
_KEYWORD = re.compile(r"(?<![^\s,])(BREAK|AND)(?![^\s,])")
_AND_WEIGHT = re.compile(r"\s*:\s*[-+]?(?:\d+\.?|\d*\.\d+)\s*$")
"""How the hosts find a composed prompt's weight, at its end: `a cat :0.5`."""
_WEIGHT = re.compile(r":\s*[+-]?[.\d]+\s*$")
WORD = re.compile(r"[^\W\d_]{2}")
"""Two letters in a row: in a tag with them a bracket without its fellow is a slip, and no face such as `:(`."""
_REMEMBERED = 4096
"""Tags whose brackets are remembered: each is looked at for its letter, for who it speaks of and for its weight."""
_SCHEDULE = re.compile(r"[:|]")


@dataclass(frozen=True)
class Piece:
    """One tag as it stands, and what stands between it and the one before: a comma, `BREAK` or `AND`.

    A keyword that nothing follows is a piece with an empty text.
    """

    text: str
    before: str = COMMA

    @property
    def emphasised(self) -> Emphasised | None:
        """What is in it where it is one emphasis around several tags: `(a, b:1.2)`.

        Schedules, alternations and dynamic prompts are none.
        """
        return _emphasised(self.text)


@dataclass(frozen=True)
class Emphasised:
    """An emphasis: `(a, b:1.2)` is opened by `(`, has the tags a and b, and is closed by `:1.2)`."""

    opening: str
    pieces: tuple[Piece, ...]
    closing: str

    def with_pieces(self, parts: Iterable[Piece]) -> str:
        """The same emphasis around other tags, as text."""
        return f"{self.opening}{join(parts)}{self.closing}"


def pieces(text: str) -> list[Piece]:
    """The tags of a prompt in order, without empty ones."""
    covered = _enclosed(text)
    cuts = [(i, i + 1, COMMA) for i, c in enumerate(text) if c == "," and not covered[i]]
    cuts += [(m.start(), m.end(), m[1]) for m in _KEYWORD.finditer(text) if not covered[m.start()]]
    result: list[Piece] = []
    start, before = 0, COMMA
    for cut, end, kind in [*sorted(cuts), (len(text), len(text), COMMA)]:
        tag = text[start:cut].strip()
        if tag:
            result.append(Piece(tag, before))
            before = kind
        elif kind != COMMA:
            # `a, BREAK b`: the keyword counts, the empty place before it does not
            before = kind
        start = end
    if before != COMMA:
        result.append(Piece("", before))
    return result


def join(parts: Iterable[Piece]) -> str:
    """The inverse of `pieces`, spaced in one way."""
    result, keyword = "", COMMA
    for part in parts:
        if part.before != COMMA:
            keyword = part.before
        if not part.text:
            continue
        if keyword != COMMA:
            result += f" {keyword} {part.text}" if result else f"{keyword} {part.text}"
        else:
            result += f", {part.text}" if result else part.text
        keyword = COMMA
    return result if keyword == COMMA else f"{result} {keyword}".lstrip()


def as_list(parts: Sequence[Piece]) -> list[Piece]:
    """The tags of a prompt for a single conditioning.

    `AND`, by which the hosts compose several, becomes a comma, and the weight that belongs to it goes.
    """
    if not any(p.before == AND for p in parts):
        return list(parts)
    result = []
    for i, piece in enumerate(parts):
        ends = i + 1 == len(parts) or parts[i + 1].before == AND
        words = _AND_WEIGHT.sub("", piece.text) if ends else piece.text
        result.append(Piece(words, COMMA if piece.before == AND else piece.before))
    return [p for p in result if p.text or p.before != COMMA]


def appended(text: str, more: Sequence[str]) -> str:
    """A prompt with more tags appended; the existing text stays unchanged.

    Of a prompt that `AND` composes, the first takes them, before the weight at its end.
    """
    if not more:
        return text
    covered = _enclosed(text)
    ends = (m.start() for m in _KEYWORD.finditer(text) if m[1] == AND and not covered[m.start()])
    end = next((i for i in ends if text[:i].strip()), -1)
    first, rest = (text, "") if end < 0 else (text[:end], text[end:])
    weight = _AND_WEIGHT.search(first) if rest else None
    words, tail = (
        (first[: weight.start()], weight[0]) if weight else (first.rstrip(), first[len(first.rstrip()) :])
    )
    added = ", ".join(more)
    if not words.strip():
        return f"{added}{tail}{rest}"
    joint = " " if words.endswith(COMMA) or words.split()[-1] in (BREAK, AND) else ", "
    return f"{words}{joint}{added}{tail}{rest}"


def closed(text: str) -> str:
    """A prompt whose end the hosts do not take for a weight, as they take that of `1girl, :3`."""
    return f"{text}," if _AND_WEIGHT.search(text) else text


def guarded(text: str) -> str:
    """A text whose round and square brackets without a fellow are escaped.

    So they stay letters when the text becomes a part of a longer prompt: `:(` there would emphasise all that
    follows it.
    """
    alone = _brackets(text)[1]
    return "".join(f"\\{c}" if i in alone and c in "()[]" else c for i, c in enumerate(text))


def lone_brackets(text: str) -> list[int]:
    """Where brackets without a fellow stand, in order; escaped ones are none."""
    return sorted(_brackets(text)[1])


def without_lone_brackets(text: str) -> str:
    """A tag's name without the brackets that have no fellow, nor the weight they were to close: `(1girl:1.2`
    is `1girl`. A name without words, such as `:(`, stays as it is."""
    alone = set(lone_brackets(text))
    if not alone or not WORD.search(text):
        return text
    return _WEIGHT.sub("", "".join(c for i, c in enumerate(text) if i not in alone)).strip()


def networks(text: str) -> tuple[str, list[str]]:
    """A prompt without its extra networks, and those in order, as they stand: `<lora:name:1>`."""
    found = [m[0] for m in _NETWORK.finditer(text)]
    return (join(pieces(_NETWORK.sub("", text))), found) if found else (text, [])


def network_name(tag: str) -> tuple[str, str]:
    """(kind, name) of an extra network's tag, both in lower case: ("lora", "my style")."""
    match = _NETWORK.fullmatch(tag)
    if match is None:
        raise ValueError(f"{tag!r} is no extra network")
    return match[1].lower(), match[2].split(":")[0].strip().lower()


@lru_cache(_REMEMBERED)
def bare(tag: str) -> str:
    """A tag without the emphasis around it: `((1girl:1.2))` and `[1girl]` are `1girl`.

    A schedule or an alternation is left as it is.
    """
    text = tag.strip()
    while True:
        parts = _emphasis(text)
        if parts is None or not parts[1].strip():
            return text
        text = parts[1].strip()


@lru_cache(_REMEMBERED)
def _emphasised(text: str) -> Emphasised | None:
    parts = _emphasis(text)
    if parts is None:
        return None
    inner = pieces(parts[1])
    return Emphasised(parts[0], tuple(inner), parts[2]) if len(inner) > 1 else None


@lru_cache(_REMEMBERED)
def _emphasis(text: str) -> tuple[str, str, str] | None:
    """(opening, inside, closing) of a text that is one emphasis as a whole."""
    if text[:1] not in ("(", "[") or (0, len(text)) not in _spans(text):
        return None
    inner, close = text[1:-1], text[-1]
    covered = _enclosed(inner)
    if text[0] == "(":
        weight = _WEIGHT.search(inner)
        if weight and not covered[weight.start()]:
            inner, close = inner[: weight.start()], weight[0] + close
    elif any(not covered[m.start()] for m in _SCHEDULE.finditer(inner)):
        return None
    return text[0], inner, close


def _spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of everything that a pair of brackets, or an extra network's tag, encloses, with them."""
    return sorted(_brackets(text)[0] + [m.span() for m in _NETWORK.finditer(text)])


def _brackets(text: str) -> tuple[list[tuple[int, int]], set[int]]:
    """(start, end) of all pairs of brackets, and where brackets without a fellow stand."""
    pairs: list[tuple[int, int]] = []
    alone: set[int] = set()
    # each kind separately, because the hosts treat round and square brackets separately
    opened: dict[str, list[int]] = {kind: [] for kind in _PAIRS}
    i = 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 1
        elif c in _PAIRS:
            opened[c].append(i)
        elif c in _CLOSING:
            if opened[_CLOSING[c]]:
                pairs.append((opened[_CLOSING[c]].pop(), i + 1))
            else:
                alone.add(i)
        i += 1
    return pairs, alone.union(*opened.values())


def _enclosed(text: str) -> list[bool]:
    """For each character whether it is enclosed, or is one of the brackets."""
    covered = [False] * len(text)
    end = 0
    for start, stop in _spans(text):
        for k in range(max(start, end), stop):
            covered[k] = True
        end = max(end, stop)
    return covered
