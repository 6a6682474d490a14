"""Questions a user writes: read, asked, and refused with the line that is wrong."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lib_extend.datasets.question_files import own_questions
from lib_extend.errors import UserError
from lib_extend.questions.answer_reading import read
from lib_extend.questions.asking import next_round
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_line
from lib_extend.questions.question import Kind
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
        ("a" + " " * 50_000 + "[", "has 50,002 characters"),
        ("a" + " " * 1900 + "[", "write it as TEXT"),
        ("[a, b]", "write it as TEXT"),
        ("a [b] c", "write it as TEXT"),
        ("a ] b", "write it as TEXT"),
    ):
        with pytest.raises(UserError, match=words):
            from_line(text)
    assert from_line("Is it -> a [b]").tag == "a [b]" and from_line("Is it ->").ask == "Is it ->"
    assert from_line("->x").ask == "->x" and from_line("What? [a, b]->{answer} c").tag == "{answer} c"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FILE + "\na = " + "[" * 5000, r"own.toml, line 23: brackets go 20 deep"),
        (FILE + "\n\na = " + '{"b" = ' * 500, r"own.toml, line 24: brackets go 20 deep"),
        ("[" + "a." * 40_000 + "a]", "own.toml, line 1: a key has 20 parts at the most"),
        ("a = " + "9" * 100_000, "own.toml "),
        (FILE.replace("indoors", "x") + "a = 1\x00", "own.toml is not TOML: [^\n]*$"),
        ("".join(f'[[question]]\nname = "q{i}"\nask = "a?"\n' for i in range(501)), "501 questions: 500 are"),
        (FILE.replace("What is on the wall?", "a" * 2001), "line 10: ask has at most 2,000 characters"),
        (FILE.replace('"apple"', '"apple", ' * 1000 + '"a"'), "line 16: each has at most 1,000 texts"),
        ("# " + "a" * 1_000_000, "is too large .* split it"),
    ],
)
def test_files_are_bounded(file: Path, text: str, words: str) -> None:
    file.write_text(text, encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(UserError, match=words) as e:
        own_questions([str(file)], [], BUILTIN)
    assert time.monotonic() - began < 10 and len(str(e.value)) < 1000


def test_brackets_in_texts_and_comments_are_not_counted(file: Path) -> None:
    deep = FILE.replace("What is on the wall?", "What is on " + "{[" * 30 + " the wall?").replace(
        "{[" * 30, "[" * 30
    )
    file.write_text(deep + "# " + "[" * 40, encoding="utf-8")
    assert len(own_questions([str(file)], [], BUILTIN)) == len(BUILTIN) + 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_is_no_question_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.toml")
    with pytest.raises(UserError, match="own.toml is no ordinary file"):
        own_questions([str(tmp_path / "own.toml")], [], BUILTIN)
