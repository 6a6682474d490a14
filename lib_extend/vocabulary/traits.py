"""Which tags say who somebody is: hair, eyes, ears, horns; a character's LoRA learns them when they are left out.

A trait has a difficulty: 0 for human traits (hair, eyes, skin), 1 for others (animal ears, horns, tails, wings, marks).
Whole words decide: `cat_ears` ends in `ears`, `hearts` does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from lib_extend.vocabulary.plurals import plural, singular

Words = tuple[str, ...]


class TraitWords:
    """Words at the end and at the beginning of tags that make them traits, a list a difficulty.

    Args:
        whitelist: whole tags that are no traits whatever the other lists say.
        suffixes: last words by difficulty; whitelist and suffixes count in singular and plural.
        prefixes: first words by difficulty.
        exact: whole tags by difficulty.
        acts: first words of what is done with a body, which is no trait (`holding_own_hair`).
    """

    def __init__(
        self,
        whitelist: Iterable[str],
        suffixes: Iterable[Iterable[str]],
        prefixes: Iterable[Iterable[str]],
        exact: Iterable[Iterable[str]] = (),
        acts: Iterable[str] = (),
    ) -> None:
        self._whitelist = _both_numbers(whitelist)
        self._suffixes = tuple(_both_numbers(words) for words in suffixes)
        self._prefixes = tuple(frozenset(map(_split, words)) for words in prefixes)
        self._acts = frozenset(acts)
        self._exact = tuple(frozenset(map(_split, words)) for words in exact)
        self.levels = max(len(self._suffixes), len(self._prefixes), len(self._exact))
        self.difficulty = lru_cache(maxsize=1 << 16)(self._difficulty)

    def _difficulty(self, name: str) -> int | None:
        """The difficulty of a tag (the least that fits), from 0; None for what is no trait."""
        words = _split(name)
        if not words or words in self._whitelist or words[0] in self._acts:
            return None
        endings = {words[at:] for at in range(len(words))}
        beginnings = {words[:end] for end in range(1, len(words) + 1)}
        for level in range(self.levels):
            if (
                (level < len(self._exact) and words in self._exact[level])
                or (level < len(self._suffixes) and endings & self._suffixes[level])
                or (level < len(self._prefixes) and beginnings & self._prefixes[level])
            ):
                return level
        return None

    @classmethod
    def from_json(cls, data: Any) -> TraitWords:
        """From `{"whitelist": […], "suffixes": [[…], …], "prefixes": [[…], …]}`, the form of `character_tags.json`.

        Raises ValueError with what is wrong, as words that follow the file's name.
        """
        if not isinstance(data, Mapping):
            raise ValueError("is no object with whitelist, suffixes and prefixes")
        whitelist = data.get("whitelist", [])
        if not _is_texts(whitelist):
            raise ValueError("has a whitelist that is no list of texts")
        levels = {}
        for name in ("suffixes", "prefixes"):
            lists = data.get(name, [])
            if not isinstance(lists, list) or not all(map(_is_texts, lists)):
                raise ValueError(f"has {name} that are no list of lists of texts, one a difficulty")
            levels[name] = lists
        if not any(levels.values()):
            raise ValueError("has neither suffixes nor prefixes")
        return cls(whitelist, levels["suffixes"], levels["prefixes"])


@lru_cache(maxsize=1)
def own_traits() -> TraitWords:
    """Our own lists, of two difficulties."""
    return TraitWords(
        _WHITELIST,
        (_HUMAN, _BEING),
        (_HUMAN_FIRST, _BEING_FIRST),
        (_HUMAN_WHOLE, _BEING_WHOLE),
        _ACTS,
    )


_WHITELIST = (
    # actions of a face or a hand, and what belongs to the picture only
    "closed_eyes half-closed_eyes half_closed_eyes empty_eyes covered_eyes hidden_eyes averting_eyes rolling_eyes "
    "sparkling_eyes crazy_eyes narrowed_eyes wide_eyes eyes_in_shadow no_eyes upturned_eyes bags_under_eyes bruised_eye "
    "raised_eyebrow raised_eyebrows v-shaped_eyebrows furrowed_eyebrows wet_hair floating_hair pubic_hair armpit_hair "
    "alternate_hair_length alternate_hair_color alternate_eye_color hair_over_mouth bouncing_breasts hanging_breasts "
    "shiny_skin wet_skin fake_tail fake_horns fake_antlers fake_halo fake_animal_ears fake_wings "
    "spread_wings wagging_tail multiple_girls multiple_boys drill steamed_bun cinnamon_bun slap_mark lipstick_mark "
    "question_mark exclamation_mark height_mark game_boy radio_antenna french_horn gingerbread_man "
    "old_school_swimsuit necktie_between_breasts between_breasts"
).split()
_ACTS = frozenset(
    "hand hands looking holding covering arms arm adjusting twirling braiding brushing grabbing touching playing tying "
    "untying cutting drying washing stroking tucking biting licking pulling v hat bursting alternate".split()
)
_HUMAN = (
    "man woman eyes skin hair bun bangs sidelocks twintails braid afro ahoge hair_drill bald dreadlocks side_up "
    "ponytail updo beard mustache goatee stubble sideburns hair_intake eyebrows eyelashes pupils "
    "sclera freckles hime_cut bob_cut pixie_cut bowl_cut wolf_cut crew_cut buzz_cut ringlet mohawk undercut mullet "
    "tareme tsurime jitome sanpaku heterochromia".split()
)
_BEING = (
    "fang mark elf ear horn antler halo wing tail fin scale antenna whisker_marking animal_ear_fluff girl boy paw hoof "
    "claw fur tattoo".split()
)
_HUMAN_FIRST = "hair_over hair_between dark-skinned mature mole_under mole_on mole_above otoko_no_ko".split()
_BEING_FIRST = ("scar_on", "scar_across", "furry", "muscular")
_HUMAN_WHOLE = (
    "bishounen drill_hair side_drill short_hair_with_long_locks one_eye_covered dark_skin tan mole "
    "facial_hair hair_bun double_bun curly_hair flat_chest hair_rings hair_flaps widow's_peak gyaru plump petite "
    "twin_drills single_drill large_breasts medium_breasts small_breasts huge_breasts gigantic_breasts breasts curvy fat muscular androgynous child old old_man old_woman".split()
)
_BEING_WHOLE = (
    "scar elf angel demon vampire android robot mermaid oni kitsune facial_mark forehead_mark horns".split()
)


def _split(name: str) -> Words:
    return tuple(name.lower().replace("_", " ").split())


def _both_numbers(names: Iterable[str]) -> frozenset[Words]:
    found: set[Words] = set()
    for name in names:
        joined = "_".join(_split(name))
        found.update({_split(joined), _split(plural(joined)), _split(singular(joined))})
    return frozenset(words for words in found if words)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
