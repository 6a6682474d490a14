"""Downloads by the real huggingface_hub client from a hub on this machine, with everything that goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from lib_extend.errors import ModelError
from lib_extend.models import downloads, hub
from lib_extend.models.entry import Entry, HubFile
from tests.hub_server import Fault, HubServer

PIECE = 256 * 1024
REPO = "someone/tagger-v3"
MODEL = bytes(range(256)) * 4096 * 3  # 3 MB
TAGS = b"tag_id,name,category,count\n1,cake,0,5\n"
FILES = {"model.onnx": MODEL, "selected_tags.csv": TAGS, "model.pkl": b"evil", "README.md": b"# Card"}
ENTRY = Entry(
    "tagger-v3", "tagger", "wd", REPO, (HubFile(REPO, "model.onnx"), HubFile(REPO, "selected_tags.csv"))
)
VLM = Entry("some-vlm", "vlm", "Qwen2VL", "someone/vlm")
VLM_FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "chat_template.jinja": b"{{ x }}",
    "merges.txt": b"a b",
    "model.safetensors": MODEL,
    "pytorch_model.bin": b"evil",
    "modeling_evil.py": b"evil",
    "onnx/model.onnx": b"unwanted",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer() as server:
        server.add(REPO, FILES)
        server.add("someone/vlm", VLM_FILES)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        # Nobody waits: neither we between attempts nor the client, which waits ever longer.
        sleep = time.sleep
        monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
        # The client reads these when it is imported.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nonexistent/token")
        for name in (
            "HF_TOKEN",
            "HUGGING_FACE_HUB_TOKEN",
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
        ):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return str(tmp_path / "models")


class Seen(list[tuple[str, int, int]]):
    """A progress callback that keeps what it is told."""

    def __call__(self, what: str, done: int, total: int) -> None:
        self.append((what, done, total))


def test_a_tagger_arrives_whole_and_is_used_without_the_network_afterwards(
    server: HubServer, cache: str
) -> None:
    seen = Seen()
    assert not downloads.is_cached(ENTRY, models_dir=cache)
    assert downloads.where(ENTRY, models_dir=cache) is None
    folder = downloads.get(ENTRY, models_dir=cache, progress=seen)
    assert sorted(p.name for p in folder.iterdir()) == ["model.onnx", "selected_tags.csv"]
    assert (folder / "model.onnx").read_bytes() == MODEL
    assert downloads.is_cached(ENTRY, models_dir=cache)
    asked = len(server.requests)
    assert downloads.get(ENTRY, models_dir=cache) == folder == downloads.where(ENTRY, models_dir=cache)
    assert downloads.get(ENTRY, models_dir=cache, offline=True) == folder
    assert len(server.requests) == asked
    assert seen[0] == ("tagger-v3", 0, len(MODEL) + len(TAGS))
    assert seen[-1] == ("tagger-v3", len(MODEL) + len(TAGS), len(MODEL) + len(TAGS))
    assert len(seen) > 4 and [d for _, d, _ in seen] == sorted(d for _, d, _ in seen)


def test_fetch_gives_the_files_by_name_from_several_repositories(server: HubServer, cache: str) -> None:
    server.add("other/labels", {"deep/inside/tags.csv": TAGS})
    files = (HubFile(REPO, "model.onnx"), HubFile("other/labels", "deep/inside/tags.csv"))
    optional = (HubFile(REPO, "selected_tags.csv", False), HubFile(REPO, "thresholds.csv", False))
    entry = Entry("two", "tagger", "ml_danbooru", REPO, (*files, *optional))
    found = downloads.fetch(entry, models_dir=cache)
    assert sorted(found.paths) == ["model.onnx", "selected_tags.csv", "tags.csv"]
    assert found.path("tags.csv").read_bytes() == TAGS
    assert downloads.is_cached(entry, models_dir=cache)
    assert found.label == "two" and cache in found.mend


def test_the_cache_is_huggingface_hubs_own(server: HubServer, cache: str) -> None:
    from huggingface_hub import hf_hub_download, scan_cache_dir

    folder = downloads.get(ENTRY, models_dir=cache)
    path = hf_hub_download(REPO, "model.onnx", cache_dir=cache, local_files_only=True)
    assert Path(path) == folder / "model.onnx"
    (repo,) = scan_cache_dir(cache).repos
    assert repo.repo_id == REPO and repo.refs.keys() == {"main"}
    # An older huggingface_hub or another program downloaded it: nothing is downloaded again.
    server.requests.clear()
    assert downloads.get(ENTRY, models_dir=cache, update=True) == folder
    assert not server.downloads()


def test_the_digest_of_a_cached_file_is_read_off_its_name(server: HubServer, cache: str) -> None:
    from lib_extend.models.files import digest

    folder = downloads.get(ENTRY, models_dir=cache)
    assert digest(folder / "model.onnx") == hashlib.sha256(MODEL).hexdigest()
    assert digest(folder / "selected_tags.csv") == hashlib.sha256(TAGS).hexdigest()


def test_a_newer_model_comes_when_asked_for(server: HubServer, cache: str) -> None:
    old = downloads.get(ENTRY, models_dir=cache)
    server.repos[REPO].files["model.onnx"] = MODEL[::-1]
    assert downloads.get(ENTRY, models_dir=cache) == old
    new = downloads.get(ENTRY, models_dir=cache, update=True)
    assert new != old and (new / "model.onnx").read_bytes() == MODEL[::-1]
    assert [r.path.rpartition("/")[2] for r in server.downloads()].count("selected_tags.csv") == 1


def test_only_safe_files_of_a_vlm_are_downloaded_weights_last(server: HubServer, cache: str) -> None:
    folder = downloads.get(VLM, models_dir=cache)
    safe = ["chat_template.jinja", "config.json", "merges.txt", "model.safetensors", "tokenizer.json"]
    assert sorted(p.name for p in folder.iterdir()) == safe
    asked = [r.path for r in server.requests]
    assert not any(p.endswith((".bin", ".py", ".onnx")) for p in asked)
    assert server.downloads()[-1].path.endswith("model.safetensors")
    assert downloads.get(VLM, models_dir=cache, offline=True) == folder


def test_a_vlm_in_parts_is_whole_when_every_part_is_there(server: HubServer, cache: str) -> None:
    parts = {f"model-{i}-of-2.safetensors": MODEL[i:] for i in (1, 2)}
    index = json.dumps({"weight_map": {f"w{i}": name for i, name in enumerate(parts)}}).encode()
    server.add("someone/vlm", {"config.json": b"{}", "model.safetensors.index.json": index, **parts})
    server.faults["model-2-of-2.safetensors"] = Fault(status=500, times=99)
    with pytest.raises(ModelError, match="answers 500.*try again later"):
        downloads.get(VLM, models_dir=cache)
    assert not downloads.is_cached(VLM, models_dir=cache)
    server.faults.clear()
    folder = downloads.get(VLM, models_dir=cache)
    assert (folder / "model-2-of-2.safetensors").exists() and downloads.is_cached(VLM, models_dir=cache)
    (folder / "model-2-of-2.safetensors").unlink()
    assert not downloads.is_cached(VLM, models_dir=cache)


def test_a_vlm_without_safetensors_is_refused(server: HubServer, cache: str) -> None:
    server.add("someone/vlm", {"config.json": b"{}", "pytorch_model.bin": b"evil"})
    with pytest.raises(ModelError, match="no weights as safetensors"):
        downloads.get(VLM, models_dir=cache)


# --- what goes wrong


@pytest.mark.parametrize("entry", [ENTRY, VLM], ids=["tagger", "vlm"])
def test_offline_and_not_here(server: HubServer, cache: str, entry: Entry) -> None:
    with pytest.raises(ModelError, match=rf"{entry.name} is not on this machine.*models get {entry.name}"):
        downloads.get(entry, models_dir=cache, offline=True)
    assert not server.requests and not Path(cache).exists()


@pytest.mark.parametrize("entry", [ENTRY, VLM], ids=["tagger", "vlm"])
def test_no_network(server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch, entry: Entry) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(ModelError, match=r"cannot be reached.*check the network.*--offline"):
            downloads.get(entry, models_dir=cache)


def test_the_hubs_own_offline_switch(server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"""
        from lib_extend.models import downloads, registry
        from lib_extend.errors import ModelError
        try:
            downloads.get(registry.find_tagger("wd-vit-v3"), models_dir={cache!r})
        except ModelError as error:
            print(error)
    """
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True)
    assert b"HF_HUB_OFFLINE" in done.stdout, done.stderr


@pytest.mark.parametrize("entry", [ENTRY, VLM], ids=["tagger", "vlm"])
@pytest.mark.parametrize("token", [None, "hf_stranger"])
def test_a_gated_model(
    server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch, entry: Entry, token: str | None
) -> None:
    server.repos[entry.repo].gated = True
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(
        ModelError, match=rf"accepted its licence.*{server.url}/{entry.repo}.*hf auth login"
    ) as caught:
        downloads.get(entry, models_dir=cache)
    assert (caught.value.code, caught.value.fields["repo"]) == ("gated", entry.repo)


def test_a_gated_model_for_one_who_may_and_the_token_stays_with_the_hub(
    server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.repos[REPO].gated = True
    monkeypatch.setenv("HF_TOKEN", server.token)
    assert downloads.get(ENTRY, models_dir=cache)
    elsewhere = [r for r in server.requests if r.path.startswith("/cdn/")]
    assert elsewhere and not any(r.headers.get("Authorization") for r in elsewhere)


@pytest.mark.parametrize("token", [None, "hf_good"])
def test_no_such_repository(
    server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    del server.repos[REPO]
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ModelError, match=rf"There is no {REPO} on {server.url}, or it is private"):
        downloads.get(ENTRY, models_dir=cache)


def test_no_such_file(server: HubServer, cache: str) -> None:
    del server.repos[REPO].files["selected_tags.csv"]
    with pytest.raises(ModelError, match=rf"{REPO} has no file selected_tags.csv any more"):
        downloads.get(ENTRY, models_dir=cache)
    assert not downloads.is_cached(ENTRY, models_dir=cache)


def test_something_that_is_no_hub(server: HubServer, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url + "/portal")  # answers everything with a page to log in
    with pytest.raises(ModelError, match=r"does not speak the hub's protocol.*log in to your network"):
        downloads.get(ENTRY, models_dir=cache)


def test_names_that_lead_out_of_the_cache(server: HubServer, cache: str) -> None:
    server.etag = "../../../outside"
    with pytest.raises(ModelError, match="which no hub does"):
        downloads.get(ENTRY, models_dir=cache)
    server.etag = ""
    server.add("someone/vlm", {**VLM_FILES, "..\\evil.json": b"{}", "C:evil.json": b"{}"})
    folder = downloads.get(VLM, models_dir=cache)
    assert not [p for p in folder.iterdir() if "evil" in p.name]


def test_wrong_bytes_are_deleted_and_the_next_try_is_clean(server: HubServer, cache: str) -> None:
    for name in ("model.onnx", "selected_tags.csv"):
        server.faults = {name: Fault(wrong=True)}
        with pytest.raises(ModelError, match=rf"{name} of {REPO} arrived with wrong content.*deleted"):
            downloads.get(ENTRY, models_dir=cache)
        assert not downloads.is_cached(ENTRY, models_dir=cache)
        assert not list(Path(cache).rglob("*.incomplete")) and not list(
            Path(cache).rglob(f"snapshots/*/{name}")
        )
    folder = downloads.get(ENTRY, models_dir=cache)
    assert (folder / "model.onnx").read_bytes() == MODEL
    assert (folder / "selected_tags.csv").read_bytes() == TAGS


@pytest.mark.parametrize("reset", [False, True])
def test_a_broken_connection_is_taken_up_again(server: HubServer, cache: str, reset: bool) -> None:
    server.faults["model.onnx"] = Fault(after=1_000_000, times=2, reset=reset)
    seen = Seen()
    folder = downloads.get(ENTRY, models_dir=cache, progress=seen)
    assert (folder / "model.onnx").read_bytes() == MODEL
    starts = [r.range for r in server.downloads() if r.path.endswith("model.onnx")]
    # At most one piece is asked for twice. (What a reset throws away is the system's affair.)
    assert len(starts) == 3 and starts == sorted(starts)
    assert reset or (starts[1] > 1_000_000 - PIECE and starts[2] > 2_000_000 - 2 * PIECE)


def test_what_arrived_is_kept_for_the_next_start(server: HubServer, cache: str) -> None:
    class Killed(BaseException):
        pass

    def kill(what: str, done: int, total: int) -> None:
        if done >= 1_500_000:
            raise Killed

    with pytest.raises(Killed):
        downloads.get(ENTRY, models_dir=cache, progress=kill)
    (part,) = Path(cache).rglob("*.incomplete")
    here = part.stat().st_size
    assert 1_000_000 < here <= 2_000_000
    server.requests.clear()
    folder = downloads.get(ENTRY, models_dir=cache)
    assert (folder / "model.onnx").read_bytes() == MODEL
    assert [r.range for r in server.downloads() if r.path.endswith("model.onnx")] == [here]


def test_a_connection_that_never_holds(server: HubServer, cache: str) -> None:
    server.faults["model.onnx"] = Fault(after=0, times=999, reset=True)
    with pytest.raises(ModelError, match=r"broke off.*0.0 kB of 3.1 MB are here: start again"):
        downloads.get(ENTRY, models_dir=cache)


@pytest.mark.parametrize("fault", [Fault(no_range=True, after=500_000), Fault(unsized=True)])
def test_a_server_without_ranges_or_sizes(server: HubServer, cache: str, fault: Fault) -> None:
    server.faults["model.onnx"] = fault
    folder = downloads.get(ENTRY, models_dir=cache)
    assert (folder / "model.onnx").read_bytes() == MODEL


def test_a_part_of_something_else_is_no_beginning(server: HubServer, cache: str) -> None:
    blobs = Path(cache) / "models--someone--tagger-v3" / "blobs"
    blobs.mkdir(parents=True)
    part = blobs / f"{hashlib.sha256(MODEL).hexdigest()}.incomplete"
    part.write_bytes(b"x" * (len(MODEL) + 1))
    folder = downloads.get(ENTRY, models_dir=cache)
    assert (folder / "model.onnx").read_bytes() == MODEL


def test_two_at_once_download_it_once(server: HubServer, cache: str) -> None:
    server.faults["model.onnx"] = Fault(slow=0.005)
    found: list[Path] = []
    code = f"""
        from tests.models.test_downloads import ENTRY
        from lib_extend.models import downloads
        print(downloads.get(ENTRY, models_dir={cache!r}))
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        env={**os.environ, "HF_HUB_DISABLE_XET": "1"},
        cwd=Path(__file__).parents[2],
    )
    threads = [
        threading.Thread(target=lambda: found.append(downloads.get(ENTRY, models_dir=cache)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    out, _ = other.communicate()
    assert other.returncode == 0 and len(found) == 2 and {str(p) for p in found} == {out.decode().strip()}
    assert (found[0] / "model.onnx").read_bytes() == MODEL
    assert len([r for r in server.downloads() if r.path.endswith("model.onnx")]) == 1


# --- the disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_too_small_is_said_at_once(server: HubServer, small_disk: Path) -> None:
    with pytest.raises(ModelError, match=r"disk is too full.*3.1 MB more are needed and 2.\d MB are free"):
        downloads.get(ENTRY, models_dir=str(small_disk))
    assert not server.downloads()


def test_the_room_for_the_whole_model_is_looked_at_first(server: HubServer, small_disk: Path) -> None:
    third = MODEL[: len(MODEL) // 3]
    parts = {f"model-{i}-of-3.safetensors": third[:-1] + bytes([i]) for i in (1, 2, 3)}
    server.add("someone/vlm", {"config.json": b"{}", **parts})
    with pytest.raises(ModelError, match=r"disk is too full.*3.1 MB more are needed"):
        downloads.get(VLM, models_dir=str(small_disk))
    assert not server.downloads()


def test_a_disk_that_fills_up_in_the_middle(
    server: HubServer, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "check_space", lambda *args: None)  # another program takes the room later
    with pytest.raises(ModelError, match=r"disk is too full.*1.\d MB more are needed.*--models-dir"):
        downloads.get(ENTRY, models_dir=str(small_disk))
    monkeypatch.undo()


def test_a_file_that_may_grow_no_further(server: HubServer, cache: str) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(ModelError, match=r"disk is too full.*2.\d MB more are needed"):
            downloads.get(ENTRY, models_dir=cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_folder_that_cannot_be_made(server: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be (kept|downloaded)"):
        downloads.get(ENTRY, models_dir=str(tmp_path / "file" / "models"))


def test_the_built_in_models_need_nothing(tmp_path: Path) -> None:
    entry = Entry("sketch", "tagger", "wd", folder=tmp_path)
    assert downloads.get(entry, offline=True) == tmp_path and downloads.is_cached(entry)
    missing = Entry("sketch", "tagger", "wd", folder=tmp_path / "gone")
    assert not downloads.is_cached(missing)
    with pytest.raises(ModelError, match="install Prompt Extend again"):
        downloads.get(missing)
