"""One sampling pass of A1111 with regions: torch hooks, and nothing else.

A1111 tells its UNet neither which rows belong to which picture nor the size of the grid. Three places tell it:

    the CFG denoiser    each step, before it runs: pictures, prompts of each (AND), the step
    the UNet            each call: how many of the step's rows it takes (they come in order)
    the transformers    each: height and width of its grid (whatever scaled it: odd sizes, Kohya HRFix)

All hooks are on the pass's own sampler and denoiser and on modules of the UNet; no callback is registered and no method
of a class is replaced. The hooks are removed when the sampling ends, also after an error. A call without work for the
regions is not changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from lib_extend.generation.attention_hooks import AttentionHook
from lib_extend.generation.batch_conditionings import Picture
from lib_extend.generation.batch_rows import Cursor, Layout, RegionsError
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host.detect import module
from lib_extend.host.other_extensions import NamingCall, of_modules

_X, _COND = 0, 3
"""Places of the latent and the prompts among `CFGDenoiser.forward`'s arguments."""


def unfit(sd_model: Any) -> str:
    """Why a checkpoint (`shared.sd_model`) takes no regions, in a clause; "" when it does."""
    if getattr(sd_model, "is_sd3", False):
        return "Stable Diffusion 3 has no cross-attention"
    if next(_transformers(_unet(sd_model)), None) is None:
        return "the loaded checkpoint has no cross-attention that is known here"
    return ""


class Run(Protocol):
    """What a pass belongs to, see `a1111.A1111`."""

    p: Any
    encode_again: Callable[[], Sequence[Picture | None]] | None


class Pass:
    """The hooks of one sampling pass.

    A step's state: `_step` is the step and `_cursor` its rows, None when there is nothing to do in it; `_call`
    what the UNet call that is under way has to do, `_seen` whether an attention module has asked for it.
    """

    def __init__(
        self,
        run: Run,
        pictures: Sequence[Picture | None],
        steps: int,
        loras: PlacedLoras | None = None,
    ) -> None:
        """`loras`: those that act in places."""
        self._run = run
        self._loras = loras
        self._steps = steps
        self._denoiser = denoiser_of(run.p)
        self._regional = _regional(pictures)
        self._handles: list[Any] = []
        self._unet: list[Any] = []
        self._taps: dict[str, tuple[Any, AttentionHook, bool]] = {}
        self._over: list[_Over] = []
        self._active = True
        self._step = 0
        self._cursor: Cursor | None = None
        self._left: list[bool] = []
        self._latent: tuple[int, int] = (0, 0)
        self._call: Any = None
        self._size: tuple[int, int] | None = None
        self._seen = False

    def start(self) -> None:
        denoiser = self._denoiser
        self._handles = [
            denoiser.register_forward_pre_hook(self._step_begins, with_kwargs=True),
            denoiser.register_forward_hook(self._step_ends),
        ]
        self._over = [
            # the denoiser calls this after a refiner is loaded and its prompts are encoded
            _Over(denoiser, "update_inner_model", self._switched),
            # this call ends with a finished latent, an interrupt or an error
            _Over(self._run.p.sampler, "launch_sampling", self._sampling),
        ]
        self._tap(self._run.p.sd_model)

    def end(self) -> None:
        """Removes all hooks; a second call does nothing."""
        self._active = False
        while self._over:
            self._over.pop().remove()
        self._untap()
        while self._handles:
            self._handles.pop().remove()
        self._cursor = self._call = None
        self._regional.forget()

    def _tap(self, sd_model: Any) -> None:
        """Hooks into a UNet: into all modules or into none."""
        if unfitting := unfit(sd_model) or _obstacle():
            raise RegionsError(unfitting)
        unet = _unet(sd_model)
        if self._loras:
            from lib_extend.generation.lora_hooks import LoraHooks

            self._regional.loras = self._loras.regional(unet)
            # before the taps, because these take the queries that come out
            self._unet.append(LoraHooks(unet, self._regional.loras, lambda: self._call is not None))
        self._unet += [
            unet.register_forward_pre_hook(self._call_begins, with_kwargs=True),
            unet.register_forward_hook(self._call_ends),
        ]
        for transformer, attentions in _transformers(unet):
            names = tuple(attentions)
            self._unet.append(transformer.register_forward_pre_hook(self._entering(names), with_kwargs=True))
            for name, attention in attentions.items():
                added = _is_wrapped(attention)
                self._taps[name] = (attention, self._tapped(name, attention, added), added)

    def _tapped(self, name: str, attention: Any, added: bool) -> AttentionHook:
        return AttentionHook(attention, name, self._state, added=added, loras=bool(self._regional.loras))

    def _untap(self) -> None:
        while self._taps:
            self._taps.popitem()[1][1].remove()
        while self._unet:
            self._unet.pop().remove()

    def _step_begins(self, denoiser: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self._cursor = self._call = None
        x = given[_X] if given else named["x"]
        cond = named["cond"] if "cond" in named else given[_COND]
        layout = Layout.a1111([len(prompts) for prompts in cond.batch], self._negatives(denoiser))
        self._step = int(denoiser.step)
        if self._regional.call(layout, self._step, self._steps).idle:
            return
        self._cursor = Cursor(layout)
        self._left = [row.negative for row in layout]
        self._latent = _size(x)

    def _negatives(self, denoiser: Any) -> int:
        """Rows behind the prompts for each picture: InstructPix2Pix has two, as `CFGDenoiser.forward` decides."""
        edits = getattr(self._run.p.sd_model, "cond_stage_key", "") == "edit"
        return 2 if edits and getattr(denoiser, "image_cfg_scale", None) not in (None, 1.0) else 1

    def _step_ends(self, denoiser: Any, given: Any, out: Any) -> None:
        if self._cursor is not None and not all(self._left):
            raise RegionsError(
                f"{self._left.count(False)} rows of the prompts did not come to the UNet (another extension samples in "
                "its own way)"
            )
        self._cursor = None

    def _call_begins(self, unet: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self._call = None
        if self._cursor is None:
            return
        x = given[0] if given else named["x"]
        if _size(x) != self._latent:
            raise RegionsError(
                f"the UNet works on {_size(x)[1]} × {_size(x)[0]} cells of a latent of {self._latent[1]} × "
                f"{self._latent[0]} (turn off what samples in tiles)"
            )
        layout = self._cursor.take(int(x.shape[0]))
        del self._left[: len(layout)]
        call = self._regional.call(layout, self._step, self._steps)
        self._call, self._size, self._seen = (None if call.idle else call), None, False

    def _call_ends(self, unet: Any, given: Any, out: Any) -> None:
        unseen = self._call is not None and not self._seen
        self._call = None
        if unseen:
            raise RegionsError("something runs in place of the UNet (set SD Unet to None in the settings)")

    def _entering(self, names: tuple[str, ...]) -> Callable[[Any, tuple[Any, ...], Mapping[str, Any]], None]:
        """Before a transformer: note its grid, and check whether its attention was wrapped meanwhile."""

        def enter(transformer: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> None:
            if self._call is None:
                return
            self._size = _size(given[0] if given else named["x"])
            for name in names:
                attention, tap, added = self._taps[name]
                if _is_wrapped(attention) != added:
                    tap.remove()
                    self._taps[name] = (attention, self._tapped(name, attention, not added), not added)

        return enter

    def _state(self) -> tuple[Any, tuple[int, int]] | None:
        if self._call is None:
            return None
        if self._size is None:
            raise RegionsError("the UNet's attention runs outside of its transformers")
        self._seen = True
        names = of_modules(attention for attention, _, wrapped in self._taps.values() if wrapped)
        return (NamingCall(self._call, names) if names else self._call), self._size

    def _sampling(self, original: Callable[..., Any], *given: Any, **named: Any) -> Any:
        try:
            return original(*given, **named)
        finally:
            self.end()

    def _switched(self, original: Callable[[], None]) -> None:
        """A refiner was loaded during a step, into the same modules or into others."""
        original()
        if not self._active:
            return
        self._untap()
        # the stored keys and values belong to the other weights
        self._regional.forget()
        if self._cursor is None:
            # the regions' share of the steps is over
            return
        if self._run.encode_again is None:
            raise RegionsError("a refiner takes over in the midst of the steps")
        self._regional = _regional(self._run.encode_again())
        self._tap(self._run.p.sd_model)


class _Over:
    """Replaces one object's method; the replacement gets the original as its first argument.

    If other code wrapped it meanwhile, it cannot be removed; then it only calls the original.
    """

    def __init__(self, owner: Any, name: str, method: Callable[..., Any]) -> None:
        self._owner, self._name = owner, name
        self._original = getattr(owner, name, None)
        if self._original is not None:
            self._ours = functools.partial(method, self._original)
            setattr(owner, name, self._ours)

    def remove(self) -> None:
        if self._original is not None and vars(self._owner).get(self._name) is self._ours:
            delattr(self._owner, self._name)
            if getattr(self._owner, self._name, None) != self._original:
                setattr(self._owner, self._name, self._original)


def denoiser_of(p: Any) -> Any:
    denoiser = getattr(getattr(p, "sampler", None), "model_wrap_cfg", None)
    if denoiser is None:
        raise RegionsError("the sampler is not made as A1111's are")
    return denoiser


def _unet(sd_model: Any) -> Any:
    return getattr(getattr(sd_model, "model", None), "diffusion_model", None)


def _transformers(unet: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The UNet's spatial transformers, each with its cross-attention modules by their full names."""
    for name, transformer in unet.named_modules() if hasattr(unet, "named_modules") else ():
        blocks: Any = getattr(transformer, "transformer_blocks", None)
        attentions = {
            f"{name}.transformer_blocks.{inner}": attention
            for inner, attention in (blocks.named_modules() if hasattr(blocks, "named_modules") else ())
            if inner.rpartition(".")[2] == "attn2" and hasattr(attention, "to_q")
        }
        if attentions:
            yield transformer, attentions


def _is_wrapped(attention: Any) -> bool:
    """Whether its `forward` is its own, not its class's: image adapters put theirs there, and add to what
    comes before `to_out`."""
    return "forward" in vars(attention)


def _size(x: Any) -> tuple[int, int]:
    return int(x.shape[-2]), int(x.shape[-1])


def _regional(pictures: Sequence[Picture | None]) -> Any:
    from lib_extend.generation.attention import RegionalAttention

    regional = RegionalAttention(pictures)
    if getattr(getattr(module("modules.shared"), "opts", None), "upcast_attn", False):
        attend = regional.attend
        regional.attend = lambda q, k, v: attend(q.float(), k.float(), v.float()).to(q.dtype)
    return regional


def _obstacle() -> str:
    """Another function of the WebUI that makes regions wrong, as a clause."""
    if getattr(module("modules.shared"), "loaded_hypernetworks", None):
        # they change a prompt's conditioning inside of each attention module, before `to_k`
        return "hypernetworks do not reach them (take <hypernet:…> out of the prompt)"
    return ""
