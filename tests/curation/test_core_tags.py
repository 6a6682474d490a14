"""Core tags: what is counted, what becomes of it, and from whom it goes."""

from __future__ import annotations

from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreCounter, CoreTable
from lib_extend.curation.step_table import curate
from lib_extend.vocabulary.character_names import caption_name, embedding_name
from tests.curation.rows_of import known, left, rows

CONFIG = TagConfig(prune="character_core")


def counted(*pictures: tuple[str, list[str]], config: TagConfig = CONFIG) -> CoreTable:
    counter = CoreCounter()
    for character, tags in pictures:
        counter.add("", character, tags)
    return counter.table(config, known().difficulty)


def hoshi(times: int = 6) -> list[tuple[str, list[str]]]:
    return [("hoshi", ["black_hair", "red_ribbon", "smile", "cat_ears"])] * times


def names(table: CoreTable, character: str, use: str) -> set[str]:
    return set(table.of("")[character].of(use))


def test_core_is_what_stands_on_enough_pictures() -> None:
    pictures = [*hoshi(4), *[("hoshi", ["black_hair", "hat"])] * 6]
    table = counted(*pictures)
    assert {t.name: t.count for t in table.of("")["hoshi"].tags} == {
        "black_hair": 10,
        "cat_ears": 4,
        "red_ribbon": 4,
        "hat": 6,
    }
    assert names(table, "hoshi", "dropped") == {"black_hair", "cat_ears"}


def test_words_of_place_and_pose_are_never_core() -> None:
    tags = [
        "smile",
        "looking_at_viewer",
        "simple_background",
        "close-up",
        "indoors",
        "open_mouth",
        "black_hair",
    ]
    table = counted(*[("hoshi", tags)] * 5)
    assert {t.name for t in table.of("")["hoshi"].tags} == {"black_hair"}


def test_a_trait_is_core_though_a_word_of_it_is_none() -> None:
    # a list of words alone would leave out the mole, for the mouth's sake
    table = counted(*[("hoshi", ["mole_under_mouth", "open_mouth"])] * 5)
    assert names(table, "hoshi", "dropped") == {"mole_under_mouth"}


def test_few_pictures_drop_nothing() -> None:
    table = counted(*hoshi(4))
    core = table.of("")["hoshi"]
    assert core.tags and not core.enough
    done = curate(rows(["black_hair"], characters={"hoshi": 1}), known("character_core", core=table))
    assert left(done) == {"black_hair"}


def test_core_tags_go_from_the_characters_pictures_alone() -> None:
    shown = rows(["black_hair", "red_ribbon", "smile"], ["black_hair"], characters={"hoshi": 1})
    done = curate(shown, known("character_core", core=counted(*hoshi())))
    assert left(done, 0) == {"red_ribbon", "smile"}
    assert left(done, 1) == {"black_hair"}
    (gone,) = done.gone
    assert gone.reason.sentence == "hoshi has it on 100 % of 6 pictures"


def test_all_core_tags_go_when_asked() -> None:
    config = CONFIG.with_(drop_all_core=True)
    table = counted(*hoshi(), config=config)
    assert names(table, "hoshi", "dropped") == {"black_hair", "red_ribbon", "cat_ears"}


def test_what_is_core_of_one_is_not_taken_from_another() -> None:
    tsuki = [("tsuki", ["white_hair", "cat_ears"])] * 6
    table = counted(*hoshi(), *tsuki)
    both = rows(["black_hair", "white_hair", "cat_ears"], characters={"hoshi": 1, "tsuki": 1}, several=1)
    done = curate(both, known("character_core", core=table))
    # whose hair is black nobody knows; cat ears have both
    assert left(done) == {"black_hair", "white_hair"}


def test_where_persons_are_told_apart_each_loses_their_own() -> None:
    table = counted(*hoshi(), *[("tsuki", ["white_hair"])] * 6)
    carriers = {"black_hair": frozenset({"hoshi"}), "white_hair": frozenset({"hoshi"})}
    both = rows(
        ["black_hair", "white_hair"],
        characters={"hoshi": 1, "tsuki": 1},
        several=1,
        carriers=lambda name, row: carriers.get(name),
    )
    # white hair is core of tsuki, but here it is hoshi's
    assert left(curate(both, known("character_core", core=table))) == {"white_hair"}


def test_beside_somebody_without_a_name_nothing_goes() -> None:
    table = counted(*hoshi())
    both = rows(["black_hair"], characters={"hoshi": 1}, several=1, unnamed=1)
    assert left(curate(both, known("character_core", core=table))) == {"black_hair"}


def test_levels_decide_what_starts_an_embedding() -> None:
    table = counted(*hoshi(), config=CONFIG.with_(drop_difficulty=1))
    core = table.of("")["hoshi"]
    assert core.of("dropped") == ["black_hair"]
    assert core.init == ["cat_ears"]
    # what starts an embedding goes from captions, too
    done = curate(
        rows(["cat_ears", "black_hair"], characters={"hoshi": 1}), known("character_core", core=table)
    )
    assert left(done) == set()


def test_forms_of_one_embedding_share_what_all_have() -> None:
    table = counted(
        *[("hoshi|school uniform", ["cat_ears", "fang"])] * 5, *[("hoshi|kimono", ["cat_ears"])] * 5
    )
    assert table.of("")["hoshi|school uniform"].init == ["cat_ears"]
    # a picture of another form alone would leave nothing in common
    one = counted(*[("hoshi|school uniform", ["cat_ears", "fang"])] * 5)
    assert one.of("")["hoshi|school uniform"].init == ["cat_ears", "fang"]


def test_names_of_characters_are_read_in_parts() -> None:
    assert embedding_name("hoshi|_adult+tall|kimono") == "hoshi_adult"
    assert caption_name("hoshi|_adult+tall|kimono+red obi|none") == "hoshi_adult tall, kimono red obi"
    assert caption_name("hoshi") == "hoshi"


def test_a_table_comes_back_from_json() -> None:
    table = counted(*hoshi())
    assert CoreTable.from_json(table.to_json()) == table
