"""The kind of job that shows what curating would leave out, and writes nothing."""

from __future__ import annotations

from lib_extend.jobs.curating import CurateJob, curate_config
from lib_extend.jobs.job_kinds import JobKind, Order, Work


class CuratePreview(JobKind):
    title = "the same as curate, but no caption is written"

    def work(self, order: Order) -> Work:
        config = curate_config(order.dataset, order.config.changed())
        return CurateJob(order.dataset, config, dry_run=True)


KIND = CuratePreview()
