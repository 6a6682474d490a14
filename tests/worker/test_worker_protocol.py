"""Every message survives its line; what is not a message is refused."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.config import Setting, TagConfig, settings
from lib_extend.config.model_settings import ModelSettings
from lib_extend.config.run_settings import RunSettings
from lib_extend.expanding.expansion_request import ExpandedPrompt
from lib_extend.questions.builtin import BUILTIN
from lib_extend.records import Answer, Box, Category, Person, Source, Tag, Unmade
from lib_extend.tagger_agreement import Limits
from lib_extend.worker import protocol as p
from lib_extend.worker.kinds import analyse_picture, expand_prompt

TAGS = (
    Tag("cake", Category.GENERAL, 0.75),
    Tag("miku", Category.CHARACTER, None, Source.HUMAN, locked=True),
)


def result(**parts: Any) -> p.Done:
    return p.Done("7", analyse_picture.NAME, analyse_picture.Result(10, 20, parts))


MESSAGES = [
    p.Setup(tagger="sketch", ask=("count",), questions=({"name": "count", "each": ["cake"]},), threads=2),
    analyse_picture.task("7", "/a/b c.png", ["answers"], {"tags": TAGS}),
    p.Cancel(),
    p.Stop(),
    p.Hello(1, "3.12.1", 99, {"torch": "2.13.0"}),
    p.Progress("weights", 1, 2),
    p.Ready(
        "a", "b", "c", 0.35, 0.85, {"cake": 0.4}, "CPU", "CUDA", "CPU", 12, ("cake",), {"a": Limits(0.3)}
    ),
    p.SetupFailed("No."),
    result(tags=TAGS, answers=(Answer("count", "cake", "3", "three", 0.9, "3_cakes"),)),
    result(persons=(Person("", Box(1, 2, 3, 4), 0.5, TAGS),)),
    result(),
    result(tags=(), answers=()),
    p.Done("7", analyse_picture.NAME, analyse_picture.Result(10, 20, {}, {"answers": Unmade("Too thin.")})),
    p.Partial(
        "7", expand_prompt.NAME, expand_prompt.DraftSoFar(1, ExpandedPrompt("cake, hat", ("hat",)), done=True)
    ),
    p.Failed("7", "It is cut short."),
    p.Alive(),
    p.Broken("What?"),
    p.Bye("idle"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_round_trip(message: p.Record) -> None:
    line = p.encode(message)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert p.decode(line) == message


def test_every_kind_is_tried() -> None:
    assert {type(m) for m in MESSAGES} == set(p._MESSAGES.values())


@given(st.binary(min_size=1))
def test_any_bytes_of_a_name_survive(raw: bytes) -> None:
    path = os.fsdecode(raw)
    line = p.encode(analyse_picture.task("1", path))
    line.decode("ascii")
    got = p.decode(line)
    assert isinstance(got, p.Task) and isinstance(got.payload, analyse_picture.Request)
    assert os.fsencode(got.payload.path) == os.fsencode(path)


@given(st.text(st.characters()))
def test_any_text_survives(text: str) -> None:
    got = p.decode(p.encode(p.Failed("1", text)))
    assert isinstance(got, p.Failed)
    assert got.reason.encode("utf-16", "surrogatepass") == text.encode("utf-16", "surrogatepass")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"hello\n", "no message"),
        (b"\xff\xfe\n", "no message"),
        (b"[]\n", "unknown kind 'list'"),
        (b"{}\n", "unknown kind 'None'"),
        (b'{"type":"Dance"}\n', "unknown kind 'Dance'"),
        (b'{"type":["Done"]}\n', "unknown kind"),
        (b'{"type":"Done","id":"1"}\n', "cannot be read"),
        (b'{"type":"Task","id":"1","kind":"analyse_picture","payload":{"path":"a"}}\n', "cannot be read"),
        (b'{"type":"Task","id":"1","kind":"dance","payload":{}}\n', "cannot be read: KeyError"),
        (b'{"type":"Task","id":"1","kind":"../x","payload":{}}\n', "cannot be read"),
        (b'{"type":"Task","id":"1","kind":["x"],"payload":{}}\n', "cannot be read"),
    ],
)
def test_what_is_no_message(line: bytes, what: str) -> None:
    with pytest.raises(p.ProtocolError, match=what):
        p.decode(line)


def test_fields_of_a_newer_side_are_ignored() -> None:
    body = json.loads(p.encode(p.Failed("1", "x")))
    assert p.decode(json.dumps({**body, "hint": 5}).encode()) == p.Failed("1", "x")


def test_versions() -> None:
    p.check_version(p.VERSION, "It")
    with pytest.raises(p.ProtocolError, match=f"It speaks protocol 99, but {p.VERSION} is needed"):
        p.check_version(99, "It")


def test_setup_of_a_job() -> None:
    config = TagConfig(tagger="sketch", vlm="sketch", ask=("count", "door"), max_pixels=90_000, threads=3,
                       vlm_4bit="yes", vram_limit=5.5)  # fmt: skip
    setup = p.decode(p.encode(p.Setup.from_config(config, BUILTIN)))
    assert isinstance(setup, p.Setup)
    assert (setup.tagger, setup.vlm, setup.ask) == ("sketch", "sketch", ("count", "door"))
    assert (setup.max_pixels, setup.threads, setup.version) == (90_000, 3, p.VERSION)
    assert (setup.vlm_4bit, setup.vram_limit) == ("yes", 5.5)
    assert [q["name"] for q in setup.questions] == [q.name for q in BUILTIN]


@pytest.mark.parametrize("setting", [*settings(ModelSettings), *settings(RunSettings)], ids=lambda s: s.name)
def test_every_setting_of_models_and_machine_reaches_the_worker(setting: Setting) -> None:
    other = (
        next((c for c in setting.choices if c != setting.default), "")
        if setting.choices
        else {bool: not setting.default, int: 2, float: 2.5, str: "other"}[setting.type]
    )
    setup = p.decode(p.encode(p.Setup.from_config(TagConfig().with_(**{setting.name: other}), ())))
    assert getattr(setup, setting.name) == other != setting.default


def test_a_setup_of_another_kind_of_values_is_none() -> None:
    body = p.Setup().to_json()
    for change in ({"tagger": 3}, {"ask": "count"}, {"threads": "many"}):
        with pytest.raises(p.ProtocolError, match="Setup"):
            p.decode(json.dumps({"type": "Setup", **body, **change}).encode())
