"""The kind of job that leaves out of captions what something else says already."""

from __future__ import annotations

from lib_extend.jobs.curating import CurateJob, curate_config
from lib_extend.jobs.job_kinds import JobKind, Order, Work


class Curate(JobKind):
    title = "leave out what something else says already, no model runs"
    writes = True

    def work(self, order: Order) -> Work:
        return CurateJob(order.dataset, curate_config(order.dataset, order.config.changed()))


KIND = Curate()
