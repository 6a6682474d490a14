"""The handlers of folders, jobs and single pictures."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from lib_extend.api import contents, settings, texts
from lib_extend.api.analyze import analyse
from lib_extend.api.errors import ApiError, bad, forbidden, missing
from lib_extend.api.http import Call, Stream
from lib_extend.api.job import KINDS, UNDO, Job
from lib_extend.api.services import Services
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import PromptExtendError
from lib_extend.files.scan import show

JOB_ACTIONS = ("pause", "resume", "stop")
MOST_NAMES = 10_000
"""Images that may be named in a job; more are all of a folder, or a filter of `include`."""


def recent_folders(services: Services, call: Call) -> list[dict[str, Any]]:
    rows = services.recent.rows()
    if services.folders.free:
        return rows
    return [r for r in rows if _may(services, r["path"])]


def forget_folder(services: Services, call: Call) -> dict[str, Any]:
    path = call.members("path").text("path")
    services.recent.forget(path)
    return {"forgotten": path}


def browse_folders(services: Services, call: Call) -> dict[str, Any]:
    path = call.query.get("path", "")
    if not path:
        if services.folders.free:
            return {"path": "", "parent": None, "folders": contents.starts(Path.home())}
        roots = services.folders.roots()
        rows = [{"name": str(r), "path": str(r), "images": None} for r in roots]
        return {"path": "", "parent": None, "folders": rows}
    real = services.folders.resolve(path)
    up = real.parent
    parent = str(up) if up != real and _may(services, str(up)) else ""
    return {"path": str(real), "parent": parent, "folders": contents.subfolders(real)}


def _may(services: Services, path: str) -> bool:
    try:
        services.folders.resolve(path)
    except ApiError:
        return False
    return True


def open_folder(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("path", "recursive")
    recursive = body.flag("recursive")
    opened = services.folders.open(body.text("path"), recursive=recursive)
    holds = contents.contents(opened.path, recursive=recursive)
    services.recent.add(opened.path, recursive=recursive, images=holds["images"], captions=holds["captions"])
    job = services.jobs.on(opened.path)
    return {
        "id": opened.id,
        "path": str(opened.path),
        "recursive": recursive,
        **holds,
        **_runs(opened.path, running=job is not None),
        "job": job.id if job else None,
    }


def _runs(root: Path, *, running: bool) -> dict[str, Any]:
    """`run`: the newest; `unfinished`: the tagging run that can be continued."""
    dataset = Dataset(root)
    result: dict[str, Any] = {"run": None, "unfinished": None}
    if not dataset.has_state:
        return result
    # what is wrong with a damaged state is told when a job begins
    with contextlib.suppress(PromptExtendError), dataset.state() as state:
        runs = state.runs()
        last = runs[-1] if runs else None
        if last is not None:
            result["run"] = last.id
            if last.kind == "tag" and last.status in ("running", "stopped") and not running:
                done = len(state.items_done(last.id))
                result["unfinished"] = {
                    "run": last.id,
                    "images": last.images,
                    "done": done,
                    "config": last.config,
                }
    return result


# one picture


def analyze(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("path", "config")
    config = settings.config_of(body.mapping("config", {}), services.folders, services.options().models_dir)
    path = call.upload
    if path is None:
        if "path" not in body:
            raise bad(texts.NO_PICTURE, "path")
        path = services.folders.resolve(body.text("path"))
        services.folders.check(path)
        if not path.is_file():
            raise missing(texts.NO_IMAGE.format(name=show(path.name)), "path")
    services.last.remember(config)
    return analyse(services.kept, path, config)


# jobs


def create_job(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("folder", "kind", "config", "names", "unload_host", "run", "force")
    kind = body.choice("kind", KINDS)
    opened = services.folders.get(body.text("folder"))
    values = body.mapping("config", {})
    values.setdefault("recursive", opened.recursive)
    config = settings.config_of(values, services.folders, services.options().models_dir)
    names = body.texts("names")
    if names is not None and len(names) > MOST_NAMES:
        raise bad(texts.BOUNDS.format(name="names", low=1, high=MOST_NAMES), "names")
    if kind == UNDO and names is not None:
        raise bad(texts.UNKNOWN.format(name="names", known="run, force"), "names")
    if kind != UNDO:
        services.last.remember(config)
    # an undo goes wherever its run went
    services.folders.check_links(opened.path, recursive=config.recursive or kind == UNDO)
    job = services.jobs.create(
        opened,
        kind,
        config,
        names=names,
        unload_host=kind != UNDO and body.flag("unload_host", services.options().unload),
        run=body.integer("run", low=1),
        force=body.flag("force"),
    )
    return job.to_json()


def jobs(services: Services, call: Call) -> list[dict[str, Any]]:
    return [j.to_json() for j in services.jobs.all() if _may(services, str(j.folder.path))]


def job(services: Services, call: Call) -> dict[str, Any]:
    return _job(services, call).to_json()


def job_events(services: Services, call: Call) -> Stream:
    return Stream(_job(services, call).log, call.after(), call.query.get("poll") == "1")


def job_action(services: Services, call: Call) -> dict[str, Any]:
    action = call.members("action").choice("action", JOB_ACTIONS)
    found = _job(services, call)
    services.jobs.act(found, action)
    return found.to_json()


def _job(services: Services, call: Call) -> Job:
    found = services.jobs.get(call.path["job"])
    if not _may(services, str(found.folder.path)):
        raise forbidden(texts.NO_ROOTS)
    return found
