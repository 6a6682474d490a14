"""The base models that captions are written for: one table for styles, checks, exports and training.

Sources: the models' own cards (Illustrious XL, NoobAI XL, Pony V6 and V7, Anima, NewBie image).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BEST_SHARE = 1.0
"""Upper end of a quality: the share 0…1 of all pictures that are not better."""


@dataclass(frozen=True)
class Base:
    """One base model, or a family whose captions are alike.

    Attributes:
        name: what settings call it. title: what people call it.
        style: the caption style that it was trained with.
        tokenizer: "clip", "t5", "qwen", "gemma" or "llama". tokens: how many of them it reads at the most; 0: no known limit.
        chunk: tokens that are read together, 0 where all are (CLIP: 75).
        prose: "no", "some" or "only": whether it understands sentences.
        underscores: tags keep theirs.
        ratings: its words for general, sensitive, questionable and explicit; empty where it has none.
        qualities: pairs (share of all pictures up to which the words apply, words), from the worst to the best.
        eras: (last year, word), from the oldest; years: it knows `year 2024`.
        loss: "eps", "v" or "flow": what it predicts.
    """

    name: str
    title: str
    style: str = "plain"
    tokenizer: str = "clip"
    tokens: int = 225
    chunk: int = 75
    prose: str = "no"
    underscores: bool = False
    ratings: tuple[str, ...] = ()
    qualities: tuple[tuple[float, tuple[str, ...]], ...] = ()
    eras: tuple[tuple[int, str], ...] = ()
    years: bool = False
    loss: str = "eps"


_DANBOORU = ("general", "sensitive", "questionable", "explicit")
_NSFW = ("general", "sensitive", "nsfw", "explicit")
_SAFE = ("safe", "sensitive", "nsfw", "explicit")
_NOOBAI = (
    (0.30, ("worst_quality",)),
    (0.60, ("normal_quality",)),
    (0.85, ("good_quality",)),
    (0.95, ("best_quality",)),
    (BEST_SHARE, ("masterpiece",)),
)
_ILLUSTRIOUS = (
    (0.08, ("worst_quality",)),
    (0.20, ("bad_quality",)),
    (0.60, ("average_quality",)),
    (0.82, ("good_quality",)),
    (0.92, ("best_quality",)),
    (BEST_SHARE, ("masterpiece",)),
)
_PONY = (
    (0.20, ("score_4_up",)),
    (0.40, ("score_5_up", "score_4_up")),
    (0.60, ("score_6_up", "score_5_up", "score_4_up")),
    (0.80, ("score_7_up", "score_6_up", "score_5_up", "score_4_up")),
    (0.90, ("score_8_up", "score_7_up", "score_6_up", "score_5_up", "score_4_up")),
    (BEST_SHARE, ("score_9", "score_8_up", "score_7_up", "score_6_up", "score_5_up", "score_4_up")),
)
_SCORES = tuple((n / 9, (f"score_{n}",)) for n in range(1, 10))
_ANIMA = (
    (0.15, ("worst_quality", "score_1")),
    (0.30, ("low_quality", "score_3")),
    (0.60, ("normal_quality", "score_5")),
    (0.85, ("good_quality", "score_7")),
    (0.95, ("best_quality", "score_8")),
    (BEST_SHARE, ("masterpiece", "best_quality", "score_9")),
)
_NOOBAI_ERAS = ((2010, "old"), (2014, "early"), (2017, "mid"), (2020, "recent"), (9999, "newest"))

BASES: tuple[Base, ...] = (
    Base("sd15", "Stable Diffusion 1.5", ratings=_DANBOORU),
    Base("sdxl", "SDXL", prose="some"),
    Base("illustrious", "Illustrious XL", prose="some", ratings=_NSFW, qualities=_ILLUSTRIOUS),
    Base("noobai", "NoobAI XL", ratings=_NSFW, qualities=_NOOBAI, eras=_NOOBAI_ERAS, years=True),
    Base(
        "noobai-vpred",
        "NoobAI XL v-pred",
        ratings=_NSFW,
        qualities=_NOOBAI,
        eras=_NOOBAI_ERAS,
        years=True,
        loss="v",
    ),
    Base(
        "pony",
        "Pony Diffusion V6 XL",
        ratings=("rating_safe", "rating_safe", "rating_questionable", "rating_explicit"),
        qualities=_PONY,
    ),
    Base(
        "pony7",
        "Pony V7",
        style="prose",
        tokenizer="t5",
        tokens=512,
        chunk=0,
        prose="some",
        ratings=("rating_safe", "rating_safe", "rating_questionable", "rating_explicit"),
        qualities=_SCORES,
        loss="flow",
    ),
    Base(
        "anima",
        "Anima",
        style="anima",
        tokenizer="qwen",
        tokens=512,
        chunk=0,
        prose="some",
        ratings=_SAFE,
        qualities=_ANIMA,
        eras=_NOOBAI_ERAS,
        years=True,
        loss="flow",
    ),
    Base(
        "newbie",
        "NewBie image",
        style="newbie",
        tokenizer="gemma",
        tokens=1024,
        chunk=0,
        prose="some",
        underscores=True,
        qualities=_NOOBAI,
        loss="flow",
    ),
    Base(
        "novelai",
        "NovelAI V4 and later",
        style="novelai",
        tokenizer="t5",
        tokens=512,
        chunk=0,
        prose="some",
        ratings=_NSFW,
        qualities=_NOOBAI,
        years=True,
    ),
    Base("flux", "FLUX", "prose", "t5", 512, 0, "only", loss="flow"),
    Base("z-image", "Z-Image", "prose", "qwen", 512, 0, "only", loss="flow"),
    Base("krea2", "Krea 2", "prose", "qwen", 512, 0, "only", loss="flow"),
)
BASE_NAMES: tuple[str, ...] = tuple(b.name for b in BASES)
_BY_NAME = {b.name: b for b in BASES}


def base(name: str) -> Base:
    """The base model of a name in `BASE_NAMES`. Raises KeyError."""
    return _BY_NAME[name]


def rating_word(name: str, of: Base) -> str:
    """A base's word (a canonical name) for a rating as Danbooru or another base says it; "" where it has none."""
    if not of.ratings or name in of.ratings:
        return name if name in of.ratings else ""
    for words in (_DANBOORU, _SAFE, *(b.ratings for b in BASES if b.ratings)):
        if name in words:
            return of.ratings[words.index(name)]
    return ""


def quality_words(share: float, of: Base) -> tuple[str, ...]:
    """A base's words for a picture that is better than `share` (0…1) of all; () where the base has none."""
    return next((words for up_to, words in of.qualities if share <= up_to), ())


def quality_in(words: Sequence[str], of: Base) -> tuple[str, ...]:
    """A base's words for the quality that other bases' words (canonical names) express; () where they express none."""
    for word in words:
        for other in (of, *BASES):
            shares = [up_to for up_to, names in other.qualities if names and names[0] == word]
            if shares:
                return quality_words(shares[0], of)
    return ()


def year_words(year: int, of: Base) -> tuple[str, ...]:
    """A base's words for the year a picture was made in."""
    era = next((word for last, word in of.eras if year <= last), "")
    return (*((f"year_{year}",) if of.years else ()), *((era,) if era else ()))
