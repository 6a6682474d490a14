"""All services together: one set for a server process, also across a WebUI's "Reload UI"."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib_extend.datasets.browse import Browsers
from lib_extend.generation.library import Library
from lib_extend.host import checkpoint_memory as memory
from lib_extend.host import lora_reload as loras
from lib_extend.host import options, paths, regions, tagcomplete
from lib_extend.host import safety as host_safety
from lib_extend.host.options import Options
from lib_extend.host.safety import Safety
from lib_extend.services.curation_preview import CurationPreviews
from lib_extend.services.edits_under_way import EditsUnderWay
from lib_extend.services.environment_task import EnvironmentTask
from lib_extend.services.folder_job import JobContext
from lib_extend.services.idle_worker import IdleWorker
from lib_extend.services.last_settings import LastSettings
from lib_extend.services.lifo_executor import LifoExecutor
from lib_extend.services.lora_list import LoraList
from lib_extend.services.lora_offers import PUBLIC, LoraDownloads, Sources
from lib_extend.services.model_list import ModelList
from lib_extend.services.open_folders import FolderBook
from lib_extend.services.preset_store import PresetStore
from lib_extend.services.question_store import QuestionStore
from lib_extend.services.recent_folders import RecentFolders
from lib_extend.services.requested_settings import config_of
from lib_extend.services.review_lists import Lists
from lib_extend.services.running_jobs import Jobs
from lib_extend.services.unloaded_checkpoint import HostMemory, UnloadedCheckpoint
from lib_extend.services.vocabularies import FOLDER as TAG_LISTS
from lib_extend.services.vocabularies import Vocabularies
from lib_extend.worker.client import WorkerClient

REQUESTS, BROWSING = 16, 8
"""Requests worked on at once. Threads of our own: those of the WebUI's server are for generating."""


class Checkpoint(Protocol):
    """The kind of the WebUI's loaded checkpoint, see `host.regions`; this loads nothing."""

    def unfit(self) -> str: ...

    def family(self) -> str: ...


@dataclass
class Pools:
    """Threads for requests, so that slow requests do not delay the others.

    Attributes:
        requests: for most requests. browsing: for requests that read a whole folder. pictures: for thumbnails, the
            newest first.
    """

    requests: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(REQUESTS, thread_name_prefix="prompt-extend-api")
    )
    browsing: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(BROWSING, thread_name_prefix="prompt-extend-browse")
    )
    pictures: LifoExecutor = field(default_factory=lambda: LifoExecutor(max(1, min(4, os.cpu_count() or 1))))

    def close(self) -> None:
        """Start no further requests."""
        self.requests.shutdown(wait=False)
        self.browsing.shutdown(wait=False)


@dataclass
class Services:
    """See the modules of the same names; `host`, `options`, `safety` and `credentials` come from `lib_extend.host`.

    `loras` are the WebUI's, `library` holds the user's casts and characters, `regions` knows the loaded checkpoint,
    `vocabularies` what tags mean.
    """

    data: Path
    safety: Callable[[], Safety]
    credentials: Callable[[], Mapping[str, str]]
    options: Callable[[], Options]
    host: HostMemory
    folders: FolderBook
    recent: RecentFolders
    presets: PresetStore
    questions: QuestionStore
    jobs: Jobs
    worker: IdleWorker
    environment: EnvironmentTask
    client: Callable[[], WorkerClient]
    changed: Callable[[Path, Sequence[str] | None], None]
    last_settings: LastSettings
    library: Library
    loras: LoraList
    downloads: LoraDownloads
    regions: Checkpoint
    browsers: Browsers
    vocabularies: Vocabularies
    reviews: Lists = field(default_factory=Lists)
    models: ModelList = field(default_factory=ModelList)
    curations: CurationPreviews = field(default_factory=CurationPreviews)
    edits: EditsUnderWay = field(default_factory=EditsUnderWay)
    pools: Pools = field(default_factory=Pools)

    def close(self) -> None:
        """End jobs and workers."""
        self.downloads.stop_all()
        self.jobs.stop_all()
        self.worker.unload()
        self.browsers.close()
        self.pools.close()


def make(
    *,
    data: Path | None = None,
    safety: Callable[[], Safety] = host_safety.safety,
    credentials: Callable[[], Mapping[str, str]] = host_safety.credentials,
    options: Callable[[], Options] = options.read,
    host: HostMemory = memory,  # type: ignore[assignment]
    client: Callable[[], WorkerClient] = WorkerClient,
    lora_folders: Callable[[], Sequence[Path]] = paths.lora_folders,
    regions: Checkpoint = regions,
    refresh: Callable[[], Any] = loras.refresh,
    sources: Sources = PUBLIC,
) -> Services:
    """The services of a server. Every argument has the host's own as its default.

    Args:
        data: folder of presets, casts, characters and recent folders. client: makes the worker's client.
        lora_folders: folders with LoRAs; downloads go into the first. refresh: lets the WebUI list them again.
        sources: where GitHub's and Civitai's APIs are.
    """
    folder = paths.data_folder() if data is None else data
    recent = RecentFolders(folder / "recent.json")
    worker = IdleWorker(lambda: options().idle_minutes, client)
    folders = FolderBook(safety, ours=folder / "questions")
    browsers = Browsers()
    browsers.allowed = folders.allows
    models = ModelList()
    context = JobContext(
        checkpoint=UnloadedCheckpoint(host),
        worker=worker,
        changed=browsers.changed,
        unfinished=lambda root, unfinished: recent.mark(root, unfinished=unfinished),
        config_of=lambda values: config_of(values, folders),
    )
    return Services(
        data=folder,
        safety=safety,
        credentials=credentials,
        options=options,
        host=host,
        folders=folders,
        recent=recent,
        presets=PresetStore(folder / "presets"),
        questions=QuestionStore(folder / "questions"),
        jobs=Jobs(context),
        worker=worker,
        environment=EnvironmentTask(before=lambda: _unload(worker)),
        client=client,
        changed=browsers.changed,
        last_settings=LastSettings(folder / "last.json"),
        library=Library(folder),
        loras=LoraList(lora_folders),
        downloads=LoraDownloads(lora_folders, refresh, sources),
        regions=regions,
        browsers=browsers,
        vocabularies=Vocabularies(
            folder / TAG_LISTS, (tagcomplete.tag_files, lambda: models.label_files(options().models_dir))
        ),
        models=models,
    )


def _unload(worker: IdleWorker) -> None:
    worker.unload()


_lock = threading.Lock()
_shared: list[Services] = []


def shared(safety: Safety | None = None) -> Services:
    """The services of this process, made at the first call: jobs outlive a WebUI's "Reload UI".

    Args:
        safety: how far the server is open, where no WebUI's flags say so (the standalone page).
    """
    with _lock:
        if not _shared:
            _shared.append(make(safety=host_safety.safety if safety is None else (lambda: safety)))
        return _shared[0]
