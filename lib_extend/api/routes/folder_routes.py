"""Folders: choosing and opening them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.services import folder_contents
from lib_extend.services.container import Services
from lib_extend.services.run_history import newest_run

routes = Routes("Folders", place=30)


@routes.get(
    "/folders/recent",
    gives=[
        {
            "path": "/data/cats",
            "name": "cats",
            "images": 1200,
            "captions": 310,
            "opened": 1767225600.0,
            "recursive": False,
            "unfinished": True,
        }
    ],
)
def recent_folders(services: Services) -> list[dict[str, Any]]:
    """The folders used last, newest first.

    `unfinished`: a tagging run in this folder was not finished.
    """
    rows = services.recent.rows()
    if services.folders.free:
        return rows
    return [r for r in rows if services.folders.may_use(r["path"])]


@routes.delete("/folders/recent", gives={"forgotten": "/data/cats"})
def forget_folder(services: Services, path: Annotated[str, Takes("the folder")]) -> dict[str, Any]:
    """Remove a folder from that list; the folder itself is not changed."""
    services.recent.forget(path)
    return {"forgotten": path}


@routes.get(
    "/folders/browse",
    gives={
        "path": "/data",
        "parent": "/",
        "folders": [{"name": "cats", "path": "/data/cats", "images": 1200}],
    },
)
def browse_folders(
    services: Services, path: Annotated[str, Takes("where to look; without it, where one can begin")] = ""
) -> dict[str, Any]:
    """The folders in a folder.

    `images` is null where counting would take long.
    """
    if not path:
        if services.folders.free:
            return {"path": "", "parent": None, "folders": folder_contents.starts(Path.home())}
        roots = services.folders.roots()
        rows = [{"name": str(r), "path": str(r), "images": None} for r in roots]
        return {"path": "", "parent": None, "folders": rows}
    real = services.folders.resolve(path)
    up = real.parent
    parent = str(up) if up != real and services.folders.may_use(str(up)) else ""
    return {"path": str(real), "parent": parent, "folders": folder_contents.subfolders(real)}


@routes.post(
    "/folders/open",
    gives={
        "id": "9f86d081884c7d65",
        "path": "/data/cats",
        "recursive": False,
        "images": 1200,
        "captions": 310,
        "bytes": 1800000000,
        "sizes": {
            "sampled": 200,
            "smallest": [512, 512],
            "median": [1024, 1024],
            "largest": [4096, 3072],
        },
        "run": 3,
        "unfinished": {"run": 3, "images": 1200, "done": 310, "config": {"tagger": "wd-swinv2-v3"}},
        "job": None,
    },
)
def open_folder(
    services: Services,
    path: Annotated[str, Takes("the whole path of a folder on the server")],
    recursive: Annotated[bool, Takes("subfolders too")] = False,
) -> dict[str, Any]:
    """Open a folder; other requests name it by its `id`.

    The `id` is the same after every restart, but the folder must be opened again then. A run that is `unfinished` goes on
    with POST /jobs and its `config`.
    """
    opened = services.folders.open(path, recursive=recursive)
    holds = folder_contents.contents(opened.path, recursive=recursive)
    services.recent.add(opened.path, recursive=recursive, images=holds["images"], captions=holds["captions"])
    services.jobs.restore(opened)
    job = services.jobs.on(opened.path)
    return {
        "id": opened.id,
        "path": str(opened.path),
        "recursive": recursive,
        **holds,
        **newest_run(opened.path, running=job is not None),
        "job": job.id if job else None,
    }
