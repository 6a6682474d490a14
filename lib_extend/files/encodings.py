"""From a caption's bytes to its text: byte order marks and UTF-8 first, then the encoding of the folder's other
captions.

A few bytes can be decoded in many encodings. The frequency of the letters decides (`letter_costs`), with the other
files of the
folder as evidence, If two readings are nearly equally probable, the file is reported and not read.
"""

from __future__ import annotations

import codecs
import functools
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extend.errors import ImageError
from lib_extend.files import letter_costs
from lib_extend.files.scan import show

AUTO = "auto"
UTF8 = "utf-8"


@dataclass(frozen=True)
class Encoding:
    """One encoding.

    Attributes:
        name: as people and settings call it. codec: Python's name. languages: the languages written in it. rarity: bits
        added, so that an encoding that is rare today needs better evidence.
        dearest: the highest average of bits for a character outside ASCII; a text above it is in none of the languages.
    """

    name: str
    codec: str
    languages: tuple[str, ...]
    rarity: float = 0.0
    dearest: float = 12.0


_HAN, _OWN_LETTERS = 16.0, 8.0
ENCODINGS: tuple[Encoding, ...] = (
    Encoding("cp932", "cp932", ("ja",), 0, _HAN),
    Encoding("euc-jp", "euc_jp", ("ja",), 1, _HAN),
    Encoding("gb18030", "gb18030", ("zh", "zht"), 0, _HAN),
    Encoding("big5", "cp950", ("zht",), 0, _HAN),
    Encoding("cp949", "cp949", ("ko",), 0, _HAN),
    Encoding("cp1251", "cp1251", ("ru", "uk", "bg", "mk"), 0, _OWN_LETTERS),
    Encoding("koi8-r", "koi8_u", ("ru", "uk"), 3, _OWN_LETTERS),
    Encoding("cp866", "cp866", ("ru",), 5, _OWN_LETTERS),
    Encoding(
        "cp1252", "cp1252", ("en", "fr", "de", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "ca")
    ),
    Encoding("cp1250", "cp1250", ("pl", "cs", "sk", "hu", "sl", "ro", "sh", "de"), 1),
    Encoding("iso-8859-2", "iso8859_2", ("pl", "cs", "sk", "hu", "sl", "ro", "sh"), 2),
    Encoding("cp1253", "cp1253", ("el",), 1, _OWN_LETTERS),
    Encoding("iso-8859-7", "iso8859_7", ("el",), 2, _OWN_LETTERS),
    Encoding("cp1254", "cp1254", ("tr",), 2),
    Encoding("cp1255", "cp1255", ("he",), 2, _OWN_LETTERS),
    Encoding("cp1256", "cp1256", ("ar", "fa"), 2, _OWN_LETTERS),
    Encoding("cp1257", "cp1257", ("lt", "lv"), 3),
    Encoding("cp1258", "cp1258", ("vi",), 3),
    Encoding("mac-roman", "mac_roman", ("en", "fr", "de", "es", "pt", "it"), 3),
    Encoding("cp850", "cp850", ("en", "fr", "de", "es", "pt", "it"), 4),
    Encoding("cp852", "cp852", ("pl", "cs", "sk", "hu"), 4),
)
NAMES = tuple(e.name for e in ENCODINGS)
CHOICES = (AUTO, UTF8, *NAMES, "utf-16-le", "utf-16-be")
"""What a caption's encoding may be set to."""

MARGIN = 12.0
"""Bits by which the best reading must be better than the next one: four thousand to one."""
_OTHER = 0.05
"""Files that each encoding counts for before any was seen: those of one folder mostly have one."""
_EVIDENCE = 4.0
"""Bits by which another reading must be better than UTF-8 to cast doubt on it."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_LATIN = re.compile("[A-Za-z0-9]")
_LETTERS = re.compile("[\\x00-\\x7f]?[^\\x00-\\x7f]+[\\x00-\\x7f]?")
"""What is not ASCII, with the character before and after it."""
_DOUBLE = ("cp932", "euc-jp", "gb18030", "big5", "cp949")
_BY_NAME = {e.name: e for e in ENCODINGS}


@dataclass(frozen=True)
class Reading:
    """One caption as it was read.

    Attributes:
        encoding: its name ("utf-8", "utf-16", or one of `NAMES`); "" if none is certain, and then `text` is "" too.
        rivals: the encodings that are nearly equally probable, best first.
    """

    text: str
    encoding: str
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """How the captions of one folder are read.

    Attributes:
        files: by encoding, how many captions that are not UTF-8 are probably in it.
        unsure: how many of them have no certain encoding. chosen: the encoding a person set, or "auto".
    """

    files: Mapping[str, int] = field(default_factory=dict)
    unsure: int = 0
    chosen: str = AUTO

    def read(self, data: bytes) -> Reading:
        """The reading of one caption; its encoding is "" if none is certain."""
        plain = unicode_text(data)
        if plain is not None:
            rival = _rival(data, plain) if self.chosen == AUTO else ""
            return Reading("", "", (UTF8, rival)) if rival else plain
        if self.chosen != AUTO:
            codec = _BY_NAME[self.chosen].codec if self.chosen in _BY_NAME else self.chosen
            try:
                return Reading(data.decode(codec), self.chosen)
            except UnicodeDecodeError:
                return Reading("", "")
        return _best(_readings(data), self._prior)

    def complaint(self, data: bytes, reading: Reading, name: str) -> ImageError:
        """Why the caption `name` was not read, and what to do."""
        name = show(name)
        if _CONTROLS.search(data):
            return ImageError(f"The caption {name} is not text: look at it and delete or rename it.")
        if self.chosen != AUTO:
            return ImageError(
                f"The caption {name} is neither UTF-8 nor {self.chosen}: save it as UTF-8, or choose another "
                "--caption-encoding."
            )
        if _nearly_utf8(data):
            return ImageError(f"The caption {name} is damaged UTF-8: open it, mend it and save it again.")
        doubt = f" ({' or '.join(reading.rivals)})" if len(reading.rivals) > 1 else ""
        return ImageError(
            f"The encoding of the caption {name} is not certain{doubt}: save it as UTF-8, or name it with "
            "--caption-encoding."
        )

    def _prior(self, name: str) -> float:
        """Bits that the folder adds to a reading in this encoding."""
        share = (self.files.get(name, 0) + _OTHER) / (sum(self.files.values()) + _OTHER * len(ENCODINGS))
        return -math.log2(share)

    def to_json(self) -> dict[str, Any]:
        return {"files": dict(self.files), "unsure": self.unsure, "chosen": self.chosen}

    @classmethod
    def from_json(cls, data: Any) -> Decision:
        """From JSON values of any origin; values that are not valid are left out."""
        if not isinstance(data, dict):
            return cls()
        files = data.get("files")
        known = files.items() if isinstance(files, dict) else ()
        counts = {n: c for n, c in known if n in _BY_NAME and type(c) is int and 0 < c < 2**40}
        unsure, chosen = data.get("unsure"), data.get("chosen")
        return cls(
            counts,
            unsure if type(unsure) is int and unsure > 0 else 0,
            chosen if chosen in CHOICES else AUTO,
        )


def decide(texts: Iterable[bytes]) -> Decision:
    """The decision on a folder whose captions have these bytes."""
    readings = [_readings(data) for data in texts if unicode_text(data) is None]
    decision = Decision()
    # the encoding of the certain files helps to decide the others; a second pass is enough
    for _ in range(2):
        found = Counter(_best(reading, decision._prior).encoding for reading in readings)
        unsure = found.pop("", 0)
        decision = Decision(dict(found), unsure)
    if not decision.files:
        decision = _together(readings)
    return decision


def _together(readings: list[dict[str, tuple[str, float]]]) -> Decision:
    """If no single file is certain: the one encoding in which all files together are probable."""
    common = [e.name for e in ENCODINGS if readings and all(e.name in r for r in readings)]
    totals = sorted((sum(r[name][1] for r in readings), name) for name in common)
    if not totals:
        return Decision(unsure=len(readings))
    best = totals[0][1]
    others = [bits for bits, name in totals if any(r[name][0] != r[best][0] for r in readings)]
    if others and others[0] - totals[0][0] < MARGIN:
        return Decision(unsure=len(readings))
    return Decision({best: len(readings)})


def unicode_text(data: bytes) -> Reading | None:
    """A caption with a byte order mark, in UTF-8 or in ISO-2022-JP; None for any other."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            try:
                return Reading(data.decode(codec), codec.removesuffix("-sig"))
            except UnicodeDecodeError:
                break
    if b"\x1b$" in data:
        try:
            return Reading(data.decode("iso2022_jp_2"), "iso-2022-jp")
        except UnicodeDecodeError:
            pass
    if b"\0" in data:
        return None
    try:
        return Reading(data.decode("utf-8"), UTF8)
    except UnicodeDecodeError:
        return None


def encode(text: str) -> bytes:
    """The bytes of a caption file: UTF-8 without BOM, as sd-scripts reads it."""
    return text.encode("utf-8", "surrogatepass")


@functools.lru_cache(maxsize=4096)
def _readings(data: bytes) -> dict[str, tuple[str, float]]:
    """Text and bits in each encoding in which these bytes are possible and not too improbable."""
    found = {}
    if _CONTROLS.search(data):
        return {}
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding.codec)
        except UnicodeDecodeError:
            continue
        cost = letter_costs.bits(text, encoding.languages)
        if cost < letter_costs.IMPOSSIBLE:
            found[encoding.name] = (text, cost + encoding.rarity)
    return found


def _rival(data: bytes, plain: Reading) -> str:
    """The encoding that is more probable than UTF-8 for a caption of two or three letters; "" for nearly all
    captions."""
    if plain.encoding != UTF8 or data.isascii():
        return ""
    runs = _LETTERS.findall(plain.text)
    letters = [c for run in runs for c in run if c > "\x7f"]
    if not 0 < len(letters) <= 3 or max(letters) > "\u07ff" or not all(map(letter_costs.is_letter, letters)):
        return ""
    # the other characters have the same bits in each reading; so few characters are likely to repeat
    return _rival_of(" ".join(runs), bool(_LATIN.search(plain.text)))


@functools.lru_cache(maxsize=4096)
def _rival_of(text: str, latin: bool) -> str:
    data = encode(text)
    here = min(letter_costs.bits(text, e.languages) for e in ENCODINGS)
    needed = here - _EVIDENCE if latin else here + MARGIN
    double = [(r[1], n) for n, r in _readings(data).items() if n in _DOUBLE and len(r[0]) < len(data)]
    return next((n for cost, n in sorted(double) if cost < needed), "")


def _best(readings: Mapping[str, tuple[str, float]], prior: Any) -> Reading:
    ranked = sorted((cost + prior(name), name, text) for name, (text, cost) in readings.items())
    if not ranked:
        return Reading("", "")
    best, name, text = ranked[0]
    rivals = [(cost, n) for cost, n, other in ranked if other != text]
    close = [n for cost, n in rivals if cost - best < MARGIN]
    if close:
        return Reading("", "", (name, *close[:1]))
    if letter_costs.dearness(text, _BY_NAME[name].languages) > _BY_NAME[name].dearest:
        return Reading("", "")
    return Reading(text, name)


def _nearly_utf8(data: bytes) -> bool:
    """Whether nearly all bytes outside ASCII are valid UTF-8."""
    whole = sum(b >= 0x80 for b in data)
    good = len(data.decode("utf-8", "ignore").encode("utf-8")) - sum(b < 0x80 for b in data)
    return whole >= 6 and good >= 0.8 * whole
