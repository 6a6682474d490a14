"""The kind of job that shows what tagging would write, and writes nothing."""

from __future__ import annotations

from lib_extend.jobs.job_kinds import JobKind, Order, Work
from lib_extend.jobs.tagging import TagJob


class Preview(JobKind):
    title = "the same as tag, but no caption is written"
    models = True

    def work(self, order: Order) -> Work:
        return TagJob(order.dataset, order.config, dry_run=True, client=order.client)


KIND = Preview()
