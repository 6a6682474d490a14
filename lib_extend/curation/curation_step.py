"""What a step of curation is: one act on the tags of many rows, with what is known of words and of the folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from lib_extend.curation.knowledge import Knowledge
from lib_extend.curation.tag_rows import Rows


class Step(ABC):
    """One act of curation. A file of `steps` holds one as `STEP`.

    Attributes:
        name: what it is called in reasons and tables. place: when it acts; the smallest first.
    """

    name: ClassVar[str]
    place: ClassVar[int]

    @abstractmethod
    def wanted(self, knowledge: Knowledge) -> bool:
        """Whether the settings ask for it."""

    @abstractmethod
    def act(self, rows: Rows, knowledge: Knowledge) -> None:
        """Do it on all rows. Every tag that goes or changes is noted in `rows` with its reason."""
