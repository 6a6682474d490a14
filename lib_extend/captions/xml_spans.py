"""Where the words of XML stand in its text: what is there can be read and kept to the letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import unescape

_TAG = re.compile(r"<!--.*?-->|<(/?)([^\s<>/]+)[^<>]*?(/?)>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_QUOTES = {"&quot;": '"', "&apos;": "'"}
_NUMBER = re.compile(r"&#(x[0-9a-fA-F]+|\d+);")
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Element:
    """One element.

    Attributes:
        path: names from the outside, its own last. outer: where it stands with its tags. inner: what is between these.
        leaf: no other element is in it.
    """

    path: tuple[str, ...]
    outer: tuple[int, int]
    inner: tuple[int, int]
    leaf: bool


def is_valid(text: str) -> bool:
    """Whether a text is XML elements one behind the other. Text with definitions, CDATA or instructions is not."""
    if "<!" in _COMMENT.sub("", text) or "<?" in text:
        return False
    parser = expat.ParserCreate()
    try:
        parser.Parse(f"<caption>{text}</caption>".encode("utf-8", "strict"), True)
    except (expat.ExpatError, UnicodeEncodeError):
        return False
    return True


def elements(text: str) -> list[Element]:
    """The elements of valid XML, in the order of their ends."""
    found: list[Element] = []
    open_tags: list[tuple[str, int, int, int]] = []
    for tag in _TAG.finditer(text):
        closes, name, alone = tag[1], tag[2], tag[3]
        if name is None:
            continue
        if closes:
            opened, start, inner, count = open_tags.pop()
            path = (*(o[0] for o in open_tags), opened)
            found.append(Element(path, (start, tag.end()), (inner, tag.start()), count == len(found)))
        elif alone:
            path = (*(o[0] for o in open_tags), name)
            found.append(Element(path, tag.span(), (tag.end(), tag.end()), True))
        else:
            open_tags.append((name, tag.start(), tag.end(), len(found)))
    return found


def unescaped(text: str) -> str:
    """What a part of XML says."""
    if "&" not in text:
        return text
    numbered = _NUMBER.sub(lambda m: chr(int(m[1][1:], 16) if m[1][0] == "x" else int(m[1])), text)
    return unescape(numbered, _QUOTES)


def escaped(text: str) -> str:
    """The same text as a part of XML; characters that XML cannot have are left out."""
    clean = _FORBIDDEN.sub("", text)
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
