"""The panel's modules that only reckon: run in the browser, compared with the Python they must agree with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib_extend import web
from lib_extend.generation import places
from lib_extend.generation.cast import LETTERS, SMALLEST, Cast, Character, Lora, Thing
from lib_extend.generation.expansion import LENGTHS, PLACES, WANTED, WHENS, Added, Expansion
from lib_extend.generation.panel import Panel
from lib_extend.generation.value_checks import FieldError

BASE = "http://127.0.0.1:9/page/"


@pytest.fixture
def run(window: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`run(module, code, value)`: what `code`, with `m` the module of the panel and `v` the value, gives."""
    page = window()

    def serve(route: Any) -> None:
        path = route.request.url.removeprefix(BASE)
        if not path:
            return route.fulfill(body="<!doctype html>", content_type="text/html")
        body, mime, _ = web.read_page(path)
        return route.fulfill(body=body, content_type=mime)

    page.route(f"{BASE}**", serve)
    page.goto(BASE)

    def call(module: str, code: str, value: Any = None) -> Any:
        source = f"async (v) => {{ const m = await import('{BASE}cast/{module}.mjs'); return {code}; }}"
        return page.evaluate(source, value)

    yield call


def test_arrangements_are_those_of_python(run: Callable[..., Any]) -> None:
    for count in range(1, 6):
        assert run("places", "m.columns(v)", count) == [list(b) for b in places.columns(count)]
        assert run("places", "m.rows(v)", count) == [list(b) for b in places.rows(count)]
        tiles = run("places", "m.tiles(v, 1)", count)
        assert len(tiles) == count
        area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in tiles)
        assert area == pytest.approx(1, abs=0.01)  # they cover the picture and do not overlap
        for b in tiles:
            places.place(b)
    assert run("places", "m.grid(2, 3)") == [list(b) for b in places.grid(2, 3)]
    assert run("places", "m.LEAST") == SMALLEST


def test_boxes_stay_boxes_whatever_is_done_to_them(run: Callable[..., Any]) -> None:
    code = """(() => {
      let seed = 7, box = [0.2, 0.3, 0.6, 0.9];
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      const sides = ["n", "ne", "e", "se", "s", "sw", "w", "nw"], all = [];
      for (let i = 0; i < 2000; i += 1) {
        const [dx, dy] = [random() * 3 - 1.5, random() * 3 - 1.5];
        box = random() < 0.5 ? m.moved(box, dx, dy) : m.resized(box, sides[Math.floor(random() * 8)], dx, dy);
        all.push(box);
      }
      return all;
    })()"""
    for box in run("places", code):
        places.place(box)  # raises for one that the server would refuse
        assert box == [round(v, 3) for v in box]


def test_edges_snap_and_a_trembling_hand_draws_nothing(run: Callable[..., Any]) -> None:
    marks = run("places", "m.lines([[0.25, 0.1, 0.6, 1]])")
    assert marks == [[0, 0.5, 1, 0.25, 0.6], [0, 0.5, 1, 0.1]]
    snapped = run("places", "m.snap([0.61, 0.2, 0.8, 0.98], v, [0.02, 0.03])", marks)
    assert snapped[0] == pytest.approx(-0.01) and snapped[1] == pytest.approx(0.02)
    assert snapped[2] == [0.6, 1]
    assert run("places", "m.snap([0.61, 0.2, 0.8, 0.98], v, [-1, -1])", marks) == [0, 0, [None, None]]
    assert run("places", "m.drawn([0.5, 0.5], [0.505, 0.9])") is None
    assert run("places", "m.drawn([0.9, 1.4], [0.5, -2])") == [0.5, 0, 0.9, 1]


def test_one_more_character_gets_room(run: Callable[..., Any]) -> None:
    more = lambda boxes, aspect: run("places", f"m.withOneMore(v, {aspect})", boxes)  # noqa: E731
    assert more([], 1) == [[0, 0, 1, 1]]
    assert more([[0, 0, 1, 1]], 1) == [list(b) for b in places.columns(2)]
    assert more([[0, 0, 1, 1]], 0.5) == [list(b) for b in places.rows(2)]
    assert more([list(b) for b in places.rows(3)], 1) == [list(b) for b in places.rows(4)]
    drawn = [[0, 0, 0.4, 0.9]]
    kept, new = more(drawn, 1)
    assert kept == drawn[0] and new[0] >= 0.4  # beside it, not over it
    places.place(new)


def test_the_defaults_are_those_of_python(run: Callable[..., Any]) -> None:
    blank = run("state", "m.blank()")
    plain = Panel().to_json()
    assert {**plain, "enabled": False} == {**blank, "version": plain["version"]}
    assert run("state", "m.blankCharacter()") == {**Character().to_json(), "box": [0, 0, 1, 1]}
    assert run("state", "m.blankExpansion()") == Expansion().to_json()
    assert run("state", "[m.LENGTHS, m.WANTED, m.PLACES, m.WHENS]") == [
        *map(list, (LENGTHS, WANTED, PLACES, WHENS))
    ]
    assert run("state", "m.LETTERS") == list(LETTERS)


CAST = Cast(
    (
        Character("Ann", "1girl, black hair", "hat", 1.5, (0.0, 0.0, 0.5, 1.0), added=Added(("smile", "wave"), "She waves.", ("wave",))),
        Character(prompt="α, “β”\n(c:1.2)"),
    ),
    common="watercolor",
    scene="indoors",
    negative="lowres",
    things=(Thing("cake", 3, "red"),),
    floor="wooden",
    count_style="naive",
    background_lora=Lora("back", 0.8),
    separation_lora=Lora("sep"),
    mode="prompt",
    base_weight=0.25,
    end_step=0.8,
    expansion=Expansion("generation", ("scene",), "a/folder", "long", "both", "hat, /a.b/", 1.2, 0.8, 50, 0.05),
    main_added=Added(("moon",)),
)  # fmt: skip


@pytest.mark.parametrize("brief", [True, False])
def test_a_value_comes_through_unchanged(run: Callable[..., Any], brief: bool) -> None:
    panel = Panel(CAST, True, True, 3, "a tree", "")
    text = json.dumps(panel.to_json(brief=brief), ensure_ascii=False)
    back = run("state", "m.write(m.read(v).state)", text)
    assert Panel.parse(back) == panel


def test_what_cannot_be_read_says_so_and_what_is_off_is_off(run: Callable[..., Any]) -> None:
    problem = lambda text: run("state", "m.read(v)", text)  # noqa: E731
    assert problem("") == {"state": None, "problem": ""}
    assert problem('{"enabled": false}') == {"state": None, "problem": ""}
    assert problem('{"enabled": false, "problem": "It is broken."}')["problem"] == "It is broken."
    for text in ("{", "[1]", "1", "null", '"x"'):
        assert problem(text) == {"state": None, "problem": "broken"}
    assert problem('{"version": 2}')["problem"] == "later"
    assert run("state", "m.write(m.blank())") == ""
    odd = {
        "characters": [{"box": [0.5, 0, 0.1, 1], "weight": "x", "prompt": 3}, 7],
        "base_weight": 9,
        "things": [{}],
    }
    state = run("state", "m.read(v).state", json.dumps(odd))
    Panel.parse(state)
    assert state["characters"] == [run("state", "m.blankCharacter()")] and state["base_weight"] == 1


def test_python_refuses_what_it_must(run: Callable[..., Any]) -> None:
    """The texts' limits in the fields are those of the server."""
    longest = run("state", "m.LONGEST")
    Character(name="x" * longest["name"], prompt="y" * longest["text"])
    for wrong in ({"name": "x" * (longest["name"] + 1)}, {"prompt": "y" * (longest["text"] + 1)}):
        with pytest.raises(FieldError):
            Character(**wrong)


def test_the_check_is_read_out_of_an_infotext(run: Callable[..., Any]) -> None:
    result = {"score": 0.5, "characters": [{"letter": "α", "found": ["black hair"], "missing": ['a "b", c']}]}
    value = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    quoted = json.dumps(value, ensure_ascii=False)
    text = (
        f'2girls\nNegative prompt: x\nSteps: 4, Prompt Extend check: {quoted}, Prompt Extend: "2 characters"'
    )
    assert run("result", "m.readResult(v)", text) == result
    for other in ("", "Steps: 4, Prompt Extend: x", 'Prompt Extend check: "{"', "Prompt Extend check: 5"):
        assert run("result", "m.readResult(v)", other) is None
