"""Read a prompt or a caption with Greek letters into a cast: the inverse of `compile`, as far as possible.

Missing facts are guessed: places are columns and names are empty. Tags before the first letter are common; later tags
without a letter are the scene.
"""

from __future__ import annotations

from collections.abc import Sequence

from lib_extend.errors import UserError
from lib_extend.generation import syntax
from lib_extend.generation.cast import LETTERS, MAX_CHARACTERS, Cast, Character, Place
from lib_extend.generation.letters import counts, gender, genders, is_count, letter_of, stripped
from lib_extend.generation.places import columns
from lib_extend.generation.syntax import Piece


def has_letters(text: str) -> bool:
    """Whether a prompt has tags of at least two letters."""
    return len({letter_of(p) for p in syntax.pieces(text)} - {""}) > 1


def read_greek(text: str, boxes: Sequence[Place] | None = None) -> Cast:
    """The cast of a prompt such as `2girls, α black hair, β white hair, indoors`.

    Extra networks become part of the scene, at its end. `boxes` are the characters' places by their letters'
    order; without them they are columns.

    Raises:
        UserError: no tag has a letter, or a field is too long for a cast.
    """
    plain, networks = syntax.networks(text)
    common: list[Piece] = []
    scene: list[Piece] = []
    own: dict[str, list[Piece]] = {}
    for piece in syntax.pieces(plain):
        letter = letter_of(piece)
        if letter:
            own.setdefault(letter, []).append(stripped(piece))
        else:
            (scene if own else common).append(piece)
    if not own:
        raise UserError(
            "The prompt has no tags with Greek letters: write some as in `α black hair, β red skirt`."
        )
    letters = sorted(own, key=LETTERS.index)[:MAX_CHARACTERS]
    prompts = [own[x] for x in letters]
    kinds = genders(counts(p.text for p in common), prompts)
    if kinds:
        common = [p for p in common if not is_count(p.text)]
        for prompt, kind in zip(prompts, kinds, strict=True):
            if kind != (gender(prompt) or "girl"):
                prompt.insert(0, Piece(f"1{kind}"))
    if boxes is None or len(boxes) != len(prompts):
        boxes = columns(len(prompts))
    characters = [Character(prompt=syntax.join(p), box=b) for p, b in zip(prompts, boxes, strict=True)]
    behind = " ".join(filter(None, (syntax.join(scene), *networks)))
    return Cast(tuple(characters), common=syntax.join(common), scene=behind)
