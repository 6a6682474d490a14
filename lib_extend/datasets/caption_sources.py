"""Sources for the first words of a picture without a caption file, if the user wants it: JSON, the picture's metadata,
its name.

These words are treated like words that a person wrote. They are data from outside: bounded in size, and used only as
text.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import ImageError
from lib_extend.files import caption_files as files
from lib_extend.files.scan import show, sidecar_names
from lib_extend.vocabulary.tag_names import KAOMOJI

JSON, INFOTEXT = "json", "infotext"
LONGEST = 20_000
"""Characters of a caption taken from elsewhere, at the most."""
_CATEGORIES = ("character", "copyright", "artist", "species", "general")
_NETWORKS = re.compile(r"<(?:lora|lyco|hypernet):[^<>]*>", re.IGNORECASE)
_COMMAS = re.compile(r"\s*,[\s,]*")
_COPY = re.compile(r"\s*\(\d{1,4}\)$")
_NUMBER = re.compile(
    r"[\W_]*(?:\d+|[0-9a-f]{16,}|(?:img|dsc|image|screenshot)[\W_]*\d[\d\W_]*)[\W_]*", re.IGNORECASE
)
_USER_COMMENT, _EXIF = 0x9286, 0x8769


class CaptionSources:
    """Finds the first words of pictures without a caption.

    Args:
        root: the dataset's folder. wanted: some of `CAPTION_SOURCES`, in the order in which they are asked.
        underscores: whether tags keep theirs.

    Attributes:
        unused: pictures without a caption whose infotext was not used, because the settings do not ask for it.
    """

    def __init__(self, root: Path, wanted: Sequence[str], *, underscores: bool = False) -> None:
        self.unused: set[str] = set()
        self._root = root
        self._wanted = wanted
        self._underscores = underscores

    @classmethod
    def of(cls, root: Path, config: TagConfig) -> CaptionSources:
        """The sources that the settings name."""
        return cls(root, config.caption_source, underscores=config.underscores)

    def text(self, image: str) -> str | None:
        """The text of the first source that has one for a picture; None when no source has one.

        Raises:
            ImageError: its JSON file cannot be read.
        """
        for source in self._wanted:
            found = self._from(source, image)
            if found:
                return found[:LONGEST]
        if INFOTEXT not in self._wanted and infotext(self._root / image):
            self.unused.add(image)
        return None

    def _from(self, source: str, image: str) -> str:
        if source == JSON:
            return self._from_json(image)
        if source == INFOTEXT:
            return _tidy(_NETWORKS.sub("", infotext(self._root / image)))
        return self._spaced(_from_name(Path(image).stem))

    def _from_json(self, image: str) -> str:
        for name in sidecar_names(image):
            data = files.read_bytes(self._root / name)
            if data is None:
                continue
            try:
                value = json.loads(data.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                reason = f"{show(Path(name).name)} is no JSON in UTF-8: mend it, or leave json out of --caption-source."
                raise ImageError(reason) from None
            text = self._of_record(value)
            if text:
                return text
        return ""

    def _of_record(self, value: Any) -> str:
        if not isinstance(value, dict):
            return ""
        caption = next((value[k] for k in ("caption", "text") if isinstance(value.get(k), str)), "").strip()
        there = {_plain(piece) for piece in caption.split(",")}
        tags = [self._spaced(tag) for tag in _tags(value)]
        return _tidy(", ".join([caption, *(tag for tag in tags if _plain(tag) not in there)]))

    def _spaced(self, tag: str) -> str:
        return tag if self._underscores or tag in KAOMOJI else tag.replace("_", " ")


def infotext(image: Path) -> str:
    """The positive prompt that a picture carries (A1111's PNG text or EXIF comment, NovelAI's description), "" without."""
    from PIL import Image

    try:
        if not stat.S_ISREG(image.stat().st_mode) or _is_bare_webp(image):
            return ""
        with Image.open(image) as picture:
            if picture.info.get("Software") == "NovelAI":
                return str(picture.info.get("Description", ""))[:LONGEST].strip()
            text = picture.info.get("parameters")
            if not isinstance(text, str):
                text = (
                    _comment(picture.getexif().get_ifd(_EXIF).get(_USER_COMMENT))
                    if "exif" in picture.info
                    else ""
                )
    except Exception:  # noqa: BLE001 - whatever a damaged file makes of Pillow, it has no text for us
        return ""
    return _positive(text)


def _is_bare_webp(image: Path) -> bool:
    """Whether it is a WebP without EXIF data, as its header says. Pillow would read it whole to find none."""
    with image.open("rb") as file:
        head = file.read(21)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    return is_webp and not (head[12:16] == b"VP8X" and len(head) > 20 and head[20] & 8)


def _positive(text: str) -> str:
    """A1111's infotext up to the negative prompt or the settings; "" where there are no settings: then it is some other
    text."""
    head, mark, _ = text[: 10 * LONGEST].rpartition("\nSteps: ")
    if not mark:
        return ""
    return head.partition("\nNegative prompt:")[0].removeprefix("Negative prompt:").strip()


def _comment(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        return ""
    kind, text = value[:8], value[8:]
    if kind == b"UNICODE\0":
        # piexif, which A1111 uses, writes big endian; others write their machine's byte order
        endings = ("utf-16-be", "utf-16-le") if text[:1] == b"\0" else ("utf-16-le", "utf-16-be")
        return next((t for t in (text.decode(e, "replace") for e in endings) if "\ufffd" not in t), "")
    return text.decode("utf-8", "replace") if kind == b"ASCII\0\0\0" else ""


def _tags(record: dict[str, Any]) -> Iterator[str]:
    """The tags of a downloader's or a trainer's record; without tags about the file where the record separates them."""
    by_category = [record.get(f"{key}_{c}") for c in _CATEGORIES for key in ("tag_string", "tags")]
    lists = [v for v in by_category if v] or [record.get("tags") or record.get("tag_string")]
    seen = set()
    for value in lists:
        for tag in _names(value):
            if _plain(tag) not in seen:
                seen.add(_plain(tag))
                yield tag


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        apart = value.split(",") if "," in value else value.split()
    elif isinstance(value, (list, dict)):
        apart = [v for v in value if isinstance(v, str)]
    else:
        apart = []
    return [tag.strip() for tag in apart if tag.strip() and not tag.startswith("__")]


def _from_name(stem: str) -> str:
    """The words of a file's name; "" for numbers, hashes and camera names such as IMG_0001."""
    words = _COPY.sub("", stem).strip()
    return "" if _NUMBER.fullmatch(words) else _tidy(words)


def _tidy(text: str) -> str:
    """One line, with one comma where there were several."""
    lines = [line.strip() for line in text.splitlines()]
    return _COMMAS.sub(", ", ", ".join(line for line in lines if line)).strip(" ,")


def _plain(tag: str) -> str:
    return tag.strip().lower().replace("_", " ")
