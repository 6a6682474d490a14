"""One sampling pass of Forge and its kin with regions: which hooks there are and what each does.

    the CFG denoiser           a step of this run begins and ends; it is the run's own, and the pass's
    its update_inner_model     a refiner has taken over
    before a SpatialTransformer    the rows, from `transformer_options`, and the grid's real height and width
    in each of its attn2       `generation.attention_hooks.AttentionHook`: queries out of `to_q`, the blend into `to_out`
    in what LoRAs in places change   `generation.lora_hooks.LoraHooks`

They act only while this run's denoiser works, so a generation inside this one (ADetailer) is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lib_extend.generation.attention_hooks import AttentionHook
from lib_extend.generation.batch_conditionings import Picture
from lib_extend.generation.batch_rows import Layout, RegionsError
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host.other_extensions import NamingCall, of_modules, of_patches, with_names

_PARTS = ("to_q", "to_k", "to_v", "to_out")


def unfit(sd_model: Any) -> str:
    """Why a checkpoint takes no regions, in a clause; "" when it does."""
    try:
        unet = _unet(sd_model)
    except AttributeError:
        return "no checkpoint is loaded"
    if not _transformers(unet):
        return f"{type(sd_model).__name__} has no cross-attention to its prompt"
    return ""


class Pass:
    """One sampling pass, from `process_before_every_sampling` to its end.

    Of the moment: `_working`, this run's denoiser is in a step; `_now`, the regions of the UNet call and the grid
    where it is, None outside of the transformers.
    """

    def __init__(
        self,
        denoiser: Any,
        pictures: Sequence[Picture | None],
        size: tuple[int, int],
        steps: int,
        refined: Callable[[], tuple[Any, Sequence[Picture | None]]],
        loras: PlacedLoras | None = None,
    ) -> None:
        """
        Args:
            denoiser: the sampler's CFGDenoiser. size: height and width of the latent. steps: of this pass.
            refined: the checkpoint that is loaded now, and the pictures encoded by it; raises RegionsError.
            loras: those that act in places.
        """
        self._refined_to = refined
        self._denoiser = denoiser
        self._size = size
        self._steps = steps
        self._loras = loras
        self._regional = _regional(pictures)
        self._attentions: list[tuple[str, Any]] = []
        self._others: tuple[str, ...] = ()
        self._hooks: list[Any] = []  # in the UNet
        self._tapped = False
        self._reached = False
        self._working = False
        self._now: Any = None
        self._asked = False
        self._options: Any = None
        self._call: Any = None
        self._negative: Any = None  # of this step, as is the next
        self._prompted = False
        self._update = denoiser.update_inner_model
        denoiser.update_inner_model = self._refined
        self._watch = [denoiser.register_forward_pre_hook(self._begins), _always(denoiser, self._ends)]

    def remove(self) -> None:
        """Takes everything out; a second time does nothing."""
        while self._watch:
            self._watch.pop().remove()
        # not removed if other code has wrapped it: the wrapper calls this, and this calls the host's method
        if vars(self._denoiser).get("update_inner_model") == self._refined:
            del self._denoiser.update_inner_model
            if self._denoiser.update_inner_model != self._update:
                self._denoiser.update_inner_model = self._update
        self._leave()

    def hook_in(self, sd_model: Any) -> None:
        """Hooks into a checkpoint's UNet and out of the previous one. Raises RegionsError."""
        self._leave()
        if reason := unfit(sd_model):
            raise RegionsError(reason)
        unet = _unet(sd_model)
        if self._loras:
            from lib_extend.generation.lora_hooks import LoraHooks

            self._regional.loras = self._loras.regional(unet)
            self._hooks.append(LoraHooks(unet, self._regional.loras, lambda: self._working))
        for transformer, attentions in _transformers(unet):
            self._attentions += attentions
            self._hooks += [
                transformer.register_forward_pre_hook(self._entered, with_kwargs=True),
                transformer.register_forward_hook(self._left),
            ]

    def _leave(self) -> None:
        """Removes the hooks from the UNet and forgets its keys and values."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._attentions = [], []
        self._tapped = self._reached = False
        self._now = self._call = self._options = self._negative = None
        self._regional.forget()

    # of the denoiser

    def _begins(self, denoiser: Any, given: Any) -> None:
        self._working, self._prompted = True, False
        self._now = self._options = self._negative = None

    def _ends(self, denoiser: Any, given: Any, result: Any) -> None:
        """The denoiser has finished its step, or failed; then there is no result."""
        self._working = False
        if result is None:
            self._leave()
        elif self._hooks and not self._reached:
            raise RegionsError("the UNet is run in a way that does not pass its transformers")

    def _refined(self) -> None:
        """A refiner was loaded within a step: the prompts are encoded again."""
        self._update()
        if not self._watch:
            return
        pictures = self._regional.pictures
        self._leave()
        over = all(p is None or self._denoiser.step >= p.end * self._steps for p in pictures)
        if over and not self._loras:
            return
        sd_model, pictures = self._refined_to()
        self._regional = _regional(pictures)
        self.hook_in(sd_model)

    # of the UNet

    def _entered(self, transformer: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        if not self._working:
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
            try:
                layout = self._layout(options, x.shape[0], context)
            except RegionsError as error:
                raise with_names(error, self._others) from error
            call = self._regional.call(layout, int(self._denoiser.step), self._steps)
            self._call = NamingCall(call, self._others) if self._others else call
        self._now = (self._call, (int(x.shape[2]), int(x.shape[3])))
        self._asked = False
        self._reached = True

    def _left(self, transformer: Any, given: Any, result: Any) -> None:
        if self._now is None:
            return
        call, self._now = self._now[0], None
        if not call.idle and not self._asked:
            raise RegionsError("the UNet's cross-attention is run in a way that is not known here")

    def _state(self) -> Any:
        self._asked = True
        return self._now

    def _tap(self, options: dict[str, Any]) -> None:
        """Tap the attention after all patches of the UNet are in place, and note which modules others add to
        (IP-Adapter)."""
        added = bool((options.get("patches_replace") or {}).get("attn2"))
        names = of_patches(options) or of_modules(attention for _, attention in self._attentions)
        self._others = names
        for key, attention in self._attentions:
            tap = AttentionHook(attention, key, self._state, added=added, loras=bool(self._regional.loras))
            self._hooks.append(tap)
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
            # Self-attention guidance repeats the negative prompt and marks it as a prompt.
            return Layout.forge([1], rows)
        self._prompted = self._prompted or 0 in chunks
        if 1 in chunks and hasattr(context, "shape"):
            start = chunks.index(1) * each
            self._negative = context[start : start + each]
        return Layout.forge(chunks, rows, options.get("cond_indices"), options.get("uncond_indices"))


def _regional(pictures: Sequence[Picture | None]) -> Any:
    from lib_extend.generation.attention import RegionalAttention

    return RegionalAttention(pictures)


def _unet(sd_model: Any) -> Any:
    return sd_model.forge_objects.unet.model.diffusion_model


def _transformers(unet: Any) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """A UNet's SpatialTransformers with their cross-attention modules and those's names."""
    found = []
    for name, part in unet.named_modules():
        blocks = enumerate(getattr(part, "transformer_blocks", ()))
        attentions = [
            (f"{name}.transformer_blocks.{i}.attn2", getattr(block, "attn2", None)) for i, block in blocks
        ]
        attentions = [(key, a) for key, a in attentions if all(hasattr(a, name) for name in _PARTS)]
        if attentions:
            found.append((part, attentions))
    return found


def _always(denoiser: Any, hook: Callable[[Any, Any, Any], None]) -> Any:
    """A forward hook that is also called after an error, if this torch supports it."""
    try:
        return denoiser.register_forward_hook(hook, always_call=True)
    except TypeError:  # before torch 2.1
        return denoiser.register_forward_hook(hook)


def _same(context: Any, other: Any) -> bool:
    """Whether conditionings are equal; hosts repeat a conditioning to make lengths equal."""
    if context is None or other is None or context.shape[0] != other.shape[0]:
        return False
    tokens = min(context.shape[1], other.shape[1])
    return bool((context[:, :tokens] == other[:, :tokens]).all())
