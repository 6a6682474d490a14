"""Questions a user writes: read, asked, and refused with the line that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extend.datasets.question_files import own_questions
from lib_extend.errors import UserError
from lib_extend.questions.asking import next_round
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_line
from lib_extend.questions.reading import read
from lib_extend.questions.records import Kind
from lib_extend.records import Reply

FILE = """\
# my questions
[[question]]
name = "time"
kind = "one_of"
when = ["outdoors"]
ask = "What time of day is it in the image? Answer with one word."
answers = ["morning", "noon", "evening", "night"]
tag = "{answer}"

[[question]]
name = "wall"
after = "time"
ask = "What is on the wall?"
tag = "{answer} on wall"

[[question]]
name = "ripe"
each = ["apple", "banana"]
kind = "yes_no"
ask = "Is the {object} ripe? Answer yes or no."
tag = "ripe {object}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_of_questions(file: Path) -> None:
    table = own_questions([str(file)], [], BUILTIN)
    own = table[len(BUILTIN) :]
    assert [(q.name, q.kind) for q in own] == [
        ("time", Kind.ONE_OF),
        ("wall", Kind.FREE),
        ("ripe", Kind.YES_NO),
    ]
    asked = next_round(own, {"outdoors": 1.0, "apple": 1.0}, [])
    assert [(a.question.name, a.object) for a in asked] == [("time", ""), ("ripe", "apple")]
    assert asked[1].prompt.text == "Is the apple ripe? Answer yes or no."
    time = read(asked[0], Reply("In the evening."))
    ripe = read(asked[1], Reply("yes"))
    assert (time.tag, ripe.tag) == ("evening", "ripe_apple")
    (wall,) = next_round(own, {"outdoors": 1.0, "apple": 1.0}, [time, ripe])
    assert read(wall, Reply("A large clock.")).tag == "large_clock_on_wall"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "one_of"', 'kind = "which"', "own.toml, line 2: kind is 'which', but must be one of: count"),
        ('answers = ["morning", "noon", "evening", "night"]', "", "line 2: a one_of question needs answers"),
        ('name = "wall"', "", 'line 10: the question needs name = "…"'),
        ('name = "wall"', 'name = "time"', "line 10: there is already a question called 'time'"),
        ('name = "wall"', 'name = "door"', "line 10: there is already a question called 'door'"),
        ('after = "time"', 'after = "tim"', "line 10: it follows 'tim', but there is no such question"),
        ("{answer} on wall", "{anwser} on wall", r"line 10: \{anwser\} stands for nothing in tag"),
        ("Is the {object} ripe", "Is the {thing} ripe", r"line 16: \{thing\} stands for nothing"),
        ('when = ["outdoors"]', "when = [1]", "line 2: when must be a list of texts"),
        ('when = ["outdoors"]', 'whenn = "outdoors"', "line 2: a question has no field 'whenn'"),
        ('name = "time"', "name = ", "is not TOML"),
    ],
)
def test_mistakes_name_the_line(file: Path, old: str, new: str, words: str) -> None:
    assert old in FILE
    file.write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match=words):
        own_questions([str(file)], [], BUILTIN)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere.toml cannot be read"):
        own_questions([str(tmp_path / "nowhere.toml")], [], BUILTIN)
    empty = tmp_path / "empty.toml"
    empty.write_text("a = 1", encoding="utf-8")
    with pytest.raises(UserError, match=r"holds no \[\[question\]\]"):
        own_questions([str(empty)], [], BUILTIN)


def test_one_line_questions() -> None:
    season = from_line("Which season is it? [spring, summer, late autumn]")
    assert (season.kind, season.answers, season.tag) == (
        Kind.ONE_OF,
        ("spring", "summer", "late_autumn"),
        "{answer}",
    )
    rain = from_line("Is it raining? [yes] -> rain")
    assert (rain.kind, rain.tag) == (Kind.YES_NO, "rain")
    wall = from_line("What is on the wall? -> {answer} on the wall", 3)
    assert (wall.kind, wall.name, wall.ask) == (Kind.FREE, "own_3", "What is on the wall?")
    for text, words in (
        ("Is it raining? [yes]", "say what a yes means"),
        ("Colors? [red", "write it as TEXT"),
        ("", "write it as TEXT"),
    ):
        with pytest.raises(UserError, match=words):
            from_line(text)
