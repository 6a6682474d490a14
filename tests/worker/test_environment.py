"""The worker's environment beside a WebUI's: real venvs and a real pip, on tiny packages from a folder."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lib_extend.errors import Stopped, UserError
from lib_extend.worker import environment as env
from lib_extend.worker import environment_lists as lists
from lib_extend.worker import environment_lists_making as making
from lib_extend.worker import environment_make, environment_probe
from lib_extend.worker.environment_needs import (
    OPTIONAL,
    REQUIRED,
    asked_about,
    constraints,
    exact,
    missing,
    needs,
)
from lib_extend.worker.environment_pip import Downloads, failure, variables
from lib_extend.worker.environment_probe import Host, package_folders, probe, torch_cuda
from lib_extend.worker.environment_versions import older

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"pillow": "PIL", "huggingface-hub": "huggingface_hub", "pillow-avif-plugin": "pillow_avif"}
HAS = {
    "filelock": "3.12",
    "httpx": "0.24.1",
    "huggingface-hub": "0.26.2",
    "numpy": "1.26.2",
    "pillow": "9.5.0",
}
HAS |= {
    "pillow-avif-plugin": "1.4.3",
    "regex": "2023.12.25",
    "safetensors": "0.4.2",
    "tomlkit": "0.12.0",
    "tqdm": "4.66.1",
}


def host(torch: str = "2.13.0", cuda: str = "", version: str = "3.11.7", **packages: str) -> Host:
    named = {k.replace("_", "-"): v for k, v in packages.items()}
    return Host(
        "python", version, ("/site",), {**HAS, "transformers": "4.30.2", "torch": torch, **named}, cuda
    )


# --- what is needed


def test_the_requirements_are_those_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.findall(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)[0]
    ours = {r.name: (r.low, r.below) for r in REQUIRED}
    rows = re.findall(r'"([\w-]+)[>=]=([\d.]+)(?:,<(\d+))?(?:;[^"]*)?"', block.replace("_", "-"))
    theirs = {name: (low, below) for name, low, below in rows}
    for optional in OPTIONAL:
        name, low, below = re.findall(r"^([\w-]+)>=([\d.]+),<(\d+)", optional)[0]
        assert theirs.pop(name) == (low, below) and optional.replace(" ; ", "; ") in block
    assert ours.keys() == theirs.keys()
    assert ours.pop("torch")[0] == "2.1" and theirs.pop("torch")  # a WebUI's own torch is older
    assert ours == theirs


@pytest.mark.parametrize(
    ("torch", "wanted"),
    [
        ("2.1.2+cu121", ">=4.49,<4.56"),  # A1111
        ("2.2.0", ">=4.49,<5"),
        ("2.3.1", ">=4.49,<5"),  # Forge
        ("2.4.1", ">=4.49,<5.15"),
        ("2.5.1", ">=4.49,<5.20"),
        ("2.13.0+cpu", ">=4.49,<6"),
        ("2.10.0", ">=4.49,<6"),  # not older than 2.6
    ],
)
def test_transformers_follow_the_hosts_torch(torch: str, wanted: str) -> None:
    found = [n.requirement for n in needs(host(torch)) if n.requirement.startswith("transformers")]
    assert found == ["transformers" + wanted]


@pytest.mark.parametrize(
    ("torch", "cuda", "version", "system", "wanted"),
    [
        ("2.13.0+cpu", "", "3.11.7", "linux", "onnxruntime>=1.17,<2"),
        ("2.1.2+cu121", "12.1", "3.10.6", "win32", "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27"),
        ("2.6.0+cu124", "12.4", "3.11.7", "win32", "onnxruntime-gpu>=1.21,<1.27"),
        ("2.6.0+cu124", "12.4", "3.11.7", "linux", "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27"),
        ("2.13.0", "13.0", "3.13.0", "linux", "onnxruntime-gpu[cuda,cudnn]>=1.28,<2"),
        # no build for CUDA 13 and Python 3.10: that for 12, with its own libraries
        ("2.13.0", "13.0", "3.10.6", "win32", "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27"),
    ],
)
def test_onnxruntime_follows_the_graphics_card(
    torch: str, cuda: str, version: str, system: str, wanted: str
) -> None:
    found = [n.requirement for n in needs(host(torch, cuda, version), system) if "onnx" in n.requirement]
    assert found == [wanted]


def test_an_onnxruntime_that_fits_is_kept() -> None:
    def onnx(h: Host, system: str = "linux") -> list[str]:
        return [n.requirement for n in needs(h, system) if "onnx" in n.requirement]

    assert onnx(host(onnxruntime="1.20.1")) == []
    assert onnx(host(onnxruntime_gpu="1.22.0", cuda="12.4")) == []
    assert onnx(host(onnxruntime_gpu="1.30.0", cuda="12.4")) != []  # built for CUDA 13
    assert onnx(host(onnxruntime="1.22.0", cuda="12.4")) != []  # has no CUDA
    assert onnx(host(torch_directml="0.2"), "win32") == ["onnxruntime-directml>=1.17,<2"]


def test_the_hosts_numpy_and_torch_stay() -> None:
    assert constraints(host("2.1.2+cu121", torchvision="0.16.2+cu121")) == [
        *("numpy==1.26.2", "pillow==9.5.0", "torch==2.1.2+cu121", "torchvision==0.16.2+cu121")
    ]
    old = host("2.1.2", numpy="1.23.5")
    assert "numpy>=1.26,<2" in [n.requirement for n in needs(old)]  # torch 2.1 was built for NumPy 1
    assert not [c for c in constraints(old) if c.startswith("numpy")]


def test_what_is_missing() -> None:
    whole = host(onnxruntime_gpu="1.22.0", transformers="4.49.0")
    assert missing(whole) == []
    assert missing(host(tqdm="4.9")) == [
        *("onnxruntime is missing", "tqdm 4.9 is older than 4.66", "transformers 4.30.2 is older than 4.49")
    ]
    assert older("4.9", "4.49") and not older("4.49.0", "4.49") and not older("2.1.0a0+git", "2.1")


def test_this_python_is_asked_like_another() -> None:
    here = probe(asked_about())
    other = probe(
        asked_about(), os.path.join(os.path.dirname(sys.executable), os.path.basename(sys.executable))
    )
    assert here == other and here.packages["filelock"]
    again = subprocess.run(
        [sys.executable, "-c", "import numpy; print(numpy.__version__)"], capture_output=True, text=True
    )
    assert here.packages["numpy"] == again.stdout.strip()
    assert set(here.folders) <= {os.path.abspath(p) for p in sys.path} and package_folders() == [
        *here.folders
    ]
    with pytest.raises(UserError, match="cannot be asked"):
        env.ask("/no/such/python")


def test_torchs_cuda_is_read_from_its_files(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    for line, cuda in (
        ("cuda = '12.1'", "12.1"),
        ("cuda: Optional[str] = '13.0'", "13.0"),
        ("cuda = None", ""),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.0'", ""),
    ):
        (tmp_path / "torch" / "version.py").write_text(f"__version__ = '2.1.2'\n{line}\n")
        assert torch_cuda(["/nowhere", str(tmp_path)]) == cuda


# --- pip's words


def test_progress_in_bytes() -> None:
    told: list[tuple[str, int, int]] = []
    downloads = Downloads(lambda *what: told.append(what), 50_000_000)
    for line in (
        "Collecting transformers<5,>=4.49",
        "  Downloading transformers-4.57.6-py3-none-any.whl.metadata (44 kB)",
        "  Downloading transformers-4.57.6-py3-none-any.whl (12.0 MB)",
        "Progress 4000000 of 12000000",
        "Progress 12000000 of 12000000",
        "  Using cached numpy-1.26.2-cp310-cp310-win_amd64.whl (15.8 MB)",
        "Installing collected packages: numpy, transformers",
    ):
        downloads.line(line)
    words = [w for w, _, _ in told]
    assert words[0] == "Looking up transformers<5,>=4.49"
    assert words[1] == "Downloading transformers 4.57.6 (12.0 MB)" and "metadata" not in "".join(words)
    assert (words[2], told[2][1]) == (words[1], 4_000_000)
    assert told[-1] == ("Installing numpy, transformers", 27_800_000, 50_000_000)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "free some",
        ),
        ("NewConnectionError: [Errno 111] Connection refused\nERROR: No matching distribution", "connect to"),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", "certificate"),
        (
            "ERROR: Could not find a version that satisfies the requirement x (from versions: none)",
            "PIP_INDEX_URL",
        ),
        ("PermissionError: [WinError 5] Access is denied: 'C:\\x.dll'", "end other programs"),
        ("HINT: This error might have occurred since this system does not have enable-long-paths", "shorter"),
        ("/usr/bin/python: No module named pip", "ensurepip"),
        ("ERROR: something never seen", "something never seen"),
    ],
)
def test_a_failure_names_the_mend(line: str, mend: str) -> None:
    text = str(failure(["Collecting x", *line.splitlines()], Path("log.txt")))
    assert mend in text and "\n" not in text and text.startswith("The models' environment could not be made")


def test_the_users_index_stays_but_pip_installs_here() -> None:
    given = {"PIP_INDEX_URL": "https://i", "PIP_TARGET": "/t", "PYTHONPATH": "/p", "HTTPS_PROXY": "p"}
    env = variables(given)
    assert env["PIP_INDEX_URL"] == "https://i" and env["HTTPS_PROXY"] == "p" and env["PIP_USER"] == "0"
    assert "PIP_TARGET" not in env and "PYTHONPATH" not in env
    assert variables({"INDEX_URL": "https://mirror"})["PIP_INDEX_URL"] == "https://mirror"  # A1111's own


# --- making it


def metadata(name: str, version: str, requires: tuple[str, ...] = ()) -> str:
    lines = "".join(f"Requires-Dist: {r}\n" for r in requires)
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}"


def wheel(folder: Path, name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> None:
    """A package of one module."""
    base = f"{name.replace('-', '_')}-{version}"
    module = MODULES.get(name, name.replace("-", "_"))
    with zipfile.ZipFile(folder / f"{base}-py3-none-any.whl", "w") as file:
        file.writestr(f"{module}/__init__.py", code or f"__version__ = {version!r}\n")
        file.writestr(f"{module}/modeling_utils.py", "class PreTrainedModel: ...\n")
        file.writestr(f"{base}.dist-info/METADATA", metadata(name, version, requires))
        tag = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{base}.dist-info/WHEEL", tag)
        file.writestr(f"{base}.dist-info/RECORD", "")


def installed(folder: Path, name: str, version: str) -> None:
    """The same, unpacked."""
    wheel(folder, name, version)
    path = next(folder.glob("*.whl"))
    with zipfile.ZipFile(path) as file:
        file.extractall(folder)
    path.unlink()


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A WebUI's packages, in a folder with a name that is hard for `.pth` files."""
    site = tmp_path_factory.mktemp("Jörg 画像") / "site packages"
    site.mkdir()
    for name, version in {**HAS, "torch": "2.1.2", "transformers": "4.30.2"}.items():
        installed(site, name, version)
    shutil.rmtree(site / "torch")  # in name only
    return env.ask(sys.executable, [str(site)])


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    wheel(folder, "transformers", "4.55.4", requires=("tokenizers>=0.21", "numpy>=1.17"))
    wheel(folder, "transformers", "4.57.6", code="raise ImportError('register_pytree_node')")
    wheel(folder, "tokenizers", "0.21.4")
    wheel(folder, "onnxruntime", "1.23.2", requires=("numpy>=1.21", "protobuf"))
    wheel(folder, "protobuf", "7.36")
    wheel(folder, "numpy", "1.26.2")
    wheel(folder, "numpy", "2.4.0")
    return folder


@pytest.fixture
def plain(webui: Host, tmp_path: Path) -> Host:
    """The same WebUI with a python that has no venv, like the embeddable build."""
    if os.name == "nt":
        pytest.skip("the stand-in for such a python is a shell script")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *"-m venv"*) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return Host(str(python), webui.version, webui.folders, webui.packages)


@pytest.fixture(autouse=True)
def only_the_folder(monkeypatch: pytest.MonkeyPatch, index: Path) -> None:
    for name in [n for n in os.environ if n.startswith("PIP_")] + ["INDEX_URL", env.OVERRIDE, env.DATA]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setattr(lists, "LISTS", Path("no lists"))  # pip chooses, where a test does not say otherwise


def listing(folder: str) -> dict[str, bytes]:
    paths = (p for p in Path(folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {str(p): p.read_bytes() for p in paths}


@pytest.fixture(scope="module")
def made(webui: Host, index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole environment; what the tests below do with it, they undo."""
    folder = tmp_path_factory.mktemp("made") / "a b ü"
    before = listing(webui.folders[0])
    told: list[tuple[str, int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(index))
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setattr(lists, "LISTS", Path("no lists"))
        status = env.make(lambda *what: told.append(what), path=folder, host=webui)
    assert status == env.status(folder, webui) and status.ready and status.problem == ""
    assert listing(webui.folders[0]) == before
    assert told[0][0].startswith("Making") and told[-1][0] == "Done"
    yield folder


def test_it_holds_what_the_host_lacks(made: Path, webui: Host) -> None:
    status = env.status(made, webui)
    have = {k: v for k, v in status.packages.items() if k not in ("pip", "setuptools", "wheel")}
    assert have == {
        "onnxruntime": "1.23.2",
        "protobuf": "7.36",
        "tokenizers": "0.21.4",
        "transformers": "4.55.4",
    }
    assert status.path == str(made) and 100_000 < status.bytes < 100_000_000
    asked = (
        "import numpy, PIL, transformers; print(numpy.__version__, PIL.__file__, transformers.__version__)"
    )
    done = subprocess.run([status.python, "-c", asked], capture_output=True, text=True, encoding="utf-8")
    numpy, pil, transformers = done.stdout.strip().split(" ", 1)[0], done.stdout, done.stdout.split()[-1]
    assert (numpy, transformers) == ("1.26.2", "4.55.4") and "site packages" in pil


def test_it_is_made_once(made: Path, webui: Host) -> None:
    stamp = (made / "made.json").stat().st_mtime_ns
    began = time.monotonic()
    assert env.make(path=made, host=webui).ready
    assert time.monotonic() - began < 2 and (made / "made.json").stat().st_mtime_ns == stamp


def test_a_plan_says_what_and_how_much(webui: Host, tmp_path: Path) -> None:
    plan = env.plan(tmp_path / "x", webui)
    assert plan.requirements == ("onnxruntime>=1.17,<2", "transformers>=4.49,<4.56")
    assert 100_000_000 < plan.bytes < 400_000_000
    assert plan.kept["torch"] == "2.1.2" and "transformers" not in plan.kept
    assert not (tmp_path / "x").exists()
    assert "not made yet" in env.status(tmp_path / "x", webui).problem


def test_a_host_that_changed_asks_for_repair(made: Path, webui: Host) -> None:
    newer = Host(webui.python, webui.version, webui.folders, {**webui.packages, "torch": "2.4.0"})
    status = env.status(made, newer)
    assert not status.ready and "transformers>=4.49,<5.15 is needed now" in status.problem
    moved = Host(webui.python, webui.version, ("/elsewhere",), webui.packages)
    assert "in another place" in env.status(made, moved).problem
    # what the host got since is no reason
    more = Host(webui.python, webui.version, webui.folders, {**webui.packages, "onnxruntime": "1.20"})
    assert env.status(made, more).ready


def test_a_half_made_one_is_told_and_finished(made: Path, webui: Host) -> None:
    saved = (made / "made.json").read_bytes()
    for rest in (None, saved[:100], b"[]"):
        (made / "made.json").unlink()
        if rest is not None:
            (made / "made.json").write_bytes(rest)
        status = env.status(made, webui)
        assert not status.ready and "not finished" in status.problem
        (made / "made.json").write_bytes(saved)
    assert env.status(made, webui).ready


def test_two_webuis_do_not_make_it_at_once(made: Path, webui: Host) -> None:
    for act in (lambda: env.repair(path=made, host=webui), lambda: env.remove(made)):
        with FileLock(str(made / "lock")), pytest.raises(UserError, match="Another WebUI"):
            act()
    assert env.status(made, webui).ready


def test_the_worker_runs_there(made: Path, webui: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """`environment()` finds it by PROMPT_EXTEND_DATA, and the process sees our package and theirs."""
    data = made.parent / "data"
    data.mkdir()
    (data / "worker-env").symlink_to(made, target_is_directory=True)
    monkeypatch.setenv("PYTHONPATH", "/of/the/webui")
    monkeypatch.setattr(env, "ask", lambda *_: webui)
    found = env.environment({"PROMPT_EXTEND_DATA": str(data)})
    command = found.command("lib_extend.worker.environment_probe", ["transformers", "numpy"])
    done = subprocess.run(command, capture_output=True, text=True, env=found.variables(os.environ))
    assert json.loads(done.stdout)["packages"]["transformers"] == "4.55.4"
    assert "/of/the/webui" not in found.variables(os.environ)["PYTHONPATH"]
    broken = env.environment({"PROMPT_EXTEND_DATA": str(made.parent / "nothing")})
    with pytest.raises(UserError, match="not made yet"):
        broken.command()


def test_without_venv_a_folder_does(plain: Host, tmp_path: Path) -> None:
    status = env.make(path=tmp_path / "folder", host=plain)
    assert status.ready and status.python == plain.python
    # `--target` does not look at what is there; the host's versions hold all the same
    assert status.packages["transformers"] == "4.55.4" and status.packages["numpy"] == "1.26.2"


def test_pythons_that_read_no_pythonpath(tmp_path: Path) -> None:
    (tmp_path / "python311._pth").write_text(".\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "thing.py").write_text("import sys\nprint(sys.argv[1:], __name__)\n")
    plain = env.Environment(str(tmp_path / "python.exe"), (str(tmp_path / "package"),))
    python, *rest = plain.command("thing", ["a b"])
    assert python == plain.python and rest[0] == "-c"
    done = subprocess.run([sys.executable, "-I", *rest], capture_output=True, text=True)
    assert done.stdout == "['a b'] __main__\n"


def test_stopping_is_quick_and_leaves_no_process(
    webui: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes calls, never answers
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        stop, ended = threading.Event(), []

        def work() -> None:
            try:
                env.make(path=tmp_path / "e", host=webui, stop=stop)
            except Stopped:
                ended.append(time.monotonic())

        thread = threading.Thread(target=work)
        thread.start()
        silent.settimeout(60)
        call, _ = silent.accept()  # pip is at it
        asked = time.monotonic()
        stop.set()
        thread.join(20)
        assert ended and ended[0] - asked < 3
        call.settimeout(10)
        while call.recv(4096):  # its request, then the end of the connection: the process is gone
            pass
        call.close()
    status = env.status(tmp_path / "e", webui)
    assert not status.ready and "not finished" in status.problem
    env.remove(tmp_path / "e")
    assert not (tmp_path / "e").exists() and "not made yet" in env.status(tmp_path / "e", webui).problem


def test_offline(plain: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(UserError, match="cannot be reached: connect to the network"):
        env.make(path=tmp_path / "e", host=plain)
    assert "Connection refused" in (tmp_path / "e" / "log.txt").read_text(encoding="utf-8")


# --- exact versions


def listed(tmp_path: Path, index: Path, *rows: str, wrong: str = "") -> Path:
    """A file of lists for the WebUI of these tests, with the hashes of the packages that the index has."""
    files = {}
    for row in rows:
        name, _, version = row.partition(" ; ")[0].partition("==")
        wheels = index.glob(f"{name.replace('-', '_')}-{version}-*.whl")
        digests = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
        files[f"{name}=={version}"] = ["0" * 64] if name == wrong else digests
    data = {"files": files, "lists": {lists.key("2.1", "cpu"): list(rows)}}
    path = tmp_path / "lists.json"
    path.write_text(json.dumps(data))
    return path


ROWS = ("numpy==1.26.2", "onnxruntime==1.23.2", "protobuf==7.36", "tokenizers==0.21.4", "transformers==4.55.4",
    "tomli==2.0 ; python_full_version < '3.10'")  # fmt: skip

needs_lists = pytest.mark.skipif(
    sys.platform not in ("linux", "win32") or platform.machine().lower() not in lists.MACHINES,
    reason="there are no lists for this system",
)


@needs_lists
def test_exact_versions_are_installed_by_their_hashes(
    plain: Host, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(index, "transformers", "4.55.5", code="raise ImportError('newer than what was tried')")
    try:
        monkeypatch.setattr(lists, "LISTS", listed(tmp_path, index, *ROWS))
        plan = env.plan(tmp_path / "e", plain)
        status = env.make(path=tmp_path / "e", host=plain)
    finally:
        next(index.glob("transformers-4.55.5*")).unlink()
    assert plan.exact == (
        "onnxruntime==1.23.2",
        "protobuf==7.36",
        "tokenizers==0.21.4",
        "transformers==4.55.4",
    )
    assert dict(status.packages) == {
        "onnxruntime": "1.23.2", "protobuf": "7.36", "tokenizers": "0.21.4", "transformers": "4.55.4"
    }  # fmt: skip
    assert status.ready and env.status(tmp_path / "e", plain).ready
    # a newer list is no reason to make it again
    monkeypatch.setattr(lists, "LISTS", listed(tmp_path, index, *ROWS[:-2], "transformers==4.55.9"))
    assert env.status(tmp_path / "e", plain).ready


@needs_lists
def test_a_package_that_is_not_the_one_tried_is_refused(
    plain: Host, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LISTS", listed(tmp_path, index, *ROWS, wrong="tokenizers"))
    with pytest.raises(UserError, match="gives other files than those that were tried: unset PIP_INDEX_URL"):
        env.make(path=tmp_path / "e", host=plain)
    assert not env.status(tmp_path / "e", plain).ready


@needs_lists
@pytest.mark.parametrize(
    ("torch", "cuda"),
    # torch is built for CUDA 13 from 2.9 on
    [
        *itertools.product(["2.1.2", "2.2.0", "2.3.1", "2.4.1", "2.5.1", "2.6.0", "2.13.0"], ["", "12.1"]),
        ("2.13.0", "13.0"),
    ],
)
@pytest.mark.parametrize("python", ["3.10.6", "3.11.7", "3.12.1", "3.13.0"])
def test_the_lists_keep_the_ranges(
    torch: str, python: str, cuda: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    bare = Host("python", python, (), {"torch": torch}, cuda)
    found = {p.name: p for p in exact(bare, "linux") if p.applies(bare.minor)}
    assert len(found) == len([p for p in exact(bare, "linux") if p.applies(bare.minor)]), "one version each"
    for need in needs(bare, "linux"):
        name = re.split(r"[\[>]", need.requirement)[0]
        version = found[name].version
        low, below = re.findall(r">=([\d.]+)(?:,<([\d.]+))?", need.requirement)[0]
        assert not older(version, low) and older(version, below), f"{need.requirement}: {version}"
    assert "torch" not in found and all(p.hashes for p in found.values())
    assert all(re.fullmatch(r"[0-9a-f]{64}", h) for p in found.values() for h in p.hashes)
    # what a WebUI has is kept
    full = Host("python", python, (), {**bare.packages, "numpy": "1.26.4", "pillow": "9.5.0"}, cuda)
    assert not {"numpy", "pillow"} & {p.name for p in exact(full, "linux")}


@needs_lists
def test_libraries_for_the_card_come_where_something_can_run_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    def names(h: Host, system: str = "linux") -> set[str]:
        return {p.name for p in exact(h, system) if "onnx" in p.name or p.name.startswith("nvidia")}

    cards = names(host("2.6.0+cu124", "12.4"))
    assert "onnxruntime-gpu" in cards and "nvidia-cudnn-cu12" in cards
    own = {"nvidia-cudnn-cu12": "9.1.0.70", "nvidia-cublas-cu12": "12.4.5.8"}
    assert cards - names(host("2.6.0+cu124", "12.4", **own)) == set(own), "torch's own are kept"
    old = {"nvidia-cudnn-cu12": "8.9.2.26"}
    assert "nvidia-cudnn-cu12" in names(host("2.2.0+cu121", "12.1", **old))
    assert names(host("2.6.0+cu124", "12.4"), "win32") == {"onnxruntime-gpu"}, "torch holds them itself"
    assert names(host("2.6.0+cu124", "")) == {"onnxruntime"}
    assert lists.size(exact(host("2.6.0+cu124", "12.4")), (3, 11)) > 2_000_000_000
    assert lists.size(exact(host("2.6.0")), (3, 11)) < 400_000_000


def test_where_there_is_no_list_pip_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert exact(Host("python", "3.14.0", (), {"torch": "2.13.0"})) == ()
    assert exact(Host("python", "3.11.0", (), {"torch": "1.13.1"})) == ()
    assert exact(Host("python", "3.11.0", ())) == (), "torch itself is not on the lists"
    monkeypatch.setattr(lists.platform, "machine", lambda: "riscv64")
    assert exact(host()) == ()


def test_a_torch_for_cuda_without_a_driver_runs_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "version.py").write_text("__version__ = '2.6.0'\ncuda = '12.4'\n")
    monkeypatch.setattr(env, "cuda_driver", lambda: False)
    monkeypatch.delenv(env.CPU_ONLY, raising=False)
    assert env.ask(sys.executable, [str(tmp_path)]).cuda == ""
    monkeypatch.setattr(env, "cuda_driver", lambda: True)
    assert env.ask(sys.executable, [str(tmp_path)]).cuda == "12.4"
    monkeypatch.setenv(env.CPU_ONLY, "1")
    assert env.ask(sys.executable, [str(tmp_path)]).cuda == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not environment_probe.cuda_driver()


def test_one_made_for_a_card_serves_without() -> None:
    on, off = host("2.6.0+cu124", "12.4"), host("2.6.0+cu124", "")
    made = {"host": "3.11", "folders": ["/site"], "requirements": [n.requirement for n in needs(on, "linux")]}
    assert environment_make.outdated(made, off) == ""
    made["requirements"] = [n.requirement for n in needs(off, "linux")]
    assert "onnxruntime-gpu" in environment_make.outdated(made, on)


SAID = f"""
filelock==4.1.0 ; python_full_version < '3.11' \\
    --hash=sha256:{"b" * 64} \\
    --hash=sha256:{"a" * 64}
Hf_Xet==1.8.0 \\
    --hash=sha256:{"c" * 64}
"""


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a shell script")
def test_the_lists_are_made_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\ncat \"$3\" >> '{tmp_path}/asked'\ncat <<'END'\n{SAID}END\n")
    uv.chmod(0o755)
    out = tmp_path / "lists.json"
    assert making.main(["--uv", str(uv), "--out", str(out)]) == 0
    found = lists.read(out)
    assert found[lists.key("2.1", "cpu")] == (
        lists.Pinned("filelock", "4.1.0", "python_full_version < '3.11'", ("a" * 64, "b" * 64)),
        lists.Pinned("hf-xet", "1.8.0", "", ("c" * 64,)),
    )
    assert len(found) == 6 * 3 + 1
    asked = (tmp_path / "asked").read_text().splitlines()
    assert {"transformers>=4.49,<4.56", "transformers>=4.49,<6", "numpy>=1.26,<2"} <= set(asked)
    assert found[lists.key("2.1", "cpu")][0].line() == (
        f"filelock==4.1.0 ; python_full_version < '3.11' --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}"
    )
    uv.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    assert making.main(["--uv", str(uv), "--out", str(out)]) == 1
    assert making.main(["--uv", str(tmp_path / "none")]) == 2
    assert "no network" in (told := capsys.readouterr().err) and "install the package uv" in told
    with pytest.raises(UserError, match="no hashes for a"):
        making.pins("a==1.0\n")


def test_a_package_that_does_not_load(plain: Host, tmp_path: Path) -> None:
    """The host's torch is taken for a newer one than it is: transformers that need one come, and fail."""
    host = Host(plain.python, plain.version, plain.folders, {**plain.packages, "torch": "2.3.1"})
    with pytest.raises(UserError, match=r"does not load \(transformers: register_pytree_node\): repair it"):
        env.make(path=tmp_path / "e", host=host)
    assert not env.status(tmp_path / "e", host).ready


def test_a_python_that_was_named_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(env.OVERRIDE, sys.executable)
    assert env.status().ready and env.environment().python == sys.executable
    monkeypatch.setenv(env.OVERRIDE, str(tmp_path / "gone"))
    assert "does not exist" in env.status().problem
    with pytest.raises(UserError, match="does not exist"):
        env.environment()
