"""A cast's texts in the host's prompt, while other extensions work on it."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.marks import carry, is_carrying, settle
from tests.generation.casts import TWO, casts

MAIN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30).map(
    lambda t: t.strip(" ,\u2061\u2062\u2063\u2064")
)


@given(casts(), MAIN, MAIN)
def test_untouched_it_comes_back_the_same(cast: Cast, main: str, negative: str) -> None:
    main, negative = (re.sub("[\u2061-\u2064]", "", t).strip() for t in (main, negative))
    prompt, carried = carry(cast, main, negative)
    settled = settle(prompt, carried, cast)
    assert (settled.cast, settled.main, settled.main_negative) == (cast, main, negative)


def expanded(prompt: str, seed: int) -> str:
    """What the usual extensions do: wildcards first, then variants; some tidy up the spaces."""
    rng = random.Random(seed)
    words = {"hair": ["black hair, long hair", "red hair"], "place": ["park, bench", "beach"]}
    prompt = re.sub(r"__(\w+?)__", lambda m: rng.choice(words[m[1]]), prompt)
    prompt = re.sub(r"\{([^{}]*)\}", lambda m: rng.choice(m[1].split("|")), prompt)
    return re.sub(r"\s+", " ", prompt)


def test_every_picture_has_its_own_cast() -> None:
    cast = Cast(
        (Character(prompt="__hair__, hat", negative="{cap|bow}"), Character(prompt="{1boy|1girl}, __hair__")),
        scene="__place__",
    )
    prompt, negative = carry(cast, "main", "bad")
    assert is_carrying(prompt) and not is_carrying("main")
    seen = set()
    for seed in range(20):
        settled = settle(expanded(prompt, seed), expanded(negative, seed), cast)
        found = compile_cast(settled.cast, settled.main, settled.main_negative)
        text = found.prompt
        assert not re.search(r"[_{}|\u2061-\u2064]", text)
        # both tags of a wildcard have its character's letter, and the region has them too
        for letter, region in zip("αβ", found.regions, strict=True):
            assert (f"{letter} black hair, {letter} long hair" in text) == (
                "black hair, long hair" in region.prompt
            )
        assert text.startswith(("2girls, α ", "1girl, 1boy, α "))
        assert text.endswith(("park, bench, main", "beach, main"))
        assert found.negative == "bad"
        assert found.regions[0].negative in ("bad, cap", "bad, bow")
        seen.add(text)
    assert len(seen) > 4


def test_what_others_add_is_the_main_prompt() -> None:
    prompt, negative = carry(TWO, "", "")
    settled = settle(f"style, {prompt}, more", f"{negative}, ugly", TWO)
    assert (settled.main, settled.main_negative, settled.cast) == ("style, more", "ugly", TWO)
    # an extension that wrote another prompt: the panel's cast stays
    assert settle("quite another", "", TWO).cast == TWO
    assert settle("quite another", "", TWO).main == "quite another"


def test_an_emptied_field_is_empty() -> None:
    cast = Cast((Character(prompt="{}"),), scene="{}")
    prompt, negative = carry(cast, "main", "")
    settled = settle(prompt.replace("{}", ""), negative, cast)
    assert settled.cast.characters[0].prompt == "" and settled.cast.scene == ""
    assert settled.main == "main"
