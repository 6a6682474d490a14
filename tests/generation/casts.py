"""Casts for tests: a usual one, and strategies for any."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from lib_extend.generation.cast import MAX_CHARACTERS, Cast, Character, Lora, Place, Thing
from lib_extend.generation.expansion import LENGTHS, PLACES, WANTED, WHENS, Added, Expansion

TWO = Cast(
    (
        Character("Ann", "1girl, black hair, blue skirt", "hat", 1.0, (0.0, 0.0, 0.5, 1.0)),
        Character("Ben", "1boy, white hair", "", 0.8, (0.5, 0.0, 1.0, 1.0)),
    ),
    common="masterpiece",
    scene="indoors",
    negative="lowres",
    things=(Thing("cake", 3, "red"),),
    floor="wooden",
    separation_lora=Lora("separation", 0.8),
)

WORDS = st.from_regex(r"[a-z]{2,8}( [a-z]{2,8}){0,2}", fullmatch=True).filter(
    # what says how many people there are is treated apart
    lambda w: not {w} & {"girl", "boy", "other", "woman", "female", "lady", "man", "male", "guy", "solo"}
)
TAGS = st.one_of(
    WORDS,
    WORDS.map(lambda w: f"({w}:1.2)"),
    WORDS.map(lambda w: f"[{w}]"),
    WORDS.map(lambda w: f"(({w}))"),
    WORDS.map(lambda w: rf"{w} \(fate\)"),
    st.tuples(WORDS, WORDS).map(lambda w: f"[{w[0]}:{w[1]}:0.5]"),
    st.tuples(WORDS, WORDS).map(lambda w: f"[{w[0]}, {w[1]}|{w[1]}]"),
    st.tuples(WORDS, WORDS).map(lambda w: f"({w[0]}, {w[1]}:1.1)"),
    st.tuples(WORDS, WORDS).map(lambda w: f"{{{w[0]}, {w[1]}|{w[0]}}}"),
    st.sampled_from(["__hair__", ":3", ">_<", ":)", "(", "]", "a\\(b", "${x=a, b}", "^_^", "(o)_(o)"]),
)


@st.composite
def places(draw: st.DrawFn) -> Place:
    x0, y0 = draw(st.integers(0, 900)), draw(st.integers(0, 900))
    x1, y1 = draw(st.integers(x0 + 20, 1000)), draw(st.integers(y0 + 20, 1000))
    return x0 / 1000, y0 / 1000, x1 / 1000, y1 / 1000


TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=60)


def added() -> st.SearchStrategy[Added]:
    """What an expander added."""
    tags = st.lists(WORDS.map(lambda w: rf"{w} \(fate\)"), max_size=3, unique=True).map(tuple)
    return st.builds(
        lambda tags, prose, locked: Added(tags, prose, tags[:locked]),
        tags,
        st.sampled_from(["", "A girl, in 'red': \"smiles\"."]),
        st.integers(0, 3),
    )


def expanded(cast: st.SearchStrategy[Cast]) -> st.SearchStrategy[Cast]:
    """Casts with what an expander added."""
    expansion = st.builds(
        Expansion,
        when=st.sampled_from(WHENS),
        places=st.sets(st.sampled_from(PLACES)).map(tuple),
        length=st.sampled_from(LENGTHS),
        to=st.sampled_from(WANTED),
        ban=st.sampled_from(["", "hat, /a,b'c/"]),
        temperature=st.sampled_from([0.5, 1.25]),
    )

    @st.composite
    def make(draw: st.DrawFn) -> Cast:
        one = draw(cast)
        characters = tuple(replace(c, added=draw(added())) for c in one.characters)
        return replace(
            one,
            characters=characters,
            expansion=draw(st.one_of(st.none(), expansion)),
            main_added=draw(added()),
            scene_added=draw(added()),
        )

    return make()


def casts(text: st.SearchStrategy[str] = TEXTS, least: int = 0) -> st.SearchStrategy[Cast]:
    """Casts whose texts are `text`."""
    weights = st.integers(0, 2000).map(lambda n: n / 1000)
    names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)
    blocks = st.sampled_from([(), (1.0,) * 12, (0.5, -1.0) * 10])
    own = st.builds(
        Lora, WORDS, st.sampled_from([0.5, 1.0, -1.25, 0]), st.sampled_from([None, 0, 0.25]), blocks
    )
    owned = st.lists(own, max_size=2).map(tuple)
    characters = st.builds(Character, names, text, text, weights, places(), owned)
    loras = st.one_of(st.none(), st.builds(Lora, WORDS, st.sampled_from([0.5, 1.0, -1.25, 0])))
    shares = st.integers(0, 1000).map(lambda n: n / 1000)
    return st.builds(
        Cast,
        st.lists(characters, min_size=least, max_size=MAX_CHARACTERS).map(tuple),
        common=text,
        scene=text,
        negative=text,
        things=st.lists(
            st.builds(Thing, WORDS, st.integers(1, 20), st.sampled_from(["", "red"])), max_size=3
        ).map(tuple),
        floor=st.sampled_from(["", "wooden", "carpet"]),
        count_style=st.sampled_from(["english", "naive"]),
        background_lora=loras,
        separation_lora=loras,
        loras=owned,
        mode=st.sampled_from(["regions", "prompt"]),
        base_weight=shares,
        end_step=shares,
    )
