"""Which tags describe one person: hair, eyes, face, body, clothes, pose. A table, no code to change.

A tag belongs to an aspect when its last word (or its last two) is listed there, or its whole name, or its
first word. Danbooru's own tag groups are the source; the lists hold what is common, not everything.
"""

from __future__ import annotations

from functools import lru_cache

from lib_extend.vocabulary.objects import GARMENTS

ENDINGS: dict[str, str] = {
    "hair": (
        "hair bangs ponytail twintails braid braids bun buns ahoge sidelocks hairstyle drill drills ringlets "
        "updo undercut pompadour afro dreadlocks highlights"
    ),
    "eyes": "eyes pupils eyelashes eyebrows eyeshadow eyeliner heterochromia tsurime tareme jitome sanpaku",
    "face": (
        "smile blush frown grin mouth tongue fang fangs tears crying expressionless pout lips lipstick teeth "
        "smirk laughing freckles mole facepaint makeup beard mustache stubble facial_mark nose_blush sweatdrop "
        "scowl sleepy"
    ),
    "body": (
        "breasts skin navel midriff thighs cleavage shoulders collarbone armpits abs ears tail tails wings horns "
        "horn antlers halo fins claws fur muscular tattoo scar scars bandages pregnant chest hips waist legs feet"
    ),
    "clothes": (
        " ".join(GARMENTS) + " "
        "miniskirt sundress jeans blazer uniform serafuku yukata hakama hanfu cheongsam bodysuit robe "
        "armor gauntlets leggings legwear footwear sneakers sandals heels loafers slippers mittens "
        "sleeves collar neckerchief headband hairclip hairpin scrunchie helmet hood crown tiara headdress "
        "headwear headphones veil mask glasses sunglasses eyewear goggles eyepatch earrings jewelry "
        "necklace pendant bracelet bangle ring choker belt sash obi corset bra panties underwear lingerie "
        "garter garters pajamas tank_top crop_top camisole tunic blouse sarong poncho overalls suspenders "
        "suit tuxedo turtleneck sweatshirt buruma spats frills trim plaid polka_dot_legwear maid clothes "
        "costume outfit lapels backpack cuffs brooch badge hairpods ornament piercing monocle wristband "
        "anklet watch"
    ),
    "pose": (
        "standing sitting kneeling squatting lying crouching walking running jumping leaning bowing stretching "
        "waving pointing salute saluting hugging dancing sleeping stance reclining wariza seiza fetal_position "
        "arms_up arm_up arms_behind_back arms_behind_head crossed_arms crossed_legs outstretched_arms "
        "outstretched_arm hand_up hands_up leg_up spread_legs own_chest own_face own_cheek own_hip own_hips "
        "own_head own_lap own_knee own_knees head_tilt on_back on_stomach on_side all_fours"
    ),
}
"""Aspect → last words, or last two or more joined by underscores."""

BEGINNINGS: dict[str, str] = {
    "pose": "holding looking hand hands arm arms leg legs facing head carrying hugging grabbing reaching eating drinking",
}
"""Aspect → first words; `holding_cup` is what one person does."""

WHOLE: dict[str, str] = {
    "hair": "bob_cut hime_cut hair_over_one_eye hair_between_eyes hair_ribbon hair_bow hair_flower one_side_up two_side_up",
    "pose": "v double_v peace_sign contrapposto from_behind from_side profile thumbs_up finger_to_mouth barefoot",
    "face": "blush closed_eyes one_eye_closed wink :d :o :p :3 ;d ^_^ >_< =_= @_@ angry sad happy embarrassed surprised",
    "body": (
        "cat_girl fox_girl dog_girl wolf_girl rabbit_girl dragon_girl demon_girl cow_girl monster_girl mermaid elf "
        "vampire angel witch oni tan curvy petite tall dark_elf flat_chest bare_shoulders bare_arms bare_legs toned dark-skinned_female dark-skinned_male "
        "androgynous"
    ),
    "clothes": "topless bottomless nude naked strapless sleeveless off_shoulder backless see-through glasses military",
}
"""Aspect → whole names."""

NOT_A_PERSONS = frozenset(
    "holding_hands head_out_of_frame hand_mirror hand_fan hand_puppet arm_wrestling leg_lock "
    "stuffed_animal smoke_ring matching_outfits matching_outfit shared_clothes "
    "shared_scarf coat_rack hat_rack unworn_hat unworn_skirt unworn_shirt unworn_dress unworn_shoes "
    "unworn_boots unworn_mask unworn_panties unworn_headwear unworn_eyewear unworn_jacket unworn_bow "
    "multiple_rings".split()
)
"""Names that the rules above would take, but that are about several persons or about none."""

ALTERNATIVES: tuple[frozenset[str], ...] = tuple(
    frozenset(line.split())
    for line in (
        "bald very_short_hair short_hair medium_hair long_hair",
        "bald very_short_hair short_hair medium_hair very_long_hair absurdly_long_hair",
        "ponytail twintails",
        "open_mouth closed_mouth parted_lips",
        "smile frown expressionless",
        "flat_chest small_breasts medium_breasts large_breasts huge_breasts",
        "standing sitting kneeling squatting lying",
        "dark_skin pale_skin",
        "short_sleeves long_sleeves sleeveless",
        "blunt_bangs parted_bangs swept_bangs",
    )
)
"""Of each line one person has one at the most."""

_TABLES = tuple(
    (aspect, frozenset(ENDINGS.get(aspect, "").split()), frozenset(BEGINNINGS.get(aspect, "").split()),
     frozenset(WHOLE.get(aspect, "").split()))
    for aspect in ENDINGS
)  # fmt: skip
_LONGEST = 3  # words of the longest ending


@lru_cache(maxsize=65536)
def aspect_of(name: str) -> str:
    """What of a person a canonical tag name describes: hair, eyes, face, body, clothes or pose; "" for none."""
    if name in NOT_A_PERSONS:
        return ""
    for aspect, _, _, whole in _TABLES:
        if name in whole:
            return aspect
    words = name.split("_")
    ends = {"_".join(words[-n:]) for n in range(1, min(_LONGEST, len(words)) + 1)}
    for aspect, endings, _, _ in _TABLES:
        if ends & endings:
            return aspect
    if len(words) > 1:
        for aspect, _, beginnings, _ in _TABLES:
            if words[0] in beginnings:
                return aspect
    return ""


def describes_a_person(name: str) -> bool:
    """Whether a canonical tag name can be one person's tag."""
    return bool(aspect_of(name))
