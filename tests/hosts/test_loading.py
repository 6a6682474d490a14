"""The extension in a WebUI's life: installed, loaded, reloaded, disabled, broken."""

from __future__ import annotations

import base64
import json
import re
import shutil
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import ROOT, WebUI

Start = Callable[..., WebUI]
NAME = "sd-webui-prompt-extend"
PROBE = Path(__file__).with_name("probe")

# What does not differ between the two is tried in one of them: a start takes seconds.
a1111 = pytest.mark.parametrize("host", ["a1111"], indirect=True)
forge = pytest.mark.parametrize("host", ["forge"], indirect=True)
pytestmark = pytest.mark.timeout(1800)  # an environment may have to be made first


def ours(text: str) -> list[str]:
    """The lines of the log that are ours, apart from install.py's."""
    return [
        line for line in text.splitlines() if line.startswith("Prompt Extend:") and "nothing to" not in line
    ]


def copied(tmp_path: Path) -> Path:
    """A copy of the extension, to be damaged; without the models."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("install.py", "preload.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("scripts", "lib_extend"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    return folder


def test_a_start_and_a_reload(start: Start, host: str) -> None:
    webui = start().wait()
    log = webui.text()
    assert "nothing to install" in log and "Traceback" not in log
    # its own work: how long that takes on the clock is up to what else the machine does
    busy = float(re.findall(rf"install.py of {NAME}: [\d.]+ s, ([\d.]+) s busy", log)[0])
    assert busy < 1.0

    before = webui.get("/double/state")
    webui.post("/double/reload-ui")
    after = webui.wait(times=2).get("/double/state")
    for state in (before, after):
        callers = {kind: paths for kind, paths in state["callbacks"].items() if paths}
        assert set(callers) == {"ui_tabs", "ui_settings", "app_started", "infotext_pasted", "before_ui"}
        for paths in callers.values():
            assert [Path(p).name for p in paths] == ["prompt_extend.py"]  # once each, also after a reload
        assert webui.get("/prompt-extend/v1/state")["host"]
        # Nothing heavy comes into the WebUI, and nothing of ours stays on its path but what Forge itself leaves.
        assert not {"torch", "transformers", "onnxruntime"} & set(state["modules"])
        here = [p for p in state["path"] if NAME in p]
        assert here == ([] if host == "a1111" else [str(webui.folder / "extensions" / NAME)])
    assert after["path"] == before["path"]


@pytest.mark.parametrize(
    ("host", "name"),
    [("neo", "Forge neo"), ("classic", "Forge classic"), ("reforge", "reForge")],
    indirect=["host"],
)
def test_each_is_taken_for_itself_and_can_unload(start: Start, host: str, name: str) -> None:
    webui = start({NAME: ROOT, "probe": PROBE}).wait()
    told = webui.get("/probe")
    assert told["webui"]["name"] == name and told["can_unload"]
    assert webui.post("/probe/unload") == {"did": True, "away": False}
    assert "Traceback" not in webui.text()


def test_flags_settings_and_the_checkpoint(start: Start, host: str, tmp_path: Path) -> None:
    (tmp_path / "loras").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "loras")
    flags = ["--prompt-extend-root", str(tmp_path / "link"), "--prompt-extend-root", str(tmp_path)]
    flags += ["--prompt-extend-worker-python", "/some/python", "--lora-dir", str(tmp_path / "loras")]
    webui = start({NAME: ROOT, "probe": PROBE}, *flags, "--api-auth", "me:it's:secret, you:too").wait()
    webui.headers["Authorization"] = "Basic " + base64.b64encode(b"me:it's:secret").decode()
    told = webui.get("/probe")
    assert told["webui"]["name"] == ("AUTOMATIC1111" if host == "a1111" else "Forge")
    assert told["webui"]["gradio"] == ("3.41.2" if host == "a1111" else "4.40.0")
    roots = [str((tmp_path / "loras").resolve()), str(tmp_path.resolve())]
    assert told["safety"]["roots"] == [*roots] and told["safety"]["login"]
    assert not told["safety"]["shared"]
    assert told["credentials"] == {"me": "it's:secret", "you": "too"}
    assert told["loras"] == [str(tmp_path / "loras")]
    assert told["data"] == str(tmp_path / "data") and told["models"] == str(webui.folder / "models")
    assert told["worker"] == "/some/python"
    assert told["options"] == {"models_dir": "", "idle_minutes": 10, "unload": False, "folders": []}

    chosen = {"prompt_extend_models_dir": "/m", "prompt_extend_idle_minutes": 3, "prompt_extend_unload": True}
    webui.post("/sdapi/v1/options", {**chosen, "prompt_extend_folders": " /a\n\n/b "})
    options = webui.get("/probe")["options"]
    assert options == {"models_dir": "/m", "idle_minutes": 3, "unload": True, "folders": ["/a", "/b"]}
    saved = json.loads((webui.folder / "config.json").read_text())
    assert saved["prompt_extend_models_dir"] == "/m"

    # the checkpoint leaves and returns
    assert told["can_unload"]
    assert webui.get("/double/state")["checkpoint"] == "cuda"
    assert webui.post("/probe/unload") == {"did": True, "away": host == "a1111"}
    assert webui.get("/double/state")["checkpoint"] == "cpu"
    # A generation in between gets it back by itself: A1111 would fail without.
    made = webui.post("/sdapi/v1/txt2img", {"prompt": "a cat", "steps": 1})
    assert len(made["images"]) == 1
    if host == "a1111":
        assert webui.get("/double/state")["checkpoint"] == "cuda"
        assert webui.post("/probe/back") == {"did": False, "away": False}
        assert webui.post("/probe/unload") == {"did": True, "away": True}
        assert webui.post("/probe/unload") == {"did": False, "away": True}
        assert webui.post("/probe/back") == {"did": True, "away": False}
        assert webui.get("/double/state")["checkpoint"] == "cuda"


@a1111
def test_disabled(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "data of the webui"
    (data / "extensions").mkdir(parents=True)
    (data / "extensions" / NAME).symlink_to(ROOT, target_is_directory=True)
    (data / "config.json").write_text(json.dumps({"disabled_extensions": [NAME]}))
    webui = start({}, "--data-dir", str(data)).wait()
    assert webui.get("/sdapi/v1/extensions") == [{"name": NAME, "enabled": False}]
    state = webui.get("/double/state")
    assert not any(m.startswith("lib_extend") for m in state["modules"])
    assert not any(state["callbacks"].values())


def broken_package(folder: Path) -> str:
    (folder / "lib_extend" / "errors.py").write_text("def broken(:\n")
    return "SyntaxError"


def no_package(folder: Path) -> str:
    shutil.rmtree(folder / "lib_extend")
    return "No module named 'lib_extend'"


def no_host(folder: Path) -> str:
    shutil.rmtree(folder / "lib_extend" / "host")
    return "No module named 'lib_extend.host'"


@pytest.mark.parametrize(
    ("host", "damage"),
    [("a1111", broken_package), ("forge", no_package), ("a1111", no_host)],
    indirect=["host"],
)
def test_broken(start: Start, tmp_path: Path, damage: Callable[[Path], str]) -> None:
    folder = copied(tmp_path)
    words = damage(folder)
    webui = start({NAME: folder}).wait()
    (line,) = ours(webui.text())
    assert words in line and "install it again" in line
    page = webui.get("/")
    assert "prompt_extend_problem" in page and "install it again" in page
    assert len(webui.post("/sdapi/v1/txt2img", {"prompt": "x"})["images"]) == 1


@forge
def test_two_copies(start: Start, tmp_path: Path) -> None:
    webui = start({"a-first": copied(tmp_path), "b-second": ROOT}).wait()
    (line,) = [s for s in ours(webui.text()) if "second copy" in s]
    assert "remove one of them" in line
    assert "second copy" in webui.get("/")


@forge
def test_a_broken_tab_and_api(start: Start, tmp_path: Path) -> None:
    """The parts fail one by one; each says so in one line, and the WebUI answers."""
    folder = copied(tmp_path)
    for name in ("ui", "api"):
        (folder / "lib_extend" / name).mkdir(exist_ok=True)
        (folder / "lib_extend" / name / "__init__.py").write_text("")
    (folder / "lib_extend" / "ui" / "tab.py").write_text("import nowhere_to_be_found\n")
    (folder / "lib_extend" / "api" / "mounting.py").write_text("def mount(app):\n    raise KeyError('x')\n")
    webui = start({NAME: folder}).wait()
    tab, api = ours(webui.text())
    assert "the tab cannot be shown" in tab and "nowhere_to_be_found" in tab
    assert "its API does not answer (KeyError: 'x' in" in api and "mounting.py line 2" in api
    assert "nowhere_to_be_found" in webui.get("/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        webui.get("/prompt-extend/v1/state")
