"""Every route with its handler, those of browsing a dataset excepted (`datasets.py` brings its own)."""

from __future__ import annotations

from lib_extend.api import casts, choices, generation, loras, machine, review, work
from lib_extend.api.http import Handler
from lib_extend.api.reference import PREFIX

__all__ = ["HANDLERS", "PREFIX"]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "/state"): machine.state,
    ("POST", "/environment"): machine.environment,
    ("GET", "/environment/events"): machine.environment_events,
    ("POST", "/worker"): machine.worker,
    ("POST", "/host"): machine.host,
    ("GET", "/settings"): choices.all_settings,
    ("GET", "/models"): choices.models,
    ("GET", "/questions"): choices.questions,
    ("POST", "/questions/check"): choices.check_questions,
    ("GET", "/presets"): choices.presets,
    ("POST", "/presets/import"): choices.import_preset,
    ("GET", "/presets/{name}"): choices.preset,
    ("PUT", "/presets/{name}"): choices.put_preset,
    ("DELETE", "/presets/{name}"): choices.delete_preset,
    ("GET", "/presets/{name}/file"): choices.preset_file,
    ("GET", "/folders/recent"): work.recent_folders,
    ("DELETE", "/folders/recent"): work.forget_folder,
    ("GET", "/folders/browse"): work.browse_folders,
    ("POST", "/folders/open"): work.open_folder,
    ("POST", "/jobs"): work.create_job,
    ("GET", "/jobs"): work.jobs,
    ("GET", "/jobs/{job}"): work.job,
    ("POST", "/jobs/{job}"): work.job_action,
    ("GET", "/jobs/{job}/events"): work.job_events,
    ("POST", "/analyze"): work.analyze,
    ("GET", "/datasets/{folder}/review"): review.items,
    ("POST", "/datasets/{folder}/review"): review.verdict,
    ("POST", "/datasets/{folder}/persons"): review.persons,
    ("GET", "/datasets/{folder}/compose"): review.composed,
    ("POST", "/datasets/{folder}/compose"): review.composed,
    ("GET", "/panel"): generation.panel,
    ("POST", "/compile"): generation.compile_,
    ("GET", "/loras"): loras.loras,
    ("GET", "/loras/offers"): loras.offers,
    ("POST", "/loras/get"): loras.get,
    ("GET", "/loras/get/{id}"): loras.download,
    ("POST", "/loras/get/{id}/stop"): loras.stop,
    ("POST", "/loras/import"): loras.import_,
    ("POST", "/cast/from-picture"): casts.from_picture,
    ("GET", "/casts"): casts.casts,
    ("GET", "/casts/{name:path}"): casts.cast,
    ("PUT", "/casts/{name:path}"): casts.put_cast,
    ("DELETE", "/casts/{name:path}"): casts.delete_cast,
    ("GET", "/characters"): casts.characters,
    ("GET", "/characters/{name:path}"): casts.character,
    ("PUT", "/characters/{name:path}"): casts.put_character,
    ("DELETE", "/characters/{name:path}"): casts.delete_character,
    ("GET", "/openapi.json"): machine.openapi,
    ("GET", "/docs.md"): machine.docs,
    ("GET", "/page/{path:path}"): machine.page,
}
