"""Compile a cast for a host: the base prompt with Greek letters, and one prompt for each region.

The base prompt has the order of the captions the separation LoRA was trained on: `2girls, α black hair,
α blue skirt, β white hair, indoors`. It acts on the whole picture, so that the LoRA can use the letters; a region's
prompt acts in its box: its own person (`1girl`), common tags, that character's tags.
A single character needs no letter and gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lib_extend.generation import background, syntax
from lib_extend.generation.cast import Cast, Lora, Place
from lib_extend.generation.expansion import Added
from lib_extend.generation.letters import (
    counts,
    gender,
    genders,
    is_count,
    lettered,
    name_of,
    people_tags,
    says_people,
    stripped,
)
from lib_extend.generation.prompt import Prompt, read
from lib_extend.generation.syntax import AND, Piece

_LORA_KINDS = ("lora", "lyco")
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Region:
    """The prompts and LoRAs of one character's box.

    Attributes:
        prompt: without letters and extra networks, for one conditioning.
        negative: the whole negative prompt there; None to use the base's.
        weight: 0…2, see `masks`. loras: those that act in the box only.
    """

    letter: str
    name: str
    prompt: str
    negative: str | None
    box: Place
    weight: float
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """The compiled prompts and regions of one picture.

    Attributes:
        prompt: the base prompt with all extra networks. negative: the base's negative prompt.
        regions: empty where nothing acts in boxes.
        cast, main, main_negative: what it was made from.
        notes: sentences about probable mistakes.
    """

    prompt: str
    negative: str
    regions: tuple[Region, ...]
    cast: Cast
    main: str
    main_negative: str
    notes: tuple[str, ...]


def compile_cast(
    cast: Cast, main: str = "", main_negative: str = "", *, aliases: Mapping[str, str] = _NO_ALIASES
) -> Compiled:
    """The prompts of one picture.

    Args:
        main: the host's own prompt; it is appended unchanged to the cast's. People tags in it (or in
            the common and scene tags) replace those that the characters would give.
        main_negative: the host's negative prompt.
        aliases: other names by which prompts may call a LoRA, in lower case, to its file's (`Library.aliases`).
    """
    main, main_negative = main.strip(), main_negative.strip()
    own_prompt, own_negative = _expanded(main, cast.main_added), read(main_negative)
    common, scene = read(cast.common), _expanded(cast.scene, cast.scene_added)
    characters = [_expanded(c.prompt, c.added) for c in cast.characters]
    negatives = [read(c.negative) for c in cast.characters]
    typed = [n for p in (common, *characters, scene) for n in p.networks]
    prompts = [[stripped(piece) for piece in p.pieces] for p in characters]
    behind = [*scene.pieces, *(Piece(t) for t in background.tags(cast))]
    people = _people([*common.pieces, *behind, *own_prompt.pieces], prompts)
    tags = [_without_people(p) for p in prompts]
    base = [*(Piece(t) for t in people.added), *common.pieces]
    for letter, parts in zip(cast.letters, tags, strict=True):
        base += lettered(parts, letter) if len(tags) > 1 else parts
    text = syntax.join(base + behind)
    text = _behind(text, own_prompt) if own_prompt.text else syntax.closed(text)
    text = " ".join(filter(None, (text, *_networks(cast, typed, own_prompt, aliases))))
    negative = _negative(cast, own_negative, negatives)
    everywhere = syntax.as_list(syntax.pieces(negative)) if any(n.pieces for n in negatives) else []
    regions = [
        _region(
            cast,
            i,
            (people.own[i],) if len(tags) > 1 else people.all,
            syntax.as_list(parts),
            common.pieces,
            _region_negative(negatives[i], everywhere),
        )
        for i, parts in enumerate(tags)
        if cast.regional
    ]
    return Compiled(
        text,
        negative,
        tuple(regions),
        cast,
        main,
        main_negative,
        tuple(_notes(cast, tags, people.guessed, people.mixed)),
    )


def _expanded(text: str, added: Added) -> Prompt:
    """A text with what an expander added behind it."""
    return read(syntax.appended(text, added.texts))


def _negative(cast: Cast, main: Prompt, own: Sequence[Prompt]) -> str:
    """The base's negative prompt. `own`: the characters'."""
    parts = [_behind(main.text, read(cast.negative), guarded=True)]
    if cast.mode == "prompt":
        # Without regions only a letter can say whose tag a negative tag is.
        for letter, negative in zip(cast.letters, own, strict=True):
            several = len(cast.characters) > 1
            parts.append(syntax.join(lettered(negative.pieces, letter) if several else negative.pieces))
    return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class _People:
    """Who is in the picture.

    Attributes:
        added: people tags to put first. all: those that the base prompt has in the end.
        own: what each character is, as a people tag of one: `1girl`. guessed: the characters whose gender no tag says.
    """

    added: tuple[str, ...]
    all: tuple[str, ...]
    own: tuple[str, ...] = ()
    guessed: tuple[int, ...] = ()

    @property
    def mixed(self) -> bool:
        """Whether not all are girls."""
        return any(person != "1girl" for person in self.own)


def _people(elsewhere: list[Piece], prompts: list[list[Piece]]) -> _People:
    if not prompts:
        return _People((), ())
    written = [p.text for p in elsewhere if is_count(p.text)]
    said = [gender(p) for p in prompts]
    known = genders(counts(written), prompts) or said
    own = tuple(f"1{kind or 'girl'}" for kind in known)
    guessed = tuple(i for i, kind in enumerate(known) if not kind)
    if written:
        # written people tags have priority, but every character whose tags say its gender is counted
        missing = [kind for kind in said if kind and kind not in counts(written)]
        added = people_tags(missing) if sum(counts(written).values()) < len(prompts) else []
        return _People(tuple(added), (*added, *written), own, guessed)
    found = people_tags([kind or "girl" for kind in said])
    if len(prompts) == 1 and any(name_of(t) == "solo" for t in _texts(prompts[0])):
        found.append("solo")
    return _People(tuple(found), tuple(found), own, guessed)


def _without_people(parts: list[Piece]) -> list[Piece]:
    """A character's tags without `1girl` and `solo`, which are about the whole picture."""
    kept = []
    keyword = ""
    for part in parts:
        if part.text and says_people(part.text):
            keyword = part.before if part.before != syntax.COMMA else keyword
        else:
            kept.append(Piece(part.text, keyword or part.before))
            keyword = ""
    return kept


def _region(
    cast: Cast,
    i: int,
    people: Sequence[str],
    own: Sequence[Piece],
    common: Sequence[Piece],
    negative: str | None,
) -> Region:
    """The region of character `i`. `own`: its tags as a list. `common`: those of all, as they stand."""
    character = cast.characters[i]
    if len(cast.characters) > 1:
        # people counts do not belong into a box with one person
        common = [piece for piece in common if not (piece.text and is_count(piece.text))]
    first = [Piece(t) for t in people if t not in _texts(common)]
    return Region(
        letter=cast.letters[i],
        name=character.name,
        prompt=syntax.join([*first, *syntax.as_list(common), *own]),
        negative=negative,
        box=character.box,
        weight=character.weight,
        loras=tuple(lora for lora in character.loras if lora.acts),
    )


def _region_negative(own: Prompt, everywhere: Sequence[Piece]) -> str | None:
    """A region's negative prompt: the base's and its character's; None where the character has none."""
    text = syntax.join(own.listed)
    return ", ".join(filter(None, (syntax.join(everywhere), text))) if text else None


def _texts(parts: Iterable[Piece]) -> list[str]:
    return [p.text for p in parts if p.text]


def _behind(first: str, second: Prompt, *, guarded: bool = False) -> str:
    """`first` and `second` joined; a keyword at the beginning of `second` stays the separator."""
    text = second.guarded if guarded else second.text
    if not first or not text:
        return first or text
    return f"{first} {text}" if second.leads else f"{first}, {text}"


def _networks(cast: Cast, typed: Sequence[str], main: Prompt, aliases: Mapping[str, str]) -> list[str]:
    """The extra networks to append: those typed in the fields, then the panel's LoRAs; none twice."""
    loras = [x.tag for x in (cast.background_lora, cast.separation_lora) if x is not None and x.weight]
    if cast.mode == "prompt":
        # without regions a character's prompt is the whole picture's, and so are its LoRAs
        own = (cast.loras, *(c.loras for c in cast.characters))
        loras += [x.tag for found in own for x in found if x.acts]
    taken = {_identity(t, aliases) for t in main.networks}
    result = []
    for tag in (*typed, *loras):
        if _identity(tag, aliases) not in taken:
            taken.add(_identity(tag, aliases))
            result.append(tag)
    return result


def has_lora(prompt: str, lora: Lora, aliases: Mapping[str, str] = _NO_ALIASES) -> bool:
    """Whether a prompt applies a LoRA already."""
    return _identity(lora.tag, aliases) in {_identity(t, aliases) for t in read(prompt).networks}


def _identity(tag: str, aliases: Mapping[str, str]) -> tuple[str, str]:
    kind, name = syntax.network_name(tag)
    return ("lora", aliases.get(name, name).lower()) if kind in _LORA_KINDS else (kind, name)


def _notes(cast: Cast, own: list[list[Piece]], guessed: Sequence[int], mixed: bool) -> list[str]:
    notes = []
    if guessed and mixed:
        names = ", ".join(cast.characters[i].name or cast.letters[i] for i in guessed)
        notes.append(f"{names}: taken for a girl, as no tag says otherwise; write 1girl or 1boy.")
    for i, (character, parts) in enumerate(zip(cast.characters, own, strict=True)):
        who = character.name or f"Character {cast.letters[i]}"
        if not _texts(parts):
            notes.append(f"{who} has no tags of its own: give it a prompt, or remove it.")
        if cast.regional and any(p.before == AND for p in parts):
            notes.append(
                f"{who} has an AND in its prompt: its region reads it as a comma, the base prompt composes."
            )
    return notes
