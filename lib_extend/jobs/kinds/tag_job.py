"""The kind of job that writes a caption for each picture."""

from __future__ import annotations

from lib_extend.jobs.job_kinds import JobKind, Order, Work
from lib_extend.jobs.tagging import TagJob


class Tag(JobKind):
    title = "write a caption for each picture"
    writes = models = continues = True

    def work(self, order: Order) -> Work:
        return TagJob(order.dataset, order.config, client=order.client)


KIND = Tag()
