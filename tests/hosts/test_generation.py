"""The panel's part in a generation, from an API call to the pictures' infotexts, in doubles of the WebUIs.

Their UNet is not among what they double: what regions do in it is tested beside `generation.attention`, and in real
WebUIs by `tests/live/test_regions.py`.
"""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib_extend.generation import infotext
from lib_extend.generation.value_checks import INVISIBLE
from lib_extend.host.run import CHECK

from .conftest import ROOT, WebUI

Start = Callable[..., WebUI]
WILDCARDS = Path(__file__).with_name("wildcards")
LEFT, RIGHT = [0, 0, 0.5, 1], [0.5, 0, 1, 1]
CAST = {
    "characters": [
        {"name": "Ann", "prompt": "black hair, hat", "box": LEFT, "negative": "bow"},
        {"name": "Ben", "prompt": "1boy, white hair", "box": RIGHT},
    ],
    "scene": "indoors",
}
RIVAL = Path(__file__).with_name("rival")
pytestmark = [
    pytest.mark.timeout(1800),  # an environment may have to be made first
    pytest.mark.parametrize("host", ["a1111", "forge", "neo", "classic"], indirect=True),
]


def make(webui: WebUI, panel: Any = None, **request: Any) -> dict[str, Any]:
    """The answer's `info`; `panel`: the dict of the extension's one argument."""
    if panel is not None:
        request["alwayson_scripts"] = {"Prompt Extend": {"args": [panel]}}
    info: dict[str, Any] = json.loads(webui.post("/sdapi/v1/txt2img", {"seed": 7, **request})["info"])
    return info


def refusal(webui: WebUI, panel: Any) -> tuple[int, str]:
    """Status and sentence."""
    with pytest.raises(urllib.error.HTTPError) as error:
        make(webui, panel, prompt="x")
    return error.value.code, str(json.loads(error.value.msg)["errors"])


def entries(webui: WebUI, text: str) -> dict[str, Any]:
    """An infotext's cast."""
    line = text.splitlines()[-1]
    start = line.index('"', line.index(f"{infotext.KEY}: "))
    found: dict[str, Any] = json.loads(json.JSONDecoder().raw_decode(line, start)[0])
    return found


def test_from_a_call_to_the_infotext_and_back(start: Start, host: str) -> None:
    webui = start({"sd-webui-prompt-extend": ROOT, "wildcards": WILDCARDS}).wait()

    plain = make(webui, prompt="a cat", negative_prompt="dog")
    for off in ("", None, {"enabled": False}, {"enabled": False, "characters": "nonsense"}):
        assert make(webui, off, prompt="a cat", negative_prompt="dog") == plain
    assert "Prompt Extend" not in plain["infotexts"][0]

    made = make(webui, CAST, prompt="masterpiece", negative_prompt="dog")
    (text,) = made["infotexts"]
    compiled = "1girl, 1boy, α black hair, α hat, β white hair, indoors, masterpiece"
    assert made["all_prompts"] == [compiled] and text.startswith(f"{compiled}\nNegative prompt: dog\n")
    assert made["prompt"] == "masterpiece"  # what a script that runs it again begins with
    assert "Prompt Extend: " in text and CHECK not in text
    assert "only the prompt was compiled" in made["comments"]
    cast = entries(webui, text)
    assert (cast["main"], cast["main_negative"]) == ("masterpiece", "dog")

    # the API restores from a picture's infotext, where the prompt is compiled already
    again = make(webui, infotext=text)
    assert again["infotexts"] == made["infotexts"]
    # as JSON text, too, and the request's own goes first
    as_text = make(webui, json.dumps(CAST), prompt="masterpiece", negative_prompt="dog", infotext=text)
    assert as_text["infotexts"] == made["infotexts"]

    # each picture of a run has what the wildcards gave it, in hires too
    wild = {**CAST, "characters": [{"prompt": "__hair__, hat"}, {"prompt": "black hair"}]}
    made = make(webui, wild, prompt="__hair__", n_iter=2, batch_size=2, enable_hr=True)
    colors = ("red", "blue", "green", "red")
    assert made["all_prompts"] == [
        f"2girls, α {c} hair, α hat, β black hair, indoors, {c} hair" for c in colors
    ]
    assert [entries(webui, t)["characters"][0]["prompt"] for t in made["infotexts"]] == [
        f"{c} hair, hat" for c in colors
    ]
    assert all("Template: __hair__," in t for t in made["infotexts"])
    for t, prompt in zip(made["infotexts"], made["all_prompts"], strict=True):
        assert t.startswith(prompt)
    assert make(webui, infotext=made["infotexts"][1], seed=8)["infotexts"][0].startswith(
        made["all_prompts"][1]
    )

    # styles come behind
    styled = make(webui, CAST, prompt="cat", styles=["oil painting"])
    assert styled["all_prompts"][0].endswith("indoors, cat, oil painting")

    # what a call's JSON says of the entries is the first picture's
    made = make(webui, CAST, prompt="cat")
    assert made["extra_generation_params"]["Prompt Extend"].startswith("2 characters")

    # what cannot be taken ends the run with a sentence that names the field
    crowd = {"characters": [{"prompt": "x"}] * 6}
    box = {"characters": [{"prompt": "x", "box": [0, 0, 2, 1]}]}
    for panel, words in (
        (box, "characters[0].box"),
        (crowd, "characters"),
        ({"basewieght": 1}, "basewieght"),
        ("{", "not readable"),
        ({"version": 9}, "version"),
        ({"keep_trying": 99}, "keep_trying"),
        ({"characters": [{"prompt": "(black hair, hat"}]}, "characters[0].prompt has a ( without its )"),
    ):
        status, sentence = refusal(webui, panel)
        assert status == 422 and sentence.startswith("Prompt Extend: ") and words in sentence, sentence
    two = {"Prompt Extend": {"args": [CAST, CAST]}}
    with pytest.raises(urllib.error.HTTPError) as error:
        make(webui, prompt="x", alwayson_scripts=two)
    assert error.value.code == 422 and "put all of them into the first" in error.value.msg
    assert make(webui, prompt="a cat", negative_prompt="dog") == plain
    assert "Traceback" not in webui.text()


def test_no_mark_comes_out_whoever_keeps_the_prompts(start: Start, host: str) -> None:
    webui = start({"sd-webui-prompt-extend": ROOT, "rival": RIVAL}).wait()
    panel = {**CAST, "mode": "prompt"}
    made = make(webui, panel, prompt="rival", negative_prompt="dog", n_iter=2, batch_size=2, enable_hr=True)
    compiled = "1girl, 1boy, α black hair, α hat, β white hair, indoors, rival"
    assert made["all_prompts"] == [compiled] * 4
    assert all(text.startswith(compiled) for text in made["infotexts"])
    for text in (json.dumps(made, ensure_ascii=False), (webui.folder / "params.txt").read_text("utf-8")):
        assert not set(INVISIBLE) & set(text)
