"""Curating runs over real files: what goes, what stays, what is said, and undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_extend.datasets.curation_memory import overrule
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import UserError
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.curating import CurateJob, curate_config
from lib_extend.jobs.tag_listing import tag_rows
from lib_extend.jobs.undo import undo
from tests.jobs.conftest import caption, finished, images, names, run


def curate(root: Path, *, dry_run: bool = False, **settings: Any) -> list[ev.Event]:
    dataset = Dataset(root)
    return list(CurateJob(dataset, curate_config(dataset, settings), dry_run=dry_run).events())


def notices(events: list[ev.Event]) -> dict[str, str]:
    return {e.code: e.text for e in events if isinstance(e, ev.Notice)}


def write(root: Path, **captions: str) -> None:
    images(root, *(f"{name}.png" for name in captions))
    for name, text in captions.items():
        (root / f"{name}.txt").write_text(text, encoding="utf-8")


def texts(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(root.glob("*.txt"))}


def test_what_a_person_wrote_stays_and_that_is_said(folder: Path) -> None:
    write(folder, a="1girl, long hair, very long hair, alternate costume")
    before = texts(folder)
    said = notices(curate(folder))
    assert texts(folder) == before
    assert "--adopt" in said["own_words"]


def test_a_list_of_the_users_reaches_a_persons_words(folder: Path, tmp_path: Path) -> None:
    write(folder, a="1girl, smile, grey background")
    listed = tmp_path / "black.txt"
    listed.write_text("# places\n*_background\n", encoding="utf-8")
    curate(folder, blacklist=[str(listed)])
    assert caption(folder, "a.png") == "1girl, smile"


def test_another_taggers_captions_are_curated_and_come_back(folder: Path) -> None:
    write(folder, a="1girl, long hair, very long hair, smile", b="1boy, hat, witch hat")
    before = texts(folder)
    events = curate(folder, adopt=True)
    assert names(folder, "a.png") == {"1girl", "very long hair", "smile"}
    assert names(folder, "b.png") == {"1boy", "witch hat"}
    # the second run finds nothing more, though it sees captions of its own
    after = texts(folder)
    assert finished(curate(folder)).written == 0
    assert texts(folder) == after
    undo(Dataset(folder), finished(events).run)
    assert texts(folder) == before


def test_what_only_the_caption_knew_is_remembered(folder: Path) -> None:
    write(folder, a="1girl, long hair, very long hair")
    curate(folder, adopt=True)
    curate(folder, prune="none")
    assert names(folder, "a.png") == {"1girl", "very long hair", "long hair"}
    # a person who takes it out then is heard
    (folder / "a.txt").write_text("1girl, very long hair", encoding="utf-8")
    curate(folder, prune="none")
    assert names(folder, "a.png") == {"1girl", "very long hair"}


def test_a_caption_that_becomes_empty_is_said_and_not_stale(folder: Path, tmp_path: Path) -> None:
    write(folder, a="casual", b="casual, smile")
    before = texts(folder)
    events = curate(folder, adopt=True)
    assert not (folder / "a.txt").exists()
    assert "a.png" in notices(events)["empty_caption"]
    assert finished(curate(folder)).written == 0
    undo(Dataset(folder), finished(events).run)
    assert texts(folder) == before


def test_scores_that_are_stored_count_without_a_model(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png", "pair1-red.png")
    run(folder, vlm="none")
    seen = log.read_text(encoding="utf-8")
    curate(folder, trigger="hoshi", core_min_pictures=1)
    # the trigger word comes first, black hair goes with it; of two people nobody knows whose hair it is
    assert caption(folder, "cake1-red.png") == "hoshi, 1girl, cake, smile"
    assert {"black hair", "white hair"} <= names(folder, "pair1-red.png")
    assert log.read_text(encoding="utf-8") == seen


def test_a_picture_that_no_model_saw_keeps_what_its_caption_says(folder: Path, log: Path) -> None:
    images(folder, "cake1-red.png")
    run(folder, vlm="none")
    write(folder, new="1girl, red eyes")
    done = finished(curate(folder, trigger="hoshi"))
    assert (done.done, done.failed) == (2, 0)
    assert caption(folder, "new.png") == "hoshi, 1girl, red eyes"
    assert "new.png" not in log.read_text(encoding="utf-8")


def test_a_second_run_counts_core_tags_from_what_was_there_before(folder: Path) -> None:
    images(folder, *(f"cake{i}-red.png" for i in range(1, 7)))
    run(folder, vlm="none")
    curate(folder, trigger="hoshi")
    first = texts(folder)
    assert all(b"black hair" not in text for text in first.values())
    # counting what is left would find no core tag, and bring the hair back
    curate(folder, trigger="hoshi")
    assert texts(folder) == first
    curate(folder, trigger="", prune="none")
    assert all(b"black hair" in text and b"hoshi" not in text for text in texts(folder).values())


def test_tag_takes_the_same_settings(folder: Path) -> None:
    images(folder, *(f"cake{i}-red.png" for i in range(1, 7)))
    events = run(folder, vlm="none", trigger="hoshi")
    assert caption(folder, "cake1-red.png") == "hoshi, 1girl, cake, smile"
    # what is core is known when all pictures were looked at: they are written after that
    kinds = [type(e).__name__ for e in events]
    assert kinds.index("Image") > max(i for i, k in enumerate(kinds) if k == "Status")
    (shown,) = (e for e in events if isinstance(e, ev.Image) and e.path == "cake1-red.png")
    (drop,) = (d for d in shown.dropped if d.name == "black_hair")
    assert (drop.code, drop.fields["share"], drop.fields["pictures"]) == ("core_tag", 1.0, 6)


def test_traits_may_go_to_the_end(folder: Path) -> None:
    images(folder, *(f"cake{i}-red.png" for i in range(1, 7)))
    run(folder, vlm="none", trigger="hoshi", append_dropped=True, max_tags=3)
    # the limit cuts what is before them
    assert caption(folder, "cake1-red.png") == "hoshi, 1girl, black hair"


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    write(folder, a="1girl, long hair, very long hair")
    before = texts(folder)
    events = curate(folder, adopt=True, dry_run=True)
    assert texts(folder) == before
    (shown,) = (e for e in events if isinstance(e, ev.Image))
    assert shown.caption == "1girl, very long hair"


def test_what_is_said_of_a_tag_counts_in_every_later_run(folder: Path) -> None:
    write(folder, a="1girl, long hair, very long hair, smile")
    with Dataset(folder).state() as state:
        overrule(state, "long hair", "keep")
        overrule(state, "smile", "drop")
    curate(folder, adopt=True)
    assert names(folder, "a.png") == {"1girl", "long hair", "very long hair"}


# lists that are wrong


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        ("blacklist", '{"a": 1}', "one tag a line"),
        ("overlap", '{"long_hair": "very_long_hair"}', "no list of tags"),
        ("overlap", '{"long_hair": [\n"very_long_hair"', "line 2"),
        ("overlap", "[1, 2]", "has_overlap"),
        ("character_tags", "[]", "no list of traits"),
        ("core_file", '{"hoshi": 3}', "core_tag.json"),
        ("aliases", "[]", "old=new"),
    ],
)
def test_a_file_in_another_format_is_named(
    folder: Path, tmp_path: Path, setting: str, text: str, words: str
) -> None:
    write(folder, a="1girl")
    listed = tmp_path / "my list.json"
    listed.write_text(text, encoding="utf-8")
    value: Any = str(listed) if setting == "core_file" else [str(listed)]
    with pytest.raises(UserError) as error:
        curate(folder, **{setting: value})
    assert words in str(error.value)
    assert "my list.json" in str(error.value)
    assert error.value.field == setting


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    write(folder, a="1girl")
    with pytest.raises(UserError, match=r"gone\.txt"):
        curate(folder, blacklist=["gone.txt"])


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("overlap", '{"a": ["b"],\n "c d": 5}'),
        ("core_file", '{"hoshi": ["hat"],\n "tsuki": 5}'),
        ("character_tags", '{"suffixes": [["hair"]],\n "prefixes": 5}'),
    ],
)
def test_what_a_json_list_says_wrongly_is_named_with_its_line(
    folder: Path, tmp_path: Path, setting: str, text: str
) -> None:
    write(folder, a="1girl")
    listed = tmp_path / "mine.json"
    listed.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"mine\.json, line 2"):
        curate(folder, **{setting: str(listed) if setting == "core_file" else [str(listed)]})


def test_a_line_that_is_wrong_is_named_and_the_others_count(folder: Path, tmp_path: Path) -> None:
    write(folder, a="1girl, smile, blush")
    black, other = tmp_path / "black.txt", tmp_path / "alias.txt"
    black.write_text("smile\n/(/\n", encoding="utf-8")
    other.write_text("a=b\nb=c\nc=a\nnothing\nred cheeks=blush\n", encoding="utf-8")
    said = notices(curate(folder, blacklist=[str(black)], aliases=[str(other)]))
    assert "black.txt, line 2" in said["bad_pattern"]
    assert "alias.txt, line 4" in said["bad_alias"]
    assert "alias.txt, line 1" in said["alias_circle"] and "circle" in said["alias_circle"]
    assert names(folder, "a.png") == {"1girl", "blush"}


def test_both_forms_of_an_overlap_file_say_the_same(folder: Path, tmp_path: Path) -> None:
    forms = [
        {"blush": ["nose_blush"], "empty": []},
        [
            {"query": "blush", "has_overlap": ["nose_blush"], "other": 1},
            {"query": "empty", "has_overlap": []},
        ],
    ]
    for i, form in enumerate(forms):
        listed = tmp_path / f"{i}.json"
        listed.write_text(json.dumps(form), encoding="utf-8")
        root = folder / str(i)
        root.mkdir()
        write(root, a="1girl, blush, nose blush")
        curate(root, adopt=True, prune="none", overlap=[str(listed)])
        assert names(root, "a.png") == {"1girl", "nose blush"}


def test_pairs_that_make_each_other_needless_are_named_and_both_stay(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "overlap.json"
    listed.write_text('{\n"a tag": ["b tag"],\n"b tag": ["a tag"]}', encoding="utf-8")
    write(folder, a="1girl, a tag, b tag")
    said = notices(curate(folder, adopt=True, prune="none", overlap=[str(listed)]))
    assert "overlap.json, line 2: a_tag and b_tag" in said["overlap_circle"]
    assert names(folder, "a.png") == {"1girl", "a tag", "b tag"}


def test_core_tags_are_taken_from_a_file_in_either_form(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "core_tag.json"
    for form in (
        {"hoshi": ["black_hair", "red ribbon"]},
        {"hoshi": {"kept": ["red ribbon"], "dropped": ["black hair"], "emb_init": []}},
    ):
        listed.write_text(json.dumps(form), encoding="utf-8")
        root = folder / str(len(list(folder.iterdir())))
        root.mkdir()
        write(root, a="1girl, black hair, red ribbon")
        curate(root, adopt=True, trigger="hoshi", core_file=str(listed))
        assert names(root, "a.png") == {"hoshi", "1girl", "red ribbon"}


def test_levels_of_folders_have_their_own_core_tags(folder: Path) -> None:
    for place, hair in (("a", "black hair"), ("b", "white hair")):
        (folder / place).mkdir()
        for i in range(6):
            write(folder, **{f"{place}/{i}": f"1girl, {hair}, smile"})
    settings = {"adopt": True, "trigger": "hoshi", "recursive": True, "core_threshold": 0.8}
    curate(folder, **settings, dry_run=True)
    assert names(folder, "a/0.png") == {"1girl", "black hair", "smile"}
    curate(folder, **settings)
    assert "black hair" in names(folder, "a/0.png")  # over both folders it is on half of the pictures
    curate(folder, **settings, core_levels=0)
    assert names(folder, "a/0.png") == {"hoshi", "1girl", "smile"}
    assert names(folder, "b/0.png") == {"hoshi", "1girl", "smile"}


def test_how_several_taggers_agree_is_decided_without_them(folder: Path, log: Path) -> None:
    """Who said a tag is stored with it: another agreement needs no model, and the table names them."""
    images(folder, "cake1-red.png")
    run(folder, tagger="one,two", vlm="none", tagger_agreement="union")
    assert names(folder, "cake1-red.png") == {"1girl", "black hair", "cake", "smile"}
    curate(folder, prune="none", tagger_agreement="intersection")
    assert names(folder, "cake1-red.png") == {"cake"}  # the second one does not know it
    curate(folder, prune="none", tagger_agreement="intersection", tagger_thresholds=["two=0.47"])
    assert names(folder, "cake1-red.png") == {"1girl", "cake", "smile"}
    assert len(log.read_text().splitlines()) == 1
    rows = {r.tag: r for r in tag_rows(Dataset(folder), curate_config(Dataset(folder), {"prune": "none"}))}
    assert rows["1girl"].taggers == "one, two"
    assert (rows["black_hair"].kept, rows["black_hair"].taggers) == (False, "one")


def test_each_form_of_a_character_has_its_own_core_tags(folder: Path) -> None:
    """What hoshi wears with one outfit is no core tag of the other; a caption names the outfit, a second run nothing new."""
    outfits = {"school uniform": "serafuku, neckerchief", "bikini": "red bikini, navel"}
    for i in range(12):
        outfit, worn = list(outfits.items())[i % 2]
        write(folder, **{f"{i}": f"1girl, pink hair, {worn}, {'smile' if i % 3 else 'standing'}"})
        (folder / f"{i}.characters").write_text(f"hoshi|none|{outfit}", encoding="utf-8")
    before = texts(folder)
    settings = {"adopt": True, "load_aux": ["characters"], "drop_all_core": True, "core_threshold": 0.8}
    curate(folder, **settings)
    assert names(folder, "1.png") == {"1girl", "hoshi", "bikini", "smile"}
    assert names(folder, "0.png") == {"1girl", "hoshi", "school uniform", "standing"}
    again = curate(folder, **settings)
    assert finished(again).written == 0
    undo(Dataset(folder))
    assert texts(folder) == before
