"""Plain English sentences of a scene, for models that want prose where no model and no person wrote any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lib_extend.captions.scene import Scene, ScenePerson, Word
from lib_extend.records import Category
from lib_extend.vocabulary.caption_fields import field_of
from lib_extend.vocabulary.people_tags import people_count
from lib_extend.vocabulary.tag_names import written

_NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_PLURAL = (
    "shoes boots gloves socks thighhighs kneehighs pants shorts pantyhose glasses earrings eyes bangs twintails braids "
    "sleeves jeans sneakers sandals goggles sunglasses headphones leggings heels slippers mittens ears wings horns "
    "breasts clothes panties thighs legs arms shoulders eyebrows eyelashes buns sidelocks freckles fangs teeth tears"
).split()
_MASS = frozenset(
    "hair skin makeup cleavage ahoge armor jewelry underwear lingerie footwear headwear legwear".split()
)
_DOING = {
    "smile": "smiling",
    "blush": "blushing",
    "grin": "grinning",
    "frown": "frowning",
    "tears": "crying",
    "wink": "winking",
    "salute": "saluting",
    "pout": "pouting",
}
_PERSON = {"girl": "girl", "boy": "boy", "other": "person", "": "person"}


def described(scene: Scene) -> list[str]:
    """Sentences, each ending with a full stop; none of a scene that says nothing."""
    sentences = []
    who = _people(scene)
    own = [w for p in scene.persons for w in p.words if _is_name(w)]
    names = _and(written(w.name) for w in dict.fromkeys((*own, *scene.characters)))
    series = _and(written(w.name) for w in scene.series)
    place = [w for w in scene.general if field_of(w.name) == "environment" and w.tag is not None]
    if who or names:
        subject = f"{who}: {names}" if who and names else who or names
        sentences.append(_sentence(f"{subject}, from {series}" if series else subject))
    if len(scene.persons) == 1:
        sentences += _told(f"the {_PERSON[scene.persons[0].gender]}", scene.persons[0].words)
    else:
        for person in scene.persons:
            sentences += _told(_called(person), person.words)
    shown = [w for w in scene.general if w not in place]
    mine = [w for w in shown if field_of(w.name)]
    if mine and not scene.persons and who:
        sentences += _told(_subject(scene), mine)
        shown = [w for w in shown if w not in mine]
    if shown:
        sentences.append(_sentence(f"the picture shows {_and(map(_thing, shown))}"))
    if place:
        sentences.append(_sentence(f"the setting is {_and(written(w.name) for w in place)}"))
    if scene.artist:
        sentences.append(_sentence(f"the picture is by {_and(written(w.name) for w in scene.artist)}"))
    return sentences


def _people(scene: Scene) -> str:
    parts = []
    for word in scene.people:
        count = people_count(word.name)
        if count is None:
            continue
        noun = (
            _PERSON[count.gender]
            if count.number == 1
            else {"girl": "girls", "boy": "boys"}.get(count.gender, "others")
        )
        number = _NUMBERS[count.number] if count.number < len(_NUMBERS) else str(count.number)
        number = f"at least {number}" if count.least else "a" if count.number == 1 else number
        parts.append(f"{number} {noun}")
    return _and(parts)


def _subject(scene: Scene) -> str:
    counts = [c for c in (people_count(w.name) for w in scene.people) if c]
    if len(counts) == 1 and counts[0].number == 1:
        return f"the {_PERSON[counts[0].gender]}"
    return "the people"


def _called(person: ScenePerson) -> str:
    return f"the {_PERSON[person.gender]} {written(person.place)}".strip()


def _told(subject: str, words: Sequence[Word]) -> list[str]:
    """What one is like, wears and does, in one sentence each."""
    parts: dict[str, list[Word]] = {}
    for word in words:
        if _is_name(word):
            continue
        parts.setdefault(field_of(word.name) or "appearance", []).append(word)
    plural = subject == "the people"
    has, wears, does = ("have", "wear", "are") if plural else ("has", "wears", "is")
    sentences = []
    if "appearance" in parts:
        sentences.append(f"{subject} {has} {_and(map(_thing, parts['appearance']))}")
    if "clothing" in parts:
        sentences.append(f"{subject} {wears} {_and(map(_thing, parts['clothing']))}")
    doing = [*parts.get("expression", ()), *parts.get("action", ())]
    active = [text for text in (_doing(w) for w in doing) if text]
    shown = [_thing(w) for w in doing if not _doing(w)]
    if active:
        sentences.append(f"{subject} {does} {_and(active)}")
    if shown:
        sentences.append(f"{subject} {has} {_and(shown)}")
    return [_sentence(s) for s in sentences]


def _is_name(word: Word) -> bool:
    return word.tag is not None and word.tag.category is Category.CHARACTER


def _doing(word: Word) -> str:
    text = written(word.name)
    return _DOING.get(word.name, text if text.split()[0].endswith("ing") or text.endswith("ing") else "")


def _thing(word: Word) -> str:
    """A tag with the article it needs."""
    text = word.text or written(word.name)
    last = text.split()[-1] if text else ""
    if not text or text[0].isdigit() or last in _PLURAL or last in _MASS or last.endswith("ing"):
        return text
    if last.endswith("s") and not last.endswith(("ss", "us")):
        return text
    if text.startswith(("a ", "an ", "the ")) or not text[0].isalpha() or not text.isascii():
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def _and(texts: Iterable[str]) -> str:
    given = list(texts)
    if len(given) < 2:
        return "".join(given)
    return f"{', '.join(given[:-1])} and {given[-1]}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
