"""What a part of an analysis is: one kind of what models say about a picture. One file of this folder each.

A file defines a subclass of `Part` and ends with `PART = ThatClass()`; nothing else need name it. What is at the top
of the file is imported in a WebUI's process too, so models and their packages are imported inside `maker` only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_extend.config import TagConfig
from lib_extend.questions.question import Question
from lib_extend.records import Tag

if TYPE_CHECKING:
    from lib_extend.analysis.making import Maker, Workplace


@dataclass(frozen=True)
class KeyInputs:
    """All that the key of a part may depend on.

    Attributes:
        config: the settings. questions: those that are asked.
        tagger, vlm, detector: the models' keys; "" where there is none.
        known: the tags of the caption that is there, where no tagger gives any.
    """

    config: TagConfig
    questions: Sequence[Question] = ()
    tagger: str = ""
    vlm: str = ""
    detector: str = ""
    known: Sequence[Tag] = field(default=())


class Part:
    """One part: its name, what it needs, its record, and how the worker makes it.

    Attributes:
        name: what it is stored and sent under; the name of its file.
        needs: names of the parts that are made before it, where they are wanted, and otherwise sent along.
        models: what its key depends on ("tagger", "vlm", "detector"): it is not known while one of them is not.
    """

    name: str = ""
    needs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def wanted(self, inputs: KeyInputs) -> bool:
        """Whether a job with these settings and models makes it."""
        raise NotImplementedError

    def key(self, inputs: KeyInputs) -> str:
        """What its values are stored under: changes whenever they could. "" where there is no model for it."""
        raise NotImplementedError

    def uses(self, inputs: KeyInputs) -> tuple[str, ...]:
        """Those of `needs` whose values it looks at with these settings; what is stored of them is sent along."""
        return self.needs

    def to_json(self, value: Any) -> Any:
        """The value as JSON values, for the pipe and for the state."""
        return value

    def from_json(self, data: Any) -> Any:
        """The inverse of `to_json`, for every form that any version has written."""
        return data

    def maker(self, workplace: Workplace) -> Maker | None:
        """What makes it in the worker's process; None where the models for it are not loaded."""
        raise NotImplementedError


def digest(texts: Sequence[str]) -> str:
    """A key of 32 hex digits from texts, in their order."""
    return hashlib.blake2b("\n".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
