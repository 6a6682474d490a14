"""`prompt-extend serve`: where it listens, and that it says so."""

from __future__ import annotations

import contextlib
import socket

import pytest

from lib_extend.errors import UserError
from lib_extend.ui import standalone


@pytest.mark.parametrize("host", ["", " ", "\t"])
def test_an_empty_host_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standalone, "listen", lambda *_: pytest.fail("it listens"))
    with pytest.raises(UserError, match="--host is empty"):
        standalone.main(["--host", host, "--no-browser"])


@pytest.mark.parametrize(
    ("host", "shown", "everywhere"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "127.0.0.1", False),
        ("127.0.0.7", "127.0.0.7", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("0", "127.0.0.1", True),
        ("::1", "[::1]", False),
        ("::", "[::1]", True),
    ],
)
def test_what_is_said_is_what_is_bound(host: str, shown: str, everywhere: bool) -> None:
    try:
        listener = standalone.listen(host, 0)
    except UserError as error:
        pytest.skip(str(error))
    with contextlib.closing(listener):
        listener.listen()
        bound, port = listener.getsockname()[:2]
        url, sentence = standalone.addresses_of(listener)
        assert url == f"http://{shown}:{port}/" and url in sentence
        assert standalone.is_shared(listener) == everywhere
        assert (f"every other address of this machine ({bound}, port {port})" in sentence) == everywhere
        family = socket.AF_INET6 if shown.startswith("[") else socket.AF_INET
        with socket.socket(family) as caller:
            caller.settimeout(5)
            caller.connect((shown.strip("[]"), port))
