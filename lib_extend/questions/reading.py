"""How a reply becomes an answer, and an answer a tag."""

from __future__ import annotations

import re

from lib_extend.questions import colors, numbers
from lib_extend.questions.plurals import plural
from lib_extend.questions.records import Asked, Kind, Question
from lib_extend.records import Answer, Reply

YES, NO = "yes", "no"
FREE_LENGTH = 100
"""Characters of a free answer that are kept."""

_NO = re.compile(r"\b(?:no|not|none|never|nothing|cannot|without|false)\b|n't\b", re.IGNORECASE)
_YES = re.compile(r"\b(?:yes|yeah|yep|true|correct|there (?:is|are)|visible)\b", re.IGNORECASE)

# spellings of allowed answers that people and models use for the tag's word
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

    Where the model gave probabilities over the choices, those of two phrasings are averaged and the likeliest
    choice counts; else its words are read, and two phrasings must agree.
    A reply that fits nothing keeps its raw text and yields no answer and no tag.
    """
    probability: float | None = None
    reply = replies[0]
    options = asked.prompt.choices
    rows = [r.probabilities for r in replies if r.probabilities is not None]
    if len(rows) == len(replies) and all(len(row) == len(options) > 0 for row in rows):
        mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
        best = max(range(len(options)), key=lambda i: mean[i])
        probability = mean[best]
        answer = normalize(asked.question, options[best][0])
    else:
        read_as = {normalize(asked.question, r.raw) for r in replies}
        answer = read_as.pop() if len(read_as) == 1 else ""
    return Answer(
        question=asked.question.name,
        object=asked.object,
        answer=answer,
        raw=" / ".join(dict.fromkeys(r.raw for r in replies)) if len(replies) > 1 else reply.raw,
        probability=probability,
        tag=tag_of(asked.question, asked.object, answer),
    )


def normalize(question: Question, text: str) -> str:
    """The allowed answer a text means, in its normal form; "" when it fits nothing."""
    kind = question.kind
    if kind is Kind.COUNT:
        count = numbers.count_in(text)
        return "" if count is None else str(count)
    if kind is Kind.COLOR:
        color = colors.color_in(text)
        return color or (colors.NONE if _NO.search(text) else "")
    if kind in (Kind.YES_NO, Kind.SOME_OF):
        return _yes_no(text)
    if kind is Kind.ONE_OF:
        return _one_of(question.answers, text)
    return _free(text)


def tag_of(question: Question, thing: str, answer: str) -> str:
    """The tag of an answer in canonical form, "" when it yields none.

    As in the reference system a count speaks only from two on, and an answer that denies yields nothing.
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
    if answer in question.plain:
        return answer
    words = {"answer": thing if kind is Kind.SOME_OF else answer, "object": thing, "objects": plural(thing)}
    return fill(question.tag, words).strip().lower().replace(" ", "_")


def fill(template: str, words: dict[str, str]) -> str:
    """`template` with its `{fields}` replaced; unknown ones stay, so nothing here can raise."""
    return re.sub(r"\{(\w+)\}", lambda m: words.get(m.group(1), m.group(0)), template)


def _yes_no(text: str) -> str:
    first = re.match(r"\W*(\w+)", text)
    if first and first.group(1).lower() in (YES, NO):
        return first.group(1).lower()
    if _NO.search(text):
        return NO
    return YES if _YES.search(text) else ""


def _one_of(answers: tuple[str, ...], text: str) -> str:
    """The allowed answer whose words stand in the text; "" when none or several do."""
    low = f" {re.sub(r'[^0-9a-z]+', ' ', text.lower())} "
    found = [
        a
        for a in answers
        if any(f" {s.replace('_', ' ').lower()} " in low for s in (a, *_SYNONYMS.get(a, ())))
    ]
    # "light wooden" holds "wooden" only once, but an answer may be a part of another: keep the longest
    found = [a for a in found if not any(a != b and a in b for b in found)]
    return found[0] if len(found) == 1 else ""


def _free(text: str) -> str:
    line = next((part.strip() for part in text.splitlines() if part.strip()), "")
    return line.rstrip(".").strip()[:FREE_LENGTH]
