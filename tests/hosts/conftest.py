"""The hosts' environments with their real pins, and doubles of the WebUIs running in them.

An environment is made once, with pip, in `.test/hosts/<host>` (git-ignored), and kept. Where that is impossible (no
network, no fitting python), the tests are skipped and say why.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
WEBUI = Path(__file__).with_name("webui.py")
CACHE = ROOT / ".test" / "hosts"

# What the hosts' requirements_versions.txt pin, as far as an extension can meet it. torch is left out of A1111's:
# its 2.1.2 is there in name only (see `make`), so that the choice it leads to is tested, but not downloaded.
PINS = {
    "a1111": [
        "gradio==3.41.2 fastapi==0.94.0 starlette==0.26.1 pydantic==1.10.15 pillow==9.5.0 numpy==1.26.2",
        "transformers==4.30.2 protobuf==3.20.0 safetensors==0.4.2 httpx==0.24.1 httpcore==0.15",
        "pillow-avif-plugin==1.4.3 psutil==5.9.5",
    ],
    "forge": [
        "gradio==4.40.0 fastapi==0.104.1 pydantic==2.8.2 pillow==9.5.0 numpy==1.26.2 transformers==4.46.1",
        "protobuf==3.20.0 safetensors==0.4.2 httpx==0.24.1 httpcore==0.15 huggingface-hub==0.26.2",
        "pillow-avif-plugin==1.4.3 psutil==5.9.5 tqdm==4.66.1 torch==2.13.0",
    ],
}
PINS["neo"] = [
    "gradio==4.40.0 fastapi==0.127.1 pydantic==2.10.6 numpy==2.3.5 transformers==4.56.2 huggingface-hub==0.36.2",
    "protobuf==4.25.9 safetensors==0.7.0 httpx==0.24.1 psutil==6.1.1 tqdm==4.67.3",
    "audioop-lts==0.2.2;python_version>='3.13'",
]
LATER = {"neo": ["pillow==12.2.0"]}
"""What a WebUI puts over its Gradio, which would not have it."""
NAMED: dict[str, tuple[str, str] | None] = {"a1111": ("torch", "2.1.2"), "forge": None, "neo": None}
PYTHONS = {"a1111": ((3, 10), (3, 11)), "forge": ((3, 11), (3, 10)), "neo": ((3, 13), (3, 11))}
LIKE = {"classic": "a1111", "reforge": "a1111"}
"""WebUIs whose pins are, as far as an extension meets them, another's."""


def find_python(versions: tuple[tuple[int, int], ...]) -> str | None:
    """A python of one of these versions, the first that works."""
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for major, minor in versions:
        name = f"python{major}.{minor}"
        found = [shutil.which(name), *map(str, sorted(homes.glob(f"{major}.{minor}.*/bin/python")))]
        if sys.version_info[:2] == (major, minor):
            found.insert(0, getattr(sys, "_base_executable", sys.executable))
        for python in filter(None, found):
            asked = "import sys, venv, ensurepip; print(sys.version_info[:2])"
            done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
            if done.stdout.strip() == str((major, minor)):
                return python
    return None


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def host_environment(host: str) -> Path:
    """The python with a host's packages; made when it is not there."""
    host = LIKE.get(host, host)
    base = find_python(PYTHONS[host])
    if base is None:
        pytest.skip(f"{host} needs python {PYTHONS[host]}")
    pins = " ".join(PINS[host]).split()
    stamp = hashlib.sha256(json.dumps([base, pins, NAMED[host], LATER.get(host)]).encode()).hexdigest()
    folder = CACHE / host
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(str(CACHE / f"{host}.lock")):
        done = folder / "made"
        if not done.exists() or done.read_text() != stamp:
            subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(python_of(folder)), "-m", "pip", "install", "-q", "--prefer-binary"]
            made = subprocess.run([*pip, *pins], capture_output=True, text=True, check=False)
            if not made.returncode and host in LATER:
                made = subprocess.run([*pip, *LATER[host]], capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.skip(f"{host}'s pins cannot be installed here: {made.stderr.strip()[-300:]}")
            if named := NAMED[host]:
                pretend(folder, *named)
            done.write_text(stamp)
    return python_of(folder)


def pretend(folder: Path, name: str, version: str) -> None:
    """A distribution that is there in name only."""
    site = next(folder.glob("lib/python*/site-packages"), folder / "Lib" / "site-packages")
    at = site / f"{name}-{version}.dist-info"
    at.mkdir()
    (at / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (at / "INSTALLER").write_text("pip\n")
    (at / "RECORD").write_text("")


def freeze(python: Path) -> str:
    """What `pip freeze` says there."""
    return subprocess.run(
        [str(python), "-m", "pip", "freeze", "--all"], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture(scope="session", params=["a1111", "forge"])
def host(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def host_python(host: str) -> Path:
    return host_environment(host)


class WebUI:
    """A running double. `folder` is its root."""

    def __init__(self, host: str, python: Path, folder: Path, *flags: str, env: dict[str, str]) -> None:
        self.folder, self.log = folder, folder / "log.txt"
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.headers: dict[str, str] = {}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(python), str(WEBUI), "--host", host, "--port", str(self.port), *flags],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "no_proxy": "127.0.0.1,localhost", "PYTHONPATH": "", **env},
            )

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait(self, times: int = 1, seconds: float = 90) -> WebUI:
        """Until it has started `times` times."""
        end = time.monotonic() + seconds
        while self.text().count("Running on http") < times:
            assert self.process.poll() is None and time.monotonic() < end, self.text()
            time.sleep(0.1)
        return self

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        body = json.dumps({} if data is None else data)
        return self.ask("POST", path, body, {"Content-Type": "application/json", **headers})

    def ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Any:
        """The answer, from JSON where it is; raises HTTPError like urllib."""
        # We close, not the server: otherwise its port stays taken for a minute, and Gradio 4 cannot restart on it.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body, {**self.headers, **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        if answer.status >= 400:
            raise urllib.error.HTTPError(self.url + path, answer.status, text, answer.headers, None)
        try:
            return json.loads(text)
        except ValueError:
            return text

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def start(host: str, host_python: Path, tmp_path: Path) -> Iterator[Callable[..., WebUI]]:
    """Starts a double with extensions: name → folder, linked into its `extensions`."""
    running: list[WebUI] = []

    def make(
        extensions: dict[str, Path] | None = None, *flags: str, env: dict[str, str] | None = None
    ) -> WebUI:
        folder = tmp_path / f"webui {len(running)}"
        (folder / "extensions").mkdir(parents=True)
        for name, path in ({"sd-webui-prompt-extend": ROOT} if extensions is None else extensions).items():
            (folder / "extensions" / name).symlink_to(path, target_is_directory=True)
        data = {"PROMPT_EXTEND_DATA": str(tmp_path / "data")}
        running.append(WebUI(host, host_python, folder, *flags, env={**data, **(env or {})}))
        return running[-1]

    yield make
    for one in running:
        one.close()
