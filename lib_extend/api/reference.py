"""The OpenAPI document and the reference in Markdown, both made from `documented.py` and the settings.

python -m lib_extend.api.reference docs/api.md    # writes the reference into the page
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extend import __version__
from lib_extend.api.documented import GROUPS, REVIEW, Doc, Field
from lib_extend.api.documented_browse import BROWSE
from lib_extend.api.documented_generation import GENERATION
from lib_extend.config import Setting, TagConfig, settings

PREFIX = "/prompt-extend/v1"
BEGIN, END = "<!-- reference -->", "<!-- end of the reference -->"

_ABOUT = (
    Doc("GET", "/openapi.json", "These routes as an OpenAPI document.", "An OpenAPI 3.1 document."),
    Doc("GET", "/docs.md", "These routes as a page to read.", "Markdown."),
    Doc("GET", "/page/{path}", "A file of the page itself.", "Modules and styles, with an ETag."),
)
_JSON_TYPES = {"text": "string", "integer": "integer", "number": "number", "flag": "boolean", "list": "array", "object": "object"}  # fmt: skip
_OF_OBJECTS = ("persons", "characters", "things")
_ERRORS = {
    "400": "what was sent is wrong: `field` names it",
    "401": "the server wants a login",
    "403": "it may not be done: another site, a folder that is not open",
    "404": "it is not there",
    "409": "it does not go together with what is under way",
}


def groups() -> dict[str, tuple[Doc, ...]]:
    """Every route, by subject."""
    return {**GROUPS, "Browse a folder": BROWSE, "Review": REVIEW, "Generate": GENERATION, "About": _ABOUT}


def docs() -> list[Doc]:
    """Every route."""
    return [d for group in groups().values() for d in group]


# OpenAPI


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, Any] = {}
    for subject, group in groups().items():
        for doc in group:
            paths.setdefault(PREFIX + doc.path, {})[doc.method.lower()] = _operation(doc, subject)
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
                    "required": ["error"],
                    "properties": {
                        "error": {"type": "string", "description": "one sentence"},
                        "field": {"type": "string", "description": "the setting or member it is about"},
                    },
                },
            }
        },
    }


def _operation(doc: Doc, subject: str) -> dict[str, Any]:
    parameters = [
        {"name": n, "in": "path", "required": True, "schema": {"type": "string"}}
        for n in re.findall(r"\{(\w+)\}", doc.path)
    ]
    parameters += [
        {"name": f.name, "in": "query", "required": f.needed, "description": f.text, "schema": _schema(f)}
        for f in doc.query
    ]
    operation: dict[str, Any] = {
        "operationId": operation_id(doc),
        "tags": [subject],
        "summary": doc.summary,
        "parameters": parameters,
        "responses": {
            "200": _answer(doc),
            **{
                status: {
                    "description": words,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for status, words in _ERRORS.items()
            },
        },
    }
    if doc.notes:
        operation["description"] = doc.notes
    if doc.method != "GET":
        operation["requestBody"] = _body(doc)
    return operation


def operation_id(doc: Doc) -> str:
    """A name for a generated client's method: `get_jobs_events`."""
    parts = re.findall(r"[a-z_]+", re.sub(r"\{\w+\}", "", doc.path))
    ending = "" if not doc.path.endswith("}") else "_one"
    return "_".join([doc.method.lower(), *parts]) + ending


def _body(doc: Doc) -> dict[str, Any]:
    files = [f for f in doc.body if f.type == "file"]
    in_json = [f for f in doc.body if f.type != "file"]
    content = {"application/json": {"schema": _object(in_json)}}
    if files:
        parts = [*files, *(f for f in in_json if f.type == "config")]
        content["multipart/form-data"] = {"schema": _object(parts)}
    return {"required": True, "content": content}


def _object(fields: Sequence[Field]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name: {**_schema(f), "description": f.text} for f in fields},
    }
    needed = [f.name for f in fields if f.needed]
    return {**schema, "required": needed} if needed else schema


def _schema(field: Field) -> dict[str, Any]:
    if field.type == "config":
        return {"$ref": "#/components/schemas/Settings"}
    if field.type == "file":
        return {"type": "string", "contentMediaType": "image/*"}
    return {"type": _JSON_TYPES[field.type]}


def _answer(doc: Doc) -> dict[str, Any]:
    if not isinstance(doc.example, str):
        content = {"application/json": {"schema": schema_of(doc.example), "example": doc.example}}
        return {"description": doc.summary, "content": content}
    kind = "text/event-stream" if doc.example.startswith("Events") else "*/*"
    return {"description": doc.example, "content": {kind: {}}}


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


# Markdown


def markdown() -> str:
    """The reference, a section a route."""
    parts = []
    for subject, group in groups().items():
        parts.append(f"### {subject}\n")
        parts += [_section(doc) for doc in group]
    return "\n".join(parts)


def _section(doc: Doc) -> str:
    lines = [f"#### `{doc.method} {doc.path}`\n", f"{doc.summary}\n"]
    for title, fields in (("Query", doc.query), ("Body", doc.body)):
        if fields:
            lines += [f"{title}:\n", *(_line(f) for f in fields), ""]
    if isinstance(doc.example, str):
        lines.append(f"Gives: {doc.example}\n")
    else:
        lines += ["```json", json.dumps(doc.example, ensure_ascii=False), "```\n"]
    if doc.notes:
        lines.append(f"{doc.notes}\n")
    return "\n".join(lines)


def _line(f: Field) -> str:
    kind = {"config": "settings", "list": "list" if f.name in _OF_OBJECTS else "list of texts"}.get(
        f.type, f.type
    )
    return f"- `{f.name}` ({kind}{', needed' if f.needed else ''}): {f.text}"


def page(text: str) -> str:
    """A page with the reference put between its two marks."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{markdown()}\n{END}{rest.partition(END)[2]}"


def main(file: str) -> int:
    """Write the reference into `file`."""
    path = Path(file)
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
