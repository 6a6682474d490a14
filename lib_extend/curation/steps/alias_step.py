"""Other names of a tag become the tag, so that all further steps see one name. A person's spelling stays."""

from lib_extend.config.curation_settings import NONE
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows


class Alias(Step):
    name = "alias"
    place = 20

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning != NONE or bool(knowledge.lists.aliases)

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        resolve = knowledge.resolve
        others = knowledge.concerned(self.name, lambda name: resolve(name) != name)
        for name in others.among(rows.machine):
            rows.rename(name, resolve(name), self.name)


STEP = Alias()
