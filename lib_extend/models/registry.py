"""The models known by name: one line an entry. Standard library only; families load when they are needed."""

from __future__ import annotations

import difflib
import hashlib
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_extend.errors import ModelError, UserError

if TYPE_CHECKING:
    from lib_extend.models.ports import Progress, Tagger

WEIGHTS = Path(__file__).resolve().parents[1] / "sketch" / "weights"
DEFAULT_TAGGER = "wd-swinv2-v3"


@dataclass(frozen=True)
class File:
    """One file of a model: where it is in its repository, and (when not the same) its name for the loader."""

    path: str
    name: str = ""
    repo: str = ""

    @property
    def local(self) -> str:
        return self.name or self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class TaggerEntry:
    """A tagger by name.

    Attributes:
        family: the module in `taggers/` that loads it. repo: on the hub, "" for built-in ones.
        files: what to download. size: bytes of the weights as the card gives them, 0 unknown.
        threshold: for general tags, where precision equals recall, when the card gives it.
        note: what a user should know before downloading it.
    """

    name: str
    family: str
    repo: str
    files: tuple[File, ...] = ()
    size: int = 0
    threshold: float | None = None
    character_threshold: float | None = None
    note: str = ""
    folder: Path | None = None


@dataclass(frozen=True)
class VlmEntry:
    """A vision-language model by name; `transformers` is the first release that has its class."""

    name: str
    repo: str
    transformers: str = "4.49"
    parameters: str = ""
    note: str = ""
    folder: Path | None = None


_WD = (File("model.onnx"), File("selected_tags.csv"))
_DBV4 = (*_WD, File("categories.json"), File("preprocess.json"))
_PIXAI = (*_DBV4, File("thresholds.csv"))
_ML = (
    File("ml_caformer_m36_dec-5-97527.onnx", "model.onnx"),
    File("mldanbooru/mldanbooru_tags.csv", repo="deepghs/imgutils-models"),
)
_DEEP = (
    File("deepdanbooru/deepdanbooru.onnx", "model.onnx"),
    File("deepdanbooru/deepdanbooru_tags.csv"),
)
_CL = (File("cl_tagger_1_02/model.onnx"), File("cl_tagger_1_02/tag_mapping.json"))
_CAMIE = (File("camie-tagger-v2.onnx", "model.onnx"), File("camie-tagger-v2-metadata.json"))
_GATED = "gated: accept the licence on its page and log in first"

# Sizes and thresholds: the models' cards.
TAGGERS: tuple[TaggerEntry, ...] = (
    TaggerEntry("wd-swinv2-v3", "wd", "SmilingWolf/wd-swinv2-tagger-v3", _WD, 467_460_978, 0.2653),
    TaggerEntry("wd-vit-v3", "wd", "SmilingWolf/wd-vit-tagger-v3", _WD, 378_536_310, 0.2614),
    TaggerEntry("wd-convnext-v3", "wd", "SmilingWolf/wd-convnext-tagger-v3", _WD, 394_990_732, 0.2682),
    TaggerEntry("wd-vit-large-v3", "wd", "SmilingWolf/wd-vit-large-tagger-v3", _WD, 1_260_645_673, 0.2606),
    TaggerEntry(
        "wd-eva02-large-v3", "wd", "SmilingWolf/wd-eva02-large-tagger-v3", _WD, 1_260_435_999, 0.5296
    ),
    TaggerEntry("wd-swinv2-v2", "wd", "SmilingWolf/wd-v1-4-swinv2-tagger-v2", _WD, 0, 0.3771),
    TaggerEntry("wd-convnext-v2", "wd", "SmilingWolf/wd-v1-4-convnext-tagger-v2", _WD, 0, 0.3685),
    TaggerEntry("wd-convnextv2-v2", "wd", "SmilingWolf/wd-v1-4-convnextv2-tagger-v2", _WD, 0, 0.3710),
    TaggerEntry("wd-vit-v2", "wd", "SmilingWolf/wd-v1-4-vit-tagger-v2", _WD, 0, 0.3537),
    TaggerEntry("wd-moat-v2", "wd", "SmilingWolf/wd-v1-4-moat-tagger-v2", _WD, 0, 0.3771),
    TaggerEntry("ml-danbooru", "ml_danbooru", "deepghs/ml-danbooru-onnx", _ML),
    TaggerEntry("deepdanbooru", "deepdanbooru", "deepghs/imgutils-models", _DEEP),
    TaggerEntry("cl-tagger", "cl_tagger", "cella110n/cl_tagger", _CL),
    TaggerEntry("pixai-v0.9", "dbv4", "deepghs/pixai-tagger-v0.9-onnx", _PIXAI, 0, 0.30, 0.85),
    TaggerEntry(
        "animetimm-swinv2", "dbv4", "animetimm/swinv2_base_window8_256.dbv4-full", _DBV4, note=_GATED
    ),
    TaggerEntry("animetimm-caformer", "dbv4", "animetimm/caformer_b36.dbv4-full", _DBV4, note=_GATED),
    TaggerEntry("camie-v2", "camie", "Camais03/camie-tagger-v2", _CAMIE, note="GPL-3.0 weights"),
    TaggerEntry("sketch", "wd", "", note="built in; knows drawn scenes only", folder=WEIGHTS / "tagger"),
)

VLMS: tuple[VlmEntry, ...] = (
    VlmEntry("qwen2-vl-2b", "Qwen/Qwen2-VL-2B-Instruct", "4.45", "2B"),
    VlmEntry("qwen2-vl-7b", "Qwen/Qwen2-VL-7B-Instruct", "4.45", "7B"),
    VlmEntry("qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", "4.49", "3B"),
    VlmEntry("qwen2.5-vl-7b", "Qwen/Qwen2.5-VL-7B-Instruct", "4.49", "7B"),
    VlmEntry("qwen3-vl-2b", "Qwen/Qwen3-VL-2B-Instruct", "4.57.1", "2B"),
    VlmEntry("qwen3-vl-4b", "Qwen/Qwen3-VL-4B-Instruct", "4.57.1", "4B"),
    VlmEntry("qwen3-vl-8b", "Qwen/Qwen3-VL-8B-Instruct", "4.57.1", "8B"),
    VlmEntry("smolvlm2-2.2b", "HuggingFaceTB/SmolVLM2-2.2B-Instruct", "4.50", "2.2B"),
    VlmEntry("smolvlm2-500m", "HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "4.50", "0.5B"),
    VlmEntry("joycaption-beta-one", "fancyfeast/llama-joycaption-beta-one-hf-llava", "4.46", "8B"),
    VlmEntry("toriigate-0.4-2b", "Minthy/ToriiGate-v0.4-2B", "4.45", "2B"),
    VlmEntry("toriigate-0.4-7b", "Minthy/ToriiGate-v0.4-7B", "4.45", "7B"),
    VlmEntry("internvl3-2b", "OpenGVLab/InternVL3-2B-hf", "4.52.4", "2B"),
    VlmEntry("internvl3-8b", "OpenGVLab/InternVL3-8B-hf", "4.52.4", "8B"),
    VlmEntry("sketch", "", "4.49", "", "built in; knows drawn scenes only", WEIGHTS / "vlm"),
)

FAMILIES = ("dbv4", "ml_danbooru", "deepdanbooru", "cl_tagger", "camie", "wd")
"""The modules of `taggers/`, in the order in which they are asked whether a folder is theirs."""

Entry = TypeVar("Entry", TaggerEntry, VlmEntry)


def find_tagger(spec: str) -> TaggerEntry:
    """The entry of a name, or one made for a local folder with a model in a known layout.

    Raises UserError for anything else, with the names that come close.
    """
    return _named(spec, TAGGERS, "tagger") or _tagger_folder(spec)


def find_vlm(spec: str) -> VlmEntry:
    """The entry of a name, or one made for a local folder. Raises UserError for anything else."""
    entry = _named(spec, VLMS, "vision-language model", strict=False)
    if entry is not None:
        return entry
    folder = Path(spec).expanduser()
    if not folder.is_dir():
        raise _unknown(spec, VLMS, "vision-language model")
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} has no config.json: name the folder of a transformers model.")
    return VlmEntry(spec, "", folder=folder.resolve())


def load_tagger(
    spec: str,
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    batch_size: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Tagger:
    """The tagger `spec` names, downloaded if need be.

    Raises:
        UserError: there is no such tagger. ModelError: it cannot be downloaded or loaded.
    """
    from lib_extend.models.taggers.base import Options

    entry = find_tagger(spec)
    if entry.folder is not None:
        folder = entry.folder
        key = f"{entry.family}:{_digest(folder / 'model.onnx')}"
    else:
        from lib_extend.models.downloads import get

        folder, revision = get(entry, offline=offline, models_dir=models_dir, progress=progress)
        key = f"{entry.name}@{revision}"
    family = _family(entry.family)
    tagger: Tagger = family.load(
        folder, Options(key, device, batch_size, threads, entry.threshold, entry.character_threshold)
    )
    return tagger


def _family(name: str) -> Any:
    return importlib.import_module(f"lib_extend.models.taggers.{name}")


def _named(spec: str, entries: Sequence[Entry], what: str, *, strict: bool = True) -> Entry | None:
    for entry in entries:
        if spec.lower() == entry.name or (entry.repo and spec == entry.repo):
            return entry
    if strict and not Path(spec).expanduser().exists():
        raise _unknown(spec, entries, what)
    return None


def _unknown(spec: str, entries: Iterable[TaggerEntry | VlmEntry], what: str) -> UserError:
    close = difflib.get_close_matches(spec.lower(), [e.name for e in entries], n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return UserError(
        f"There is no {what} called {spec!r}, nor a folder of that name.{hint} `prompt-extend models` lists them."
    )


def _tagger_folder(spec: str) -> TaggerEntry:
    folder = Path(spec).expanduser()
    if folder.is_file():
        folder = folder.parent
    for name in FAMILIES:
        if _family(name).recognises(folder):
            return TaggerEntry(spec, name, "", folder=folder.resolve())
    raise UserError(
        f"{folder} holds no tagger in a known layout: it needs model.onnx and its label file "
        "(selected_tags.csv for WD models)."
    )


def _digest(file: Path) -> str:
    """Identity of local weights: of their bytes, since nothing else can be trusted to change with them."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with file.open("rb") as f:
            while chunk := f.read(1 << 20):
                digest.update(chunk)
    except OSError as e:
        raise ModelError(f"{file} cannot be read ({e.strerror}).") from None
    return digest.hexdigest()
