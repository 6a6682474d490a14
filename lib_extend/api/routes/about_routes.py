"""The documents of these routes, and the page's own files."""

from __future__ import annotations

from typing import Any

from lib_extend import web
from lib_extend.api import openapi, reference_page
from lib_extend.api.calls import Call, Raw
from lib_extend.api.declaring import ANYBODY, Routes
from lib_extend.api.finding import all_routes
from lib_extend.errors import NotFoundError
from lib_extend.services.container import Services

routes = Routes("About", place=100)


@routes.get("/openapi.json", gives="An OpenAPI 3.1 document.")
def openapi_document(services: Services) -> dict[str, Any]:
    """These routes as an OpenAPI document."""
    return openapi.document(all_routes())


@routes.get("/docs.md", gives="Markdown.")
def docs(services: Services) -> Raw:
    """These routes as a page to read."""
    return Raw(reference_page.markdown(all_routes()).encode(), "text/markdown; charset=utf-8")


@routes.get("/page/{path:path}", gives="Modules and styles, with an ETag.", access=ANYBODY)
def page(services: Services, call: Call, path: str) -> Raw:
    """A file of the page itself."""
    try:
        body, media_type, tag = web.read_page(path)
    except FileNotFoundError as error:
        raise NotFoundError(error, code="no_page") from None
    # asked for each time, so that after an update no browser mixes old modules with new ones
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in call.headers.get("if-none-match", ""):
        return Raw(b"", media_type, headers, 304)
    return Raw(body, media_type, headers)
