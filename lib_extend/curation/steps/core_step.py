"""Core tags (mode `character_core`): what a character has on most of its pictures goes where the character is named.

Where several are on one picture, a tag goes only when it is core of all who may have it there: what is core of one is
never taken from another.
"""

from collections.abc import Mapping

from lib_extend.config.curation_settings import CORE
from lib_extend.curation.core_tags import CoreTags
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows, members


class Core(Step):
    name = "core"
    place = 70

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning == CORE

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        everywhere = (1 << rows.count) - 1
        for folder, within in (rows.folders or {"": everywhere}).items():
            table = knowledge.core.of(folder)
            for character in sorted(rows.characters):
                bits = rows.characters[character] & within
                if bits and character in table:
                    self._drop(rows, table[character], bits, table)

    def _drop(self, rows: Rows, core: CoreTags, bits: int, table: Mapping[str, CoreTags]) -> None:
        for name, reason in core.going.items():
            if name not in rows.machine:
                continue
            there = bits & rows.machine[name]
            # who else is there, and does not have it as a core tag, may be the one that it is about
            others = 0
            for other, shows in rows.characters.items():
                if other != core.character and not _is_core(table.get(other), name):
                    others |= shows
            unsure = there & (others | rows.unnamed)
            sure = there & ~unsure
            for row in members(unsure):
                if _carried_by_core(rows, name, row, table):
                    sure |= 1 << row
            rows.drop(name, sure, self.name, reason)


def _is_core(core: CoreTags | None, name: str) -> bool:
    return core is not None and name in core.going


def _carried_by_core(rows: Rows, name: str, row: int, table: Mapping[str, CoreTags]) -> bool:
    """Whether all who have the tag on this picture have it as a core tag."""
    carriers = rows.carriers(name, row)
    return bool(carriers) and all(_is_core(table.get(c), name) for c in carriers or ())


STEP = Core()
