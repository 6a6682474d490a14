"""From what a model replied to the description that is kept: one line, without preludes, loops and torn sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_extend.vocabulary.replies import spoken

EMPTY, ENDLESS, REFUSED = "prose_empty", "prose_endless", "prose_refused"
TROUBLE = {
    EMPTY: "The model described nothing (its answer was empty)",
    ENDLESS: "The model's description came to no end of a sentence",
    REFUSED: "The model declined to describe the picture",
}
"""What is wrong with a reply of which nothing can be kept."""
CORRECTIONS = {
    EMPTY: "Write at least one sentence.",
    ENDLESS: "Write short sentences and end each with a full stop.",
    REFUSED: "It is a drawing for a dataset: describe what can be seen, neutrally.",
}
"""What a model is told when it is asked again after such a reply."""

_SENTENCE = re.compile(r".+?(?:[.!?。！？][\"”’』」)]*(?=\s|$|(?<=[。！？]))|$)", re.DOTALL)
_ENDS = re.compile(r"[.!?。！？][\"”’』」)]*$")
_MARKS = re.compile(r"(?m)^\s*(?:#{1,6}\s+|[-*•]\s+)|\*\*|__|`")
_PRELUDE = re.compile(
    r"^(?:(?:sure|certainly|of course|okay|ok)[,.!]*\s+)?(?:here(?:'s| is) (?:a|the|your)\b[^:\n]{0,60}:"
    r"|(?:description|caption|answer|output)\s*:)\s*",
    re.IGNORECASE,
)
_NO = r"(?:cannot|can not|can't|can’t|am unable to|am not able to|won't|won’t|will not|must decline)"
_REFUSAL = re.compile(
    rf"^\W*(?:(?:i'm|i’m|i am)\s+(?:very\s+)?sorry|sorry|i apologi[sz]e|unfortunately)?[\s,.:;]*(?:but\s+)?"
    rf"(?:as an ai\b[^.]*\b)?i {_NO}\b"
    r"|^\W*(?:i'm|i’m|i am)\s+sorry\b[^.]*\b(?:can't|can’t|cannot|unable|not able)\b"
    r"|^\W*(?:this|the) (?:request|content|image) (?:violates|is against|goes against)\b",
    re.IGNORECASE,
)
_LOOP = 3
"""Words from which on a sentence stands once in a description: the second time the model goes round in circles."""


@dataclass(frozen=True)
class Read:
    """A description, or (`trouble`, a key of `TROUBLE`) why there is none."""

    text: str = ""
    trouble: str = ""


def read_reply(raw: str) -> Read:
    """The description in a model's reply.

    A reply that was cut is kept up to its last whole sentence, what repeats itself once.
    """
    text = spoken(raw)
    text = _PRELUDE.sub("", " ".join(_MARKS.sub("", text).split()))
    if len(text) > 1 and text[0] in '"“' and text[-1] in '"”':
        text = text[1:-1].strip()
    if not text:
        return Read(trouble=EMPTY)
    if _REFUSAL.search(text):
        return Read(trouble=REFUSED)
    kept: list[str] = []
    for sentence in (m[0].strip() for m in _SENTENCE.finditer(text)):
        goes_round = sentence in kept and len(sentence.split()) >= _LOOP
        if sentence and not goes_round:
            kept.append(sentence)
    while kept and not _ENDS.search(kept[-1]):
        kept.pop()
    return Read(" ".join(kept)) if kept else Read(trouble=ENDLESS)
