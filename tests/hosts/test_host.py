"""`lib_extend.host` where no WebUI has to run: who can reach it, who has logged in, what a failure says."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from lib_extend.errors import UserError
from lib_extend.host import about, detect, gradio, options, paths, safety
from lib_extend.host import checkpoint_memory as memory
from lib_extend.host.trouble import Trouble


def webui(monkeypatch: pytest.MonkeyPatch, **flags: Any) -> None:
    """Have this process look like a WebUI with these command-line options."""
    shared = types.ModuleType("modules.shared")
    shared.cmd_opts = types.SimpleNamespace(**flags)  # type: ignore[attr-defined]
    for name, module in (
        ("modules", types.ModuleType("modules")),
        ("modules.script_callbacks", types.ModuleType("modules.script_callbacks")),
        ("modules.shared", shared),
    ):
        monkeypatch.setitem(sys.modules, name, module)


def test_outside_of_a_webui(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMPT_EXTEND_DATA", raising=False)
    assert about.about() is None and detect.cmd_opts() is None
    assert safety.safety() == safety.Safety(shared=False, roots=(), login=False)
    assert safety.credentials() == {}
    assert options.read() == options.Options()
    assert paths.models_folder() is None and paths.lora_folders() == []
    assert paths.data_folder() == Path.home() / ".prompt-extend"
    assert not memory.can_unload() and not memory.unload() and not memory.bring_back()


@pytest.mark.parametrize(
    ("flags", "shared"),
    [
        ({}, False),
        ({"listen": False, "share": False, "ngrok": None, "server_name": None}, False),
        ({"listen": True}, True),
        ({"share": True}, True),
        ({"ngrok": "token"}, True),
        ({"server_name": "0.0.0.0"}, True),
        ({"server_name": "192.168.1.5", "webui_is_non_local": True}, True),
        # with a local name the WebUI itself calls it non-local, but nobody else can come in
        ({"server_name": "127.0.0.1", "webui_is_non_local": True}, False),
        ({"server_name": "localhost", "share": True, "webui_is_non_local": True}, True),
        ({"webui_is_non_local": True}, True),
    ],
)
def test_who_can_reach_it(monkeypatch: pytest.MonkeyPatch, flags: dict[str, Any], shared: bool) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    webui(monkeypatch, **flags)
    assert safety.safety().shared is shared


def test_gradios_own_variable_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    webui(monkeypatch)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert safety.safety().shared


def test_logins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "auth"
    file.write_text("ann:1,bob:2\n\n cyd:3:4 \n", encoding="utf-8")
    webui(monkeypatch, gradio_auth="dan:5", gradio_auth_path=str(file), api_auth=None)
    assert safety.safety().login
    assert safety.credentials() == {"dan": "5", "ann": "1", "bob": "2", "cyd": "3:4"}
    file.unlink()
    with pytest.raises(OSError, match="auth"):
        safety.credentials()


def test_the_owner_of_a_cookie() -> None:
    app = types.SimpleNamespace(tokens={"secret": "ann"})
    assert gradio.user_of(app, {"access-token": "secret"}) == "ann"  # Gradio 3
    assert gradio.user_of(app, {"access-token-unsecure-x7": "secret"}) == "ann"  # Gradio 4
    assert gradio.user_of(app, {"access-token": "guess", "other": "secret"}) is None
    assert gradio.user_of(types.SimpleNamespace(), {"access-token": "secret"}) is None


def test_neo_has_a_list_of_lora_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).mkdir()
    a, b, c = (str(tmp_path / name) for name in "abc")
    webui(monkeypatch, lora_dir=a, lora_dirs=[b, a, str(tmp_path / "gone")], lyco_dir_backcompat=c)
    assert [p.name for p in paths.lora_folders()] == ["a", "c", "b"]


def test_a_failure_is_one_line_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    trouble = Trouble()

    def fail(error: Exception) -> None:
        raise error

    for _ in range(2):
        assert trouble.attempt("the tab cannot be shown", lambda: fail(ValueError("two\nlines")), 7) == 7
    trouble.attempt("it stops", lambda: fail(UserError("X is missing: install X.")), None)
    trouble.attempt("it stops", lambda: __import__("no_such_package"), None)
    assert trouble.attempt("fine", lambda: 3, 7) == 3
    first, second, third = capsys.readouterr().err.splitlines()
    assert first.startswith("Prompt Extend: the tab cannot be shown (ValueError: two lines in ")
    assert "test_host.py line" in first and "restart the WebUI" in first
    assert second == "Prompt Extend: it stops. X is missing: install X."
    assert "the WebUI's python has no no_such_package: restart the WebUI" in third
    assert len(trouble.sentences) == 3
