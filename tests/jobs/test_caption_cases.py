"""Captions as people have them (`tests/captions/cases.json`), through real jobs: what stands in the files afterwards."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from lib_extend.captions.reading import pieces
from lib_extend.captions.text import is_blank, parse
from lib_extend.datasets.browse import Browsers
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.undo import undo
from lib_extend.services.browse_edits import edit
from lib_extend.services.edit_actions import Edit
from tests.datasets.conftest import opened

from .conftest import caption, finished, images, run

FILE = Path(__file__).parents[1] / "captions" / "cases.json"
CASES = {c["name"]: c["text"] for c in json.loads(FILE.read_text("utf-8"))}
WRITTEN = {name: text for name, text in CASES.items() if not is_blank(text)}
PICTURE = "cake3-red.png"
MACHINE = ("1girl", "black hair", "cake", "smile", "3 cakes", "red cake")
SETTINGS = {
    "plain": {},
    "append": {"existing": "append"},
    "prepend": {"existing": "prepend"},
    "background": {"format": "background"},
    "template": {"format": "{people} | {general}"},
    "shuffled": {"sort": "shuffle"},
    "alphabetical": {"sort": "alphabetical"},
    "limited": {"max_tags": 2},
    "excluded": {"exclude": ("*hair*", "/.*(wearing|warm|stands).*/", "smile*girl")},
    "semicolons": {"separator": "; "},
    "ends": {"prefix_tags": ("my_char_v2",), "suffix_tags": ("score_9",)},
}


def make(folder: Path, text: str) -> None:
    images(folder, PICTURE)
    (folder / "cake3-red.txt").write_bytes(text.encode())


def raws(text: str) -> list[str]:
    return [p.raw for line in parse(text).lines for p in line.pieces]


def in_order(wanted: list[str], text: str) -> bool:
    """Whether the words stand in the text in this order, each for itself."""
    at = 0
    for word in wanted:
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


@pytest.mark.parametrize("how", sorted(SETTINGS))
@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_a_persons_words_stay_and_a_second_run_changes_nothing(
    folder: Path, log: Path, name: str, how: str
) -> None:
    text = WRITTEN[name]
    make(folder, text)
    run(folder, **SETTINGS[how])
    after = caption(folder, PICTURE)
    own = raws(text)
    if how == "excluded":
        own = [r for r in own if r != "black hair"]
    if how in ("background", "template", "shuffled", "alphabetical") and name not in (
        "prose_joy",
        "paragraphs",
    ):
        assert all(after.count(raw) >= own.count(raw) for raw in own)
    else:
        assert in_order(own, after), after
    lines = text.splitlines(keepends=True)
    if len(parse(text).lines) > 1:
        assert after.splitlines(keepends=True)[1:] == lines[1:], "other lines stay to the byte"
    run(folder, **SETTINGS[how])
    assert caption(folder, PICTURE) == after
    run(folder, **{**SETTINGS[how], "threshold": 0.6})
    assert all(raw in caption(folder, PICTURE) for raw in own)
    with contextlib.suppress(UserError):  # until nothing is left to undo
        for _ in range(4):
            undo(Dataset(folder))
    assert (folder / "cake3-red.txt").read_bytes() == text.encode()


def test_lines_are_captions(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["multi_captions"])
    events = run(folder)
    first, *others = caption(folder, PICTURE).split("\n")
    assert first == "1girl, black hair, red ribbon, park, 3 cakes, cake, red cake, smile"
    assert others == WRITTEN["multi_captions"].split("\n")[1:]
    assert finished(events).several_lines == 1
    assert [e.lines for e in events if isinstance(e, ev.Image)] == [3]


def test_every_line_is_written_to_when_asked(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["multi_captions"])
    events = run(folder, lines="every")
    after = caption(folder, PICTURE)
    assert after == (
        "1girl, black hair, red ribbon, park, 3 cakes, cake, red cake, smile\n"
        "1girl, smile, red ribbon, park, bench, black hair, 3 cakes, cake, red cake\n"
        "a girl with black hair sits on a bench, park, 1girl, black hair, 3 cakes, cake, red cake, smile\n"
    )
    assert finished(events).several_lines == 0
    run(folder, lines="every")
    assert caption(folder, PICTURE) == after
    run(folder, lines="every", threshold=0.6)
    assert "black hair, 3 cakes, cake, red cake\na girl" in caption(folder, PICTURE), (
        "what we wrote is ours there too"
    )
    assert caption(folder, PICTURE).count("smile") == 1


def test_kept_tokens_stay_where_they_are(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["keep_sep"])
    run(folder)
    after = "1girl, mychar ||| smile, park, black hair, 3 cakes, cake, red cake ||| best quality"
    assert caption(folder, PICTURE) == after


def test_a_weighted_tag_is_the_tag(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["weights"])
    run(folder)
    after = caption(folder, PICTURE)
    assert after == WRITTEN["weights"] + ", 1girl, black hair, 3 cakes, cake, red cake"


def test_tags_with_blanks_between_are_tags(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["spaces_only"])
    run(folder)
    assert caption(folder, PICTURE) == WRITTEN["spaces_only"] + ", black hair, 3 cakes, cake, red cake"
    (folder / "cake3-red.txt").write_text(WRITTEN["spaces_only"], encoding="utf-8")
    events = run(folder, tagger="none")
    assert {"1girl", "solo", "red_ribbon", "saber_(fate)"} <= {
        p.name for p in pieces(caption(folder, PICTURE))
    }
    assert finished(events).failed == 0


def test_one_tag_a_line_goes_on_so(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["img_ext_txt"])
    run(folder)
    after = "1girl\nmychar\nred_ribbon\nblack hair\n3 cakes\ncake\nred cake\nsmile\n"
    assert caption(folder, PICTURE) == after
    run(folder, threshold=0.6)
    assert caption(folder, PICTURE) == after.replace("smile\n", "")


@pytest.mark.parametrize("name", ["empty", "empty_c", "blank"])
def test_blank_files_are_no_captions(folder: Path, log: Path, name: str) -> None:
    make(folder, CASES[name])
    events = run(folder, existing="skip")
    assert finished(events).skipped == 0 and set(caption(folder, PICTURE).split(", ")) == set(MACHINE)


def test_a_limit_cuts_only_what_models_gave(folder: Path, log: Path) -> None:
    make(folder, WRITTEN["max_own"])
    run(folder, max_tags=5)
    assert caption(folder, PICTURE) == WRITTEN["max_own"]
    run(folder, max_tags=9)
    assert caption(folder, PICTURE) == WRITTEN["max_own"] + ", 1girl"


def test_adopted_captions_are_cut_and_sorted(folder: Path, log: Path) -> None:
    text = WRITTEN["max_own"] + ", (a, b:1.2)"
    make(folder, text)
    run(folder, adopt=True, sort="alphabetical")
    after = caption(folder, PICTURE)
    tags = after.removeprefix("1girl, ").removesuffix(", (a, b:1.2)").split(", ")
    assert tags == sorted(tags) and {"bench", "zebra", "cake"} <= set(tags)
    assert all(raw in after for raw in raws(text)), "what another tagger found stays"
    run(folder, max_tags=3)
    assert len(raws(caption(folder, PICTURE))) == 3 and "(a, b:1.2)" in caption(folder, PICTURE)
    undo(Dataset(folder))
    run(folder, drop_earlier=True)
    assert "zebra" not in caption(folder, PICTURE) and "(a, b:1.2)" in caption(folder, PICTURE)


def test_what_an_earlier_run_found_stays(folder: Path, log: Path) -> None:
    images(folder, PICTURE)
    run(folder)
    assert set(caption(folder, PICTURE).split(", ")) == set(MACHINE)
    for settings in (
        {"vlm": "none"},
        {"vlm": "none", "existing": "append"},
        {"tagger": "none", "vlm": "none"},
    ):
        for dry in (True, False):
            events = run(folder, dry_run=dry, **settings)
            planned = events[0]
            assert isinstance(planned, ev.Planned) and planned.earlier == 1
            assert set(caption(folder, PICTURE).split(", ")) == set(MACHINE)
    assert finished(run(folder, vlm="none")).earlier == 2
    assert finished(run(folder, vlm="none", exclude=("3 cakes",))).earlier == 1
    assert "3 cakes" not in caption(folder, PICTURE)
    events = run(folder, vlm="none", drop_earlier=True)
    assert set(caption(folder, PICTURE).split(", ")) == {"1girl", "black hair", "cake", "smile"}
    planned = events[0]
    assert isinstance(planned, ev.Planned) and planned.earlier == 0 and finished(events).earlier == 0


def test_what_a_person_wrote_is_asked_and_removed_line_by_line(folder: Path) -> None:
    browsers = Browsers()
    make(folder, WRITTEN["multi_captions"])
    browser = opened(browsers, folder)

    def change(action: str, *tags: str, to: str = "") -> str:
        edit(browser, Edit.from_json({"action": action, "tags": list(tags), "to": to}), filter="")
        return caption(folder, PICTURE)

    try:
        assert change("remove", "red ribbon") == (
            "1girl, black hair, park\n1girl, smile, park, bench\na girl with black hair sits on a bench, park\n"
        )
        assert change("add", "my_char_v2", "bench") == (
            "1girl, black hair, park, my_char_v2, bench\n1girl, smile, park, bench\n"
            "a girl with black hair sits on a bench, park\n"
        )
        assert change("sort") == (
            "1girl, bench, black hair, my_char_v2, park\n1girl, bench, park, smile\n"
            "a girl with black hair sits on a bench, park\n"
        )
        assert change("rename", "park", to="_trig_") == (
            "1girl, bench, black hair, my_char_v2, _trig_\n1girl, bench, _trig_, smile\n"
            "a girl with black hair sits on a bench, park\n"
        )
        assert change("front", "bench").split("\n")[1] == "bench, 1girl, _trig_, smile"
        assert change("replace", "i", to="I").count("\n") == 3
    finally:
        browsers.close()


@pytest.mark.parametrize("name", ["prose_joy", "prose_lower", "wildcard"])
@pytest.mark.parametrize("action", ["sort", "remove", "front"])
def test_edits_leave_prose_and_wildcards_whole(folder: Path, name: str, action: str) -> None:
    browsers = Browsers()
    make(folder, WRITTEN[name])
    browser = opened(browsers, folder)
    tags = ["a girl with long hair", "wearing a hat", "blue skirt", "mychar"]
    try:
        edit(browser, Edit.from_json({"action": action, "tags": [] if action == "sort" else tags}), filter="")
    finally:
        browsers.close()
    after = caption(folder, PICTURE)
    whole = max(raws(WRITTEN[name]), key=len)
    assert whole in after
    if name.startswith("prose"):
        assert after == WRITTEN[name]


def test_people_counts_do_not_contradict_each_other(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png")
    (folder / "cake1-red.txt").write_text("2girls, mychar", encoding="utf-8")
    run(folder)
    assert "1girl" not in caption(folder, "cake1-red.png").split(", "), "a person's count is true"
