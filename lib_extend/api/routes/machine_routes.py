"""The machine: its state, the models' environment, what is in memory."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend import __version__
from lib_extend.api.calls import Call, Stream
from lib_extend.api.declaring import Routes, Takes, trusted
from lib_extend.api.examples import After, Poll
from lib_extend.errors import ConflictError
from lib_extend.host.about import about
from lib_extend.services import doctor, messages
from lib_extend.services.container import Services

routes = Routes("The machine", place=10)
_WORKER: dict[str, Any] = {
    "running": True, "pid": 4711, "tagger": "wd-swinv2-v3", "vlm": "qwen2.5-vl-3b", "detector": "none",
    "device": "cuda", "since": 1767225600.0, "job": "b7c2f0a1d3e4", "loading": None,
}  # fmt: skip


@routes.get(
    "/state",
    gives={
        "version": "0.1.0",
        "host": "AUTOMATIC1111",
        "host_version": "v1.10.1",
        "gradio": "3.41.2",
        "environment": {
            "ready": True,
            "python": "/webui/worker-env/env/bin/python",
            "path": "/webui/worker-env",
            "packages": {"onnxruntime": "1.23.0"},
            "bytes": 226000000,
            "problem": "",
            "needs": None,
            "doing": "",
        },
        "worker": _WORKER,
        "host_model": {"can_unload": True, "unload": False},
        "roots": [],
        "folders": [],
        "free": True,
        "login": False,
    },
)
def state(services: Services, call: Call) -> dict[str, Any]:
    """The server, the models' environment, and what is in memory.

    `worker` is null when no models are loaded; `environment.doing` is make, repair, remove or empty, and
    `environment.needs` the bytes that making it takes. `free`: any folder may be opened; else only those below `roots`.
    """
    webui = about()
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


@routes.get(
    "/report",
    gives={"text": "Prompt Extend:\n  prompt-extend  0.1.0\n  Python         3.11.9 on Linux x86_64"},
)
def report(services: Services) -> dict[str, Any]:
    """What `prompt-extend doctor` prints: devices, packages, folders and what runs where, for a bug report.

    It names none of your files, and writes your home folder as `~`.
    """
    return {"text": doctor.as_text(doctor.examine(models_dir=services.options().models_dir))}


def _worker(services: Services) -> dict[str, Any] | None:
    for job in services.jobs.all():
        worker = job.worker
        if worker is not None and worker.running:
            return worker.to_json()
    return services.worker.state()


@routes.post("/environment", gives={"task": "1"}, access=trusted("The models' environment cannot be changed"))
def change_environment(
    services: Services, action: Annotated[str, Takes("make, repair, remove or stop")]
) -> dict[str, Any]:
    """Make, repair or remove the models' environment, or stop that."""
    return {"task": services.environment.act(action)}


@routes.get(
    "/environment/events",
    gives='Events `{"event": "line", "line", "done", "total"}` (bytes), at the end `{"event": "finished", "error", '
    '"stopped"}`.',
)
def environment_events(services: Services, call: Call, after: After = 0, poll: Poll = False) -> Stream:
    """What is being done with the environment."""
    return Stream(services.environment.log, call.after(after), poll)


@routes.post("/worker", gives={"unloaded": True})
def end_worker(
    services: Services, action: Annotated[str, Takes("unload", choices=("unload",))]
) -> dict[str, Any]:
    """End the worker that was kept for the next picture."""
    return {"unloaded": services.worker.unload()}


@routes.post("/host", gives={"done": True})
def host(
    services: Services, action: Annotated[str, Takes("unload or reload", choices=("unload", "reload"))]
) -> dict[str, Any]:
    """Take the WebUI's checkpoint out of memory, or bring it back."""
    if not services.host.can_unload():
        raise messages.NO_HOST_MODEL.error(ConflictError)
    return {"done": services.host.unload() if action == "unload" else services.host.bring_back()}
