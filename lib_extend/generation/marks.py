"""Carry a cast's texts through the host's own prompt, so that other extensions can process them.

Wildcards (`__hair__`), dynamic prompts (`{a|b}`) and styles are resolved by other extensions, picture by
picture, in the host's prompts. They must process a region's prompt too. So every field of the cast is put into the
host's prompt between invisible characters before the other extensions run. Afterwards the processed fields are taken
out: each picture then has its own cast.

    prompt, negative = carry(cast, main, main_negative)     # before other extensions
    settled = settle(prompt_of_one_picture, its_negative, cast)  # after them
    compile_cast(settled.cast, settled.main, settled.main_negative)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lib_extend.generation.cast import Cast
from lib_extend.generation.value_checks import INVISIBLE

_OPEN, _COUNT, _CLOSE = INVISIBLE[2], INVISIBLE[1], INVISIBLE[3]
_FIELD = re.compile(f"(?:, )?{_OPEN}({_COUNT}+)([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_ANY = re.compile(f"[{''.join(INVISIBLE)}]")
_COMMON, _SCENE, _FIRST = 1, 2, 3
"""Numbers of the fields; characters count on from `_FIRST`."""


@dataclass(frozen=True)
class Settled:
    """One picture's cast, and the host's prompts without it."""

    cast: Cast
    main: str
    main_negative: str


def carry(cast: Cast, main: str, main_negative: str) -> tuple[str, str]:
    """The host's prompt and negative prompt with the cast's texts in them."""
    prompts = {_COMMON: cast.common, _SCENE: cast.scene}
    negatives = {_COMMON: cast.negative}
    for i, character in enumerate(cast.characters):
        prompts[_FIRST + i] = character.prompt
        negatives[_FIRST + i] = character.negative
    return _carried(main, prompts), _carried(main_negative, negatives)


def settle(prompt: str, negative: str, cast: Cast) -> Settled:
    """The inverse of `carry`, with the fields as other extensions changed them.

    A field without its marks (another extension wrote its own prompt) stays as it is in `cast`. Raises FieldError when
    a field has become too long.
    """
    main, prompts = _taken(prompt)
    main_negative, negatives = _taken(negative)
    characters = tuple(
        replace(
            c,
            prompt=prompts.get(_FIRST + i, c.prompt),
            negative=negatives.get(_FIRST + i, c.negative),
        )
        for i, c in enumerate(cast.characters)
    )
    settled = replace(
        cast,
        characters=characters,
        common=prompts.get(_COMMON, cast.common),
        scene=prompts.get(_SCENE, cast.scene),
        negative=negatives.get(_COMMON, cast.negative),
    )
    return Settled(settled, main, main_negative)


def is_carrying(prompt: str) -> bool:
    """Whether a prompt contains a cast's fields or parts of them."""
    return _ANY.search(prompt) is not None


def is_torn(prompt: str) -> bool:
    """Whether other code has split a carrying prompt, so that it has marks that enclose no field."""
    return _ANY.search(_FIELD.sub("", prompt)) is not None


def taken(prompt: str) -> str:
    """A prompt without the fields that it carries."""
    return _taken(prompt)[0]


def _carried(main: str, fields: dict[int, str]) -> str:
    marked = [f"{_OPEN}{_COUNT * n}{text}{_CLOSE}" for n, text in fields.items() if text]
    return ", ".join(filter(None, (_ANY.sub("", main), *marked)))


def _taken(text: str) -> tuple[str, dict[int, str]]:
    fields = {len(m[1]): m[2].strip() for m in _FIELD.finditer(text)}
    rest = _ANY.sub("", _FIELD.sub("", text)).strip()
    if text.lstrip().startswith(_OPEN):
        # another extension appended text after the first field, with the comma there
        rest = rest.removeprefix(",").lstrip()
    return rest, fields
