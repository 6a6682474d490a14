"""Named models: where they are on this machine, and how they get here.

A downloaded model is used without any request to the network; `get(…, update=True)` asks the hub for a newer version.
Files lie in huggingface_hub's cache (or in a folder of the same layout, `--models-dir`), so that
other programs share them. Only the listed files are downloaded, and no pickled ones.
"""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.errors import ModelError
from lib_extend.models import hub
from lib_extend.models.entry import Entry, HubFile
from lib_extend.models.files import ModelFiles
from lib_extend.models.hub_errors import NoSuchFile
from lib_extend.models.hub_place import Place

if TYPE_CHECKING:
    from lib_extend.models.ports import Progress

VLM_FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")
"""What is downloaded of a vision-language model; of folders within it nothing. Weights as safetensors only."""

_INDEX = "model.safetensors.index.json"


def get(
    entry: Entry,
    *,
    offline: bool = False,
    models_dir: str = "",
    progress: Progress | None = None,
    update: bool = False,
) -> Path:
    """The folder of a model, downloaded if it is not on this machine.

    If a tagger's files come from several repositories, this is the folder of the first file; `fetch` returns all files.

    Args:
        offline: use only models that are on this machine.
        models_dir: where downloads are kept; "" is the Hugging Face cache.
        progress: told about the bytes of all files together.
        update: ask the hub for a newer version even if the model is on this machine.

    Raises ModelError with one sentence: offline and not downloaded, no network, access refused, removed from the hub,
    disk full, download damaged.
    """
    if entry.folder is not None:
        return _built_in(entry)
    if not update:
        found = where(entry, models_dir=models_dir)
        if found is not None:
            return found
    if offline:
        found = where(entry, models_dir=models_dir)
        if found is None:
            raise _not_here(entry, models_dir)
        return found
    _download(entry, models_dir, progress)
    found = where(entry, models_dir=models_dir)
    if found is None:
        raise ModelError(
            f"{entry.repo} lacks files of a model: choose another model.",
            code="model_incomplete",
            repo=entry.repo,
        )
    return found


def fetch(
    entry: Entry, *, offline: bool = False, models_dir: str = "", progress: Progress | None = None
) -> ModelFiles:
    """The files of a tagger, downloaded if they are not on this machine. Arguments and errors as those of `get`."""
    get(entry, offline=offline, models_dir=models_dir, progress=progress)
    mend = f"delete {Place.of(models_dir).storage(entry.repo)} and start again, so that it is downloaded anew"
    return ModelFiles(entry.name, {p.name: p for _, p in _local(entry, models_dir) if p.is_file()}, mend)


def is_cached(entry: Entry, *, models_dir: str = "") -> bool:
    """Whether the complete model is on this machine."""
    return where(entry, models_dir=models_dir) is not None


def where(entry: Entry, *, models_dir: str = "") -> Path | None:
    """The folder of a model on this machine; None when it is missing or incomplete. See `get`."""
    if entry.folder is not None:
        return entry.folder if entry.folder.is_dir() else None
    if entry.files:
        files = _local(entry, models_dir)
        if not files or not all(path.is_file() for file, path in files if file.required):
            return None
        return files[0][1].parent
    folder = Place.of(models_dir).snapshot(entry.repo, entry.revision)
    return folder if folder is not None and _whole(folder) else None


def _built_in(entry: Entry) -> Path:
    assert entry.folder is not None
    if not entry.folder.is_dir():
        raise ModelError(
            f"The built-in model {entry.name} is missing from {entry.folder}: install Prompt Extend again, or "
            "build it with `prompt-extend sketch train`.",
            code="model_missing",
            model=entry.name,
        )
    return entry.folder


def _local(entry: Entry, models_dir: str) -> list[tuple[HubFile, Path]]:
    """The paths of the listed files on this machine; [] when nothing of a repository was downloaded."""
    place = Place.of(models_dir)
    found = []
    for file in entry.files:
        folder = place.snapshot(file.repo, entry.revision)
        if folder is None:
            return []
        found.append((file, folder / file.path))
    return found


def _whole(folder: Path) -> bool:
    """Whether a transformers model has its configuration and all its weights.

    The weights are downloaded last, so their presence means that everything is present.
    """
    if not (folder / "config.json").is_file():
        return False
    if (folder / "model.safetensors").is_file():
        return True
    try:
        parts = json.loads((folder / _INDEX).read_text(encoding="utf-8"))["weight_map"].values()
        return bool(parts) and all((folder / str(part)).is_file() for part in parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _not_here(entry: Entry, models_dir: str) -> ModelError:
    folder = Place.of(models_dir).cache
    return ModelError(
        f"{entry.name} is not on this machine (looked in {folder}) and --offline forbids the network: run "
        f"`prompt-extend models get {entry.name}` once with a network, or choose a model that is here.",
        code="offline",
        model=entry.name,
    )


def _download(entry: Entry, models_dir: str, progress: Progress | None) -> None:
    """All the model's files into the cache."""
    place = Place.of(models_dir)
    remotes = _tagger_files(place, entry) if entry.files else _vlm_files(place, entry)
    total = sum(remote.size for remote in remotes)
    done = 0

    def arrived(here: int) -> None:
        if progress is not None:
            progress(entry.name, min(done + here, total) if total else done + here, total)

    hub.check_space(place, entry.repo, sum(hub.missing(place, remote) for remote in remotes))
    arrived(0)
    for remote in remotes:
        hub.fetch(place, remote, arrived)
        done += remote.size
    for repo, commit in {remote.repo: remote.commit for remote in remotes}.items():
        hub.remember(place, repo, entry.revision, commit)
    arrived(0)


def _tagger_files(place: Place, entry: Entry) -> list[hub.Remote]:
    commits: dict[str, str] = {}
    remotes = []
    for file in entry.files:
        # All files are of one commit, also if the repository changes during the download.
        revision = commits.get(file.repo, entry.revision)
        try:
            remote = hub.describe(place, file.repo, file.path, revision)
        except NoSuchFile:
            if file.required:
                raise
            continue
        commits[file.repo] = remote.commit
        remotes.append(remote)
    return remotes


def _vlm_files(place: Place, entry: Entry) -> list[hub.Remote]:
    commit, paths = hub.listing(place, entry.repo, entry.revision)
    plain = [p for p in paths if not any(c in p for c in "/\\:")]
    wanted = [p for p in plain if any(fnmatch.fnmatch(p, pattern) for pattern in VLM_FILES)]
    if not any(p.endswith(".safetensors") for p in wanted):
        raise ModelError(
            f"{entry.repo} has no weights as safetensors, and others are not taken (they may run code): choose "
            "another model.",
            code="weights_unsafe",
            repo=entry.repo,
        )
    if _INDEX in wanted:  # some repositories also have the same weights as one large file
        wanted = [p for p in wanted if not p.startswith("consolidated")]
    # Small ones first: see `_whole`.
    wanted.sort(key=lambda p: (p.endswith(".safetensors"), p))
    return [hub.describe(place, entry.repo, p, commit) for p in wanted]
