"""Which row of a UNet call belongs to which picture, and whether it is one of its negative prompt.

Every host batches the rows of its pictures in its own way and splits them by memory or prompt lengths; no host tells
its attention modules. This module derives the rows of each call from what the host does tell, and compares their number
with the rows that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib_extend.errors import UserError


class RegionsError(UserError):
    """The regions cannot be applied as requested; the generation stops and does not continue without them.

    Attributes:
        reason: why, in a clause.
        status_code, detail: what the WebUIs' APIs answer an error with, where it has these.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The regions cannot be applied: {reason}.")
        self.reason = reason
        self.status_code = 422
        self.detail = str(self)


@dataclass(frozen=True)
class Row:
    """One row of a call: the picture's place in the batch, and whether it is of the negative prompt."""

    image: int
    negative: bool


@dataclass(frozen=True)
class Layout:
    """The rows of one UNet call, in order."""

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def images(self) -> int:
        """Pictures of the batch, as far as this call shows them."""
        return 1 + max((r.image for r in self.rows), default=-1)

    @classmethod
    def a1111(cls, conds: Sequence[int], unconds: int = 1) -> Layout:
        """All rows of one step of A1111: those of the prompts, picture by picture, then the negative ones.

        Args:
            conds: for each picture of the batch how many prompts `AND` composes it of (`len(conds_list[i])`).
            unconds: rows each picture has behind them: 1, in edit models 2, where there is no guidance 0.

        A step may be split into several calls, and the negative rows may be left out: see `Cursor`.
        """
        if any(n < 1 for n in conds) or unconds < 0:
            raise RegionsError(f"a batch of {list(conds)} prompts and {unconds} negative ones is none")
        rows = [Row(i, False) for i, n in enumerate(conds) for _ in range(n)]
        rows += [Row(i, True) for _ in range(unconds) for i in range(len(conds))]
        return cls(tuple(rows))

    @classmethod
    def a1111_rows(cls, rows: int, batch: int, conds: Sequence[int] | None = None) -> Layout:
        """The same from what `on_cfg_denoiser` shows: `rows` of `params.x` for `batch` pictures.

        Without `conds` the prompts must be equally many for each picture.
        """
        positive = rows - batch
        if conds is None:
            if batch < 1 or positive < batch or positive % batch:
                raise RegionsError(f"{rows} rows are none of a batch of {batch} with its negatives")
            conds = [positive // batch] * batch
        if len(conds) != batch or sum(conds) != positive:
            raise RegionsError(f"{rows} rows came for prompts {list(conds)} and {batch} negatives")
        return cls.a1111(conds)

    @classmethod
    def forge(
        cls,
        cond_or_uncond: Sequence[int],
        rows: int,
        cond_indices: Sequence[int] | None = None,
        uncond_indices: Sequence[int] | None = None,
    ) -> Layout:
        """The rows of one call of Forge and its relatives.

        Args:
            cond_or_uncond: one entry a chunk of the batch, 0 for a prompt and 1 for the negative one, from
                the transformer options: `[1, 0]`, `[0]`, with AND `[1, 0, 0]`.
            rows: of the call; each chunk has all pictures, in order.
            cond_indices, uncond_indices: checked against the above where the host gives them.
        """
        chunks = list(cond_or_uncond)
        if not chunks or any(c not in (0, 1) for c in chunks) or rows < 1 or rows % len(chunks):
            raise RegionsError(f"{rows} rows do not divide into the host's chunks {chunks}")
        batch = rows // len(chunks)
        layout = cls(tuple(Row(i, bool(c)) for c in chunks for i in range(batch)))
        for given, negative in ((cond_indices, False), (uncond_indices, True)):
            ours = [i for i, row in enumerate(layout.rows) if row.negative == negative]
            if given is not None and [int(i) for i in given] != ours:
                raise RegionsError(f"the host says rows {list(given)} where its chunks {chunks} mean {ours}")
        return layout


class Cursor:
    """Follows the rows of a step through the UNet calls that take a few each, in order.

        cursor = Cursor(Layout.a1111([1, 1]))   # when the sampler announces a step
        layout = cursor.take(x.shape[0])        # before each call of the UNet

    Rows that are left over were skipped by the host: the negative ones at the end (NGMS, Skip Early CFG).
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._next = 0

    def take(self, count: int) -> Layout:
        """The next `count` rows. Raises RegionsError when the step has no more."""
        end = self._next + count
        if count < 1 or end > len(self._layout):
            raise RegionsError(
                f"the UNet takes {count} rows where {len(self._layout) - self._next} of this step's "
                f"{len(self._layout)} are left"
            )
        taken = Layout(self._layout.rows[self._next : end])
        self._next = end
        return taken
