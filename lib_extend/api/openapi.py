"""The OpenAPI document, made from the declared routes and the settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lib_extend import __version__
from lib_extend.api.address import PREFIX
from lib_extend.api.declaring import CONFIG, FILE, Member, Route
from lib_extend.config import Setting, TagConfig, settings

ACCESS = "A server that others can reach without a login refuses this (403)."
_JSON_TYPES = {
    "text": "string", "integer": "integer", "number": "number", "flag": "boolean", "list": "array", "objects": "array",
    "object": "object",
}  # fmt: skip
_ERRORS = {
    "400": "what was sent is wrong: `field` names it",
    "401": "the server wants a login",
    "403": "it may not be done: another site, a folder that is not open",
    "404": "it is not there",
    "409": "it does not go together with what is under way",
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.plain_path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Prompt Extend", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {
                "Settings": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {s.name: _setting(s) for s in settings(TagConfig)},
                },
                "Error": {
                    "type": "object",
                    "required": ["error", "code"],
                    "properties": {
                        "error": {"type": "string", "description": "one sentence"},
                        "code": {
                            "type": "string",
                            "description": "what happened, in a word that stays the same",
                        },
                        "field": {"type": "string", "description": "the setting or member it is about"},
                    },
                },
            }
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    parameters = [
        {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
        for n in re.findall(r"\{(\w+)\}", route.plain_path)
    ]
    parameters += [
        {"name": f.name, "in": "query", "required": f.needed, "description": f.text, "schema": _schema(f)}
        for f in route.of("query")
    ]
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "tags": [route.subject],
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": _answer(route),
            **{
                status: {
                    "description": words,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status, words in _ERRORS.items()
            },
        },
    }
    notes = [n for n in (route.notes, ACCESS if route.access.trusted else "") if n]
    if notes:
        operation["description"] = " ".join(notes)
    if not route.access.login:
        operation["security"] = []
    if route.method != "GET":
        operation["requestBody"] = _body(route)
    return operation


def operation_id(route: Route) -> str:
    """A name for a generated client's method: `get_jobs_events`."""
    parts = re.findall(r"[a-z_]+", re.sub(r"\{\w+\}", "", route.plain_path))
    ending = "" if not route.plain_path.endswith("}") else "_one"
    return "_".join([route.method.lower(), *parts]) + ending


def _body(route: Route) -> dict[str, Any]:
    files = [f for f in route.of("body") if f.kind == FILE]
    in_json = [f for f in route.of("body") if f.kind != FILE]
    content = {"application/json": {"schema": _object(in_json)}}
    if files:
        parts = [*files, *(f for f in in_json if f.kind == CONFIG)]
        content["multipart/form-data"] = {"schema": _object(parts)}
    return {"required": True, "content": content}


def _object(fields: Sequence[Member]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: {**_schema(f), "description": f.text} for f in fields},
    }
    needed = [f.name for f in fields if f.needed]
    return {**schema, "required": needed} if needed else schema


def _schema(field: Member) -> dict[str, Any]:
    if field.kind == CONFIG:
        return {"$ref": "#/components/schemas/Settings"}
    if field.kind == FILE:
        return {"type": "string", "contentMediaType": "image/*"}
    schema: dict[str, Any] = {"type": _JSON_TYPES[field.kind]}
    if field.choices:
        schema["enum"] = list(field.choices)
    for name, value in (("minimum", field.low), ("maximum", field.high)):
        if value is not None:
            schema[name] = value
    return schema


def _answer(route: Route) -> dict[str, Any]:
    if not isinstance(route.gives, str):
        content = {"application/json": {"schema": schema_of(route.gives), "example": route.gives}}
        return {"description": route.summary, "content": content}
    kind = "text/event-stream" if route.streams else "*/*"
    return {"description": route.gives, "content": {kind: {}}}


def schema_of(example: Any) -> dict[str, Any]:
    """The JSON schema that values like `example` have; of null nothing is known."""
    if isinstance(example, dict):
        return {"type": "object", "properties": {k: schema_of(v) for k, v in example.items()}}
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0]) if example else {}}
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(example, kind):
            return {"type": name}
    return {}


def _setting(s: Setting) -> dict[str, Any]:
    names = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array"}
    schema: dict[str, Any] = {
        "type": [names[s.type], "null"] if s.optional else names[s.type],
        "description": s.help,
        "default": list(s.default) if isinstance(s.default, tuple) else s.default,
    }
    if s.type is list:
        schema["items"] = {"type": "string"}
    if s.choices:
        schema["enum"] = list(s.choices)
    for name, value in (("minimum", s.low), ("maximum", s.high)):
        if value is not None:
            schema[name] = value
    return schema
