"""The jobs over folders: they belong to the server, not to the page that started them.

Pausing a job ends its run cleanly: no further image is begun, finished work is kept, and the folder and the models'
memory are free. Resuming starts the job again with the same settings; it continues the same run, and nothing is
analysed twice. (If captions were edited meanwhile, it becomes a new run with the same result.)
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.job_rows import PAUSED, RUNNING
from lib_extend.errors import ConflictError, NotFoundError, PromptExtendError
from lib_extend.jobs import job_kinds
from lib_extend.jobs.job_kinds import JobKind
from lib_extend.json_record import RecordError
from lib_extend.records import Record
from lib_extend.services import messages
from lib_extend.services.folder_job import Job, JobContext
from lib_extend.services.open_folders import Opened

MOST_RUNNING = 16
"""Jobs at a time; those that need the same models wait for each other."""
ENDED_KEPT = 20
"""Jobs that are over and still listed."""
KEPT_OF_ENDED = 50
"""Images and failures remembered of a job that is over, once another one has begun."""
PROMPT = 1.0
"""Seconds in which a job that cannot begin (another program is at the folder) is told so in the answer."""


class Jobs:
    """All jobs of this server. Safe to use from any thread."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def create(
        self,
        folder: Opened,
        kind: JobKind,
        config: TagConfig,
        options: Mapping[str, Any],
        *,
        names: Sequence[str] | None = None,
        unload_host: bool = False,
    ) -> Job:
        """Start a job.

        Args:
            options: the kind's own, as JSON values. names: only these images of the folder.
            unload_host: take the WebUI's checkpoint out of memory meanwhile.

        Raises:
            ConflictError: a job already works on this folder, or too many are running.
            UserError: the settings, the options, the models or the folder need mending.
        """
        if names is not None:
            if not names:
                raise messages.NO_NAMES.error(field="names")
            config = config.with_(include=[f"/{n}" for n in names])
        job = Job(
            secrets.token_hex(6), folder, kind, config, options_of(kind, options), self._context, unload_host
        )
        with self._lock:
            self._check_free(job)
            for other in self._at(folder.path):  # it was not continued, and this job replaces it
                other.stop()
            self._jobs[job.id] = job
            self._forget()
            job.start()
        job.begun.wait(PROMPT)
        if job.refusal is not None:
            with self._lock:
                del self._jobs[job.id]
            raise job.refusal
        return job

    def restore(self, folder: Opened) -> None:
        """List the jobs from before a restart again, from a folder's database."""
        with Dataset(folder.path).reading() as reader:
            rows = reader.jobs()
        with self._lock:
            if any(j.folder.path == folder.path for j in self._jobs.values()):
                return
            for row in rows:
                if row.id not in self._jobs:
                    # kinds and settings of another version of Prompt Extend
                    with contextlib.suppress(KeyError, RecordError, PromptExtendError):
                        self._jobs[row.id] = Job.restored(row, folder, self._context)
            self._forget()

    def get(self, job: str) -> Job:
        """A job by its id. Raises NotFoundError."""
        found = self._jobs.get(job)
        if found is None:
            raise messages.NO_JOB.error(NotFoundError, job=ascii(job[:40])[1:-1], field="job")
        return found

    def all(self) -> list[Job]:
        """The jobs, newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def on(self, root: Path) -> Job | None:
        """The job that works on a folder, or is paused there."""
        return next((j for j in self.all() if j.folder.path == root and not j.over), None)

    def act(self, job: Job, action: str) -> None:
        """Pause, resume or stop a job. Raises ConflictError when its state does not allow that."""
        with self._lock:
            if action == "pause":
                if not job.kind.pauses:
                    raise messages.CANNOT_PAUSE.error(ConflictError, kind=job.kind.name)
                if job.state != RUNNING:
                    raise messages.NOT_RUNNING.error(ConflictError, verb="paused")
                job.pause()
            elif action == "resume":
                if job.state != PAUSED:
                    raise messages.NOT_PAUSED.error(ConflictError)
                self._check_free(job)
                job.start()
            elif not job.over:
                job.stop()

    def stop_all(self, seconds: float = 10.0) -> None:
        """Pause all running jobs, so that they can be resumed after a restart, and wait for them."""
        for job in self.all():
            if job.state == RUNNING:
                job.pause() if job.kind.pauses else job.stop()
        for job in self.all():
            job.join(seconds)

    def _check_free(self, new: Job) -> None:
        others = [j for j in self._jobs.values() if j is not new and not j.over and not j.stored]
        for other in others:
            if other.folder.path == new.folder.path:
                raise messages.BUSY_FOLDER.error(
                    ConflictError, name=other.folder.path.name, state=other.state, job=other.id
                )
        if sum(j.state == RUNNING for j in others) >= MOST_RUNNING:
            raise messages.TOO_MANY_JOBS.error(ConflictError, count=MOST_RUNNING)

    def _at(self, root: Path) -> list[Job]:
        return [j for j in self._jobs.values() if j.folder.path == root and not j.over]

    def _forget(self) -> None:
        """Of the oldest that are over nothing, of the others the last events."""
        ended = [j for j in self._jobs.values() if j.over]
        for job in ended:
            job.log.trim(KEPT_OF_ENDED)
        for job in ended[:-ENDED_KEPT]:
            del self._jobs[job.id]


def rows(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """The jobs as JSON values."""
    return [j.to_json() for j in jobs]


def kind_of(name: str) -> JobKind:
    """The kind of a name. Raises UserError when there is none."""
    if name not in job_kinds.names():
        choices = ", ".join(job_kinds.names())
        raise messages.ONE_OF.error(name="kind", value=name, choices=choices, field="kind")
    return job_kinds.kind(name)


def options_of(kind: JobKind, values: Mapping[str, Any]) -> Record:
    """A kind's options from JSON values. Raises UserError naming what is none of them, or is of another type."""
    known = [f.name for f in fields(kind.options)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise messages.NO_OPTION.error(
                name=str(name)[:40], kind=kind.name, known=", ".join(known) or "none", field=str(name)[:40]
            )
    try:
        return kind.options.from_json(dict(values))
    except RecordError as error:
        raise messages.BAD_OPTION.error(kind=kind.name, reason=error, field="options") from None
