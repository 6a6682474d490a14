"""Tags that the user said go from all captions of the folder."""

from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import DROP, Knowledge
from lib_extend.curation.tag_rows import Rows


class Overrule(Step):
    name = "overrule"
    place = 10

    def wanted(self, knowledge: Knowledge) -> bool:
        return any(said == DROP for said in knowledge.overrules.values())

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        for name, said in knowledge.overrules.items():
            if said == DROP:
                rows.drop(name, rows.machine.get(name, 0), self.name, Reason("overruled"))
                rows.drop_own(name, self.name, Reason("overruled"))


STEP = Overrule()
