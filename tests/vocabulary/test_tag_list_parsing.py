"""Lists of tags in the forms that people have."""

import pytest

from lib_extend.records import Category
from lib_extend.vocabulary.tag_list import TagRow
from lib_extend.vocabulary.tag_list_parsing import MOST_PROBLEMS, parsed_csv, parsed_json, parsed_text


def test_tagcomplete():
    found = parsed_csv(
        "danbooru.csv", '1girl,0,6008644,"1girls,sole_female"\nhatsune_miku,4,100000,\nhighres,5,5256195\n'
    )
    assert found.rows == [
        TagRow("1girl", Category.GENERAL, 6008644, False, ("1girls", "sole_female")),
        TagRow("hatsune_miku", Category.CHARACTER, 100000),
        TagRow("highres", Category.META, 5256195),
    ]
    assert found.problems == ()


def test_the_numbers_of_e621_mean_other_categories():
    found = parsed_csv("e621.csv", "mammal,5,3437444,\nhi_res,7,3116617,\nlore_tag,8,3,\n")
    assert [row.category for row in found.rows] == [Category.GENERAL, Category.META, Category.META]
    both = parsed_csv("merged.csv", "highres,5,9,\nmammal,12,8,\nanthro,7,7,\nhi_res,14,6,\n")
    assert [row.category for row in both.rows] == [
        Category.META, Category.GENERAL, Category.GENERAL, Category.META,
    ]  # fmt: skip


def test_a_taggers_table():
    found = parsed_csv(
        "selected_tags.csv",
        "tag_id,name,category,count\n9999,general,9,807858\n470575,1girl,0,4225150\n1,null,0,3\n",
    )
    assert found.rows == [
        TagRow("general", Category.RATING, 807858),
        TagRow("1girl", Category.GENERAL, 4225150),
        TagRow("null", Category.GENERAL, 3),
    ]


def test_words_in_the_place_of_a_number():
    assert parsed_csv("extra.csv", "masterpiece,5,Quality tag,,\nbest_quality,5,Quality tag,,\n").rows == [
        TagRow("masterpiece", Category.META), TagRow("best_quality", Category.META),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["1girl,1个女孩\nsmile,微笑\n", "1girl,0,1个女孩\nsmile,0,微笑\n", "1girl,x,1个女孩\nsmile,y,微笑\n"],
)
def test_translations(text):
    found = parsed_csv("zh.csv", text)
    assert found.translations == {"1girl": "1个女孩", "smile": "微笑"}
    assert found.rows == ()


def test_plain_lists():
    found = parsed_text("mine.txt", "# my tags\nblack hair, red eyes\n\n  cat_(animal)\nblack_hair\n")
    assert [row.name for row in found.rows] == ["black_hair", "red_eyes", "cat_(animal)"]


def test_json():
    found = parsed_json(
        "mine.json",
        {
            "tags": ["a", {"name": "b c", "category": 4, "post_count": 7, "aliases": ["d"]}],
            "aliases": {"e": "a", "f": "g"},
            "implications": {"b_c": ["a"], "g": "a"},
        },
    )
    assert found.rows == [
        TagRow("a", aliases=("e",)), TagRow("b_c", Category.CHARACTER, 7, False, ("d",)), TagRow("g", aliases=("f",)),
    ]  # fmt: skip
    assert found.implications == [("b_c", "a"), ("g", "a")]


def test_circles_are_told_and_the_rest_is_taken():
    found = parsed_json(
        "mine.json",
        {"aliases": {"a": "b", "b": "a", "c": "d"}, "implications": {"x": "y", "y": ["z"], "z": "x"}},
    )
    assert [p.code for p in found.problems] == ["alias_cycle", "implication_cycle"]
    assert all(p.words.startswith("mine.json: ") and " → " in p.words for p in found.problems)
    assert found.implications == [("x", "y"), ("y", "z")]
    assert {row.name: row.aliases for row in found.rows} == {"b": ("a",), "d": ("c",)}


def test_bad_lines_are_named_and_the_rest_is_taken():
    long = "x" * 400
    found = parsed_csv("bad.csv", f"smile,0,5,\n{long},0,5,\nhat,0,4,\n")
    assert [row.name for row in found.rows] == ["smile", "hat"]
    assert [(p.line, p.file) for p in found.problems] == [(2, "bad.csv")]
    assert found.problems[0].words.startswith("bad.csv, line 2: ")


def test_many_bad_lines_are_counted():
    found = parsed_csv("bad.csv", "smile,0,5,\n" + f"{'x' * 400},0,5,\n" * 100)
    assert len(found.problems) == MOST_PROBLEMS + 1
    assert "80 more lines" in found.problems[-1].words


@pytest.mark.parametrize("data", [3, {"words": []}, None])
def test_other_json_is_told(data):
    assert [p.code for p in parsed_json("x.json", data).problems] == ["format"]
