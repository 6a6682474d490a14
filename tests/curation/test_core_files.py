"""Files about core tags, in the forms that other tools read."""

from __future__ import annotations

from lib_extend.config import TagConfig
from lib_extend.curation.core_files import core_json, emb_init, one_token_names, wildcard_lines
from lib_extend.curation.core_tags import CoreCounter, CoreTable
from lib_extend.datasets.curation_lists import core_table_of
from lib_extend.vocabulary.clip_tokens import count
from tests.curation.rows_of import known

CONFIG = TagConfig(prune="character_core")


def table() -> CoreTable:
    counter = CoreCounter()
    for character in ("hoshi|_young|school uniform+red ribbon", "tsuki"):
        for _ in range(5):
            counter.add("", character, ["black_hair", "cat_ears", "red_ribbon"])
    return counter.table(CONFIG, known().difficulty)


def test_a_table_is_written_and_read_again() -> None:
    written = core_json(table())
    assert written["tsuki"] == {
        "kept": ["red ribbon"],
        "dropped": ["black hair", "cat ears"],
        "emb_init": ["cat ears"],
    }
    again = core_table_of(written, CONFIG, known().traits, str)
    tsuki = again.of("")["tsuki"]
    assert (tsuki.of("kept"), tsuki.of("dropped"), tsuki.init) == (
        ["red_ribbon"],
        ["black_hair", "cat_ears"],
        ["cat_ears"],
    )


def test_a_wildcard_has_lines_with_and_without_the_kept_tags() -> None:
    assert wildcard_lines(table()) == [
        "hoshi_young, school uniform red ribbon",
        "hoshi_young, school uniform red ribbon, red ribbon",
        "tsuki",
        "tsuki, red ribbon",
    ]
    assert wildcard_lines(table(), with_dropped=True)[-1] == "tsuki, red ribbon, black hair, cat ears"


def test_embeddings_that_are_there_stay_unless_they_are_overwritten() -> None:
    there = {"tsuki": ["moon"], "other": ["x"]}
    assert emb_init(table(), there) == {"hoshi_young": ["cat ears"], **there}
    assert emb_init(table(), there, overwrite=True) == {
        "hoshi_young": ["cat ears"],
        "tsuki": ["cat ears"],
        "other": ["x"],
    }


def test_a_name_that_is_one_token_is_told() -> None:
    assert one_token_names({"girl": [], "hoshizora": []}, count) == ["girl"]
