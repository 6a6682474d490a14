"""Turn a model's reply into an answer, and an answer into a tag."""

from __future__ import annotations

import re

from lib_extend.questions import numbers
from lib_extend.questions.question import Asked, Kind, Question
from lib_extend.records import Answer, Reply
from lib_extend.vocabulary import colors, hedges
from lib_extend.vocabulary.plurals import plural
from lib_extend.vocabulary.replies import sees_nothing, spoken

YES, NO = "yes", "no"
FREE_LENGTH = 100
"""Characters of a free answer that are kept."""

_YES = re.compile(
    r"\b(?:yes|yeah|yep|true|correct|there(?:'s| is| are)|visible|i (?:can )?see|(?:image|picture) (?:shows|has|contains))\b"
)
# A "no" that is an answer and does not belong to a noun: "yes and no", "yes/no", "no, yes" but not "yes, no doubt".
_LONE_NO = re.compile(r"\bno\b(?=\W*(?:$|\b(?:and|or|but|nor|yes)\b)|[.,;:!?)/\"'])")
_NEITHER = re.compile(r"\bneither\b|\bnot (?:a )?(?:clear |simple )?yes\b")
_NOTHING = frozenset({"", "no", "none", "nothing", "n/a", "unknown"})
# beginnings of a sentence before the thing that it names: "It is a clock" → "clock"
_LEAD = re.compile(
    r"^(?:(?:it|this|that|there|he|she|they|the answer|the \w+)(?:'s| is| are| was| seems to be| appears to be) )?"
    r"(?:an? |the |some )?"
)

# other words that people and models use for an allowed answer
_SYNONYMS = {
    "wooden": ("wood", "hardwood", "timber", "parquet"),
    "tile": ("tiled", "tiles", "ceramic"),
    "carpet": ("carpeted", "carpeting", "rug"),
    "stone": ("stones", "cobblestone"),
    "brick": ("bricks",),
    "concrete": ("cement",),
    "curtains": ("curtain",),
    "bookshelf": ("bookcase", "bookshelves"),
}


RULES = 3
"""Raised when replies are read otherwise than before: stored answers are then asked again."""


def choices(question: Question) -> tuple[tuple[str, ...], ...]:
    """The allowed answers put to the model, each with its spellings; empty for free text."""
    if question.kind is Kind.COUNT:
        return numbers.CHOICES
    if question.kind is Kind.COLOR:
        return colors.CHOICES
    if question.kind in (Kind.YES_NO, Kind.SOME_OF):
        return ((YES, "true"), (NO, "false"))
    if question.kind is Kind.ONE_OF:
        return tuple((a.replace("_", " "), *_SYNONYMS.get(a, ())) for a in question.answers)
    return ()


def read(asked: Asked, *replies: Reply) -> Answer:
    """The answer in the replies to `asked.prompts`, one or two.

    If the model gave probabilities over the choices, those of two phrasings are averaged and the most probable choice
    is the answer. Else the words are read, and the replies to two phrasings must agree.
    A reply that fits nothing keeps its raw text and yields no answer and no tag; so does one in which the model says
    that it sees no picture, whatever probabilities came with it.
    """
    probability: float | None = None
    reply = replies[0]
    answer = ""
    options = asked.prompt.choices
    rows = [r.probabilities for r in replies if r.probabilities is not None]
    if any(sees_nothing(spoken(r.raw), p.text) for r, p in zip(replies, asked.prompts, strict=False)):
        pass
    elif len(rows) == len(replies) and all(len(row) == len(options) > 0 for row in rows):
        mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        best = max(range(len(options)), key=lambda i: mean[i])
        probability = mean[best]
        answer = _chosen(asked.question, options[best][0])
    else:
        read_as = {normalize(asked.question, r.raw) for r in replies}
        answer = read_as.pop() if len(read_as) == 1 else answer
    return Answer(
        question=asked.question.name,
        object=asked.object,
        answer=answer,
        raw=" / ".join(dict.fromkeys(r.raw for r in replies)) if len(replies) > 1 else reply.raw,
        probability=probability,
        tag=tag_of(asked.question, asked.object, answer),
    )


def normalize(question: Question, text: str) -> str:
    """The allowed answer that a text means, in its normal form; "" when the text fits none of them or has no word."""
    kind = question.kind
    text = spoken(text)
    if not text or sees_nothing(text, question.ask):
        return ""
    if kind is Kind.COUNT:
        count = numbers.count_in(text)
        return "" if count is None else str(count)
    if kind is Kind.COLOR:
        return colors.color_in(text)
    if kind in (Kind.YES_NO, Kind.SOME_OF):
        return _yes_no(text)
    if kind is Kind.ONE_OF:
        return _one_of(question.answers, text)
    return _free(text)


def tag_of(question: Question, thing: str, answer: str) -> str:
    """The tag of an answer in canonical form, "" when it yields none.

    As in the reference system, a count gives a tag only from two on, and a negative answer gives none.
    """
    if not answer:
        return ""
    kind = question.kind
    if kind is Kind.COUNT and int(answer) < 2:
        return ""
    if kind is Kind.COLOR and answer == colors.NONE:
        return ""
    if kind in (Kind.YES_NO, Kind.SOME_OF) and answer != YES:
        return ""
    if kind is Kind.FREE:
        answer = _naming(answer)
    if kind in (Kind.ONE_OF, Kind.FREE) and answer in _NOTHING:
        return ""
    if answer in question.plain:
        return answer
    words = {"answer": thing if kind is Kind.SOME_OF else answer, "object": thing, "objects": plural(thing)}
    # a comma would make it two tags
    return re.sub(r"[\s_,;]+", "_", fill(question.tag, words).lower()).strip("_")


def fill(template: str, words: dict[str, str]) -> str:
    """`template` with its `{fields}` replaced; unknown fields stay as they are, so this never raises."""
    return re.sub(r"\{(\w+)\}", lambda m: words.get(m.group(1), m.group(0)), template)


def _chosen(question: Question, name: str) -> str:
    """The answer whose choice has this name."""
    if question.kind is Kind.ONE_OF:
        return next((a for a in question.answers if a.replace("_", " ") == name), "")
    return normalize(question, name)


def _yes_no(text: str) -> str:
    text = hedges.plain(text)
    first = re.match(r"\W*(\w+)\W*", text)
    if _NEITHER.search(text):
        return NO if "neither" not in text else ""
    if re.search(r"\byes\b", text) and _LONE_NO.search(text):
        return ""  # "yes and no"
    if first and first.group(1) == YES:
        return "" if hedges.absent(text[first.end() :]) else YES  # "Yes, there is no chair."
    if first and first.group(1) == NO:
        return NO
    if hedges.unsure(text):
        return ""
    if hedges.denies(text):
        return NO
    return YES if _YES.search(text) else ""


def _one_of(answers: tuple[str, ...], text: str) -> str:
    """The allowed answer whose words stand in the text; "" when none or several do."""
    text = hedges.plain(text)
    if hedges.unsure(text):
        return ""
    low = _words(text)
    found = {
        a: max(len(w) for w in spelled)
        for a in answers
        if (spelled := [w for s in (a, *_SYNONYMS.get(a, ())) if (w := _words(s)).strip() and w in low])
    }
    # an answer may be a part of another: "red brick" is not "brick"
    longest = [a for a in found if not any(a != b and _words(a) in _words(b) for b in found)]
    if len(longest) == 1 and (longest[0] in _NOTHING or not hedges.denies(text)):
        return longest[0]
    # "There is no pet": only an allowed "none" can say that
    return "none" if "none" in answers and hedges.denies(text) and not longest else ""


def _words(text: str) -> str:
    """The words of a text in any script, each with a space on both sides."""
    return " " + re.sub(r"[\W_]+", " ", text.lower()).strip() + " "


def _free(text: str) -> str:
    line = next((part.strip() for part in text.splitlines() if any(c.isalnum() for c in part)), "")
    line = " ".join(line.strip("\"'`*“”").rstrip(".").split())
    if len(line) > FREE_LENGTH:
        line = line[:FREE_LENGTH].rsplit(" ", 1)[0]
    return line.strip()


def _naming(answer: str) -> str:
    """What a free answer names, "" where it names nothing: "It is a clock" → "clock"."""
    text = hedges.plain(answer)
    if hedges.unsure(text) or hedges.absent(text) or text in _NOTHING:
        return ""
    return text[_LEAD.match(text).end() :]  # type: ignore[union-attr]
