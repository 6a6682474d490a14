"""How a caption is written, and what becomes of one that is there."""

from __future__ import annotations

import json
import pkgutil
import re
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from lib_extend.config.setting import setting
from lib_extend.errors import UserError
from lib_extend.vocabulary.base_models import BASE_NAMES

_s = partial(setting, group="caption")

CAPTION_ENCODINGS = (
    "auto", "utf-8", "cp932", "euc-jp", "gb18030", "big5", "cp949", "cp1251", "koi8-r", "cp866", "cp1252", "cp1250",
    "iso-8859-2", "cp1253", "iso-8859-7", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "mac-roman", "cp850", "cp852",
    "utf-16-le", "utf-16-be",
)  # fmt: skip
CAPTION_SOURCES = ("json", "infotext", "filename")
EXISTING_MODES = ("merge", "skip", "append", "prepend", "overwrite")
SORTS = ("score", "original", "shuffle", "alphabetical")
STYLES_FOLDER = Path(__file__).parents[1] / "captions" / "styles"
LETTERED = ("greek", "separation")
"""The formats that say whose tag it is."""
LINES = ("first", "every")
COUNT_STYLES = ("english", "naive")


@dataclass(frozen=True)
class CaptionSettings:
    """How a caption is written, and what becomes of one that is there."""

    existing: str = _s(
        "merge",
        "what to do with a caption that is already there: merge keeps what people wrote and adds, skip "
        "leaves the file, append / prepend add after / before, overwrite replaces",
        choices=EXISTING_MODES,
        recompose=True,
        label="Captions already there",
    )
    caption_encoding: str = _s(
        "auto",
        "encoding of captions that are not UTF-8: auto decides over the whole folder and leaves a file alone where "
        "it is not certain; captions are written as UTF-8",
        choices=CAPTION_ENCODINGS,
        recompose=True,
        label="Encoding of captions",
    )
    caption_source: tuple[str, ...] = _s(
        (),
        "where a picture without a caption file takes its first tags: json (a JSON file beside it), infotext (its own "
        "generation data) or filename, in this order, separated by commas",
        metavar="LIST",
        recompose=True,
        label="Captions from elsewhere",
    )
    lines: str = _s(
        "first",
        "where new tags go in a caption file of several lines, each of which is a caption: the first one (which "
        "trainers read) or every one; other lines stay as they are",
        choices=LINES,
        recompose=True,
        label="Captions of several lines",
    )
    adopt: bool = _s(
        False,
        "tags in captions that were there before are another tagger's, not yours: they may be cut, sorted and "
        "replaced like our own (prose, groups and wildcards stay yours)",
        recompose=True,
        label="Captions are a tagger's",
    )
    drop_earlier: bool = _s(
        False,
        "drop what earlier runs found and this one does not ask for (counts, colors, doors, persons); without it, it "
        "stays",
        recompose=True,
        label="Drop what earlier runs found",
    )
    format: str = _s(
        "plain",
        "plain; greek (2girls, α black hair, β white hair, indoors; with --people); background or separation "
        "(the published LoRAs' orders); anima (clauses by side); newbie (XML); json or json-description (Anima's "
        "trainers); novelai; prose; stage5 (fields that --caption-fields names); or a template with the fields {people} {characters} {copyright} "
        "{persons} {general} {new} {artist} {year} {rating} {meta}, as text or as a JSON object of such texts",
        metavar="NAME",
        recompose=True,
        label="Format",
    )
    also: tuple[str, ...] = _s(
        (),
        "further captions of each picture: formats, each with a variant if you like (prose, anima:pruned): full and "
        "pruned (with and without what a character's name implies), short and long (the best tags, all)",
        metavar="LIST",
        recompose=True,
        label="Further captions",
    )
    also_as: str = _s(
        "lines",
        "where further captions go: lines of the caption file, or files of their own (a.prose.txt)",
        choices=("lines", "files"),
        recompose=True,
        label="Further captions are",
    )
    caption_fields: tuple[str, ...] = _s(
        ("people=0", "characters", "copyright=0", "image_type", "artist=0", "rating", "tags"),
        "of --format stage5: its fields in their order, each with the probability 0 to 1 that a caption has it "
        "(artist=0.5; seeded by picture): people, characters, copyright, image_type, artist, rating, year, quality, "
        "prose, tags; what has no field of its own stands in tags",
        metavar="LIST",
        recompose=True,
        label="Fields",
    )
    outer_separator: str = _s(
        ", ",
        "of --format stage5: text between its fields (--separator is between the words of one)",
        recompose=True,
        label="Between fields",
    )
    character_separator: str = _s(
        ", ",
        "of --format stage5: text between characters",
        recompose=True,
        label="Between characters",
    )
    keep_tokens_separator: str = _s(
        "",
        "|||, sd-scripts' separator of what is not shuffled: stage5 has it in front of --keep-tokens-before, anima "
        "before and behind the tags that may be shuffled; other styles do not write it",
        metavar="|||",
        recompose=True,
        label="Separator of kept tokens",
    )
    keep_tokens_before: str = _s(
        "tags",
        "of --format stage5: the field that --keep-tokens-separator stands in front of",
        metavar="FIELD",
        recompose=True,
        label="Kept tokens end before",
    )
    base: str = _s(
        "any",
        "the base model that captions are for: ratings, quality and years are written in its words (any: as they "
        "are, or in the words of the format's own model)",
        choices=("any", *BASE_NAMES),
        recompose=True,
        label="Base model",
    )
    sort: str = _s(
        "score",
        "order of the tags",
        choices=SORTS,
        recompose=True,
        label="Order of tags",
    )
    separator: str = _s(
        ", ",
        "text between tags",
        recompose=True,
        label="Between tags",
    )
    underscores: bool = _s(
        False,
        "keep underscores (black_hair) instead of spaces",
        recompose=True,
        label="Keep underscores",
    )
    escape_brackets: bool = _s(
        False,
        r"write \( and \) so that a WebUI does not read emphasis",
        recompose=True,
        label="Escape brackets",
    )
    count_style: str = _s(
        "english",
        "plurals of counts: english (2 boxes) or naive (2boxs), the published LoRA's form",
        choices=COUNT_STYLES,
        recompose=True,
        label="Plurals of counts",
    )
    seed: int = _s(
        0,
        "seed of everything random, per image",
        low=0,
        high=2**63 - 1,
        recompose=True,
    )


TEMPLATE_FIELDS = (
    "people",
    "characters",
    "copyright",
    "persons",
    "general",
    "new",
    "artist",
    "year",
    "rating",
    "meta",
)


@cache
def format_names() -> tuple[str, ...]:
    """The names of the caption styles; the default style is first."""
    found = {
        m.name.removesuffix("_style").replace("_", "-") for m in pkgutil.iter_modules([str(STYLES_FOLDER)])
    }
    return tuple(sorted(found, key=lambda name: (name != "plain", name)))


def check_template(format: str) -> None:
    if format in format_names():
        return
    names = re.findall(r"\{([^{}]*)\}", format)
    if not names:
        raise UserError(
            f"format is {format!r}, but must be {', '.join(format_names())} or a template with fields such as "
            "{people} and {general}.",
            field="format",
        )
    for name in names:
        if name not in TEMPLATE_FIELDS and not (is_json_template(format) and name == "prose"):
            raise UserError(
                f"format has the field {{{name}}}, but the fields are: {', '.join(TEMPLATE_FIELDS)}.",
                field="format",
            )


def is_json_template(format: str) -> bool:
    """Whether a template is a JSON object."""
    if not format.lstrip().startswith('{"'):
        return False
    try:
        return isinstance(json.loads(format), dict)
    except ValueError:
        return False
