"""Two jobs that could write in one folder exclude each other, whatever the folder is called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib_extend.errors import BusyError
from lib_extend.files import lock
from lib_extend.files.lock import claimed, locked


@pytest.fixture(autouse=True)
def list_of_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "jobs"
    monkeypatch.setenv(lock.JOBS_VARIABLE, str(place))
    return place


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    outer = tmp_path / "D"
    inner = outer / "sub"
    inner.mkdir(parents=True)
    return outer, inner


def refused(root: Path, *folders: Path) -> str:
    with pytest.raises(BusyError) as raised, claimed(root, folders):
        pass
    return str(raised.value)


def test_a_folder_and_its_subfolder(folders: tuple[Path, Path]) -> None:
    outer, inner = folders
    with claimed(outer, [outer, inner]):
        sentence = refused(inner, inner)
        assert f"The job on {outer} (process {os.getpid()}, since" in sentence and str(inner) in sentence
        with claimed(outer / "other", [outer / "other"]):
            pass
    with claimed(inner, [inner]):
        assert f"The job on {inner}" in refused(outer, outer, inner)
        with claimed(outer, [outer]):
            pass  # without its subfolders it writes elsewhere


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_link_is_the_folder_it_leads_to(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, inner = folders
    link = tmp_path / "link"
    link.symlink_to(inner)
    with claimed(inner, [inner]):
        assert "wait until it ends" in refused(tmp_path, link)


def test_names_that_differ_in_case_are_compared_by_the_folder(folders: tuple[Path, Path]) -> None:
    outer, inner = folders
    other = outer / "SUB"
    if not other.exists():
        pytest.skip("a file system that tells them apart")
    with claimed(inner, [inner]):
        assert refused(other, other)


def test_a_killed_job_is_forgotten(folders: tuple[Path, Path], list_of_jobs: Path) -> None:
    outer, inner = folders
    code = (
        "import sys, time, pathlib\n"
        "from lib_extend.files.lock import claimed\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with claimed(folder, [folder]):\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    job = subprocess.Popen([sys.executable, "-c", code, str(inner)], stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None and job.stdout.readline() == "ready\n"
    assert f"process {job.pid}" in refused(outer, inner)
    job.kill()
    job.communicate()
    with claimed(outer, [inner]):
        pass
    assert [p.name for p in list_of_jobs.iterdir() if p.suffix == ".json"] == []


def test_a_damaged_list_is_no_trouble(folders: tuple[Path, Path], list_of_jobs: Path) -> None:
    _, inner = folders
    list_of_jobs.mkdir()
    for name, text in (("a", "{"), ("b", "[1]"), ("c", json.dumps({"folders": 3}))):
        (list_of_jobs / f"{name}.json").write_text(text)
    with claimed(inner, [inner]):
        pass


def test_no_place_for_the_list(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(lock.JOBS_VARIABLE, str(tmp_path / "file"))
    with claimed(folders[0], [folders[1]]), claimed(folders[1], [folders[1]]):
        pass  # each dataset's own lock is what there is


def test_one_job_a_dataset(folders: tuple[Path, Path], tmp_path: Path) -> None:
    outer, _ = folders
    with (
        locked(tmp_path / "state", outer),
        pytest.raises(BusyError, match=r"Another job is running on .*D \(process \d+, since"),
        locked(tmp_path / "state", outer),
    ):
        pass
    with locked(tmp_path / "state", outer):
        pass


def test_a_job_that_fails_leaves_no_owner_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "state", tmp_path):
        assert (tmp_path / "state" / "owner.json").is_file()
        raise RuntimeError
    assert not (tmp_path / "state" / "owner.json").exists()
