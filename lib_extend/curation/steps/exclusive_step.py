"""Tags of which one at the most is right (one hair color a person, one rating a picture): the best one stays.

What a person wrote is always right. Where scores do not tell which one is best, all stay.
"""

from lib_extend.config.curation_settings import NONE
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import ExclusiveGroup, Knowledge
from lib_extend.curation.tag_rows import Rows, members


class Exclusive(Step):
    name = "exclusive"
    place = 50

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning != NONE and not knowledge.config.only_my_lists

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        grouped = knowledge.concerned(self.name, knowledge.groups_of.__contains__)
        there = grouped.among({**rows.machine, **rows.own} if rows.own else rows.machine)
        number: dict[int, int] = {}
        for name in there if len(there) > 1 else ():
            for i in knowledge.groups_of[name]:
                number[i] = number.get(i, 0) + 1
        for i in sorted(i for i, tags in number.items() if tags > 1):
            _settle(rows, knowledge.groups[i], knowledge, self.name)


def _settle(rows: Rows, group: ExclusiveGroup, knowledge: Knowledge, step: str) -> None:
    machine = sorted(group.tags & rows.machine.keys())
    own = sorted(n for n in group.tags & rows.own.keys() if rows.own[n])
    if len({*machine, *own}) < 2 or not machine:
        return
    once = twice = 0
    for name in {*machine, *own}:
        bits = rows.has(name)
        twice |= once & bits
        once |= bits
    for name in group.unless:
        twice &= ~rows.has(name)
    if group.of == "person":
        twice &= ~rows.several
    gone: dict[tuple[str, str], int] = {}
    for row in members(twice):
        there = [n for n in machine if rows.machine[n] >> row & 1]
        said = [n for n in own if rows.own[n] >> row & 1 and rows.has(n) >> row & 1]
        best = said[0] if said else _best(rows, there, row)
        for name in there if best else ():
            if name not in (best, *said) and not _agree(name, best, knowledge):
                gone[name, best] = gone.get((name, best), 0) | 1 << row
    for (name, best), bits in sorted(gone.items()):
        rows.drop(name, bits, step, Reason("exclusive", {"group": group.name, "by": best}))


def _agree(one: str, other: str, knowledge: Knowledge) -> bool:
    """Whether one of two tags follows from the other."""
    implied = knowledge.words.implied
    return one in implied(other) or other in implied(one)


def _best(rows: Rows, names: list[str], row: int) -> str:
    """The likeliest of the tags; "" where two are equally likely, or nobody gave scores."""
    scored = [(rows.score(n, row), n) for n in names]
    known = sorted(((s, n) for s, n in scored if s is not None), key=lambda x: (-x[0], x[1]))
    if len(known) < len(scored) or len(known) < 2 or known[0][0] == known[1][0]:
        return ""
    return known[0][1]


STEP = Exclusive()
