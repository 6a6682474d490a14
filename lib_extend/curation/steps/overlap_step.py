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
        names = sorted({*rows.machine, *rows.own})
        there = {n: bits for n in names if (bits := rows.has(n))}
        found: list[tuple[str, str, str]] = []
        for general, specials in knowledge.lists.overlaps.items():
            if general in rows.machine:
                found += [(general, s, LIST) for s in sorted(specials) if s in there and s != general]
        if knowledge.pruning != NONE and not knowledge.config.only_my_lists:
            for special in there:
                for general, why in _generals(special, knowledge.words):  # type: ignore[arg-type]
                    if general in rows.machine:
                        found.append((general, special, why))
        for general, special, why in found:
            rows.drop(general, there[special], self.name, Reason("overlap", {"by": special, "why": why}))


@lru_cache(maxsize=1 << 17)
def _generals(special: str, words: Words) -> tuple[tuple[str, str], ...]:
    """What a tag says besides, and how that is known."""
    parts = special.split("_")
    endings = {"_".join(parts[i:]) for i in range(1, len(parts))}
    found = sorted({*words.implied(special), *endings} - {special})
    return tuple((general, why) for general in found if (why := words.says_more(special, general)))


STEP = Overlap()
