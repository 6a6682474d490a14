"""From a cast to what a host is given: the base prompt in Greek letters, and one prompt a region.

The base prompt has the order of the captions the separation LoRA was trained on: `2girls, α black hair,
α blue skirt, β white hair, indoors`. It acts on the whole picture, so that what the LoRA learnt about
letters works; a region's prompt acts in its box: its own person (`1girl`), common tags, that character's tags.
A single character has nothing to be told apart from and gets no letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lib_extend.generation import background, syntax
from lib_extend.generation.cast import Cast, Character, Lora, Place
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
from lib_extend.generation.syntax import AND, Piece

_LORA_KINDS = ("lora", "lyco")
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Region:
    """What acts in one character's box.

    Attributes:
        prompt: without letters and extra networks, for one conditioning.
        negative: the whole negative prompt there; None where the base's own does.
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
    """What a host is given for one picture.

    Attributes:
        prompt: the base prompt with all extra networks. negative: the base's negative prompt.
        regions: empty where nothing acts in boxes.
        cast, main, main_negative: what it was made from.
        notes: sentences about what a user may not have meant.
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
        main: the host's own prompt; it follows the cast's, letter by letter as it is. People tags in it (or in
            the common and scene tags) replace those that the characters would give.
        main_negative: the host's negative prompt.
        aliases: other names by which prompts may call a LoRA, in lower case, to its file's (`Library.aliases`).
    """
    main, main_negative = main.strip(), main_negative.strip()
    common, networks = _field(cast.common)
    prompts = []
    for character in cast.characters:
        own, found = _field(character.prompt)
        prompts.append([Piece(stripped(p.text), p.before) for p in own])
        networks += found
    scene, found = _field(cast.scene)
    networks += found
    scene += [Piece(t) for t in background.tags(cast)]
    people = _people([p for parts in (common, scene, syntax.pieces(main)) for p in parts], prompts)
    tags = [_without_people(p) for p in prompts]
    base = [Piece(t) for t in people.added] + common
    for letter, parts in zip(cast.letters, tags, strict=True):
        base += lettered(parts, letter) if len(tags) > 1 else parts
    text = _behind(syntax.join(base + scene), main) if main else syntax.closed(syntax.join(base + scene))
    text = " ".join(filter(None, (text, *_networks(cast, networks, main, aliases))))
    negative = _negative(cast, main_negative)
    regions = [
        _region(cast, i, (people.own[i],) if len(tags) > 1 else people.all, parts, common, negative)
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


def _negative(cast: Cast, main: str) -> str:
    """The base's negative prompt."""
    parts = [_behind(main, syntax.guarded(cast.negative))]
    if cast.mode == "prompt":
        # Without regions a letter is all that can say whose a negative tag is.
        for letter, character in zip(cast.letters, cast.characters, strict=True):
            own = _field(character.negative)[0]
            parts.append(syntax.join(lettered(own, letter) if len(cast.characters) > 1 else own))
    return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class _People:
    """Who is in the picture.

    Attributes:
        added: people tags to put first. all: those that the base prompt has in the end.
        own: what each character is, as a people tag of one: `1girl`. guessed: of which of them nothing says so.
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
    said = [gender(_texts(p)) for p in prompts]
    known = genders(counts(written), [_texts(p) for p in prompts]) or said
    own = tuple(f"1{kind or 'girl'}" for kind in known)
    guessed = tuple(i for i, kind in enumerate(known) if not kind)
    if written:
        # what is written goes first, but nobody who says what they are gets lost over it
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
    cast: Cast, i: int, people: Sequence[str], own: list[Piece], common: list[Piece], negative: str
) -> Region:
    character = cast.characters[i]
    if len(cast.characters) > 1:
        # how many there are is nothing to a box with one of them
        common = [piece for piece in common if not (piece.text and is_count(piece.text))]
    first = [Piece(t) for t in people if t not in _texts(common)]
    parts = first + syntax.as_list(syntax.join(common)) + syntax.as_list(syntax.join(own))
    return Region(
        letter=cast.letters[i],
        name=character.name,
        prompt=syntax.join(parts),
        negative=_region_negative(character, negative),
        box=character.box,
        weight=character.weight,
        loras=tuple(lora for lora in character.loras if lora.acts),
    )


def _region_negative(character: Character, negative: str) -> str | None:
    own = syntax.join(syntax.as_list(syntax.join(_field(character.negative)[0])))
    if not own:
        return None
    return ", ".join(filter(None, (syntax.join(syntax.as_list(negative)), own)))


def _field(text: str) -> tuple[list[Piece], list[str]]:
    """The tags of a field, and its extra networks."""
    plain, networks = syntax.networks(text)
    return syntax.pieces(syntax.guarded(plain)), networks


def _texts(parts: Iterable[Piece]) -> list[str]:
    return [p.text for p in parts if p.text]


def _behind(first: str, second: str) -> str:
    """`second` behind `first`; a keyword that begins it stays the separator."""
    if not first or not second:
        return first or second
    leads = syntax.pieces(second)[:1]
    keyword = bool(leads) and leads[0].before != syntax.COMMA
    return f"{first} {second}" if keyword else f"{first}, {second}"


def _networks(cast: Cast, typed: list[str], main: str, aliases: Mapping[str, str]) -> list[str]:
    """The extra networks to append: those typed in the fields, then the panel's LoRAs; none twice."""
    loras = [x.tag for x in (cast.background_lora, cast.separation_lora) if x is not None and x.weight]
    if cast.mode == "prompt":
        # without regions a character's prompt is the whole picture's, and so are its LoRAs
        own = (cast.loras, *(c.loras for c in cast.characters))
        loras += [x.tag for found in own for x in found if x.acts]
    taken = {_identity(t, aliases) for t in syntax.networks(main)[1]}
    result = []
    for tag in (*typed, *loras):
        if _identity(tag, aliases) not in taken:
            taken.add(_identity(tag, aliases))
            result.append(tag)
    return result


def has_lora(prompt: str, lora: Lora, aliases: Mapping[str, str] = _NO_ALIASES) -> bool:
    """Whether a prompt applies a LoRA already."""
    return _identity(lora.tag, aliases) in {_identity(t, aliases) for t in syntax.networks(prompt)[1]}


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
