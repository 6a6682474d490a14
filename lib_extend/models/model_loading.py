"""Load a tagger or a detector by its name or folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.errors import ModelError
from lib_extend.models import downloads, registry
from lib_extend.models.entry import Entry
from lib_extend.models.family import Family, families, recognise
from lib_extend.models.files import ModelFiles

if TYPE_CHECKING:
    from lib_extend.models.expanders.expander_options import Expander
    from lib_extend.models.ports import Detector, Progress, Tagger


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
    """The tagger that `spec` names, downloaded if needed, ready to tag.

    Args:
        spec: a name, a listed hub repository, or a folder with a model in any known layout; or several of them with
            commas between them, which become one tagger.
        device: auto, cpu, cuda or directml; `Tagger.device` says which one is used.
        offline: use only models that are on this machine.
        models_dir: where downloads are kept; "" is the Hugging Face cache.
        batch_size: images a call takes; None leaves it to the model and the device.
        threads: threads of one call on the CPU; None leaves it to onnxruntime.
        progress: called while files arrive.

    Raises:
        UserError: there is no such tagger. ModelError: it cannot be downloaded, read or run.
    """
    from lib_extend.models.several_taggers import SeveralTaggers
    from lib_extend.models.taggers.base import Options

    entries = registry.find_taggers(spec)
    loaded: dict[str, Tagger] = {}
    try:
        for entry in entries:
            files = _get(entry, offline, models_dir, progress)
            family = families("taggers")[entry.family] if entry.family else tagger_family(files)
            options = Options(device, batch_size, threads, entry.threshold, entry.character_threshold)
            loaded[entry.name] = family.load(files, options)
    except BaseException:
        for tagger in loaded.values():
            tagger.close()
        raise
    return SeveralTaggers(loaded) if len(loaded) > 1 else loaded[entries[0].name]


def load_detector(
    spec: str,
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    batch_size: int | None = None,
    threads: int | None = None,
    threshold: float | None = None,
    progress: Progress | None = None,
) -> Detector:
    """The detector that `spec` names, downloaded if needed, ready to detect.

    Args:
        threshold: score in 0…1 that a box needs; None leaves it to the model.
        The others are those of `load_tagger`.

    Raises:
        UserError: there is no such detector. ModelError: it cannot be downloaded, read or run, or is not a detector.
    """
    from lib_extend.models.detectors.detector_options import DetectorOptions

    entry = registry.find_detector(spec)
    files = _get(entry, offline, models_dir, progress)
    options = DetectorOptions(device, batch_size, threads, entry.threshold, entry.iou, threshold)
    family = families("detectors")[entry.family] if entry.family else detector_family(files)
    detector: Detector = family.load(files, options)
    return detector


def load_expander(
    spec: str,
    *,
    device: str = "auto",
    offline: bool = False,
    models_dir: str = "",
    progress: Progress | None = None,
) -> Expander:
    """The expander that `spec` names (or a folder, a `.gguf` file, a server's address), downloaded if needed.

    Arguments as those of `load_tagger`; the families run on torch.

    Raises:
        UserError: there is no such expander. ModelError: it cannot be downloaded, read or run, or its family is
        unknown.
    """
    from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
    from lib_extend.models.vlms.local import choose_device

    if "://" in spec:
        from lib_extend.models.expanders.text_sources import CompletionServer

        server = CompletionServer(spec)
        entry, place = Entry(spec, "expander", ""), ExpanderPlace(Path(server.model or spec), server)
    else:
        entry = registry.find_expander(spec)
        place = ExpanderPlace(_expander_path(entry, offline, models_dir, progress))
    family = families("expanders")[entry.family] if entry.family else recognise("expanders", place)
    if family is None:
        raise ModelError(
            f"{spec} is no expander that is known here (TIPO, DanTagGen, dart): its tokenizer has none of their tokens."
        )
    expander: Expander = family.load(place, ExpanderOptions(choose_device(device)[0], entry.name))
    return expander


def _expander_path(entry: Entry, offline: bool, models_dir: str, progress: Progress | None) -> Path:
    if entry.folder is None:
        files = _get(entry, offline, models_dir, progress)
        file = next((f.path for f in entry.files if f.path.endswith(".gguf")), "")
        return files.path(file) if file else files.path("config.json").parent
    if not entry.folder.exists():
        downloads.get(entry)  # raises an error that says what to do
    return entry.folder


def _get(entry: Entry, offline: bool, models_dir: str, progress: Progress | None) -> ModelFiles:
    if entry.folder is not None:
        return ModelFiles.of(entry.folder)
    return downloads.fetch(entry, offline=offline, models_dir=models_dir, progress=progress)


def tagger_family(files: ModelFiles) -> Family[Any, Any, Any]:
    """The family whose layout a folder has. Raises ModelError when it is none."""
    files.model()  # raises an error when there is none
    found = recognise("taggers", files)
    if found is None:
        raise ModelError(
            f"{files.label} has an ONNX model, but no list of its tags (selected_tags.csv, tag_mapping.json, …): "
            f"{files.mend}."
        )
    return found


def detector_family(files: ModelFiles) -> Family[Any, Any, Any]:
    """Likewise of a detector. Raises ModelError."""
    files.model()
    found = recognise("detectors", files)
    if found is None:
        raise ModelError(
            f"{files.label} has an ONNX model, but of no detector that is known here: {files.mend}."
        )
    return found
