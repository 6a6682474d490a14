"""The handlers of machine, settings, folders and jobs: from a call to JSON values."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib_extend import __version__, web
from lib_extend.api import contents, reference, settings, texts
from lib_extend.api.analyze import worker_row
from lib_extend.api.errors import ApiError, bad, conflict, forbidden, missing
from lib_extend.api.http import Call, Raw, Stream, to_bytes
from lib_extend.api.job import KINDS, UNDO, Job
from lib_extend.api.services import Services
from lib_extend.batch.state import STATE_FILE, STATE_FOLDER, State
from lib_extend.config import TagConfig
from lib_extend.datasets.scan import show
from lib_extend.errors import PromptExtendError
from lib_extend.host.detect import detect
from lib_extend.questions.builtin import BUILTIN

JOB_ACTIONS = ("pause", "resume", "stop")
MOST_NAMES = 10_000
"""Images that may be named in a job; more are all of a folder, or a filter of `include`."""


# machine


def state(services: Services, call: Call) -> dict[str, Any]:
    webui = detect()
    safety = services.safety()
    return {
        "version": __version__,
        "host": webui.name if webui else "",
        "host_version": webui.version if webui else "",
        "gradio": webui.gradio if webui else "",
        "environment": services.environment.state(),
        "worker": _worker(services),
        "host_model": {"can_unload": services.host.can_unload(), "unload": services.options().unload},
        "roots": [str(r) for r in safety.roots],
        "folders": [f for f in services.options().folders if services.folders.free],
        "free": services.folders.free,
        "login": call.login,
    }


def _worker(services: Services) -> dict[str, Any] | None:
    for job in services.jobs.all():
        client = job.client
        if client is not None and client.pid is not None:
            return worker_row(client, job.config, job.client_since, job.id)
    return services.kept.state()


def environment(services: Services, call: Call) -> dict[str, Any]:
    return {"task": services.environment.act(call.members("action").text("action"))}


def environment_events(services: Services, call: Call) -> Stream:
    return Stream(services.environment.log, call.after(), call.query.get("poll") == "1")


def worker(services: Services, call: Call) -> dict[str, Any]:
    call.members("action").choice("action", ("unload",))
    return {"unloaded": services.kept.unload()}


def host(services: Services, call: Call) -> dict[str, Any]:
    action = call.members("action").choice("action", ("unload", "reload"))
    if not services.host.can_unload():
        raise conflict(texts.NO_HOST_MODEL)
    return {"done": services.host.unload() if action == "unload" else services.host.bring_back()}


def page(services: Services, call: Call) -> Raw:
    path = call.path["path"]
    try:
        body, media_type, tag = web.read_page(path)
    except FileNotFoundError as error:
        raise missing(str(error)) from None
    # asked for each time, so that after an update no browser mixes old modules with new ones
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in call.headers.get("if-none-match", ""):
        return Raw(b"", media_type, headers, 304)
    return Raw(body, media_type, headers)


def openapi(services: Services, call: Call) -> dict[str, Any]:
    return reference.openapi()


def docs(services: Services, call: Call) -> Raw:
    return Raw(reference.markdown().encode(), "text/markdown; charset=utf-8")


# settings, models, questions, presets


def all_settings(services: Services, call: Call) -> dict[str, Any]:
    return settings.described()


def models(services: Services, call: Call) -> dict[str, Any]:
    return services.models.get(services.options().models_dir)


def questions(services: Services, call: Call) -> list[dict[str, Any]]:
    return [settings.question_row(q) for q in BUILTIN]


def check_questions(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("text", "toml")
    text, toml = (body.text(n) if n in body else None for n in ("text", "toml"))
    return {"questions": settings.check_questions(text, toml)}


def presets(services: Services, call: Call) -> list[dict[str, Any]]:
    return services.presets.all()


def preset(services: Services, call: Call) -> dict[str, Any]:
    return services.presets.get(call.path["name"])


def put_preset(services: Services, call: Call) -> dict[str, Any]:
    config = _config(services, call.members("config").mapping("config"))
    return services.presets.put(call.path["name"], config)


def delete_preset(services: Services, call: Call) -> dict[str, Any]:
    services.presets.delete(call.path["name"])
    return {"deleted": call.path["name"]}


def preset_file(services: Services, call: Call) -> Raw:
    found = services.presets.get(call.path["name"])
    body = to_bytes({"prompt_extend": 1, "name": found["name"], "config": found["config"]})
    name = quote(f"{found['name']}.json", safe="")
    return Raw(body, "application/json", {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})


def import_preset(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("prompt_extend", "name", "config")
    return services.presets.add(body.text("name"), _config(services, body.mapping("config")))


def _config(services: Services, values: dict[str, Any]) -> TagConfig:
    """Settings to keep: checked, without this machine's own folder of models."""
    return settings.config_of(values, services.folders)


# folders


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
    file = root / STATE_FOLDER / STATE_FILE
    result: dict[str, Any] = {"run": None, "unfinished": None}
    if not file.is_file():
        return result
    # what is wrong with a damaged state is told when a job begins
    with contextlib.suppress(PromptExtendError), contextlib.closing(State(file, root)) as state:
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
    return services.kept.analyse(path, config)


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
