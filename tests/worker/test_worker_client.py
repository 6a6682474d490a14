"""The client and the real worker process: results, deaths, hangs, stops, orphans, noise."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from lib_extend.config import TagConfig
from lib_extend.errors import ModelError, Stopped, UserError, WorkerError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.environment import OVERRIDE, environment
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.process import describe_exit
from lib_extend.worker.protocol import VERSION, Done, Failed, Hello, Result, Setup, Task, decode, encode

Make = Callable[..., WorkerClient]
Picture = Callable[..., Task]
ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def collect(results: Iterable[Result]) -> tuple[dict[str, analyse_picture.Result], dict[str, str]]:
    """What was found by id, and reasons by id; each id once."""
    done: dict[str, analyse_picture.Result] = {}
    failed: dict[str, str] = {}
    for r in results:
        assert r.id not in done and r.id not in failed, "delivered twice"
        if isinstance(r, Done):
            assert isinstance(r.payload, analyse_picture.Result)
            done[r.id] = r.payload
        else:
            failed[r.id] = r.reason
    return done, failed


def path_of(task: Task) -> str:
    assert isinstance(task.payload, analyse_picture.Request)
    return task.payload.path


# --- all well


def test_results(client: Make, picture: Picture) -> None:
    worker, told = client(), []
    setup = Setup(
        tagger="test",
        vlm="test",
        ask=("count",),
        questions=Setup.from_config(TagConfig(), BUILTIN).questions,
    )
    ready = worker.start(setup, lambda *p: told.append(p))
    assert (ready.tagger_key, ready.vlm_key, ready.threshold) == ("test-tagger", "test-vlm", 0.35)
    assert ready.tag_thresholds == {"cake": 0.4} and ready.window > 4
    assert ready.vocabulary == ("cake", "safe")
    assert told == [("weights", 0, 10), ("weights", 10, 10)]
    tasks = [picture(f"p{i}") for i in range(9)]
    tasks.append(picture("only tags", parts=["tags"]))
    tasks.append(picture("only answers", parts=["answers"]))
    done, failed = collect(worker.run(tasks))
    assert not failed and set(done) == {t.id for t in tasks}
    one = done["p3"]
    assert (one.width, one.height) == (24, 18)
    assert [t.name for t in one.parts["tags"]] == ["cake", "safe"]
    assert [(a.question, a.object) for a in one.parts["answers"]] == [("count", "cake")]
    assert set(done["only tags"].parts) == {"tags"}
    assert done["only answers"].parts == {"answers": ()}
    assert worker.restarts == 0


def test_the_package_itself_is_a_worker(tmp_path: Path) -> None:
    """`python -m lib_extend.worker` from anywhere, with no model at all: sizes only."""
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    with WorkerClient() as worker:
        worker.start(Setup())
        done, failed = collect(
            worker.run(
                [
                    analyse_picture.task("1", str(tmp_path / "a.png")),
                    analyse_picture.task("2", "/nowhere.png"),
                ]
            )
        )
        assert (done["1"].width, done["1"].height, done["1"].parts) == (40, 30, {})
        assert failed["2"].startswith("nowhere.png is gone")
        assert worker.pid is not None
    assert worker.pid is None


def test_the_client_imports_nothing_heavy() -> None:
    code = (
        "import sys; import lib_extend.worker.client; "
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'numpy', 'torch', 'PIL', 'onnxruntime'}))"
    )
    env = environment().variables(os.environ)
    assert (
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout == "[]\n"
    )


@posix
def test_names_that_are_no_text(client: Make, setup: Setup, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    tasks = []
    for name in (b"caf\xe9 \xff.png", b"new\nline.png", "🎂.png".encode()):
        raw = os.path.join(os.fsencode(tmp_path), name)
        with contextlib.suppress(OSError), open(raw, "wb") as file:
            file.write(buffer.getvalue())
            tasks.append(analyse_picture.task(os.fsdecode(name), os.fsdecode(raw)))
    worker = client()
    worker.start(setup)
    done, failed = collect(worker.run(tasks))
    assert not failed and set(done) == {t.id for t in tasks}


def test_one_bad_image_costs_one_line(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client()
    worker.start(setup)
    tasks = [picture(f"p{i}", "fail" if i == 5 else "") for i in range(12)]
    Path(path_of(tasks[7])).write_bytes(b"")
    done, failed = collect(worker.run(tasks))
    assert len(done) == 10
    assert failed["p5"] == "The tagger failed on p5.png (RuntimeError: the model does not like this one)."
    assert failed["p7"].startswith("p7.png is empty")
    assert worker.restarts == 0


def test_many_runs_and_early_ends(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client(TEST_DELAY=0.02)
    worker.start(setup)
    tasks = [picture(f"p{i}") for i in range(30)]
    running = worker.run(iter(tasks))
    next(running)
    with pytest.raises(WorkerError, match="busy"):
        next(worker.run(tasks))
    running.close()
    pid = worker.pid
    done, failed = collect(worker.run(replace(t, id="again " + t.id) for t in tasks))
    assert not failed and len(done) == 30 and all(k.startswith("again") for k in done)
    assert worker.start(setup) and worker.pid == pid, "models are not loaded twice"
    assert collect(worker.run([])) == ({}, {})


def test_only_a_few_are_taken_ahead(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client(TEST_DELAY=0.01)
    ready = worker.start(setup)
    one, taken = picture("p"), 0

    def endless() -> Iterable[Task]:
        nonlocal taken
        while True:
            taken += 1
            yield replace(one, id=str(taken))

    running = worker.run(endless())
    for _ in range(5):
        next(running)
    running.close()
    assert taken <= 5 + ready.window


def test_noise_does_not_break_the_protocol(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client(TEST_NOISE=1)
    worker.start(setup)
    done, failed = collect(worker.run([picture("a", "noise"), picture("b"), picture("c", "noise")]))
    assert not failed and len(done) == 3 and all(d.width == 24 for d in done.values())


def test_noise_before_our_code_runs(tmp_path: Path, setup: Setup) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.write(1, b'hello from a site\\nhalf a line')\n")
    with WorkerClient(env={**os.environ, "PYTHONPATH": str(tmp_path)}) as worker:
        assert worker.start(Setup()).tagger_key == ""


# --- deaths


@posix
def test_the_image_that_kills_is_the_only_one_reported(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client()
    worker.start(setup)
    orders = {4: "crash", 9: "segfault", 50: "once"}
    done, failed = collect(worker.run([picture(f"p{i}", orders.get(i, "")) for i in range(60)]))
    assert set(failed) == {"p4", "p9"}
    assert failed["p4"] == "The inference process ended (killed, signal 9) twice on this image."
    assert "crashed, SIGSEGV 11" in failed["p9"]
    assert len(done) == 58 and worker.restarts == 4


@pytest.mark.parametrize("seed", range(3))
@posix
def test_killed_at_random_moments(client: Make, setup: Setup, picture: Picture, seed: int) -> None:
    worker = client(TEST_DELAY=0.03)
    worker.start(setup)
    moments, ended = random.Random(seed), threading.Event()
    killed: list[int] = []
    in_vain = 0  # kills since the last result: three starts in a row may not fail

    def killer() -> None:
        nonlocal in_vain
        while not ended.wait(moments.uniform(0.05, 0.7)):
            pid = worker.pid
            if pid is not None and len(killed) < 4 and in_vain < 2:
                with contextlib.suppress(ProcessLookupError):
                    in_vain += 1
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    def watched() -> Iterator[Result]:
        nonlocal in_vain
        for result in worker.run(tasks):
            in_vain = 0
            yield result

    tasks = [picture(f"p{i}") for i in range(60)]
    thread = threading.Thread(target=killer)
    thread.start()
    try:
        done, failed = collect(watched())
    finally:
        ended.set()
        thread.join()
    assert killed and worker.restarts >= 1
    assert set(done) | set(failed) == {t.id for t in tasks}
    # An image may only be blamed when the worker died on it alone, after dying with it before.
    assert len(failed) < len(killed)
    assert all("twice on this image" in r for r in failed.values())


@posix
def test_a_worker_that_always_dies_is_not_the_images_fault(
    client: Make, setup: Setup, picture: Picture
) -> None:
    worker = client()
    worker.start(setup)
    with pytest.raises(WorkerError, match="8 images in a row"):
        collect(worker.run(picture(f"p{i}", "crash") for i in range(20)))


def test_a_worker_that_cannot_start(client: Make, setup: Setup) -> None:
    with pytest.raises(WorkerError, match=r"3 times before .*exit status 3.*\n.*the driver is missing"):
        client(TEST_START="die").start(setup)


def test_no_such_python(setup: Setup, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="cannot be started"):
        WorkerClient([str(tmp_path / "python")]).start(setup)
    with pytest.raises(UserError, match=f"{OVERRIDE} names"):
        environment({OVERRIDE: str(tmp_path / "python")})
    assert environment({OVERRIDE: sys.executable}).python == sys.executable


def test_a_model_that_cannot_be_had(client: Make, setup: Setup) -> None:
    worker = client()
    with pytest.raises(ModelError, match="There is no tagger called 'unknown'"):
        worker.start(Setup(tagger="unknown"))
    assert worker.start(setup).tagger_key == "test-tagger"
    with pytest.raises(ModelError, match=r"could not be loaded \(KeyError: 'config.json'\)"):
        client(TEST_START="bug").start(setup)


def test_a_question_that_does_not_exist(client: Make) -> None:
    with pytest.raises(ModelError, match="no question called 'weather'"):
        client().start(Setup(tagger="test", ask=("weather",)))


def test_a_hanging_worker_is_a_dead_one(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client(hang_seconds=1.0)
    worker.start(setup)
    done, failed = collect(worker.run([picture("a"), picture("b", "hang"), picture("c")]))
    assert set(done) == {"a", "c"}
    assert failed == {"b": "The inference process ended (it gave no sign for 1 seconds) twice on this image."}


# --- the end


@pytest.mark.parametrize("order", ["slow", ""])
def test_stop_within_a_second(client: Make, setup: Setup, picture: Picture, order: str) -> None:
    worker = client(TEST_DELAY=0.02)
    worker.start(setup)
    running = worker.run([picture(f"p{i}", order) for i in range(200)])
    if order != "slow":
        assert next(running)
    threading.Timer(0.3, worker.stop).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        collect(running)
    assert time.monotonic() - began < 1.3
    assert worker.pid is None
    with pytest.raises(Stopped):
        worker.start(setup)


def test_stop_while_models_load(client: Make, setup: Setup) -> None:
    worker = client()
    threading.Timer(0.02, worker.stop).start()
    began = time.monotonic()
    with contextlib.suppress(Stopped):
        worker.start(setup)
        with pytest.raises(Stopped):
            collect(worker.run([analyse_picture.task("1", "x")]))
    assert time.monotonic() - began < 5


def test_an_idle_worker_ends_and_comes_back(client: Make, setup: Setup, picture: Picture) -> None:
    worker = client()
    worker.start(replace(setup, idle_seconds=0.3))
    assert len(collect(worker.run([picture("a")]))[0]) == 1
    pid = worker.pid
    assert pid is not None
    wait_for_end(pid, 5)
    done, failed = collect(worker.run([picture("b")]))
    assert set(done) == {"b"} and not failed


def wait_for_end(pid: int, seconds: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                return
            time.sleep(0.05)
        pytest.fail(f"process {pid} is still there after {seconds} seconds")


PARENT = """
import os, sys, time
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds.analyse_picture import task
from lib_extend.worker.protocol import Setup
worker = WorkerClient([sys.executable, sys.argv[1]])
worker.start(Setup(tagger="test"))
if sys.argv[3] == "fork":
    if os.fork() == 0:
        time.sleep(20)  # a child that keeps the worker's input open
        os._exit(0)
print(worker.pid, flush=True)
for _ in worker.run([task("1", sys.argv[2])]):
    pass
"""


@pytest.mark.parametrize("how", ["busy", pytest.param("fork", marks=posix)])
def test_no_orphan(picture: Picture, how: str) -> None:
    program = str(Path(__file__).with_name("process.py"))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, program, path_of(picture("p", "slow")), how],
        stdout=subprocess.PIPE,
        env=environment().variables(os.environ),
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    children = [c for c in psutil.Process(parent.pid).children() if c.pid != pid]
    parent.kill()
    parent.wait()
    wait_for_end(pid, 5)
    parent.stdout.close()
    for child in children:
        child.kill()


@posix
def test_ctrl_c_is_the_parents_alone(client: Make, setup: Setup) -> None:
    worker = client()
    worker.start(setup)
    assert worker.pid is not None and os.getpgid(worker.pid) != os.getpgrp()


def test_closing_is_quick(client: Make, setup: Setup) -> None:
    worker = client()
    worker.start(setup)
    pid, began = worker.pid, time.monotonic()
    worker.close()
    assert time.monotonic() - began < 2 and pid is not None
    wait_for_end(pid, 0.1)


# --- versions and strangers


def stranger(tmp_path: Path, *lines: bytes) -> WorkerClient:
    """A client of a program that says `lines` and listens."""
    path = tmp_path / "stranger.py"
    path.write_text(
        f"import sys\nfor line in {list(lines)!r}:\n    sys.stdout.buffer.write(line)\n"
        "    sys.stdout.flush()\n    sys.stdin.readline() if b'Hello' in line else None\n"
        "sys.stdin.read()\n"
    )
    return WorkerClient([sys.executable, str(path)])


def test_a_worker_of_another_version(tmp_path: Path, setup: Setup) -> None:
    with stranger(tmp_path, encode(Hello(99))) as worker, pytest.raises(WorkerError, match="protocol 99"):
        worker.start(setup)


def test_a_worker_that_speaks_nonsense(tmp_path: Path, setup: Setup) -> None:
    for line, what in ((b'{"type":"Dance"}\n', "unknown kind 'Dance'"), (b"oops\n", "no message")):
        with (
            stranger(tmp_path, encode(Hello(VERSION)), line) as worker,
            pytest.raises(WorkerError, match=what),
        ):
            worker.start(setup)


def talk(*lines: bytes) -> list[str]:
    """The kinds of messages the real worker answers to `lines`."""
    command = [*environment().command()]
    env = environment().variables(os.environ)
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(b"".join(lines))
        process.stdin.flush()
        said = []
        for line in process.stdout:
            if line.strip():
                said.append(decode(line))
            if type(said[-1]).__name__ in ("Broken", "Ready") if said else False:
                break
    return [type(m).__name__ for m in said]


def test_the_worker_refuses_what_it_does_not_know() -> None:
    assert talk(encode(Setup(version=99))) == ["Hello", "Broken"]
    assert talk(b'{"type":"Dance"}\n') == ["Hello", "Broken"]
    assert talk(encode(analyse_picture.task("1", "a"))) == ["Hello", "Broken"]
    assert talk(encode(Failed("1", "a"))) == ["Hello", "Broken"]
    assert talk(encode(Setup())) == ["Hello", "Ready"]


def test_exits_in_words() -> None:
    assert describe_exit(-9) == "killed, signal 9"
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(0xC0000005) == "crashed, access violation"
