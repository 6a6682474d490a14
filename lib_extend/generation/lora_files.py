"""List the LoRAs on this machine, and recognise those for backgrounds or characters' letters.

Only the files' metadata is read. A LoRA is recognised when

- its metadata has this program's mark, which its exports tell sd-scripts to write (`mark`), or
- it was trained on captions whose tags have Greek letters (`ss_tag_frequency` has `α …` and `β …`), or
- it is one of the two published ones (RimoChan/danbooru-prompt-extend): a dataset folder `1_A`, and 9,330
  images for the background or 12,004 for the separation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.config import COUNT_STYLES
from lib_extend.errors import UserError
from lib_extend.files import outside_json
from lib_extend.files.safetensors_header import Header, read_header
from lib_extend.generation.cast import LETTERS

BACKGROUND, SEPARATION = "background", "separation"
ROLES = (BACKGROUND, SEPARATION)
SUFFIX = ".safetensors"

PUBLISHED = {9330: BACKGROUND, 12004: SEPARATION}
"""Training images of the published LoRAs."""
_PUBLISHED_DIR = "1_A"

MARK = "prompt-extend"
_MARK = re.compile(rf"{MARK}:({'|'.join(ROLES)})(?::({'|'.join(COUNT_STYLES)}))?")
_MARKED_KEYS = ("ss_training_comment", "modelspec.description", "modelspec.tags", "modelspec.usage_hint")

FAMILIES = {
    "sd1": "Stable Diffusion 1.5",
    "sd2": "Stable Diffusion 2",
    "sdxl": "SDXL",
    "sd3": "SD 3",
    "flux": "Flux",
    "anima": "Anima",
}
"""Kinds of checkpoints between which a LoRA cannot be exchanged. Illustrious, NoobAI, Pony, Animagine are SDXL."""

_FAMILY_WORDS = (
    ("sd3", ("sd3", "stable-diffusion-3", "sd 3")),
    ("flux", ("flux",)),
    ("anima", ("anima-", "anima_", "anima ")),
    (
        "sdxl",
        (
            "sdxl",
            "stable-diffusion-xl",
            "sd_xl",
            "illustrious",
            "noobai",
            "noob",
            "pony",
            "animagine",
            "wai-",
        ),
    ),
    ("sd2", ("sd_v2", "stable-diffusion-v2", "sd 2", "sd2")),
    ("sd1", ("sd_v1", "stable-diffusion-v1", "sd 1", "sd1", "v1-5")),
)
_CONTEXTS = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
"""Channels of the text conditioning."""
_LONGEST_NAME = 500
"""Characters of a tensor's name that is looked at; real ones have up to 150."""
_ANIMA = re.compile(r"blocks[._]\d+[._](self|cross)_attn[._](q_proj|output_proj)")
"""Modules that of these families only Anima's model has."""
_MOST_TRIGGERS = 6
_ALMOST_ALL = 0.8
"""Share of a folder's pictures whose captions have a tag that is taken for the folder's trigger word."""
_CROSS = re.compile(r"attn2[._]to_[kv][._].*(lora_down|lora_A|lora\.down|hada_w1_b)")


@dataclass(frozen=True)
class LoraInfo:
    """A LoRA file.

    Attributes:
        name: as `<lora:name:1>` names it: the file name without its ending.
        role: `background`, `separation`, or "" for any other.
        published: one of the two published ones.
        family: a key of FAMILIES, "" when the file does not say.
        base: the checkpoint it was trained on, as the file names it, or "".
        title: what the file calls itself, or "". alias: its name while it was trained, which hosts take too.
        triggers: words that call what it was trained on, as the file says them or as its training's tags show.
        count_style: how a background LoRA learnt to count: `english` or `naive`.
        problem: why its metadata could not be read, or "".
    """

    path: Path
    name: str
    role: str = ""
    published: bool = False
    family: str = ""
    base: str = ""
    title: str = ""
    alias: str = ""
    count_style: str = "english"
    problem: str = ""
    triggers: tuple[str, ...] = ()


def mark(role: str, count_style: str = "english") -> str:
    """The `training_comment` that an export gives sd-scripts, so that the LoRA is recognised later."""
    if role not in ROLES or count_style not in COUNT_STYLES:
        raise ValueError(f"{role}, {count_style}")
    return f"{MARK}:{role}:{count_style}"


def read_lora(path: Path) -> LoraInfo:
    """What a LoRA file says about itself; a file that cannot be read says so in `problem`."""
    name = path.stem
    try:
        header = read_header(path)
    except UserError as e:
        return LoraInfo(path, name, problem=str(e))
    data = header.metadata
    role, style, published = _role(data)
    alias = _line(data.get("ss_output_name", ""))
    return LoraInfo(
        path,
        name,
        role,
        published,
        _family(data, header),
        _line(data.get("ss_sd_model_name", "")),
        _line(data.get("modelspec.title", "")) or alias,
        alias,
        style,
        triggers=_triggers(data),
    )


def misfit(lora: LoraInfo, family: str) -> str:
    """A sentence when a LoRA does not fit a checkpoint of this family (a key of FAMILIES), else "".

    The result is "" where either is unknown.
    """
    if not lora.family or family not in FAMILIES or lora.family == family:
        return ""
    return (
        f"The LoRA {lora.name} was trained for {FAMILIES[lora.family]} and does nothing on a "
        f"{FAMILIES[family]} checkpoint: choose another of the two."
    )


def family_of(*words: str) -> str:
    """The family of a checkpoint by how people and files call it ("Illustrious", `sdxl_base_v1-0`), or ""."""
    for word in words:
        for family, signs in _FAMILY_WORDS:
            if any(sign in word.lower() for sign in signs):
                return family
    return ""


class Library:
    """The LoRAs in some folders. A file is read again only when it changes."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(Path(f) for f in folders)
        self._known: dict[tuple[Path, int, int], LoraInfo] = {}

    def scan(self) -> list[LoraInfo]:
        """All LoRAs by name, of several files with one name the first; hosts look for them by name, too."""
        seen: dict[tuple[Path, int, int], LoraInfo] = {}
        for path in _files(self.folders):
            try:
                stat = path.stat()
            except OSError:
                continue  # deleted since it was listed
            key = (path, stat.st_size, stat.st_mtime_ns)
            seen[key] = self._known.get(key) or read_lora(path)
        self._known = seen
        by_name: dict[str, LoraInfo] = {}
        for lora in seen.values():
            by_name.setdefault(lora.name, lora)
        return sorted(by_name.values(), key=lambda lora: lora.name.lower())

    def aliases(self) -> dict[str, str]:
        """Other names of LoRAs, in lower case, to those of their files."""
        found = self.scan()
        names = {x.name.lower() for x in found}
        return {x.alias.lower(): x.name for x in found if x.alias and x.alias.lower() not in names}

    def of_role(self, role: str) -> list[LoraInfo]:
        """The LoRAs of a role, those of our own exports first."""
        return sorted((x for x in self.scan() if x.role == role), key=lambda x: (x.published, x.name.lower()))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    """The LoRA files under folders, in order; links are followed, in a circle once."""
    visited: set[str] = set()
    for folder in folders:
        for here, below, names in os.walk(folder, followlinks=True):
            real = os.path.realpath(here)
            if real in visited:
                below[:] = []
                continue
            visited.add(real)
            below.sort()
            for name in sorted(names):
                if name.lower().endswith(SUFFIX):
                    yield Path(here, name)


def _role(data: Mapping[str, str]) -> tuple[str, str, bool]:
    """(role, count style, published)."""
    for key in _MARKED_KEYS:
        match = _MARK.search(data.get(key, ""))
        if match:
            return match[1], match[2] or "english", False
    dirs = _json(data.get("ss_dataset_dirs"))
    tags = _tags(data)
    # Trained without repeats, except that of the folder's name, which is 1.
    role = PUBLISHED.get(_number(data.get("ss_num_train_images"))) if _PUBLISHED_DIR in dirs else None
    if role == SEPARATION or sum(any(t.startswith(f"{x} ") for t in tags) for x in LETTERS[:2]) == 2:
        return SEPARATION, "english", role == SEPARATION
    return (role, "naive", True) if role else ("", "english", False)


def _triggers(data: Mapping[str, str]) -> tuple[str, ...]:
    """What the file says its trigger is; else the tags that (almost) all captions of a training folder have."""
    said = data.get("modelspec.trigger_phrase", "")
    words = [_line(w) for w in said.split(",")]
    if not any(words):
        counts = _json(data.get("ss_dataset_dirs"))
        for folder, tags in _json(data.get("ss_tag_frequency")).items():
            found = counts.get(folder)
            images = found.get("img_count") if isinstance(found, dict) else None
            numbers = (
                [(n, _line(str(t))) for t, n in tags.items() if isinstance(n, int)]
                if isinstance(tags, dict)
                else []
            )
            if isinstance(images, int) and images > 0:
                often = [(n, t) for n, t in numbers if n >= _ALMOST_ALL * images]
                words += [t for _, t in sorted(often, key=lambda pair: -pair[0])]
    return tuple(dict.fromkeys(w for w in words if w))[:_MOST_TRIGGERS]


def _tags(data: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for tags in _json(data.get("ss_tag_frequency")).values():
        if isinstance(tags, dict):
            found.update(str(t).strip() for t in tags)
    return found


def _family(data: Mapping[str, str], header: Header) -> str:
    """By what the file says, else by the width of its cross-attention."""
    said = family_of(data.get("modelspec.architecture", ""), data.get("ss_base_model_version", ""))
    if said:
        return said
    for name, shape in header.shapes.items():
        if len(name) < _LONGEST_NAME and _ANIMA.search(name):
            return "anima"
        if len(name) < _LONGEST_NAME and _CROSS.search(name) and len(shape) >= 2 and shape[1] in _CONTEXTS:
            return _CONTEXTS[shape[1]]
    return family_of(data.get("ss_sd_model_name", ""))


def _json(text: str | None) -> dict[str, Any]:
    try:
        data = outside_json.loads(text or "{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else -1


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
