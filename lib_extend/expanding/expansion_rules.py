"""What an expander must not write beside a user's prompt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from lib_extend.captions.patterns import patterns
from lib_extend.expanding.prompt_contradictions import Contradictions
from lib_extend.expanding.prose_claims import names_in, people_said, tags_said
from lib_extend.prompt_expansion import About, Given
from lib_extend.vocabulary.people_tags import classify, is_people, people_count
from lib_extend.vocabulary.person_aspects import describes_a_person

_MOST_WORDS = 5
"""Words of a tag of one person or of the scene, at the most."""
_SENTENCES = ("a_", "an_", "there_")
"""How sentences begin, but no tags of a person or a scene."""


@dataclass(frozen=True)
class Rules:
    """What must not come; what the user wrote is never asked about.

    Attributes:
        banned: whether a canonical name must never be written.
        contradicts: whether a name cannot be true beside the prompt and the further names that are written already.
        untrue: whether a sentence cannot be true beside them, or says something banned.
    """

    banned: Callable[[str], bool]
    contradicts: Callable[[str, Collection[str]], bool]
    untrue: Callable[[str, Collection[str]], bool]


def rules_of(
    given: Given, ban: Sequence[str] = (), about: About = About.PICTURE, others: Iterable[str] = ()
) -> Rules:
    """The rules of one prompt.

    Args:
        ban: whole names, wildcards, `/regular expressions/`.
        about: what the prompt is about. Of one person only what describes a person may come, of the scene only the rest,
            and of neither how many people there are.
        others: names of further prompts of the same picture.

    Raises:
        UserError: a regular expression of `ban` is damaged.
    """
    banned = patterns(tuple(ban), "ban").match
    whole = about is About.PICTURE
    rival = Contradictions(given.names, others, persons=1 if about is About.PERSON else None)

    def must_not(name: str) -> bool:
        return (
            banned(name) is not None
            # fields of their own
            or classify(name) in ("rating", "quality", "year")
            or (not whole and (is_people(name) or describes_a_person(name) is not (about is About.PERSON)))
            # a model that is kept from the rest of the picture says it in a sentence among the tags
            or (not whole and (len(name.split("_")) > _MOST_WORDS or name.startswith(_SENTENCES)))
        )

    def contradicts(name: str, more: Collection[str]) -> bool:
        return bool(rival.of(name, more))

    def untrue(sentence: str, more: Collection[str]) -> bool:
        return (
            _wrong_number(sentence, [*given.people, *more])
            or any(contradicts(name, more) for name in tags_said(sentence))
            or (bool(ban) and any(banned(name) is not None for name in names_in(sentence)))
        )

    return Rules(must_not, contradicts, untrue)


def _wrong_number(sentence: str, names: Sequence[str]) -> bool:
    """Whether a sentence names more people than the tags, or says that there are fewer."""
    counts = [c for c in map(people_count, names) if c is not None]
    if not counts or any(c.least for c in counts):
        return False
    known: dict[str, int] = {}
    for count in counts:
        known[count.gender] = max(count.number, known.get(count.gender, 0))
    return any(
        said.number > known.get(said.gender, 0) or (said.all and said.number != known.get(said.gender, 0))
        for said in people_said(sentence)
    )
