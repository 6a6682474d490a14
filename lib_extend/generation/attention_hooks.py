"""Hook the regions into a cross-attention module without replacing any part of it.

A module's `forward` may have been exchanged (an optimizer of the host's choice), wrapped (ControlNet) or both,
but what it does is `to_q`, attention, `to_out`. Two torch hooks see the queries and the attention on their way:
one behind `to_q`, one before the linear layer of `to_out`. The attention between them is computed as before, including
LoRAs in all four projections, and a call without regions is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from lib_extend.generation.batch_rows import RegionsError

State = Callable[[], "tuple[Any, tuple[int, int]] | None"]
"""The `attention.Call` of the UNet call that is under way and the (height, width) of the grid where it is;
None when there is nothing to do."""


class AttentionHook:
    """The hooks in one cross-attention module; `remove` them when the pass is over, however it ended."""

    def __init__(
        self,
        module: Any,
        key: Hashable,
        state: State,
        heads: int | None = None,
        *,
        added: bool = False,
        loras: bool = False,
    ) -> None:
        """
        Args:
            module: with `to_q`, `to_k`, `to_v` and `to_out`, a linear layer or a sequence that begins with one.
            key: names the module among those of its model.
            heads: its heads; default: `module.heads`.
            added: others add to its attention before `to_out` (IP-Adapter), and that shall stay whole. It costs
                the base prompt's attention once more.
            loras: a LoRA in a place changes its keys or values.

        Raises:
            RegionsError: the module is not made like this.
        """
        out: Any = getattr(module, "to_out", None)
        if hasattr(out, "__getitem__"):
            out = out[0]
        if out is None or not all(hasattr(module, name) for name in ("to_q", "to_k", "to_v")):
            raise RegionsError(f"the attention module {key} is not made as they need it")
        self._heads = heads or int(module.heads)
        self._module = module
        self._key = key
        self._state = state
        self._q: Any = None
        self._added = added
        self._seen: dict[str, tuple[Any, Any]] = {}
        self._handles = [
            module.to_q.register_forward_hook(self._asked),
            out.register_forward_pre_hook(self._answered),
        ]
        if added or loras:
            self._handles += [
                getattr(module, name).register_forward_hook(self._seeing(name)) for name in ("to_k", "to_v")
            ]

    def remove(self) -> None:
        """Removes the hooks; a second call does nothing."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._q = None
        self._seen = {}

    def _asked(self, module: Any, given: Any, q: Any) -> None:
        state = self._state()
        self._q = None if state is None or state[0].idle else q

    def _seeing(self, name: str) -> Callable[[Any, Any, Any], None]:
        def see(module: Any, given: Any, out: Any) -> None:
            # between `to_q` and `to_out` only: the regions' own keys come later
            if self._q is not None:
                self._seen.setdefault(name, (given[0], out))

        return see

    def _answered(self, module: Any, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        q, self._q = self._q, None
        seen, self._seen = self._seen, {}
        state = self._state()
        if state is None or state[0].idle:
            return None
        if q is None:
            raise RegionsError(f"the attention module {self._key} was run without its queries")
        call, size = state
        to_k, to_v = self._module.to_k, self._module.to_v
        prompt = (seen["to_k"], seen["to_v"]) if len(seen) == 2 else None
        plain = call.plain(q, prompt[0][1], prompt[1][1], self._heads) if self._added and prompt else None
        # the attention's result only goes into the linear layer, so it may be overwritten
        blended = call.blend(
            self._key, q, given[0], size, self._heads, to_k, to_v, plain=plain, own=True, prompt=prompt
        )
        return (blended, *given[1:])


class AttentionHooks:
    """The hooks of a whole model."""

    def __init__(self) -> None:
        self._taps: list[AttentionHook] = []

    def add(self, modules: Iterable[tuple[Hashable, Any]], state: State) -> int:
        """Taps modules, given with their names; returns how many. Raises RegionsError and taps none of them
        when one cannot be."""
        added: list[AttentionHook] = []
        try:
            for key, module in modules:
                added.append(AttentionHook(module, key, state))
        except BaseException:
            for tap in added:
                tap.remove()
            raise
        self._taps += added
        return len(added)

    def remove(self) -> None:
        """Removes all hooks; a second call does nothing."""
        while self._taps:
            self._taps.pop().remove()
