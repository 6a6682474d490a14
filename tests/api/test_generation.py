"""The panel's routes: what can be chosen, what a cast compiles to, what is kept."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extend.generation.background import OBJECTS
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import compile_cast
from lib_extend.vocabulary import clip_tokens as tokens
from tests.generation.casts import TWO
from tests.generation.lora_files import BACKGROUND_TAGS, SEPARATION_TAGS, lora, published

from .conftest import Server

MKSTEMP = tempfile.mkstemp
ANN = {"name": "Ann", "prompt": "1girl, black hair", "box": [0, 0, 0.5, 1]}
BEN = {"name": "Ben", "prompt": "1boy, white hair", "negative": "hat", "box": [0.5, 0, 1, 1], "weight": 0.8}


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG")
    return out.getvalue()


def test_what_the_panel_offers(server: Server) -> None:
    told = server.get("/panel")
    assert (told["regions"], told["reason"], told["family"]) == (True, "", "sdxl")
    assert told["letters"] == list("αβγδε") and told["max_characters"] == 5
    assert told["objects"] == list(OBJECTS) and {"red", "blue"} < set(told["colors"])
    assert "wooden" in told["floors"] and told["arrangements"] == ["columns", "rows", "grid"]
    server.loaded.reason, server.loaded.kind = "Flux has no cross-attention", "flux"
    told = server.get("/panel")
    assert (told["regions"], told["reason"], told["family"]) == (False, "Flux has no cross-attention", "flux")


def test_what_is_compiled_is_what_will_be_generated(server: Server) -> None:
    body = {**TWO.to_json(), "prompt": "best quality", "negative_prompt": "blurry"}
    told = server.post("/compile", body)
    made = compile_cast(TWO, "best quality", "blurry")
    assert (told["prompt"], told["negative_prompt"]) == (made.prompt, made.negative)
    assert [r["prompt"] for r in told["regions"]] == [r.prompt for r in made.regions]
    assert [r["negative"] for r in told["regions"]] == [r.negative for r in made.regions]
    assert [(r["letter"], r["name"], r["weight"]) for r in told["regions"]] == [
        ("α", "Ann", 1.0), ("β", "Ben", 0.8),
    ]  # fmt: skip
    assert told["regions"][1]["box"] == [0.5, 0, 1, 1]
    assert told["summary"].startswith("2 characters (α Ann, β Ben)")
    assert not any("mask" in r for r in told["regions"])
    # the extra network is none of the text encoder's
    assert "<lora:separation:0.8>" in told["prompt"]
    assert told["tokens"] == tokens.count(made.prompt.replace("<lora:separation:0.8>", ""))
    assert told["negative_tokens"] == tokens.count(made.negative)
    assert told["regions"][0]["tokens"] == tokens.count(made.regions[0].prompt)


def test_masks(server: Server) -> None:
    body = {"characters": [ANN, BEN], "base_weight": 0.2, "width": 96, "height": 64, "masks": True}
    images = []
    for region in server.post("/compile", body)["regions"]:
        head, _, data = region["mask"].partition(",")
        assert head == "data:image/png;base64"
        images.append(Image.open(io.BytesIO(base64.b64decode(data))))
    left, right = images
    assert left.size == right.size == (96, 64) and left.mode == "L"
    assert [left.getpixel((x, 5)) for x in (0, 47, 48, 95)] == [204, 204, 0, 0]
    # 0.8 · 0.8 of 0.2 + 0.8 · 0.8
    assert [right.getpixel((x, 60)) for x in (0, 47, 48, 95)] == [0, 0, 194, 194]


def test_a_panel_that_is_off_is_shown_all_the_same(server: Server) -> None:
    on, off = (server.post("/compile", {"characters": [ANN, BEN], "enabled": e}) for e in (True, False))
    assert on == off and len(on["regions"]) == 2


def test_nothing_compiles_to_the_hosts_prompt(server: Server) -> None:
    told = server.post("/compile", {"prompt": "a cat"})
    assert (told["prompt"], told["tokens"], told["regions"]) == ("a cat", 2, [])


def test_the_prompt_of_a_pasted_picture_is_not_compiled_twice(server: Server) -> None:
    cast = {"characters": [ANN, BEN]}
    first = server.post("/compile", {**cast, "prompt": "a cat", "negative_prompt": "bad"})
    again = {"prompt": first["prompt"], "negative_prompt": first["negative_prompt"]}
    told = server.post("/compile", {**cast, **again, "main": "a cat", "main_negative": "bad"})
    assert told == first


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"characters": [{"prompt": 1}]}, "characters[0].prompt"),
        ({"characters": [ANN, {"box": [0, 0, 2, 1]}]}, "characters[1].box"),
        ({"characters": [{}] * 6}, "characters"),
        ({"colour": "red"}, "colour"),
        ({"prompt": 7}, "prompt"),
        ({"negative_prompt": "x" * 60_000}, "negative_prompt"),
        ({"width": 1_000_000}, "width"),
        ({"height": "7"}, "height"),
        ({"masks": 1}, "masks"),
        ({"enabled": "yes"}, "enabled"),
        ({"version": 2}, "version"),
        ({"keep_trying": 21}, "keep_trying"),
    ],
)
def test_what_is_refused_names_its_field(server: Server, body: dict[str, Any], field: str) -> None:
    told = server.post("/compile", body, status=400)
    assert told["field"] == field and told["error"].endswith(".")


def test_loras(server: Server, tmp_path: Path) -> None:
    put = server.loras.joinpath
    put("sub").mkdir()
    put("bg.safetensors").write_bytes(lora(**published(9330, BACKGROUND_TAGS)))
    put("sub", "two.safetensors").write_bytes(
        lora(
            768,
            ss_base_model_version="sd_v1",
            ss_output_name="apart",
            ss_tag_frequency=json.dumps(SEPARATION_TAGS),
        )
    )
    put("torn.safetensors").write_bytes(b"torn")
    told = server.get("/loras")
    bg, torn, two = told["loras"]
    assert (bg["name"], bg["role"], bg["published"], bg["family"], bg["fits"]) == (
        "bg", "background", True, "sdxl", "",
    )  # fmt: skip
    assert bg["count_style"] == "naive"
    assert torn["problem"] and not bg["problem"]
    assert (two["role"], two["alias"], two["family"]) == ("separation", "apart", "sd1")
    assert "Stable Diffusion 1.5" in two["fits"] and "SDXL" in two["fits"]
    assert told["folders"] == [str(server.loras)]

    notes = server.post("/compile", {"separation_lora": {"name": "Apart"}})["notes"]
    assert notes == [two["fits"]]
    (note,) = server.post("/compile", {"background_lora": {"name": "gone"}})["notes"]
    assert "no LoRA called gone" in note
    # a prompt that names it by its other name has it already
    told = server.post("/compile", {"separation_lora": {"name": "two"}, "prompt": "<lora:apart:1>"})
    assert told["prompt"] == "<lora:apart:1>"

    server.loaded.kind = "sd1"
    put("torn.safetensors").unlink()
    assert [(x["name"], bool(x["fits"])) for x in server.get("/loras")["loras"]] == [
        ("bg", True),
        ("two", False),
    ]
    server.share(tmp_path)
    assert server.get("/loras")["folders"] == ["Lora"]


def test_casts_are_kept_as_files(server: Server, tmp_path: Path) -> None:
    assert server.get("/casts") == {"casts": [], "problems": []}
    panel = {"characters": [ANN, BEN], "enabled": False, "check": True, "keep_trying": 3}
    put = server.request("PUT", "/casts/Tea: 2/3", json={"cast": panel})
    assert put.status_code == 200, put.text
    cast = Cast.from_json({"characters": [ANN, BEN]})
    assert put.json() == {"name": "Tea: 2/3", "cast": cast.to_json()}
    assert server.get("/casts/Tea: 2/3") == put.json()
    (file,) = (tmp_path / "data" / "casts").iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["cast"] == json.loads(json.dumps(cast.to_json()))
    (file.parent / "torn.json").write_text("{")
    told = server.get("/casts")
    assert told["casts"] == [{"name": "Tea: 2/3", "summary": "2 characters (α Ann, β Ben), base 0.3"}]
    assert len(told["problems"]) == 1 and "torn.json" in told["problems"][0]

    taken = server.request("PUT", "/casts/TEA: 2/3", json={"cast": {}, "replace": False})
    assert taken.status_code == 409 and "already" in taken.json()["error"]
    assert server.request("PUT", "/casts/Tea: 2/3", json={"cast": {}}).json()["cast"]["characters"] == []
    wrong = server.request("PUT", "/casts/x", json={"cast": {"characters": [{"weight": 9}]}})
    assert wrong.status_code == 400 and wrong.json()["field"] == "cast.characters[0].weight"
    assert server.request("PUT", "/casts/x", json={}).json()["field"] == "cast"
    long = server.request("PUT", f"/casts/{'x' * 101}", json={"cast": {}})
    assert long.status_code == 400 and "101" in long.json()["error"]
    assert server.request("GET", "/casts/nothing").status_code == 404
    assert server.request("DELETE", "/casts/nothing", json={}).status_code == 404
    assert server.request("DELETE", "/casts/tea: 2/3", json={}).json() == {"deleted": "tea: 2/3"}
    assert server.get("/casts")["casts"] == []


def test_a_cast_from_a_picture_that_is_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # the fake worker answers by the file's name
    monkeypatch.setattr(
        "tempfile.mkstemp", lambda prefix="", suffix="": MKSTEMP(suffix, "pair", str(tmp_path))
    )
    sent = {"image": ("any.png", png(), "image/png"), "config": (None, json.dumps({"tagger": "fake"}))}
    answer = server.request("POST", "/cast/from-picture", files=sent)
    assert answer.status_code == 200, answer.text
    ann, ben = answer.json()["characters"]
    assert "black hair" in ann["prompt"] and "white hair" in ben["prompt"] and "hat" in ben["prompt"]
    # what both have is both's
    assert "smile" in ann["prompt"] and "smile" in ben["prompt"]
    assert answer.json()["scene"] == "indoors"
    assert ann["box"] == [0, 0, 0.469, 1] and ben["box"] == [0.5, 0, 0.969, 1]
    assert not list(tmp_path.glob("pair*"))
    told = server.post("/compile", answer.json())
    assert told["prompt"].startswith("2girls, ") and "α black hair" in told["prompt"]


def test_a_cast_from_a_picture_of_a_folder(server: Server, folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(folder / "pair.png")
    id = server.open(folder)
    wish = {"folder": id, "image": "pair.png"}
    told = server.post("/cast/from-picture", {**wish, "config": {"tagger": "fake", "threshold": 0.4}})
    assert len(told["characters"]) == 2
    # with what a picture was looked at last
    assert server.post("/cast/from-picture", wish) == told
    assert json.loads((tmp_path / "data" / "last.json").read_text()) == {"tagger": "fake", "threshold": 0.4}
    (tmp_path / "data" / "last.json").write_text('{"tagger": 7}')
    assert server.services.last_settings.values() == {}
    server.post("/analyze", {"path": str(folder / "pair.png"), "config": {"tagger": "fake", "vlm": "fake"}})
    assert server.services.last_settings.values() == {"tagger": "fake"}
    for body, status, said in (
        ({}, 400, "folder is needed"),
        ({"folder": id}, 400, "image is needed"),
        ({"folder": "x", "image": "pair.png"}, 404, "not open"),
        ({"folder": id, "image": "../x.png"}, 404, "no image"),
        ({**wish, "config": {"tagger": "none"}}, 400, "tagger"),
        ({**wish, "config": {"threshold": 2}}, 400, "threshold"),
    ):
        assert said in server.post("/cast/from-picture", body, status=status)["error"]


def test_a_name_leads_nowhere_else(server: Server, tmp_path: Path) -> None:
    for name in ("..%2F..%2Fout", "%2e%2e%2fout", "C:%5Cout", "con"):
        answer = server.request("PUT", f"/characters/{name}", json={"character": ANN})
        assert answer.status_code in (200, 404), answer.text
    kept = {p for p in tmp_path.rglob("*") if p.is_file()}
    assert kept and all(p.parent == tmp_path / "data" / "characters" for p in kept)


def test_characters_are_kept_as_files(server: Server) -> None:
    put = server.request("PUT", "/characters/Ann", json={"character": ANN})
    assert put.status_code == 200 and put.json()["character"]["box"] == [0, 0, 0.5, 1]
    assert server.get("/characters") == {
        "characters": [{"name": "Ann", "prompt": "1girl, black hair"}], "problems": [],
    }  # fmt: skip
    assert server.get("/characters/ann")["character"] == put.json()["character"]
    wrong = server.request("PUT", "/characters/x", json={"character": {"age": 7}})
    assert wrong.json()["field"] == "character.age"
    assert server.request("DELETE", "/characters/Ann", json={}).json() == {"deleted": "Ann"}
    assert server.request("GET", "/characters/Ann").status_code == 404


def test_another_site_and_nobody_in_particular_get_nothing(server: Server) -> None:
    foreign = {"Origin": "http://elsewhere.example"}
    for method, path in (("PUT", "/casts/x"), ("POST", "/compile"), ("DELETE", "/characters/x")):
        assert server.request(method, path, json={}, headers=foreign).status_code == 403
    server.safety = server.safety.__class__(shared=True, roots=(), login=True)
    for method, path in (("GET", "/loras"), ("GET", "/casts"), ("PUT", "/casts/x"), ("POST", "/compile")):
        assert server.request(method, path, json={}).status_code == 401
