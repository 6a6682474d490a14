"""Tags that a list names. The user's lists reach a person's tags too, ours do not."""

from lib_extend.config.curation_settings import NONE
from lib_extend.curation.curation_reason import Reason
from lib_extend.curation.curation_step import Step
from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows

BY_US = Reason("blacklisted_by_us")


class Blacklist(Step):
    name = "blacklist"
    place = 30

    def wanted(self, knowledge: Knowledge) -> bool:
        return knowledge.pruning != NONE or bool(knowledge.lists.blacklists)

    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        for i, (file, patterns) in enumerate(knowledge.lists.blacklists):
            reason = Reason("blacklisted", {"list": file})
            named = knowledge.concerned(f"{self.name} {i}", patterns.match)
            for name in named.among({**rows.machine, **rows.own}):
                rows.drop(name, rows.machine.get(name, 0), self.name, reason)
                rows.drop_own(name, self.name, reason)
        if knowledge.pruning != NONE and not knowledge.config.only_my_lists:
            named = knowledge.concerned(self.name, knowledge.own_blacklist.match)
            for name in named.among(rows.machine):
                rows.drop(name, rows.machine[name], self.name, BY_US)


STEP = Blacklist()
