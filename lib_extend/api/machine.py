"""The handlers of the machine: its state, the models' environment, what is in memory, the page, the documents."""

from __future__ import annotations

from typing import Any

from lib_extend import __version__, web
from lib_extend.api import reference, texts
from lib_extend.api.errors import conflict, missing
from lib_extend.api.http import Call, Raw, Stream
from lib_extend.api.services import Services
from lib_extend.host.detect import detect


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
        worker = job.worker
        if worker is not None and worker.running:
            return worker.to_json()
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
