"""From a cast to prompts, and back."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extend.errors import UserError
from lib_extend.generation import background, syntax
from lib_extend.generation.cast import LETTERS, Cast, Character, Lora, Thing
from lib_extend.generation.compile import compile_cast, has_lora
from lib_extend.generation.greek import has_letters, read_greek
from lib_extend.generation.letters import gender, people_tags
from lib_extend.generation.places import columns, rows
from lib_extend.generation.syntax import Piece
from tests.generation.casts import TAGS, TWO, casts


def tags_of(text: str) -> list[str]:
    return [piece.text for piece in syntax.pieces(text) if piece.text]


def cast(*prompts: str, **more: object) -> Cast:
    return Cast(tuple(Character(prompt=p) for p in prompts), **more)  # type: ignore[arg-type]


def test_the_form_the_lora_was_trained_on() -> None:
    two = cast("black hair, blue skirt", "white hair", scene="indoors")
    assert compile_cast(two).prompt == "2girls, α black hair, α blue skirt, β white hair, indoors"


def test_everything_at_once() -> None:
    found = compile_cast(TWO, "smile", "bad hands")
    assert found.prompt == (
        "1girl, 1boy, masterpiece, α black hair, α blue skirt, β white hair, indoors, 3 cakes, red cake, "
        "wooden floor, smile <lora:separation:0.8>"
    )
    assert found.negative == "bad hands, lowres"
    ann, ben = found.regions
    assert (ann.letter, ann.name, ann.box, ann.weight) == ("α", "Ann", (0, 0, 0.5, 1), 1.0)
    assert ann.prompt == "1girl, masterpiece, black hair, blue skirt"
    assert ann.negative == "bad hands, lowres, hat"
    assert ben.prompt == "1boy, masterpiece, white hair"
    assert ben.negative is None and ben.weight == 0.8
    assert found.notes == ()


@pytest.mark.parametrize(
    ("prompt", "lettered"),
    [
        ("(black hair:1.2)", "α (black hair:1.2)"),
        ("((hat))", "α ((hat))"),
        ("(hat, bow:1.2)", "(α hat, α bow:1.2)"),
        ("[hat, bow]", "[α hat, α bow]"),
        ("[hat:bow:0.5]", "α [hat:bow:0.5]"),
        ("[hat, cap:bow:0.5]", "α [hat, cap:bow:0.5]"),
        ("[hat|bow]", "α [hat|bow]"),
        (r"saber \(fate\)", r"α saber \(fate\)"),
        ("__hair__", "α __hair__"),
        ("{hat, cap|bow}", "α {hat, cap|bow}"),
        ("hat BREAK bow", "α hat BREAK α bow"),
        ("hat AND bow", "α hat AND α bow"),
        ("α hat, γ_bow, (β cap:1.1)", "α hat, α bow, α (cap:1.1)"),
        (":3, >_<", "α :3, α >_<"),
        # alone, a bracket would reach into the other fields
        (":(, hat]", r"α :\(, α hat\]"),
        (r"a\(b", r"α a\(b"),
        ("a <lora:x:1>, b", "α a, α b"),
    ],
)
def test_a_letter_before_each_tag_that_stays_as_it_is(prompt: str, lettered: str) -> None:
    text = compile_cast(cast(prompt, "hat")).prompt
    assert text.replace(" <lora:x:1>", "") == f"2girls, {lettered}, β hat"


def test_a_single_character_has_no_letter() -> None:
    assert compile_cast(cast("1girl, solo, hat", scene="indoors")).prompt == "1girl, solo, hat, indoors"
    assert compile_cast(cast("hat")).prompt == "1girl, hat"
    # in two, `solo` would deny the other
    assert compile_cast(cast("1girl, solo, hat", "bow")).prompt == "2girls, α hat, β bow"


@pytest.mark.parametrize(
    ("prompts", "people"),
    [
        (["1girl, a", "1girl, b", "1boy, c"], "2girls, 1boy"),
        (["(1boy:1.1), a", "male focus, b"], "2boys"),
        (["1other", "woman"], "1girl, 1other"),
        (["a", "b", "c", "d", "e"], "5girls"),
    ],
)
def test_people(prompts: list[str], people: str) -> None:
    assert compile_cast(cast(*prompts)).prompt.startswith(people + ", ")


def test_people_tags_of_the_users_own_replace_ours() -> None:
    for more in ({"common": "4girls"}, {"scene": "4girls"}):
        found = compile_cast(cast("a", "b", **more))
        assert found.prompt.count("girls") == 1 and "4girls" in found.prompt
        assert all("4girls" not in r.prompt and r.prompt.count("1girl") == 1 for r in found.regions)
    found = compile_cast(cast("a", "b"), "(4girls:1.2), park")
    assert found.prompt == "α a, β b, (4girls:1.2), park"
    assert found.regions[0].prompt == "1girl, a"
    assert compile_cast(cast("a", "b", common="multiple girls")).prompt == "2girls, multiple girls, α a, β b"
    # no characters, nobody to count
    assert compile_cast(Cast(scene="park")).prompt == "park"


def test_gender_words() -> None:
    assert [gender([Piece(t)]) for t in ("1girl", "2boys", "(1other:1.1)", "male_focus", "boyish hat", "Woman")] == [
        "girl", "boy", "other", "boy", "", "girl",
    ]  # fmt: skip
    assert people_tags(["boy", "girl", "girl", "other"]) == ["2girls", "1boy", "1other"]


def test_loras_once() -> None:
    both = cast("a <lora:Style:1>", "b <lora:style:0.5> <lora:other:1>", scene="<hypernet:style:1>, c",
                background_lora=Lora("bg"), separation_lora=Lora("sep", 0.8))  # fmt: skip
    text = compile_cast(both).prompt
    assert text == (
        "2girls, α a, β b, c <lora:Style:1> <lora:other:1> <hypernet:style:1> <lora:bg:1> <lora:sep:0.8>"
    )
    again = compile_cast(both, "<lora:SEP:0.3>, x <lyco:bg:1>").prompt
    assert "<lora:sep:0.8>" not in again and "<lora:bg:1>" not in again and "<lora:SEP:0.3>, x" in again
    assert "<" not in compile_cast(replace(both, separation_lora=Lora("sep", 0))).regions[1].prompt
    assert "sep" not in compile_cast(cast("a", separation_lora=Lora("sep", 0))).prompt
    assert has_lora("a <lora:sep:1>", Lora("Sep")) and not has_lora("sep", Lora("sep"))
    names = {"trained-name": "Sep"}
    assert has_lora("<lora:Trained-Name:1>", Lora("sep"), names)
    assert compile_cast(
        cast("a", separation_lora=Lora("sep")), "<lora:trained-name:1>", aliases=names
    ).prompt == ("1girl, a, <lora:trained-name:1>")
    one = cast("a", background_lora=Lora("x"), separation_lora=Lora("x", 0.5))
    assert compile_cast(one).prompt.count("<lora:x") == 1


def test_the_main_prompt_stays_letter_by_letter() -> None:
    main = "a ,b,\n(c, d:1.1)  e BREAK f <lora:x:1> AND g :0.5"
    assert compile_cast(cast("h", "i"), main).prompt == f"2girls, α h, β i, {main}"
    assert compile_cast(cast("h", "i"), "AND g").prompt == "2girls, α h, β i AND g"
    assert compile_cast(Cast(), main).prompt == main


def test_regions_compose_nothing() -> None:
    found = compile_cast(
        replace(cast("a, b :0.5 AND c :2", "d"), common="e AND f", negative="g"), "", "h AND i"
    )
    assert found.prompt == "2girls, e AND f, α a, α b :0.5 AND α c :2, β d"
    assert [r.prompt for r in found.regions] == ["1girl, e, f, a, b, c", "1girl, e, f, d"]
    assert found.notes and "AND" in found.notes[0]


def test_an_end_that_reads_like_a_weight() -> None:
    assert compile_cast(cast("a", ":3", separation_lora=Lora("s"))).prompt == "2girls, α a, β :3, <lora:s:1>"


def test_without_regions_negatives_have_letters() -> None:
    two = cast("a", "b", mode="prompt", negative="n")
    two = replace(two, characters=(replace(two.characters[0], negative="hat, (bow:1.2)"), two.characters[1]))
    found = compile_cast(two, "", "bad")
    assert found.negative == "bad, n, α hat, α (bow:1.2)"
    assert found.regions == ()
    assert compile_cast(Cast((Character(negative="hat"),), mode="prompt")).negative == "hat"


def test_a_character_without_tags_is_told() -> None:
    found = compile_cast(Cast((Character("Ann", "1girl"), Character(prompt="hat"))))
    assert found.prompt == "2girls, β hat"
    assert found.notes == ("Ann has no tags of its own: give it a prompt, or remove it.",)


@given(casts(TAGS), st.one_of(st.just(""), TAGS))
def test_compiled_prompts(any_cast: Cast, main: str) -> None:
    found = compile_cast(any_cast, main)
    assert len(found.regions) == (len(any_cast.characters) if any_cast.regional else 0)
    for lora in (any_cast.background_lora, any_cast.separation_lora):
        if lora is not None and lora.weight:
            assert found.prompt.count(f"<lora:{lora.name}:") == 1
    for region, character in zip(found.regions, any_cast.characters, strict=False):
        assert not set(region.prompt) & set(LETTERS) and "<lora" not in region.prompt
        # nothing of the character's is lost, and nothing of another's is there
        for tag in tags_of(character.prompt):
            assert syntax.guarded(tag) in region.prompt
    for letter, character in zip(any_cast.letters, any_cast.characters, strict=True):
        lettered = [t for t in tags_of(found.prompt) if re.match(rf"[(\[]?{letter} ", t)]
        expected = len(tags_of(character.prompt)) if len(any_cast.characters) > 1 else 0
        assert len(lettered) == expected


@given(casts(TAGS, least=2))
def test_read_back_it_compiles_to_the_same(any_cast: Cast) -> None:
    text = compile_cast(any_cast).prompt
    if not has_letters(text):
        return
    read = read_greek(text)
    assert compile_cast(read).prompt == text


SIMPLE = st.lists(TAGS.filter(lambda t: syntax.guarded(t) == t), min_size=1, max_size=3).map(", ".join)


@given(st.lists(SIMPLE, min_size=2, max_size=5), SIMPLE, SIMPLE)
def test_read_back_it_is_the_cast(prompts: list[str], common: str, scene: str) -> None:
    made = cast(*prompts, common=common, scene=scene).with_boxes(columns(len(prompts)))
    assert read_greek(compile_cast(made).prompt.removesuffix(",")) == made


def test_reading() -> None:
    text = "1girl, 1boy, best quality, (α black hair:1.2), α male focus, β_red_skirt, park, bench <lora:s:1>"
    found = read_greek(text, rows(2))
    assert [c.prompt for c in found.characters] == ["(black hair:1.2), male focus", "red_skirt"]
    assert found.common == "best quality" and found.scene == "park, bench <lora:s:1>"
    assert [c.box for c in found.characters] == list(rows(2))
    found = read_greek("1girl, 1boy, α a, γ b")
    assert [c.prompt for c in found.characters] == ["a", "1boy, b"]
    # numbers that do not fit are the user's own
    assert read_greek("3girls, α a, β b").common == "3girls"
    with pytest.raises(UserError, match="Greek letters"):
        read_greek("2girls, black hair")
    assert not has_letters("α a, α b") and has_letters("α a, (β b:1.1)")


def test_background_objects() -> None:
    def tags(style: str, *things: Thing, floor: str = "") -> list[str]:
        return background.tags(Cast(things=things, floor=floor, count_style=style))

    assert tags("english", Thing("cake", 3, "red"), floor="wooden") == ["3 cakes", "red cake", "wooden floor"]
    assert tags("naive", Thing("box", 3), Thing("cake", 2)) == ["3boxs", "2cakes"]
    assert tags("english", Thing("ball (object)", 2, "light blue"), floor="carpet") == [
        r"2 balls \(object\)",
        r"light blue ball \(object\)",
        "carpet",
    ]
    assert tags("english", Thing("lamp"), Thing("Lamp"), Thing("teddy_bear", 2)) == ["lamp", "2 teddy bears"]
    assert tags("english", floor="tiled floor") == ["tiled floor"]
    assert "red" in background.COLORS and "none" not in background.COLORS
    assert {"cake", "curtains", "cabinet"} <= set(background.OBJECTS)


@pytest.mark.parametrize(
    ("prompt", "person"),
    [
        ("1boy, white hair", "1boy"),
        ("1 boy, white hair", "1boy"),
        ("a man, white hair", "1boy"),
        ("young man", "1boy"),
        ("male focus", "1boy"),
        ("{1boy}, hat", "1boy"),
        ("(1boy:1.2), hat", "1boy"),
        ("white hair\n1boy", "1boy"),
        ("white hair，1boy", "1boy"),
        ("fox girl, hat", "1girl"),
        ("girl with a man's hat", "1girl"),
        ("white hair", "1girl"),
    ],
)
def test_each_region_has_its_own_person(prompt: str, person: str) -> None:
    """Not everybody in the picture: a box has one of them."""
    found = compile_cast(cast("1girl, black hair", prompt))
    assert found.regions[0].prompt.startswith("1girl, black hair")
    assert found.regions[1].prompt.startswith(person) and found.regions[1].prompt.count(person) <= 2
    assert found.prompt.startswith("2girls, " if person == "1girl" else "1girl, 1boy, ")


def test_nobody_is_lost_over_the_users_own_count() -> None:
    found = compile_cast(cast("1girl, black hair", "1boy, white hair"), "1girl BREAK park")
    assert found.prompt == "1boy, α black hair, β white hair, 1girl BREAK park"
    assert [r.prompt for r in found.regions] == ["1girl, black hair", "1boy, white hair"]
    # what covers all of them stays the user's
    found = compile_cast(cast("black hair", "1boy, white hair"), "1girl, 1boy, park")
    assert found.prompt == "α black hair, β white hair, 1girl, 1boy, park"
    assert [r.prompt for r in found.regions] == ["1girl, black hair", "1boy, white hair"]


def test_a_guess_is_said_where_it_counts() -> None:
    assert compile_cast(cast("black hair", "1boy, hat")).notes == (
        "α: taken for a girl, as no tag says otherwise; write 1girl or 1boy.",
    )
    assert compile_cast(cast("black hair", "hat")).notes == ()
    assert compile_cast(cast("black hair", "hat"), "1girl, 1boy").notes == ()


def test_people_beside_a_lora_in_the_users_prompt_count() -> None:
    found = compile_cast(cast("1girl, black hair", "1boy, hat"), "1girl, 1boy <lora:style:1>")
    assert found.prompt == "α black hair, β hat, 1girl, 1boy <lora:style:1>"


def test_every_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_extend.generation import prompt

    prompt.read.cache_clear()
    seen: list[str] = []
    pieces = syntax.pieces
    monkeypatch.setattr(syntax, "pieces", lambda text: seen.append(text) or pieces(text))
    two = Cast(
        (Character(prompt="black hair, hat", negative="bow"), Character(prompt="white hair", negative="cap")),
        common="masterpiece",
        scene="indoors, table",
        negative="lowres",
    )
    for _ in range(3):  # the pictures of a batch
        compile_cast(two, "smile, outdoors", "bad hands")
    fields = ["black hair, hat", "bow", "white hair", "cap", "masterpiece", "indoors, table", "lowres"]
    assert [seen.count(text) for text in (*fields, "smile, outdoors", "bad hands")] == [1] * 9
