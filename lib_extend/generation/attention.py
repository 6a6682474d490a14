"""Regional cross-attention: each region's prompt acts exactly in its box.

    out = to_out( Σ_r m_r · softmax(q k_rᵀ / √d) v_r )        with Σ_r m_r = 1, r = 0 the base prompt

The query is shared, keys and values of a region's prompt are computed once (a step of its schedule), the results are
blended before `to_out`, and only the query rows inside a region's box are computed. So a region costs only an attention
over its own tokens for its part of the picture. Prompts of different lengths are computed separately, without padding.
Emphasis, schedules and `BREAK` are in the conditionings already.

    regional = RegionalAttention(pictures)          # one a sampling pass
    call = regional.call(layout, step, steps)       # one a UNet call
    inner = call.blend(key, q, inner, size, ...)    # in each cross-attention, before to_out

Nothing here knows a host. Rows that do not fit raise RegionsError; no region is left out silently.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import Layout, RegionsError
from lib_extend.generation.masks import coverage, crop
from lib_extend.generation.regional_lora import Attend, Prompt, RegionalLoras, split

Project = Callable[[Tensor], Tensor]
"""A module's own `to_k` or `to_v`, so that what is hooked into it (LoRA) applies."""


@dataclass(frozen=True)
class _Task:
    """Rows that share all their regions: `active` are (region, schedule, which of its conditionings)."""

    picture: Picture
    rows: slice
    active: tuple[tuple[int, Schedule, int], ...]


@dataclass(frozen=True)
class _Mask:
    """`part`: rows and columns of the grid, `share` and `rest` (1 − share) there: (rows, columns, 1)."""

    part: tuple[slice, slice]
    share: Tensor
    rest: Tensor


class RegionalAttention:
    """The regions of one sampling pass. Drop it, or `forget`, when the pass is over: it keeps keys and values
    (25.6 MB a region in half precision, SDXL)."""

    def __init__(
        self,
        pictures: Sequence[Picture | None],
        *,
        attend: Attend | None = None,
        loras: RegionalLoras | None = None,
    ) -> None:
        """`pictures`: one entry a picture of the batch. `attend`: the host's own attention, if it must be. `loras`:
        those that act in places; modules' keys are then their full names in the UNet."""
        self.pictures = tuple(pictures)
        self.attend = attend or torch.nn.functional.scaled_dot_product_attention
        self.loras = loras
        self._keys: dict[tuple[Hashable, Schedule, int], tuple[Any, Tensor, Tensor]] = {}
        self._masks: dict[Any, _Mask] = {}

    def forget(self) -> None:
        """Forgets keys, values and masks."""
        self._keys.clear()
        self._masks.clear()

    def call(self, layout: Layout, step: int, steps: int) -> Call:
        """The regions' work in one UNet call.

        Args:
            layout: its rows. step: 0-based, as the host's schedules count. steps: of the whole pass.
        """
        rows: dict[tuple[Picture, bool], list[int]] = {}
        for i, row in enumerate(layout):
            if row.image >= len(self.pictures):
                raise RegionsError(
                    f"the host works on picture {row.image + 1} of a batch of {len(self.pictures)}"
                )
            picture = self.pictures[row.image]
            if picture is not None and step < picture.end * steps:
                rows.setdefault((picture, row.negative), []).append(i)
        tasks = []
        for (picture, negative), indices in rows.items():
            schedules = picture.negative if negative else picture.positive
            active = tuple(
                (r, s, s.at(step))
                for r, s in enumerate(schedules, 1)
                if s is not None and picture.shares.acts(r)
            )
            if active:
                tasks += [_Task(picture, part, active) for part in slices(indices)]
        return Call(self, len(layout), tasks)

    def key_values(
        self,
        key: Hashable,
        region: int,
        schedule: Schedule,
        at: int,
        q: Tensor,
        heads: int,
        to_k: Project,
        to_v: Project,
    ) -> tuple[Tensor, Tensor]:
        """Keys and values (1, heads, tokens, dim) of a region's prompt in one module, computed once a change."""
        form = (at, q.dtype, q.device)
        # regions with the same prompt share them, unless they have LoRAs
        which = (key, schedule, region if self.loras else 0)
        found = self._keys.get(which)
        if found is None or found[0] != form:
            cond = schedule.conds[at].to(device=q.device, dtype=q.dtype)[None]
            try:
                made = [project(cond).to(q.dtype) for project in (to_k, to_v)]
                if self.loras:
                    made = self.loras.keys_and_values(region, key, ((cond, made[0]), (cond, made[1])))
                k, v = (split(out, heads) for out in made)
            except RuntimeError as e:
                raise RegionsError(
                    f"a region's prompt of {cond.shape[2]} channels does not fit the model at work (a refiner of another kind?)"
                ) from e
            if k.shape[1] * k.shape[3] != q.shape[-1] or v.shape != k.shape:
                raise RegionsError(
                    f"a region's keys have {k.shape[1] * k.shape[3]} channels, not {q.shape[-1]}"
                )
            found = self._keys[which] = (form, k, v)
        return found[1], found[2]

    def mask(self, picture: Picture, regions: tuple[int, ...], size: tuple[int, int], like: Tensor) -> _Mask:
        """The sum of the regions' masks on a grid."""
        key = (picture, regions, size, like.dtype, like.device)
        if key not in self._masks:
            of = picture.shares
            crops = [crop(of.places[r - 1], *size) for r in regions]
            top, left = min(c[0] for c in crops), min(c[2] for c in crops)
            bottom, right = max(c[1] for c in crops), max(c[3] for c in crops)
            down = torch.tensor(coverage(of.ys, size[0])[top:bottom], dtype=torch.float64)
            across = torch.tensor(coverage(of.xs, size[1])[left:right], dtype=torch.float64)
            table = sum(torch.tensor(of.tables[r], dtype=torch.float64) for r in regions)
            part = (slice(top, bottom), slice(left, right))
            mask = (down @ table @ across.T)[..., None]
            self._masks[key] = _Mask(part, mask.to(like), (1 - mask).to(like))
        return self._masks[key]


class Call:
    """The regions' work in one UNet call.

    Attributes:
        idle: the call has no work for regions and stays unchanged.
    """

    def __init__(self, regional: RegionalAttention, rows: int, tasks: Sequence[_Task]) -> None:
        self._regional = regional
        self._rows = rows
        self._tasks = tuple(tasks)
        self.idle = not tasks and not regional.loras

    @torch.no_grad()
    def blend(
        self,
        key: Hashable,
        q: Tensor,
        base: Tensor,
        size: tuple[int, int],
        heads: int,
        to_k: Project,
        to_v: Project,
        *,
        plain: Tensor | None = None,
        own: bool = False,
        prompt: Prompt | None = None,
    ) -> Tensor:
        """The base prompt's attention with the regions blended in.

        Args:
            key: names the module: keys and values are kept by it.
            q: (rows, height · width, heads · dim), after `to_q`. base: the same shape, before `to_out`.
            size: (height, width) of the grid that the positions are, row by row.
            plain: where others added to the base's attention (IP-Adapter), that attention alone: what they
                added then stays whole.
            own: `base` may be overwritten.
            prompt: the base prompt's keys and values, needed where a LoRA in a place changes them.

        Raises:
            RegionsError: the shapes are not what was announced.
        """
        if self.idle:
            return base
        self._check(q, base, size, heads)
        out = base if own else base.clone()
        shape = (self._rows, *size, q.shape[2])
        planes = (q.reshape(shape), out.view(shape), None if plain is None else plain.reshape(shape))
        if self._regional.loras:
            self._regional.loras.attend(key, planes, prompt, heads, self._regional.attend)
        for task in self._tasks:
            self._blend(task, key, planes, size, heads, to_k, to_v)
        return out

    def _blend(
        self,
        task: _Task,
        key: Hashable,
        planes: tuple[Any, ...],
        size: tuple[int, int],
        heads: int,
        to_k: Project,
        to_v: Project,
    ) -> None:
        q, out, plain = planes
        regional = self._regional
        together = regional.mask(task.picture, tuple(r for r, _, _ in task.active), size, out)
        here = out[_at(task, together)]
        if plain is None:
            here.mul_(together.rest)
        else:
            here.addcmul_(plain[_at(task, together)].to(out.dtype), -together.share)
        for region, schedule, at in task.active:
            mask = regional.mask(task.picture, (region,), size, out)
            asking = q[_at(task, mask)]
            k, v = regional.key_values(key, region, schedule, at, q, heads, to_k, to_v)
            rows = asking.shape[0]
            answer = regional.attend(
                split(asking.flatten(1, 2), heads), k.expand(rows, -1, -1, -1), v.expand(rows, -1, -1, -1)
            )
            answer = answer.transpose(1, 2).reshape(asking.shape)
            out[_at(task, mask)].addcmul_(answer.to(out.dtype), mask.share)

    def attend(
        self,
        key: Hashable,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        size: tuple[int, int],
        heads: int,
        to_k: Project,
        to_v: Project,
        *,
        context: Tensor | None = None,
    ) -> Tensor:
        """The whole cross-attention between `to_q / to_k / to_v` and `to_out`, for hosts that let it be
        replaced there. Arguments as those of `blend`; k, v: (rows, tokens, heads · dim), made of `context`."""
        prompt = None if context is None else ((context, k), (context, v))
        plain = self.plain(q, k, v, heads)
        return self.blend(key, q, plain, size, heads, to_k, to_v, own=True, prompt=prompt)

    def plain(self, q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
        """The base prompt's attention alone, (rows, positions, heads · dim)."""
        parts = (split(t, heads) for t in (q, k, v))
        return self._regional.attend(*parts).transpose(1, 2).reshape(q.shape)

    def forward(
        self, key: Hashable, module: Any, x: Tensor, context: Tensor, size: tuple[int, int], heads: int
    ) -> Tensor:
        """A cross-attention module's `forward` with regions, by its own `to_q`, `to_k`, `to_v`, `to_out`."""
        q, k, v = module.to_q(x), module.to_k(context), module.to_v(context)
        inner = self.attend(key, q, k, v, size, heads, module.to_k, module.to_v, context=context)
        out: Tensor = module.to_out(inner)
        return out

    def _check(self, q: Tensor, base: Tensor, size: tuple[int, int], heads: int) -> None:
        if q.dim() != 3 or q.shape != base.shape or q.shape[2] % heads:
            raise RegionsError(f"queries {tuple(q.shape)}, attention {tuple(base.shape)}, {heads} heads")
        if q.shape[0] != self._rows:
            raise RegionsError(f"{q.shape[0]} rows came where {self._rows} were announced")
        if q.shape[1] != size[0] * size[1]:
            raise RegionsError(f"{q.shape[1]:,} positions came for a grid of {size[1]} × {size[0]}")


def _at(task: _Task, mask: _Mask) -> tuple[slice, slice, slice]:
    return task.rows, mask.part[0], mask.part[1]


def slices(indices: Sequence[int]) -> Iterator[slice]:
    """Ascending indices as slices, one where they lie evenly apart: [0, 2, 4], else one a run."""
    start = 0
    while start < len(indices):
        end = start + 1
        step = indices[end] - indices[start] if end < len(indices) else 1
        while end < len(indices) and indices[end] - indices[end - 1] == step:
            end += 1
        yield slice(indices[start], indices[end - 1] + 1, step)
        start = end
