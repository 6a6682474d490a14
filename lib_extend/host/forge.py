"""The regions in the UNet of Forge and its kin (reForge, Forge classic, neo).

Their patches are of no use here: `attn2_replace` has one slot a block, which an image adapter wants too, and what
is set there is lost when another extension goes on with an older copy of the UNet patcher. So nothing of the
patcher is touched. Torch hooks see what passes by, whoever has patched what:

    on_cfg_denoiser            whose sampling it is, and (after a refiner took over) which UNet
    before a SpatialTransformer    the rows, from `transformer_options`, and the grid's real height and width
    in each of its attn2       `generation.taps.Tap`: queries out of `to_q`, the blend into `to_out`

They act while this run's own denoiser works and no other one's: a generation inside this one (ADetailer) never
meets them. What WebUIs swallow when a script raises it is raised here in the denoiser or in the UNet, where it
ends the generation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lib_extend.generation.layout import Layout, RegionsError
from lib_extend.generation.pictures import Picture
from lib_extend.generation.taps import Tap
from lib_extend.host.detect import module, offers

_PARTS = ("to_q", "to_k", "to_v", "to_out")
_SAMPLES = ("sample", "sample_img2img")


def can_apply() -> bool:
    """Whether this WebUI is one of them, and tells whose sampling is at work."""
    callbacks = module("modules.script_callbacks")
    return offers("modules_forge") and all(
        hasattr(callbacks, name) for name in ("on_cfg_denoiser", "remove_callbacks_for_function")
    )


def unfit(sd_model: Any) -> str:
    """Why a checkpoint takes no regions, in a clause; "" when it does."""
    try:
        unet = _unet(sd_model)
    except AttributeError:
        return "no checkpoint is loaded"
    if not _transformers(unet):
        return f"{type(sd_model).__name__} has no cross-attention to its prompt"
    return ""


class Forge:
    """One run of `process_images`; see `host.regions.Adapter`."""

    def __init__(self, p: Any) -> None:
        self._p = p
        self._put_in: _Pass | _Refusal | None = None

    def unfit(self) -> str:
        """Why no regions can be applied to the loaded model, in a clause; "" when they can."""
        return unfit(self._p.sd_model)

    def begin(self, pictures: Sequence[Picture | None], x: Any, steps: int) -> None:
        """Puts the regions in for the sampling pass that starts now, in place of an earlier call's.

        Args:
            pictures: one a picture of the batch. x: its latent (B, C, h, w). steps: of this pass.

        Raises:
            RegionsError: they cannot be.
        """
        self.end()
        if reason := self.unfit():
            raise RegionsError(reason)
        if len(pictures) != x.shape[0]:
            raise RegionsError(f"{len(pictures)} pictures were announced, a batch of {x.shape[0]} came")
        if any(picture is not None for picture in pictures):
            size = (int(x.shape[-2]), int(x.shape[-1]))
            self._put_in = _Pass(_denoiser(self._p), pictures, size, steps)

    def end(self) -> None:
        """Takes everything out; a second time does nothing."""
        if self._put_in is not None:
            self._put_in.remove()
            self._put_in = None

    def refuse(self, error: RegionsError) -> None:
        """Makes the sampling pass that starts now fail with `error`."""
        self.end()
        self._put_in = _Refusal(self._p.sampler, error)


class _Refusal:
    """In a sampler, which every pass has its own of."""

    def __init__(self, sampler: Any, error: RegionsError) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise error

        self._sampler = sampler
        for name in _SAMPLES:
            setattr(sampler, name, refuse)

    def remove(self) -> None:
        for name in _SAMPLES:
            vars(self._sampler).pop(name, None)


class _Pass:
    """One sampling pass, from `process_before_every_sampling` to its end.

    Attributes of the moment:
        working: this run's denoiser is the one at work.
        now: the UNet call's regions and the grid where it is; None outside of our transformers.
    """

    def __init__(
        self, denoiser: Any, pictures: Sequence[Picture | None], size: tuple[int, int], steps: int
    ) -> None:
        from lib_extend.generation.attention import Call, RegionalAttention

        self._denoiser = denoiser
        self._size = size
        self._steps = steps
        self._regional = RegionalAttention(pictures)
        self._unet: Any = None
        self._transformers: list[tuple[Any, list[tuple[str, Any]]]] = []
        self._hooks: list[Any] = []  # in the UNet
        self._tapped = False
        self._reached = False
        self._error: RegionsError | None = None
        self.working = False
        self.now: tuple[Call, tuple[int, int]] | None = None
        self._asked = False
        self._options: Any = None
        self._call: Call | None = None
        self._negative: Any = None  # of this step, as is the next
        self._prompted = False
        self._watch = _always(denoiser, self._done)
        module("modules.script_callbacks").on_cfg_denoiser(self._announced)  # type: ignore[union-attr]

    def remove(self) -> None:
        self._watch.remove()
        self._leave()

    def _leave(self) -> None:
        """Out of everything but the denoiser."""
        module("modules.script_callbacks").remove_callbacks_for_function(self._announced)  # type: ignore[union-attr]
        self.working = False
        self._untap()

    def _untap(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._tapped, self._reached = [], False, False
        self._unet, self._transformers = None, []
        self.now = self._call = self._options = self._negative = None
        self._regional.forget()

    # of the denoiser

    def _announced(self, params: Any) -> None:
        """A denoiser, anybody's, is about to call its UNet. What is raised here would be swallowed."""
        denoiser = getattr(params, "denoiser", None)
        self.working = denoiser is self._denoiser
        if not self.working:
            return
        self.now = self._options = self._negative = None
        self._prompted = False
        unet = _unet(self._denoiser.inner_model.inner_model)
        if unet is self._unet:
            return
        self._untap()  # at the start, and when a refiner has taken over
        self._unet, self._transformers = unet, _transformers(unet)
        if not self._transformers:
            self._error = RegionsError("the refiner has no cross-attention to its prompt")
        for transformer, _ in self._transformers:
            self._hooks += [
                transformer.register_forward_pre_hook(self._entered, with_kwargs=True),
                transformer.register_forward_hook(self._left),
            ]

    def _done(self, denoiser: Any, given: Any, result: Any) -> None:
        """The denoiser has made a step, or failed: then there is no result."""
        if result is None:
            self._leave()  # the hook that runs stays; it goes with the denoiser
        elif self._error is not None:
            raise self._error
        elif not self._reached:
            raise RegionsError("the UNet is run in a way that does not pass its transformers")

    # of the UNet

    def _entered(self, transformer: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if not self.working:
            return
        values = (*given, *named.values())
        options = next((v for v in values if isinstance(v, dict) and "cond_or_uncond" in v), None)
        x = given[0] if given else named.get("x")
        if options is None or x is None or x.ndim != 4:
            raise RegionsError("the host does not say which rows belong to the prompt")
        if not self._tapped:
            self._tap(options)
        if self._call is None or options is not self._options:
            context = given[1] if len(given) > 1 else named.get("context")
            self._options = options
            self._call = self._regional.call(
                self._layout(options, x.shape[0], context), int(self._denoiser.step), self._steps
            )
        self.now = (self._call, (int(x.shape[2]), int(x.shape[3])))
        self._asked = False
        self._reached = True

    def _left(self, transformer: Any, given: Any, result: Any) -> None:
        if self.now is None:
            return
        call, self.now = self.now[0], None
        if not call.idle and not self._asked:
            raise RegionsError("the UNet's cross-attention is run in a way that is not known here")

    def _state(self) -> Any:
        self._asked = True
        return self.now

    def _tap(self, options: dict[str, Any]) -> None:
        """Now that all who patch the UNet have done so: who replaces attention adds to it (IP-Adapter)."""
        added = bool((options.get("patches_replace") or {}).get("attn2"))
        for _, attentions in self._transformers:
            for key, attention in attentions:
                self._hooks.append(Tap(attention, key, self._state, added=added))
        self._tapped = True

    def _layout(self, options: dict[str, Any], rows: int, context: Any) -> Layout:
        """The rows of one UNet call."""
        shape = options.get("original_shape")
        if shape is not None and (int(shape[-2]), int(shape[-1])) != self._size:
            raise RegionsError(
                f"the UNet is given {shape[-1]} × {shape[-2]} of a latent of {self._size[1]} × {self._size[0]}: "
                "turn off what cuts it into tiles (MultiDiffusion)"
            )
        chunks = [int(c) for c in options["cond_or_uncond"]]
        each = len(self._regional.pictures)
        if rows != each * len(chunks):
            raise RegionsError(f"the UNet is given {rows} rows for {each} pictures and the chunks {chunks}")
        if chunks == [0] and self._prompted and _same(context, self._negative):
            # Self-attention guidance asks for the negative prompt once more and calls it a prompt.
            return Layout.forge([1], rows)
        self._prompted = self._prompted or 0 in chunks
        if 1 in chunks and hasattr(context, "shape"):
            start = chunks.index(1) * each
            self._negative = context[start : start + each]
        return Layout.forge(chunks, rows, options.get("cond_indices"), options.get("uncond_indices"))


def _denoiser(p: Any) -> Any:
    """The sampler's CFGDenoiser: it is this run's own, and this pass's."""
    denoiser = getattr(getattr(p, "sampler", None), "model_wrap_cfg", None)
    if not hasattr(denoiser, "register_forward_pre_hook") or not hasattr(denoiser, "step"):
        raise RegionsError(f"the sampler {getattr(p, 'sampler_name', '')} does not say at which step it is")
    return denoiser


def _unet(sd_model: Any) -> Any:
    return sd_model.forge_objects.unet.model.diffusion_model


def _transformers(unet: Any) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """A UNet's SpatialTransformers with their cross-attention modules and those's names."""
    found = []
    for name, part in unet.named_modules():
        blocks = enumerate(getattr(part, "transformer_blocks", ()))
        attentions = [(f"{name}.{i}", getattr(block, "attn2", None)) for i, block in blocks]
        attentions = [(key, a) for key, a in attentions if all(hasattr(a, name) for name in _PARTS)]
        if attentions:
            found.append((part, attentions))
    return found


def _always(denoiser: Any, hook: Callable[[Any, Any, Any], None]) -> Any:
    """A forward hook that is also told when it failed, where torch can do that."""
    try:
        return denoiser.register_forward_hook(hook, always_call=True)
    except TypeError:  # before torch 2.1
        return denoiser.register_forward_hook(hook)


def _same(context: Any, other: Any) -> bool:
    """Whether conditionings are the same; hosts bring lengths together by repeating them."""
    if context is None or other is None or context.shape[0] != other.shape[0]:
        return False
    tokens = min(context.shape[1], other.shape[1])
    return bool((context[:, :tokens] == other[:, :tokens]).all())
