"""The conditionings of a batch: which prompt acts in which region of which picture, at which step.

Only the shapes of tensors are used, so this can be imported without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Lora
from lib_extend.generation.compile import Compiled
from lib_extend.generation.masks import Shares, shares

Cond = Any
"""A tensor (tokens, channels)."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """A prompt's conditionings over the steps.

    Attributes:
        ends: the last step of each, ascending. conds: (tokens, channels) each.
    """

    ends: tuple[int, ...]
    conds: tuple[Cond, ...]

    @classmethod
    def of(cls, entries: Any) -> Schedule:
        """From what the hosts' prompt parsers give.

        Args:
            entries: a tensor, or pairs (last step, conditioning) such as `ScheduledPromptConditioning`; a
                conditioning is a tensor (tokens, channels), with or without a first dimension of 1, or a
                dict with one as `crossattn`.
        """
        if isinstance(entries, dict) or hasattr(entries, "dim"):
            entries = [(0, entries)]
        pairs = [(int(end), _cond(cond)) for end, cond in entries]
        if not pairs:
            raise RegionsError("a prompt has no conditioning")
        return cls(tuple(end for end, _ in pairs), tuple(cond for _, cond in pairs))

    def at(self, step: int) -> int:
        """Which conditioning acts at a step: the first that has not ended; beyond all ends, as the hosts do,
        the first."""
        return next((i for i, end in enumerate(self.ends) if step <= end), 0)


def _cond(cond: Any) -> Cond:
    if isinstance(cond, dict):
        cond = cond.get("crossattn")
    if hasattr(cond, "dim") and cond.dim() == 3 and cond.shape[0] == 1:
        cond = cond[0]
    if not hasattr(cond, "dim") or cond.dim() != 2:
        raise RegionsError("a prompt's conditioning has a form that is not known here")
    return cond


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture's regions; pictures of a batch with the same object are computed together.

    Attributes:
        positive, negative: one schedule a region; None leaves the region's share to the base, as a region
            without a negative prompt of its own does on the negative rows.
        end: share 0…1 of the steps after which the base goes on alone.
    """

    shares: Shares
    positive: tuple[Schedule | None, ...]
    negative: tuple[Schedule | None, ...]
    end: float = 1.0

    def __post_init__(self) -> None:
        if not len(self.positive) == len(self.negative) == self.shares.count:
            raise RegionsError(f"{self.shares.count} boxes have {len(self.positive)} prompts")


def pictures(
    compiled: Sequence[Compiled], encode: Callable[[str, bool, tuple[Lora, ...]], Any]
) -> list[Picture | None]:
    """The regions of a batch, one entry a picture; None for a picture without any.

    Args:
        encode: a prompt, whether it is a negative one, and the LoRAs of its place, to what `Schedule.of` takes; asked
            once a text with its LoRAs.
    """
    texts: dict[tuple[str, bool, tuple[Lora, ...]], Schedule] = {}
    same: dict[Any, Picture] = {}

    def schedule(text: str | None, negative: bool, loras: tuple[Lora, ...]) -> Schedule | None:
        if text is None:
            return None
        key = (text, negative, loras)
        if key not in texts:
            texts[key] = Schedule.of(encode(*key))
        return texts[key]

    result: list[Picture | None] = []
    for one in compiled:
        if not one.regions:
            result.append(None)
            continue
        parts = tuple((r.prompt, r.negative, r.box, r.weight, r.loras) for r in one.regions)
        identity = (parts, one.cast.base_weight, one.cast.end_step)
        if identity not in same:
            same[identity] = Picture(
                shares([r.box for r in one.regions], [r.weight for r in one.regions], one.cast.base_weight),
                tuple(schedule(r.prompt, False, r.loras) for r in one.regions),
                tuple(schedule(r.negative, True, r.loras) for r in one.regions),
                one.cast.end_step,
            )
        result.append(same[identity])
    return result
