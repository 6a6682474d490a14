"""The handlers of what can be chosen: settings, models, questions, presets."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from lib_extend.api import settings
from lib_extend.api.http import Call, Raw, to_bytes
from lib_extend.api.own_questions import FIELDS
from lib_extend.api.services import Services
from lib_extend.config import TagConfig
from lib_extend.questions.builtin import BUILTIN


def all_settings(services: Services, call: Call) -> dict[str, Any]:
    return settings.described()


def models(services: Services, call: Call) -> dict[str, Any]:
    return services.models.get(services.options().models_dir)


def questions(services: Services, call: Call) -> list[dict[str, Any]]:
    return [settings.question_row(q) for q in BUILTIN]


def check_questions(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("text", "toml")
    text, toml = (body.text(n) if n in body else None for n in ("text", "toml"))
    return {"questions": settings.check_questions(text, toml)}


def own_questions(services: Services, call: Call) -> list[dict[str, Any]]:
    return services.questions.all()


def put_question(services: Services, call: Call) -> dict[str, Any]:
    call.members(*FIELDS)  # their types are checked with the question, by name
    return services.questions.put(call.path["name"], call.body)


def delete_question(services: Services, call: Call) -> dict[str, Any]:
    services.questions.delete(call.path["name"])
    return {"deleted": call.path["name"]}


def presets(services: Services, call: Call) -> list[dict[str, Any]]:
    return services.presets.all()


def preset(services: Services, call: Call) -> dict[str, Any]:
    return services.presets.get(call.path["name"])


def put_preset(services: Services, call: Call) -> dict[str, Any]:
    config = _config(services, call.members("config").mapping("config"))
    return services.presets.put(call.path["name"], config)


def delete_preset(services: Services, call: Call) -> dict[str, Any]:
    services.presets.delete(call.path["name"])
    return {"deleted": call.path["name"]}


def preset_file(services: Services, call: Call) -> Raw:
    found = services.presets.get(call.path["name"])
    body = to_bytes({"prompt_extend": 1, "name": found["name"], "config": found["config"]})
    name = quote(f"{found['name']}.json", safe="")
    return Raw(body, "application/json", {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})


def import_preset(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("prompt_extend", "name", "config")
    return services.presets.add(body.text("name"), _config(services, body.mapping("config")))


def _config(services: Services, values: dict[str, Any]) -> TagConfig:
    """Settings to keep: checked, without this machine's own folder of models."""
    return settings.config_of(values, services.folders)
