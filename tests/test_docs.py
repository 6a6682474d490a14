"""The worked examples of CONTRIBUTING, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.datasets.question_files import own_questions
from lib_extend.questions.answer_reading import read
from lib_extend.questions.asking import next_round, select
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Kind, Question
from lib_extend.records import Reply

from . import house
from .models import tiny_onnx

ROOT = Path(__file__).resolve().parents[1]


def test_the_table_of_rooms_and_the_diagram_are_up_to_date() -> None:
    for page, text in house.pages().items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name} is old: python -m tests.house"


def test_the_tests_that_hold_the_promises_are_there() -> None:
    text = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 30
    for file, test in named:
        code = (ROOT / file).read_text(encoding="utf-8")
        assert not test or re.search(rf"^(def {test}\(|class {test}\b|{test}\b.*=)", code, re.M), (
            f"{file}::{test}"
        )


def example(name: str, language: str = "python") -> str:
    """The code block of CONTRIBUTING marked ```python NAME."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language} {name}\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 1
    return str(blocks[0])


def test_add_a_question() -> None:
    question = eval(example("question").strip(), {"Question": Question, "Kind": Kind})
    table = select((*BUILTIN, question), ["time"])
    assert not next_round(table, {"indoors": 0.9}, [])
    asked = next_round(table, {"outdoors": 0.9}, [])
    assert [a.prompt.text for a in asked] == [question.ask]
    assert read(asked[0], Reply("It is evening.")).tag == "evening"
    assert read(asked[0], Reply("It is spring.")).tag == ""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package to add files to, without the built-in models' weights."""
    target = tmp_path / "copy"
    shutil.copytree(
        ROOT / "lib_extend",
        target / "lib_extend",
        ignore=shutil.ignore_patterns("__pycache__", "weights"),
    )
    return target


def run_in(copy: Path, code: str) -> str:
    """What a program prints that finds the package in the copy."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(copy)},
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_add_a_setting(copy: Path) -> None:
    file = copy / "lib_extend" / "config" / "caption_settings.py"
    head = '    """How a caption is written, and what becomes of one that is there."""\n'
    text = file.read_text(encoding="utf-8")
    assert text.count(head) == 1
    file.write_text(text.replace(head, f"{head}\n{example('setting')}"), encoding="utf-8")
    printed = run_in(
        copy,
        "from lib_extend.cli.main import main\n"
        "from lib_extend.config import TagConfig\n"
        "config = TagConfig.from_dict({'line_end': 'x'})\n"
        "print(config.line_end, config.changed(), TagConfig().line_end == '')\n"
        "main(['tag', '--help'])",
    )
    assert printed.startswith("x {'line_end': 'x'} True")
    assert "--line-end TEXT" in printed and "text put at the end of every caption" in printed


def test_add_a_view(copy: Path) -> None:
    file = copy / "lib_extend" / "web" / "app" / "views" / "notes.mjs"
    file.write_text(example("view", "js"), encoding="utf-8")
    printed = run_in(
        copy,
        "from lib_extend import web\n"
        "print(web.views()[-1])\n"
        "print(b'./notes.mjs' in web.read_page(web.VIEW_TABLE)[0], web.read_page('views/notes.mjs')[1])",
    )
    assert printed.splitlines() == ["('notes', 'Notes')", "True text/javascript; charset=utf-8"]


def test_add_a_style(copy: Path) -> None:
    (copy / "lib_extend" / "captions" / "styles" / "cards_style.py").write_text(
        example("style"), encoding="utf-8"
    )
    code = f"""
import sys
sys.path.append({str(ROOT)!r})
from lib_extend.captions.composing import compose
from lib_extend.captions.person_edits import reconcile, remember_file
from lib_extend.config import TagConfig, format_names
from tests.captions.scenes import scene

assert "cards" in format_names()
config = TagConfig(people=True, threshold=0.5, format="cards", exclude=["/vocaloid|wlop|year.*|.*quality/"])
made = compose(scene(2), config)
print(made.text)
memory = remember_file(made, config, None, None)
edited = made.text.replace("red eyes", "one red eye, my pin")
existing = reconcile(memory, edited)
again = compose(scene(2), config, existing=existing)
print(again.text == edited)
memory = remember_file(again, config, existing, memory)
print(compose(scene(2), config.with_(format="greek"), existing=reconcile(memory, again.text)).text)
"""
    written, kept, greek = run_in(copy, code).splitlines()
    assert written == (
        "2girls, hatsune miku, indoors, chair [black hair, red eyes, dress] [white hair, blue eyes, skirt]"
    )
    assert kept == "True"
    assert "α one red eye" in greek and "α my pin" in greek and "α red eyes" not in greek


def test_add_a_tagger(copy: Path) -> None:
    (copy / "lib_extend" / "models" / "taggers" / "plain_list.py").write_text(
        example("tagger"), encoding="utf-8"
    )
    tiny_onnx.build(copy / "mine" / "model.onnx", side=64)
    names = [f"tag {i}" for i in range(tiny_onnx.LABELS)]
    (copy / "mine" / "tags.txt").write_text("\n".join(names), encoding="utf-8")
    Image.new("RGB", (128, 32), (255, 0, 51)).save(copy / "red.png")
    code = """
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Setup

with WorkerClient() as worker:
    ready = worker.start(Setup(tagger="mine", device="cpu"))
    (done,) = worker.run([analyse_picture.task("1", "red.png", ["tags"])])
print((ready.tagger_key, {tag.name: tag.score for tag in done.payload.parts["tags"]}))
"""
    key, scores = eval(run_in(copy, code))
    assert key.startswith("plain_list1-") and len(scores) == 128
    assert scores["tag_0"] == pytest.approx(1.0, abs=0.01)
    assert scores["tag_191"] == pytest.approx(0.2, abs=0.01) and "tag_64" not in scores


def test_add_a_step(copy: Path) -> None:
    """The step acts in the command line's report and in the captions; a person's words and undo are as ever."""
    (copy / "lib_extend" / "curation" / "steps" / "mark_step.py").write_text(
        example("step"), encoding="utf-8"
    )
    folder = copy / "pictures"
    folder.mkdir()
    texts = {"a": "1girl, watermark, web address, smile", "b": "1girl, hat"}
    for name, text in texts.items():
        Image.new("L", (8, 8)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    command = "from lib_extend.cli.main import main\nmain({})"
    curate = ["curate", str(folder), "--prune", "minimal", "--adopt"]
    printed = run_in(copy, command.format(curate))
    assert "it was written onto the picture: 2 tags, 2 times" in printed
    assert "watermark: it was written onto the picture" in printed and "1 caption changed" in printed
    assert (folder / "a.txt").read_text(encoding="utf-8") == "1girl, smile"
    run_in(copy, command.format(["undo", str(folder)]))
    assert {f.stem: f.read_text(encoding="utf-8") for f in folder.glob("*.txt")} == texts
    run_in(copy, command.format(curate[:-1]))
    assert {f.stem: f.read_text(encoding="utf-8") for f in folder.glob("*.txt")} == texts


def test_add_an_expander(copy: Path) -> None:
    (copy / "lib_extend" / "models" / "expanders" / "word_list.py").write_text(
        example("expander"), encoding="utf-8"
    )
    folder = copy / "mine"
    folder.mkdir()
    (folder / "goes_with.json").write_text('{"beach": ["ocean", "indoors", "sand", "hat"]}', encoding="utf-8")
    code = """
from lib_extend.expanding.prompt_functions import expand_tags, load_expander
expander = load_expander("mine", device="cpu")
drafts = expand_tags("1girl, beach, outdoors", expander=expander, ban=["hat"], seed=1, drafts=2)
print([(sorted(d.tags), d.text.startswith("1girl, beach, outdoors, ")) for d in drafts])
"""
    assert run_in(copy, code) == "[(['ocean', 'sand'], True), (['ocean', 'sand'], True)]\n"


def test_add_a_part(copy: Path) -> None:
    (copy / "lib_extend" / "parts" / "brightness.py").write_text(example("part"), encoding="utf-8")
    Image.new("L", (300, 200), 51).save(copy / "dark.png")
    code = """
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Setup

with WorkerClient() as worker:
    worker.start(Setup())
    (done,) = worker.run([analyse_picture.task("1", "dark.png", ["brightness", "tags"])])
print(done.payload)
"""
    assert run_in(copy, code) == "Result(width=300, height=200, parts={'brightness': 0.2}, unmade={})\n"


def test_add_a_kind_of_task(copy: Path) -> None:
    kinds = copy / "lib_extend" / "worker" / "kinds"
    (kinds / "expand_prompt.py").write_text(example("kind"), encoding="utf-8")
    code = """
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds.expand_prompt import Request
from lib_extend.worker.protocol import Setup, Task

with WorkerClient() as worker:
    worker.start(Setup())
    tasks = [Task(str(i), "expand_prompt", Request(["beach"] * i + ["1girl"])) for i in range(3)]
    print({done.id: done.payload.tags for done in worker.run(tasks)})
"""
    assert eval(run_in(copy, code)) == {
        "0": ["1girl"],
        "1": ["beach", "1girl", "ocean", "sand"],
        "2": ["beach", "1girl", "ocean", "sand"],
    }


def test_add_a_kind_of_job(copy: Path) -> None:
    kinds = copy / "lib_extend" / "jobs" / "kinds"
    (kinds / "sort_tags_job.py").write_text(example("job"), encoding="utf-8")
    folder = copy / "pictures"
    folder.mkdir()
    for name, text in (("a", "cake, hat, bag"), ("b", "cat"), ("c", "apple, zebra")):
        Image.new("RGB", (8, 8)).save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    code = f"""
from pathlib import Path
from starlette.applications import Starlette
from starlette.testclient import TestClient
from lib_extend.api import mounting
from lib_extend.services import container
app = Starlette()
services = container.make(data=Path("data"))
mounting.mount(app, services=services)
client = TestClient(app, base_url="http://127.0.0.1:7860")
api = "/prompt-extend/v1"
folder = Path({str(folder)!r})
id = client.post(api + "/folders/open", json={{"path": str(folder)}}).json()["id"]

def done(kind, **options):
    job = client.post(api + "/jobs", json={{"folder": id, "kind": kind, "options": options}}).json()["id"]
    while (row := client.get(f"{{api}}/jobs/{{job}}").json())["state"] == "running":
        pass
    print(row["kind"], row["state"], row["done"], row["written"], row["run"])
    print([file.read_text() for file in sorted(folder.glob("*.txt"))])

done("sort_tags", backwards=True)
done("undo")
services.close()
"""
    assert run_in(copy, code).splitlines() == [
        "sort_tags done 3 2 1",
        "['hat, cake, bag', 'cat', 'zebra, apple']",
        "undo done 2 2 1",
        "['cake, hat, bag', 'cat', 'apple, zebra']",
    ]


def test_add_a_route(copy: Path) -> None:
    routes = copy / "lib_extend" / "api" / "routes"
    (routes / "difference_routes.py").write_text(example("route"), encoding="utf-8")
    code = """
from pathlib import Path
from starlette.applications import Starlette
from starlette.testclient import TestClient
from lib_extend.api import mounting
from lib_extend.services import container
app = Starlette()
services = container.make(data=Path("data"))
mounting.mount(app, services=services)
client = TestClient(app, base_url="http://localhost/prompt-extend/v1")
for name, config in (("a", {"threshold": 0.4}), ("b", {"threshold": 0.5, "max_tags": 9})):
    assert client.put(f"presets/{name}", json={"config": config}).status_code == 200
told = client.get("openapi.json").json()["paths"]["/prompt-extend/v1/presets/{name}/differences"]["get"]
print([
    client.get("presets/a/differences", params={"to": "b"}).json(),
    client.get("presets/a/differences").json(),
    [p["name"] for p in told["parameters"]],
    "The settings in which two presets differ." in client.get("docs.md").text,
])
services.close()
"""
    assert eval(run_in(copy, code)) == [
        {"differences": ["max_tags", "threshold"]},
        {"error": "to is needed.", "code": "needed", "field": "to", "name": "to"},
        ["name", "to"],
        True,
    ]


def test_the_questions_of_the_docs_work(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "captions.md").read_text(encoding="utf-8")
    file = tmp_path / "own.toml"
    file.write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8")
    lines = [" ".join(text.split()) for text in re.findall(r'--question "([^"]*)"', page)]
    assert len(lines) == 3
    own = own_questions([str(file)], lines, BUILTIN)[len(BUILTIN) :]
    assert [q.kind.value for q in own] == ["one_of", "one_of", "yes_no", "free"]
    assert own[0].rephrased and own[2].tag == "rain"


def test_the_functions_of_the_docs_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line with a `# [...]` comment gives what the comment says."""
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python functions\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    checked = 0
    for code in blocks:
        names: dict[str, Any] = {}
        for line in code.splitlines():
            said = re.match(r"(\w+(?:\(.*\))?)\s+# (\[[^]]*\])", line)
            if said:
                assert eval(said[1], names) == eval(said[2]), line
                checked += 1
            else:
                exec(line, names)
    assert checked == 5
    each = names["each"]
    assert {"blue_hair", "yellow_shirt"} <= set(each[0]) and {"white_hair", "white_shirt"} <= set(each[1])
