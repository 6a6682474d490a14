"""Traits of characters by their words (mode `character`): on every picture that names a character."""

from lib_extend.config.curation_settings import CHARACTER
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows


class Trait(Step):
    name = "traits"
    place = 60

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning == CHARACTER

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        deepest = knowledge.config.drop_difficulty
        traits = knowledge.concerned(self.name, lambda name: knowledge.difficulty(name) is not None)
        for name in traits.among(rows.machine):
            level = knowledge.difficulty(name)
            if level is None or level >= deepest:
                continue
            for character, bits in sorted(rows.characters.items()):
                rows.drop(
                    name, bits, self.name, Reason("trait", {"character": character, "difficulty": level})
                )


STEP = Trait()
