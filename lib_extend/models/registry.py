"""The models known by name, one line each, and how a name or folder is found among them.

Only the standard library is imported here: the list of models is shown by processes that run none.
Families are files of `taggers/` and `detectors/`, named without their ending.

Facts of the entries (repositories, file names, sizes, thresholds) come from model cards and public loaders
[card]; the thresholds of wd-convnext-v3 and wd-vit-v2 are from memory [memory]. A licence is given here only if the
model's own page was read and names it; otherwise the licence is unknown here, and the model's page decides.
Thresholds of the WD taggers are those at which precision equals recall.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib_extend.errors import UserError
from lib_extend.files.path_lists import listed
from lib_extend.models.entry import Entry, HubFile

SKETCH = Path(__file__).resolve().parents[1] / "sketch" / "weights"

DEFAULT_TAGGER = "wd-swinv2-v3"
DEFAULT_DETECTOR = "anime-person"


def _files(repo: str, *paths: str, optional: Sequence[str] = ()) -> tuple[HubFile, ...]:
    return tuple(HubFile(repo, p) for p in paths) + tuple(HubFile(repo, p, False) for p in optional)


def _wd(
    name: str, model: str, bytes: int, threshold: float | None, note: str = "", licence: str = "Apache-2.0"
) -> Entry:
    repo = f"SmilingWolf/{model}"
    files = _files(repo, "model.onnx", "selected_tags.csv")
    return Entry(name, "tagger", "wd", repo, files, bytes=bytes, threshold=threshold, licence=licence, note=note)  # fmt: skip


def _timm(name: str, model: str) -> Entry:
    repo = f"animetimm/{model}.dbv4-full"
    files = _files(
        repo, "model.onnx", "selected_tags.csv", "categories.json", "preprocess.json", optional=["thresholds.csv"]
    )  # fmt: skip
    return Entry(name, "tagger", "animetimm", repo, files, gated=True)


def _yolo(
    name: str, what: str, path: str, threshold: float, iou: float, note: str, licence: str = "MIT"
) -> Entry:
    repo = f"deepghs/{what}"
    files = _files(repo, path)
    return Entry(
        name, "detector", "yolo", repo, files, threshold=threshold, iou=iou, licence=licence, note=note
    )


def _vlm(name: str, repo: str, family: str, needs: str, gb: float, licence: str, note: str = "") -> Entry:
    kind = f"{family}ForConditionalGeneration"
    return Entry(name, "vlm", kind, repo, weights=round(gb * 1e9), needs=needs, licence=licence, note=note)


def _expander(name: str, model: str, family: str, bytes: int, licence: str, note: str = "") -> Entry:
    repo = f"KBlueLeaf/{model}"
    files = _files(
        repo, "config.json", "model.safetensors", "tokenizer.model", "tokenizer_config.json",
        optional=["added_tokens.json", "special_tokens_map.json", "tokenizer.json", "generation_config.json"],
    )  # fmt: skip
    return Entry(name, "expander", family, repo, files, bytes=bytes, licence=licence, note=note)


def _gguf(name: str, model: str, file: str, note: str) -> Entry:
    repo = f"KBlueLeaf/{model}"
    return Entry(name, "expander", "tipo", repo, _files(repo, file), note=note)


def _dart(name: str, bytes: int, note: str, weights: str) -> Entry:
    repo = f"p1atdev/{name}"
    files = _files(repo, "config.json", weights, "tokenizer.json", optional=["tokenizer_config.json"])
    return Entry(name, "expander", "dart", repo, files, bytes=bytes, licence="Apache-2.0", note=note)


_ML, _MISC, _CL, _PIXAI, _CAMIE = (
    "deepghs/ml-danbooru-onnx",
    "deepghs/imgutils-models",
    "cella110n/cl_tagger",
    "deepghs/pixai-tagger-v0.9-onnx",
    "Camais03/camie-tagger-v2",
)

# fmt: off
TAGGERS: tuple[Entry, ...] = (
    _wd("wd-swinv2-v3", "wd-swinv2-tagger-v3", 467_769_446, 0.2653, "the default"),
    _wd("wd-vit-v3", "wd-vit-tagger-v3", 378_844_778, 0.2614, "the smallest of v3"),
    _wd("wd-convnext-v3", "wd-convnext-tagger-v3", 395_299_200, 0.2682),
    _wd("wd-vit-large-v3", "wd-vit-large-tagger-v3", 1_260_954_141, 0.2606),
    _wd("wd-eva02-large-v3", "wd-eva02-large-tagger-v3", 1_260_744_467, 0.5296, "the most accurate WD"),
    _wd("wd-swinv2-v2", "wd-v1-4-swinv2-tagger-v2", 0, 0.3771),
    _wd("wd-convnext-v2", "wd-v1-4-convnext-tagger-v2", 0, 0.3685),
    _wd("wd-convnextv2-v2", "wd-v1-4-convnextv2-tagger-v2", 0, 0.3710),
    _wd("wd-vit-v2", "wd-v1-4-vit-tagger-v2", 0, 0.3537, licence=""),
    _wd("wd-moat-v2", "wd-v1-4-moat-tagger-v2", 0, 0.3771, licence=""),
    Entry("ml-danbooru", "tagger", "ml_danbooru", _ML, (*_files(_ML, "ml_caformer_m36_dec-5-97527.onnx"), *_files(_MISC, "mldanbooru/mldanbooru_tags.csv")), licence="MIT", note="tagged the published separation LoRA's data"),
    Entry("deepdanbooru", "tagger", "deepdanbooru", _MISC, _files(_MISC, "deepdanbooru/deepdanbooru.onnx", "deepdanbooru/deepdanbooru_tags.csv"), licence="MIT", note="old, for comparison"),
    Entry("cl-tagger", "tagger", "cl_tagger", _CL, _files(_CL, "cl_tagger_1_02/model.onnx", "cl_tagger_1_02/tag_mapping.json"), note="characters, artists and copyrights too"),
    Entry("pixai-v0.9", "tagger", "pixai", _PIXAI, _files(_PIXAI, "model.onnx", "selected_tags.csv", "preprocess.json", optional=["thresholds.csv", "categories.json"]), licence="Apache-2.0", note="many characters, each with its series"),
    _timm("animetimm-caformer-b36", "caformer_b36"),
    _timm("animetimm-swinv2-base", "swinv2_base_window8_256"),
    _timm("animetimm-convnextv2-huge", "convnextv2_huge"),
    _timm("animetimm-mobilenetv3-large", "mobilenetv3_large_150d"),
    Entry("camie-v2", "tagger", "camie", _CAMIE, _files(_CAMIE, "camie-tagger-v2.onnx", "camie-tagger-v2-metadata.json"), note="70,000 tags, artists and years too"),
    Entry("sketch", "tagger", "wd", folder=SKETCH / "tagger", threshold=0.34, character_threshold=0.5, licence="MIT", note="built in; knows the drawn sample scenes only"),
)

DETECTORS: tuple[Entry, ...] = (
    _yolo("anime-person", "anime_person_detection", "person_detect_v1.1_m/model.onnx", 0.3, 0.5, "the default"),
    _yolo("anime-head", "anime_head_detection", "head_detect_v2.0_s/model.onnx", 0.4, 0.7, "heads only"),
    _yolo("anime-face", "anime_face_detection", "face_detect_v1.4_s/model.onnx", 0.25, 0.7, "faces only", licence=""),
    Entry("sketch", "detector", "yolo", folder=SKETCH / "detector", threshold=0.4, iou=0.5, licence="MIT", note="built in; knows the drawn sample scenes only"),
)

VLMS: tuple[Entry, ...] = (
    _vlm("qwen2-vl-2b", "Qwen/Qwen2-VL-2B-Instruct", "Qwen2VL", "4.46", 4.42, "Apache-2.0"),
    _vlm("qwen2-vl-7b", "Qwen/Qwen2-VL-7B-Instruct", "Qwen2VL", "4.46", 16.58, "Apache-2.0"),
    _vlm("qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", "Qwen2_5_VL", "4.49", 7.51, "Qwen research"),
    _vlm("qwen2.5-vl-7b", "Qwen/Qwen2.5-VL-7B-Instruct", "Qwen2_5_VL", "4.49", 16.58, "Apache-2.0"),
    _vlm("qwen3-vl-2b", "Qwen/Qwen3-VL-2B-Instruct", "Qwen3VL", "4.57.1", 4.26, ""),
    _vlm("qwen3-vl-4b", "Qwen/Qwen3-VL-4B-Instruct", "Qwen3VL", "4.57.1", 8.88, "Apache-2.0"),
    _vlm("qwen3-vl-8b", "Qwen/Qwen3-VL-8B-Instruct", "Qwen3VL", "4.57.1", 17.53, "Apache-2.0"),
    _vlm("smolvlm2", "HuggingFaceTB/SmolVLM2-2.2B-Instruct", "SmolVLM", "4.50", 4.49, "Apache-2.0", "small"),
    _vlm("smolvlm2-500m", "HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "SmolVLM", "4.50", 1.02, "Apache-2.0", "the smallest"),
    _vlm("joycaption-beta-one", "fancyfeast/llama-joycaption-beta-one-hf-llava", "Llava", "4.46", 16.96, "", "captions of any content"),
    _vlm("toriigate-0.4-2b", "Minthy/ToriiGate-v0.4-2B", "Qwen2VL", "4.46", 4.42, "", "anime"),
    _vlm("toriigate-0.4-7b", "Minthy/ToriiGate-v0.4-7B", "Qwen2VL", "4.46", 16.58, "", "anime"),
    _vlm("internvl3-2b", "OpenGVLab/InternVL3-2B-hf", "InternVL", "4.52.4", 4.18, "Qwen"),
    _vlm("internvl3-8b", "OpenGVLab/InternVL3-8B-hf", "InternVL", "4.52.4", 15.89, ""),
    Entry("sketch", "vlm", "Qwen2VLForConditionalGeneration", folder=SKETCH / "vlm", needs="4.46", licence="MIT", note="built in; knows the drawn sample scenes only"),
)

EXPANDERS: tuple[Entry, ...] = (
    _expander("tipo-200m-ft2", "TIPO-200M-ft2", "tipo", 810_000_000, "Kohaku 1.0", "the default"),
    _expander("tipo-200m-ft", "TIPO-200M-ft", "tipo", 810_000_000, "Kohaku 1.0"),
    _expander("tipo-200m", "TIPO-200M", "tipo", 810_000_000, "Apache-2.0"),
    _expander("tipo-100m", "TIPO-100M", "tipo", 402_000_000, "Apache-2.0", "the smallest"),
    _expander("tipo-500m", "TIPO-500M", "tipo", 2_030_000_000, "Kohaku 1.0"),
    _expander("tipo-500m-ft", "TIPO-500M-ft", "tipo", 2_030_000_000, "Kohaku 1.0"),
    _gguf("tipo-v2.1-1b", "TIPO-v2.1-1B-A200M", "TIPO-v2.1-1B-A200M-f16.gguf", "needs xllamacpp, or a llama-server"),
    _gguf("tipo-v2-1b", "TIPOv2-1B-A200M", "TIPOv2-1B-A200M-f16.gguf", "needs xllamacpp, or a llama-server"),
    _expander("dantaggen-delta-rev2", "DanTagGen-delta-rev2", "dtg", 1_570_000_000, "", "tags only"),
    _expander("dantaggen-delta", "DanTagGen-delta", "dtg", 1_570_000_000, "", "tags only"),
    _expander("dantaggen-gamma", "DanTagGen-gamma", "dtg", 1_570_000_000, "", "tags only"),
    _expander("dantaggen-beta", "DanTagGen-beta", "dtg", 1_570_000_000, "OpenRAIL", "tags only"),
    _expander("dantaggen-alpha", "DanTagGen-alpha", "dtg", 1_570_000_000, "", "tags only"),
    _dart("dart-v2-sft", 460_000_000, "the smallest download; tags only", "model.safetensors"),
    _dart("dart-v2-base", 460_000_000, "tags only", "model.safetensors"),
    _dart("dart-v2-moe-sft", 660_000_000, "tags only", "model.safetensors"),
    _dart("dart-v2-moe-base", 660_000_000, "tags only", "model.safetensors"),
    _dart("dart-v1-sft", 0, "tags only; runs in onnxruntime", "model.onnx"),
    _dart("dart-v1-base", 0, "tags only; runs in onnxruntime", "model.onnx"),
    Entry("sketch", "expander", "tipo", folder=SKETCH / "expander", licence="MIT", note="built in; knows the drawn sample scenes only"),
)
# fmt: on


def taggers() -> list[Entry]:
    """Every tagger that has a name."""
    return list(TAGGERS)


def detectors() -> list[Entry]:
    """Every detector that has a name."""
    return list(DETECTORS)


def vlms() -> list[Entry]:
    """Every vision-language model that has a name."""
    return list(VLMS)


def expanders() -> list[Entry]:
    """Every expander that has a name."""
    return list(EXPANDERS)


def find_expander(spec: str) -> Entry:
    """The entry for a name, a hub repository listed here, a local folder or a `.gguf` file. Raises UserError."""
    found = _find(EXPANDERS, spec)
    if found is None and spec.lower().endswith(".gguf"):
        file = Path(spec).expanduser()
        if not file.is_file():
            raise UserError(f"There is no file {spec}: give a .gguf file that is there.")
        return Entry(str(file), "expander", "", folder=file)
    return found or _local(spec, "expander") or _unknown("expander", EXPANDERS, spec)


def find_tagger(spec: str) -> Entry:
    """The entry for a name, a hub repository listed here (`owner/name`) or a local folder.

    Any `animetimm/…` repository is accepted, because they all have the same layout. Raises UserError with the closest
    names when there is none.
    """
    found = _find(TAGGERS, spec)
    if found is None and spec.startswith("animetimm/") and spec.count("/") == 1:
        model = spec.removeprefix("animetimm/").removesuffix(".dbv4-full")
        found = replace(_timm(spec, model), name=spec)
    if found is not None:
        return found
    return _local(spec, "tagger") or _unknown("tagger", TAGGERS, spec)


def find_taggers(spec: str) -> list[Entry]:
    """The entries of one tagger or of several with commas between them, each once. Raises UserError."""
    return list({entry.name: entry for entry in map(find_tagger, listed(spec))}.values())


def find_detector(spec: str) -> Entry:
    """The entry for a name, a hub repository listed here or a local folder. Raises UserError."""
    found = _find(DETECTORS, spec) or _local(spec, "detector")
    return found or _unknown("detector", DETECTORS, spec)


def find_vlm(spec: str) -> Entry:
    """Likewise for a vision-language model's name or listed repository. Raises UserError."""
    return _find(VLMS, spec) or _unknown("vision-language model", VLMS, spec)


def _find(table: Sequence[Entry], spec: str) -> Entry | None:
    wanted = spec.strip().lower()
    for entry in table:
        if wanted and wanted in (entry.name, entry.repo.lower()):
            return entry
    return None


def _local(spec: str, kind: str) -> Entry | None:
    if not spec.strip():
        return None  # as a path it would be the working directory
    try:
        folder = Path(spec).expanduser()
        if folder.is_file() and folder.suffix == ".onnx":
            folder = folder.parent
        if not folder.is_dir():
            return None
    except (OSError, ValueError, RuntimeError):  # too long for a path, a null byte, an unknown ~user
        return None
    return Entry(str(folder), kind, "", folder=folder)


def _unknown(what: str, table: Sequence[Entry], spec: str) -> Entry:
    if any(c in spec for c in "/\\~"):
        raise UserError(
            f"There is no folder {spec}: give a folder with a model, or a name from `prompt-extend models`."
        )
    names = [entry.name for entry in table]
    close = difflib.get_close_matches(spec.strip().lower(), names, n=3, cutoff=0.5)
    close = close or [name for name in names if spec and spec.lower() in name][:3]
    hint = f" did you mean {' or '.join(close)}?" if close else ""
    raise UserError(f"There is no {what} called {spec!r};{hint} `prompt-extend models` lists them.")
