"""Every route with its handler, those of browsing a dataset excepted (`datasets.py` brings its own)."""

from __future__ import annotations

from lib_extend.api import handlers as h
from lib_extend.api import review
from lib_extend.api.http import Handler
from lib_extend.api.reference import PREFIX

__all__ = ["HANDLERS", "PREFIX"]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "/state"): h.state,
    ("POST", "/environment"): h.environment,
    ("GET", "/environment/events"): h.environment_events,
    ("POST", "/worker"): h.worker,
    ("POST", "/host"): h.host,
    ("GET", "/settings"): h.all_settings,
    ("GET", "/models"): h.models,
    ("GET", "/questions"): h.questions,
    ("POST", "/questions/check"): h.check_questions,
    ("GET", "/presets"): h.presets,
    ("POST", "/presets/import"): h.import_preset,
    ("GET", "/presets/{name}"): h.preset,
    ("PUT", "/presets/{name}"): h.put_preset,
    ("DELETE", "/presets/{name}"): h.delete_preset,
    ("GET", "/presets/{name}/file"): h.preset_file,
    ("GET", "/folders/recent"): h.recent_folders,
    ("DELETE", "/folders/recent"): h.forget_folder,
    ("GET", "/folders/browse"): h.browse_folders,
    ("POST", "/folders/open"): h.open_folder,
    ("POST", "/jobs"): h.create_job,
    ("GET", "/jobs"): h.jobs,
    ("GET", "/jobs/{job}"): h.job,
    ("POST", "/jobs/{job}"): h.job_action,
    ("GET", "/jobs/{job}/events"): h.job_events,
    ("POST", "/analyze"): h.analyze,
    ("GET", "/datasets/{folder}/review"): review.items,
    ("POST", "/datasets/{folder}/review"): review.verdict,
    ("POST", "/datasets/{folder}/persons"): review.persons,
    ("GET", "/datasets/{folder}/compose"): review.composed,
    ("POST", "/datasets/{folder}/compose"): review.composed,
    ("GET", "/openapi.json"): h.openapi,
    ("GET", "/docs.md"): h.docs,
    ("GET", "/page/{path:path}"): h.page,
}
