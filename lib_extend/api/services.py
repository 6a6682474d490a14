"""What the routes work with: one set for a server process, also across a WebUI's "Reload UI"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib_extend.api.contents import Recent
from lib_extend.api.environment import EnvironmentTask
from lib_extend.api.folders import FolderBook
from lib_extend.api.hooks import Away, Hooks, Host
from lib_extend.api.jobs import Jobs
from lib_extend.api.kept import Kept
from lib_extend.api.last import Last
from lib_extend.api.lora_downloads import PUBLIC, LoraDownloads, Sources
from lib_extend.api.lora_shelf import LoraShelf
from lib_extend.api.own_questions import OwnQuestions
from lib_extend.api.presets import Presets
from lib_extend.api.review_list import Lists
from lib_extend.api.settings import ModelList
from lib_extend.generation.library import Library
from lib_extend.host import loras, memory, options, paths, regions, safety
from lib_extend.host.options import Options
from lib_extend.host.safety import Safety
from lib_extend.worker.client import WorkerClient

THREADS = 16
"""Requests worked on at once. Threads of our own: those of the WebUI's server are for generating."""


class Checkpoint(Protocol):
    """What the WebUI's loaded checkpoint is, see `host.regions`; nothing is loaded to find out."""

    def unfit(self) -> str: ...

    def family(self) -> str: ...


@dataclass
class Services:
    """See the modules of the same names; `host`, `options`, `safety` and `credentials` come from `lib_extend.host`.

    `loras` are the WebUI's, `library` holds the user's casts and characters, `regions` knows the loaded checkpoint.
    """

    data: Path
    safety: Callable[[], Safety]
    credentials: Callable[[], Mapping[str, str]]
    options: Callable[[], Options]
    host: Host
    folders: FolderBook
    recent: Recent
    presets: Presets
    questions: OwnQuestions
    jobs: Jobs
    kept: Kept
    environment: EnvironmentTask
    client: Callable[[], WorkerClient]
    changed: Callable[[Path, Sequence[str] | None], None]
    last: Last
    library: Library
    loras: LoraShelf
    downloads: LoraDownloads
    regions: Checkpoint
    reviews: Lists = field(default_factory=Lists)
    models: ModelList = field(default_factory=ModelList)
    browsers: Any = None
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="prompt-extend-api")
    )

    def close(self) -> None:
        """End jobs and workers."""
        self.downloads.stop_all()
        self.jobs.stop_all()
        self.kept.unload()
        if self.browsers is not None:
            self.browsers.close()
        self.threads.shutdown(wait=False)


def make(
    *,
    data: Path | None = None,
    safety: Callable[[], Safety] = safety.safety,
    credentials: Callable[[], Mapping[str, str]] = safety.credentials,
    options: Callable[[], Options] = options.read,
    host: Host = memory,  # type: ignore[assignment]
    client: Callable[[], WorkerClient] = WorkerClient,
    browsers: Any = None,
    lora_folders: Callable[[], Sequence[Path]] = paths.lora_folders,
    regions: Checkpoint = regions,
    refresh: Callable[[], Any] = loras.refresh,
    sources: Sources = PUBLIC,
) -> Services:
    """The services of a server. Every argument has the host's own as its default.

    Args:
        data: folder of presets, casts, characters and recent folders. browsers: what `/datasets` is served from.
        client: makes the worker's client. lora_folders: where LoRAs are looked for, and got into the first.
        refresh: lets the WebUI list them anew. sources: where GitHub's and Civitai's APIs are.
    """
    folder = paths.data_folder() if data is None else data
    recent = Recent(folder / "recent.json")
    kept = Kept(lambda: options().idle_minutes, client)

    def changed(root: Path, names: Sequence[str] | None) -> None:
        if browsers is not None:
            browsers.changed(root, names)

    hooks = Hooks(
        away=Away(host),
        kept=kept,
        changed=changed,
        unfinished=lambda root, unfinished: recent.mark(root, unfinished=unfinished),
    )
    return Services(
        data=folder,
        safety=safety,
        credentials=credentials,
        options=options,
        host=host,
        folders=FolderBook(safety, ours=folder / "questions"),
        recent=recent,
        presets=Presets(folder / "presets"),
        questions=OwnQuestions(folder / "questions"),
        jobs=Jobs(hooks),
        kept=kept,
        environment=EnvironmentTask(before=lambda: _forget(kept)),
        client=client,
        changed=changed,
        last=Last(folder / "last.json"),
        library=Library(folder),
        loras=LoraShelf(lora_folders),
        downloads=LoraDownloads(lora_folders, refresh, sources),
        regions=regions,
        browsers=browsers,
    )


def _forget(kept: Kept) -> None:
    kept.unload()
