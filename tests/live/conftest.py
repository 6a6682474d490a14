"""Against a WebUI that runs already: `PROMPT_EXTEND_WEBUI_URL=http://127.0.0.1:7860 pytest tests/live`.

`PROMPT_EXTEND_WEBUI_AUTH=name:password` where it asks for one. Nothing of the WebUI's is changed
and nothing is kept: small pictures are generated with the checkpoint that is loaded, and pictures of the tests' own are
tagged in a temporary folder, which the WebUI must be able to read.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from typing import Any

import pytest

URL = os.environ.get("PROMPT_EXTEND_WEBUI_URL", "").rstrip("/")
AUTH = os.environ.get("PROMPT_EXTEND_WEBUI_AUTH", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not URL:
        for item in items:
            if "tests/live" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason="PROMPT_EXTEND_WEBUI_URL is not given"))


class Live:
    """The running WebUI's HTTP side."""

    def __init__(self, url: str, auth: str) -> None:
        self.url = url
        self.headers = {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()} if auth else {}

    def ask(self, path: str, data: Any = None, method: str | None = None) -> Any:
        """GET, or POST with JSON; the answer from JSON where it is. Raises HTTPError."""
        headers = dict(self.headers)
        body = None
        if data is not None:
            body, headers["Content-Type"] = json.dumps(data).encode(), "application/json"
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=120) as answer:
            text = answer.read().decode("utf-8", "replace")
        try:
            return json.loads(text)
        except ValueError:
            return text


@pytest.fixture(scope="session")
def live() -> Live:
    return Live(URL, AUTH)
