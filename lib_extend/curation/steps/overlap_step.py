"""Tags that another one says already: `long hair` beside `very long hair`.

By the user's lists, by what follows from what in the vocabulary, and by whole words at the end (`white shirt` says
`shirt`); never by letters within a word: glasses are no ass, and what is no hat.
"""

from functools import lru_cache

from lib_extend.config.curation_settings import NONE
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge, Words
from lib_extend.curation.tag_rows import Rows

LIST = "list"


class Overlap(Step):
    name = "overlap"
    place = 40

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning != NONE or bool(knowledge.lists.overlaps)

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        # by what was there before: a tag that goes itself says more than what it made go
        found: list[tuple[str, int, Reason]] = []
        machine, overlaps = rows.machine, knowledge.lists.overlaps
        for general in sorted(overlaps.keys() & machine.keys()) if overlaps else ():
            for special in sorted(overlaps[general]):
                bits = 0 if special == general else rows.has(special)
                if bits:
                    found.append((general, bits, _reason(special, LIST)))
        if knowledge.pruning != NONE and not knowledge.config.only_my_lists:
            words = knowledge.words
            telling = knowledge.concerned(self.name, lambda name: _generals(name, words))
            for special in telling.among({**machine, **rows.own} if rows.own else machine):
                for general, reason in _generals(special, words):
                    if general in machine:
                        found.append((general, rows.has(special), reason))
        for general, bits, reason in found:
            rows.drop(general, bits, self.name, reason)


@lru_cache(maxsize=1 << 17)
def _generals(special: str, words: Words) -> tuple[tuple[str, Reason], ...]:
    """What a tag says besides, and why that goes beside it."""
    parts = special.split("_")
    endings = {"_".join(parts[i:]) for i in range(1, len(parts))}
    found = sorted({*words.implied(special), *endings} - {special})
    return tuple(
        (general, _reason(special, why)) for general in found if (why := words.says_more(special, general))
    )


@lru_cache(maxsize=1 << 17)
def _reason(special: str, why: str) -> Reason:
    return Reason("overlap", {"by": special, "why": why})


STEP = Overlap()
