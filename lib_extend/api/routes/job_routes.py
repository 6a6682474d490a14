"""Jobs over folders: starting, following, pausing, stopping."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api import request_messages
from lib_extend.api.calls import Call, Stream
from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import After, Poll, Settings
from lib_extend.errors import ForbiddenError
from lib_extend.jobs import job_kinds
from lib_extend.services import messages
from lib_extend.services.container import Services
from lib_extend.services.folder_job import Job
from lib_extend.services.requested_settings import config_of
from lib_extend.services.running_jobs import kind_of

routes = Routes("Jobs", place=40)
MOST_NAMES = 10_000
"""Images that may be named in a job; more are all of a folder, or a filter of `include`."""
_JOB: dict[str, Any] = {
    "id": "b7c2f0a1d3e4", "folder": "9f86d081884c7d65", "path": "/data/cats", "kind": "tag", "state": "running",
    "pausing": False, "can_pause": True, "waits_for": None, "run": 3, "images": 1200, "done": 310, "failed": 2, "written": 308, "rate": 9.7, "eta": 91.5,
    "started": 1767225600.0, "error": "", "events": 316,
}  # fmt: skip


@routes.post("/jobs", gives=_JOB)
def create_job(
    services: Services,
    folder: Annotated[str, Takes("the id of an open folder")],
    kind: Annotated[
        str,
        Takes(job_kinds.titles(), choices=job_kinds.names()),
    ],
    config: Settings | None = None,
    names: Annotated[list[str] | None, Takes("only these images, at most 10,000")] = None,
    unload_host: Annotated[bool | None, Takes("take the WebUI's checkpoint out of memory meanwhile")] = None,
    run: Annotated[
        int | None, Takes("which run to undo (default: the last that changed captions)", low=1)
    ] = None,
    force: Annotated[bool, Takes("undo captions edited since, too")] = False,
    options: Annotated[dict[str, Any] | None, Takes("what the kind has besides")] = None,
) -> dict[str, Any]:
    """Start a job; it belongs to the server and also runs without an open page.

    One job a folder: a second one is refused (409) and told which `job` is there. Jobs on several folders that need the
    models on the same device wait for each other, in the order in which they came.
    """
    opened = services.folders.get(folder)
    values = {"recursive": opened.recursive, **(config or {})}
    settings = config_of(values, services.folders, services.options().models_dir)
    if names is not None and len(names) > MOST_NAMES:
        raise messages.BOUNDS.error(name="names", low=1, high=MOST_NAMES, field="names")
    wanted = kind_of(kind)
    if not wanted.chooses and names is not None:
        raise request_messages.UNKNOWN.error(name="names", known="run, force", field="names")
    own = {**(options or {}), **({} if run is None else {"run": run}), **({"force": True} if force else {})}
    if wanted.models:
        services.last_settings.remember(settings)
    # an undo goes wherever its run went
    services.folders.check_links(opened.path, recursive=settings.recursive or not wanted.chooses)
    unload = services.options().unload if unload_host is None else unload_host
    return services.jobs.create(
        opened, wanted, settings, own, names=names, unload_host=wanted.models and unload
    ).to_json()


@routes.get("/jobs", gives=[_JOB])
def jobs(services: Services) -> list[dict[str, Any]]:
    """The jobs of this server, newest first."""
    return [j.to_json() for j in services.jobs.all() if services.folders.may_use(str(j.folder.path))]


@routes.get("/jobs/{job}", gives=_JOB)
def job(services: Services, job: str) -> dict[str, Any]:
    """One job.

    `state` is running, paused, stopped, done or failed; `rate` in images a second and `eta` in seconds are null while not
    known; `events` is the number of the last event. `waits_for` is the job that has the models meanwhile. After a restart
    of the server the jobs of a folder are there again when it is opened: one that was running is paused.
    """
    return _job(services, job).to_json()


@routes.get(
    "/jobs/{job}/events",
    gives="Events `planned`, `notice` (what the folder holds besides: `code`, `text`, `count`, the first `names`), "
    "`status`, `loaded`, `image`, `failed`, `incomplete` (a caption that lacks a `part`, the "
    "answers, and why; where `path` is empty it is true of all), `paused`, `finished`; each has its number `n`. The "
    "stream ends after `finished`, which has an `error` when the job failed, `stopped` when it was stopped, and in `encodings` how many captions "
    "were not UTF-8, by the encoding they were read in (an empty name: left alone, it is not certain). "
    "The last 500 images and the last 500 failures are remembered. An undo tells by `status` how far it is.",
)
def job_events(services: Services, call: Call, job: str, after: After = 0, poll: Poll = False) -> Stream:
    """The events of the job, as they happen."""
    return Stream(_job(services, job).log, call.after(after), poll)


@routes.post("/jobs/{job}", gives={**_JOB, "pausing": True})
def job_action(
    services: Services,
    job: str,
    action: Annotated[str, Takes("pause, resume or stop", choices=("pause", "resume", "stop"))],
) -> dict[str, Any]:
    """Pause a job, let it go on, or stop it.

    What is done is kept. A paused job has given back the models' memory and goes on under the same run; a stopped one is
    continued by a new job with the same settings.
    """
    found = _job(services, job)
    if action == "resume":
        # the folder may have changed since
        recursive = found.config.recursive or not found.kind.chooses
        services.folders.check_links(found.folder.path, recursive=recursive)
    services.jobs.act(found, action)
    return found.to_json()


def _job(services: Services, id: str) -> Job:
    found = services.jobs.get(id)
    if not services.folders.may_use(str(found.folder.path)):
        raise messages.NO_ROOTS.error(ForbiddenError)
    return found
