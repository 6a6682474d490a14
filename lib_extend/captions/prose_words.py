"""The words by which descriptions are read: numbers, colors, sides, people, what ends a noun's adjectives."""

from __future__ import annotations

import re
from functools import lru_cache

from lib_extend.vocabulary.colors import color_in

NUMBERS = {
    **{str(n): n for n in range(21)},
    **{
        word: n
        for n, word in enumerate(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty".split()
        )
    },
    "no": 0,
    "single": 1,
    "both": 2,
    "twin": 2,
    "dozen": 12,
}
OTHERS = frozenset("other others another rest remaining each every per".split())
"""In a sentence: the numbers in it need not be those of all there are."""
WHOLE = frozenset("picture image frame scene group photo drawing".split())
"""What "the left of the …" may be a side of, besides somebody."""
PAIRS = {"pair": 2, "couple": 2, "trio": 3, "quartet": 4, "duo": 2}
"""Words that count what stands behind their "of": "a pair of cups"."""
VAGUE = frozenset(
    "several some many few multiple numerous various countless more most least about around almost nearly over "
    "approximately roughly perhaps maybe possibly other another additional extra first second third last next each "
    "every any half".split()
)
"""In front of a noun: its number says nothing of how many there are in all."""
ARTICLES = frozenset("a an the this that these those her his their its".split())
STOPS = ARTICLES | frozenset(
    "is are was were be being been has have had having wears wear wearing holds hold holding with in on at of to from by "
    "for under over near into beside besides behind between against through as who which that while where there and or "
    "but plus nor not she he they it sits sit sitting stands stand standing lies lie lying rests rest resting shows show "
    "showing features feature contains contain includes include including sees see carries carry carrying floats float "
    "floating hangs hang hanging surrounded like without above below beneath inside outside around across next left "
    "right two-thirds also only just can could would may might do does sports sporting dressed clad than".split()
)
"""Words at which the adjectives of a noun end."""
BE = frozenset("is are was were looks look appears appear seems seem".split())
AFTER_BE = frozenset(
    "all both a an in of the color colour bright deep vivid rich mostly completely entirely painted colored coloured dyed "
    "also clearly solid pure very long short flowing glossy soft straight curly wavy shiny large small big round plain "
    "light dark pale".split()
)
"""Words that may stand between "is" and the color."""
NOT = frozenset("not never isn't aren't wasn't weren't neither nor hardly".split())
NO_CLAIM = frozenset(
    "like resembling imagines imagining dreams dreaming pattern print printed shaped toy photo".split()
)
"""Words in front of a noun that is not truly there."""
HEADS = frozenset(
    "stand holder gown leg legs handle frame cover covers case cloth top spread mat knob cushion cushions lid shade back "
    "backs edge edges surface string strings page pages spine spines shop room seat seats lamp lamps cake cakes light "
    "pattern print juice tree petals wings wing box boxes shelf shelves bag bags arm arms game bed like".split()
)
"""Behind a noun: it only says what kind of such a thing there is (a cake stand, a chair leg)."""

GIRLS = frozenset(
    "girl girls woman women lady ladies female females schoolgirl schoolgirls maiden maidens".split()
)
BOYS = frozenset("boy boys man men guy guys male males gentleman gentlemen schoolboy schoolboys".split())
ANYBODY = frozenset(
    "person people persons character characters figure figures child children kid kids individuals".split()
)
PLURAL_PEOPLE = frozenset(
    "girls women ladies females schoolgirls maidens boys men guys males gentlemen schoolboys people persons characters "
    "figures children kids individuals".split()
)
SHE, HE = frozenset(("she", "her")), frozenset(("he", "his"))

HAIR = frozenset("hair twintails ponytail pigtails braids braid locks tresses bob bun buns".split())
LOOKS = {"blonde": "blonde", "blond": "blonde", "brunette": "brown", "redhead": "red", "redheaded": "red"}
"""Words that say the color of somebody's hair by themselves."""

SIDES = {
    "left": "left",
    "leftmost": "left",
    "left-hand": "left",
    "right": "right",
    "rightmost": "right",
    "right-hand": "right",
    "middle": "middle",
    "center": "middle",
    "centre": "middle",
}
_SAME = (
    {"yellow", "gold", "blonde"},
    {"grey", "silver", "white"},
    {"beige", "brown", "white", "gold"},
    {"aqua", "blue", "green"},
    {"pink", "purple", "red"},
    {"orange", "red", "brown"},
    {"orange", "yellow", "gold"},
    {"purple", "blue"},
)
"""Colors that two people may call the same thing by, where one of the names is a rarer one."""
_PLAIN = frozenset("red blue green yellow white black brown purple blonde pink orange".split())
"""Names that everybody uses for the same: two of them differ."""
_SENTENCE = re.compile(r"[.!?;]+(?=\s|$|[\"”’)])")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|,")


def sentences_of(text: str) -> list[list[str]]:
    """A text's sentences as lists of small words and commas."""
    return [words for part in _SENTENCE.split(text) if (words := _words(part))]


def _words(text: str) -> list[str]:
    return [w.lower().replace("’", "'") for w in _WORD.findall(text)]


@lru_cache(maxsize=4096)
def color_of(word: str) -> str:
    """The color a word names, without its shade; "" for other words."""
    if word in ("none", "no", "nothing", "without", "tan", "cream", "multicolored", "colorful", "rainbow"):
        return ""
    if word in ("blonde", "blond", "golden-haired"):
        return "blonde"
    found = color_in(word) if word.isalpha() else ""
    return _bare(found) if found != "none" else ""


def _bare(name: str) -> str:
    return name.rpartition("_")[2]


def same_color(said: str, known: str) -> bool:
    """Whether two names may mean one color: the same, shades of it, or names of which one is rarer."""
    a, b = _bare(said), _bare(known)
    if a == b or "multicolored" in (a, b):
        return True
    if a in _PLAIN and b in _PLAIN and {a, b} != {"blonde", "yellow"}:
        return False
    return any(a in group and b in group for group in _SAME)
