"""The documentation of the API is true: every route is in it, examples look like answers, and curl.md runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extend.api import reference_page
from lib_extend.api.finding import all_routes
from lib_extend.config import TagConfig, settings
from lib_extend.generation.lora_sources import PUBLISHED_REPO
from lib_extend.services import container
from lib_extend.services.lora_offers import Sources
from tests.generation.lora_files import BACKGROUND_TAGS, SEPARATION_TAGS, lora, published
from tests.generation.lora_server import LoraServer

from .conftest import FAKE, Live, Server

ROOT = Path(__file__).resolve().parents[2]
Pictures = Callable[..., None]


def routes(server: Server) -> set[tuple[str, str]]:
    """Method and path of every route that is served."""
    (mounted,) = [r for r in server.app.router.routes if getattr(r, "name", "") == "prompt-extend"]
    inner = mounted.app.built().served.routes
    return {(m, re.sub(r":\w+\}", "}", r.path)) for r in inner for m in r.methods if m != "HEAD"}


def test_every_route_is_documented_and_there(server: Server) -> None:
    documented = {(r.method, r.plain_path) for r in all_routes()}
    assert len(documented) == len(all_routes())
    assert documented == routes(server)


def test_the_openapi_document(server: Server) -> None:
    document = server.get("/openapi.json")
    operations = [o for path in document["paths"].values() for o in path.values()]
    ids = [o["operationId"] for o in operations]
    assert len(ids) == len(set(ids)) == len(all_routes())
    assert all(p.startswith("/prompt-extend/v1/") for p in document["paths"])
    known = document["components"]["schemas"]["Settings"]["properties"]
    assert list(known) == [s.name for s in settings(TagConfig)]
    assert known["threshold"]["type"] == ["number", "null"] and known["threshold"]["maximum"] == 1.0
    assert known["ask"] | {"description": ""} == {
        "type": "array", "items": {"type": "string"}, "default": list(TagConfig().ask), "description": "",
    }  # fmt: skip
    references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
    assert set(references) == set(document["components"]["schemas"])
    for operation in operations:
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        path = next(p for p, o in document["paths"].items() if operation in o.values())
        assert named == set(re.findall(r"\{(\w+)\}", path))


def test_the_page_holds_the_reference_as_it_is() -> None:
    file = ROOT / "docs" / "api.md"
    text = file.read_text(encoding="utf-8")
    assert text == reference_page.page(text), "run: python -m lib_extend.api.reference_page docs/api.md"


def test_the_reference_is_served(server: Server) -> None:
    answer = server.request("GET", "/docs.md")
    assert answer.text == reference_page.markdown(all_routes()) and answer.headers["content-type"].startswith(
        "text/markdown"
    )


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoraServer]:
    """A server that offers LoRAs."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with LoraServer() as shop:
        shop.release(
            PUBLISHED_REPO, "v1", {"separation.safetensors": lora(**published(12004, SEPARATION_TAGS))}
        )
        yield shop


def test_answers_look_like_their_examples(
    server: Server, folder: Path, pictures: Pictures, shop: LoraServer
) -> None:
    """Every route that answers in JSON is asked, and its answer has the members the example has."""
    pictures(folder, "pair.png", "cake3-red.png", "fail.png", size=(64, 48))
    id = server.open(folder)
    config = {**FAKE, "people": True, "format": "greek"}
    job = server.job(id, config=config)
    server.wait(job)
    server.request("PUT", "/presets/cats", json={"config": {"tagger": "sketch"}})
    image = "cake3-red.png"
    ann = {"name": "Ann", "prompt": "black hair", "box": [0, 0, 0.5, 1]}
    cast = {
        "characters": [ann, {"name": "Ben"}],
        "things": [{"object": "cake", "number": 3}],
        "background_lora": {"name": "background"},
    }
    server.request("PUT", "/casts/cats", json={"cast": cast})
    server.request("PUT", "/characters/cats", json={"character": ann})
    (server.loras / "background.safetensors").write_bytes(lora(**published(9330, BACKGROUND_TAGS)))
    (folder / "mine.safetensors").write_bytes(lora(**published(12004, SEPARATION_TAGS)))
    server.services.downloads._sources = Sources(shop.url, shop.url)
    (offer,) = server.get("/loras/offers", source="github")["offers"]
    download = server.post("/loras/get", {"source": "github", "id": offer["id"]})
    sent: dict[tuple[str, str], Any] = {
        ("POST", "/worker"): {"action": "unload"},
        ("POST", "/host"): {"action": "unload"},
        ("POST", "/questions/check"): {"text": "What season is it? [summer, winter]"},
        ("PUT", "/presets/{name}"): {"config": {"tagger": "sketch"}},
        ("POST", "/presets/import"): {"name": "cats", "config": {}},
        ("DELETE", "/folders/recent"): {"path": "/nowhere"},
        ("POST", "/folders/open"): {"path": str(folder)},
        ("POST", "/jobs"): {"folder": id, "kind": "preview", "config": config},
        ("POST", "/jobs/{job}"): {"action": "stop"},
        ("POST", "/analyze"): {"path": str(folder / "pair.png"), "config": config},
        ("POST", "/datasets/{folder}/review"): {
            "image": image, "question": "color", "object": "cake", "verdict": "accept",
        },
        ("POST", "/datasets/{folder}/persons"): {"image": "pair.png", "persons": []},
        ("POST", "/datasets/{folder}/compose"): {"image": "pair.png", "config": config},
        ("POST", "/datasets/{folder}/curation/picture"): {"image": image},
        ("POST", "/datasets/{folder}/curation/overrules"): {"tag": "hat", "decision": "keep"},
        ("POST", "/compile"): cast,
        ("POST", "/expand"): {"prompt": "1girl, cake", "expander": "sketch"},
        ("POST", "/cast/expand"): {**cast, "prompt": "1girl, cake", "expansion": {"expander": "sketch"}},
        ("POST", "/cast/from-picture"): {"folder": id, "image": "pair.png", "config": config},
        ("POST", "/loras/get"): {"source": "github", "id": offer["id"]},
        ("POST", "/loras/import"): {"path": str(folder / "mine.safetensors")},
        ("POST", "/captions/pieces"): {"text": "(smile:1.2)\n"},
        ("PUT", "/questions/own/{name}"): {"ask": "What season is it?", "answers": ["summer", "winter"]},
        ("PUT", "/casts/{name}"): {"cast": cast},
        ("PUT", "/characters/{name}"): {"character": ann},
        ("PUT", "/datasets/{folder}/images/{image}/caption"): None,
        ("POST", "/datasets/{folder}/edit"): {"filter": "", "action": "add", "tags": ["new"], "preview": True},
        ("POST", "/datasets/{folder}/lint/mend"): {"codes": ["all"], "trigger": "mychar"},
        ("POST", "/datasets/{folder}/left-out"): {"ids": [image], "back": True},
        }  # fmt: skip
    query = {
        "/vocabulary/tags": {"names": "peace_sign"},
        "/loras/offers": {"source": "github"},
        "/folders/browse": {"path": str(folder.parent)},
        "/datasets/{folder}/review": {"below": 1},
        "/datasets/{folder}/compose": {"image": "pair.png", "config": json.dumps(config)},
    }
    names = {"name": "cats", "job": job, "folder": id, "image": image, "run": "1", "path": "app.mjs"}
    names["id"] = download["id"]
    left_out = {("POST", "/environment"), ("GET", "/models")}  # see test_settings
    for doc in all_routes():
        where = (doc.method, doc.plain_path)
        if isinstance(doc.gives, str) or where in left_out or where == ("DELETE", "/presets/{name}"):
            continue
        path = doc.plain_path.format(**names)
        body = sent.get(where, {})
        if body is None:
            before = server.get(f"/datasets/{id}/images/{image}")["caption"]
            body = {"caption": "3 cakes, red cake", "before": before}
        elif where == ("POST", "/jobs"):
            server.services.jobs.stop_all()
        options = {"params": query.get(doc.plain_path)} if doc.method == "GET" else {"json": body}
        answer = server.request(doc.method, path, **options)
        assert answer.status_code == 200, (where, answer.text)
        assert_alike(answer.json(), doc.gives, f"{doc.method} {doc.plain_path}")
        server.services.jobs.stop_all()
    assert server.request("DELETE", "/presets/cats", json={}).json() == {"deleted": "cats"}


def assert_alike(value: Any, example: Any, where: str) -> None:
    """The same members, down to the first of each list, and types that go together."""
    if isinstance(example, dict) and example and value is not None:
        assert isinstance(value, dict), where
        if not where.endswith((".config", ".packages", ".unfinished", ".fields", ".overrules", ".added")):
            assert set(value) == set(example), where
        for name in set(value) & set(example):
            assert_alike(value[name], example[name], f"{where}.{name}")
    elif isinstance(example, list) and example and value:
        assert_alike(value[0], example[0], f"{where}[0]")
    elif value is not None and example is not None and not isinstance(example, (dict, list)):
        number = (int, float)
        both = isinstance(value, number) and isinstance(example, number)
        assert both or type(value) is type(example), (where, value, example)


# curl.md


def blocks() -> list[tuple[str, str]]:
    """(commands, expected output) in the page's order; what is expected may be nothing."""
    text = (ROOT / "docs" / "curl.md").read_text(encoding="utf-8")
    found = re.findall(r"```sh\n(.*?)```(?:\s*```json\n(.*?)```)?", text, re.DOTALL)
    assert len(found) == text.count("```sh\n") > 10
    return found


def pattern(expected: str) -> re.Pattern[str]:
    """What is expected, `…` standing for anything and a new line for any space, also none."""
    parts = [r"\s*".join(map(re.escape, part.split("\n"))) for part in expected.strip().split("…")]
    return re.compile(".*?".join(parts), re.DOTALL)


@pytest.fixture
def real(tmp_path: Path, shop: LoraServer) -> Iterator[Live]:
    """A server with the real worker, and with a WebUI's LoRA folder."""
    server = Server(tmp_path / "unused")
    server.services.close()
    server.services = container.make(
        data=tmp_path / "data",
        safety=lambda: server.safety,
        credentials=dict,
        options=lambda: server.options,
        lora_folders=lambda: [server.loras],
        sources=Sources(shop.url, shop.url),
    )
    live = Live(server)
    yield live
    server.services.close()
    assert live.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl and bash")
def test_the_examples_run(real: Live, tmp_path: Path) -> None:
    for needed in ("onnxruntime", "torch", "transformers"):
        pytest.importorskip(needed)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for sample in (ROOT / "samples").iterdir():
        if sample.suffix != ".jsonl":
            shutil.copy(sample, folder)
    text = (ROOT / "docs" / "curl.md").read_text(encoding="utf-8")
    (setup,) = re.findall(r"```sh setup\n(.*?)```", text, re.DOTALL)
    mine = re.sub(r"^(API|FOLDER)=.*\n", "", setup, flags=re.MULTILINE)
    mark = "=== next ==="
    parts = [f"set -euo pipefail\n{mine}"]
    parts += [f"{commands}\nprintf '\\n{mark}\\n'" for commands, _ in blocks()]
    done = subprocess.run(
        ["bash", "-c", "\n".join(parts)],
        env={**os.environ, "API": real.url, "FOLDER": str(folder), "no_proxy": "127.0.0.1"},
        capture_output=True,
        timeout=560,
        check=False,
    )
    outputs = done.stdout.decode().split(f"\n{mark}\n")
    assert done.returncode == 0, (done.stderr.decode(), outputs[-1][-2000:])
    for (commands, expected), output in zip(blocks(), outputs, strict=False):
        assert pattern(expected).search(output), f"{commands}\ngave\n{output[:3000]}"
    assert (tmp_path / "small.jpg").read_bytes().startswith(b"\xff\xd8")
    assert not list(folder.glob("*.txt")), "all runs were taken back"
