"""The regions in the UNet of Forge and its kin, on a double of their sampling."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Place
from lib_extend.generation.masks import shares
from lib_extend.generation.places import columns
from lib_extend.host import forge
from tests.generation.doubles import cond, fine_masks, formula
from tests.hosts import forge_unet as double
from tests.hosts.forge_unet import Attention, Checkpoint, Chunk, UNet, conds, latent

HALVES: tuple[Place, ...] = columns(2)
SIZE = (9, 17)
LEVELS = {9 * 17: (9, 17), 5 * 9: (5, 9), 3 * 5: (3, 5)}


@pytest.fixture(autouse=True)
def webui(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small tensors: threads would only wait for each other
    double.webui(monkeypatch)
    with torch.no_grad():
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def model() -> Checkpoint:
    return Checkpoint(UNet())


def picture(*seeds: int, negative: int | None = None, boxes: tuple[Place, ...] = HALVES) -> Picture:
    """A region a seed; the first may have a negative prompt."""
    negatives = [None if negative is None else Schedule.of(cond(negative)), *[None] * (len(seeds) - 1)]
    return Picture(
        shares(boxes, (1.0,) * len(boxes), 0.3), tuple(Schedule.of(cond(s)) for s in seeds), tuple(negatives)
    )


FIRST, SECOND = picture(41, 42, negative=43), picture(44, 45)


def hooks(model: Checkpoint) -> int:
    parts = model.forge_objects.unet.model.diffusion_model.modules()
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in parts)


def clean(p: Any) -> bool:
    """Whether nothing is in the denoiser."""
    denoiser = p.sampler.model_wrap_cfg
    put_in = (denoiser._forward_hooks, denoiser._forward_pre_hooks, "update_inner_model" in vars(denoiser))
    return not any(put_in)


def plainly(attn: Attention) -> Any:
    return lambda x, context: attn.to_out(attn.inner(x, context))


def wanted(
    model: Checkpoint, of: list[Picture | None], x: Tensor, calls: list[list[Chunk]], levels: Any = None
) -> Tensor:
    """The same step with the formula in place of every cross-attention."""
    chunks: list[Chunk] = []

    def forward(self: Attention, x: Tensor, context: Tensor, **_: Any) -> Tensor:
        if x.shape[-1] == context.shape[-1]:
            return self.to_out(self.inner(x, context))
        kinds = [kind for kind, _ in chunks for _ in range(x.shape[0] // len(chunks))]
        rows = []
        for i, kind in enumerate(kinds):
            own = of[i % len(of)]
            if own is None:
                rows.append(self.to_out(self.inner(x[i : i + 1], context[i : i + 1]))[0])
                continue
            masks = fine_masks(
                own.shares.places, [1.0] * own.shares.count, 0.3, *(levels or LEVELS)[x.shape[1]]
            )
            texts = [s.conds[0] if s else context[i] for s in (own.negative if kind else own.positive)]
            rows.append(formula(plainly(self), x[i], [context[i], *texts], masks))
        return torch.stack(rows)

    plain, Attention.forward = Attention.forward, forward  # type: ignore[method-assign]
    try:
        found = []
        for chunks in calls:
            found.append(double.run(model).sampler.model_wrap_cfg.call(x, chunks))
        return torch.cat(found)
    finally:
        Attention.forward = plain  # type: ignore[method-assign]


POSITIVE, NEGATIVE, OTHER = (0, conds(1, 2)), (1, conds(3, 4)), (0, conds(5, 6))
CALLS = {
    "together": [[NEGATIVE, POSITIVE]],
    "low memory": [[NEGATIVE], [POSITIVE]],
    "prompt first": [[POSITIVE], [NEGATIVE]],
    "composed": [[NEGATIVE, OTHER, POSITIVE]],
    "composed, low memory": [[NEGATIVE, OTHER], [POSITIVE]],
    "no guidance": [[POSITIVE]],
    "lengths apart": [[(1, conds(3, 4, tokens=21))], [POSITIVE]],
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
def test_every_way_a_step_is_called(model: Checkpoint, calls: list[list[Chunk]]) -> None:
    of: list[Picture | None] = [FIRST, SECOND]
    x, p = latent(2, *SIZE), double.run(model)
    plain = p.sampler.model_wrap_cfg(x, *calls)
    expected = wanted(model, of, x, calls)
    adapter = forge.Forge(p)
    assert adapter.unfit() == ""
    adapter.begin(of, x, 10)
    found = p.sampler.model_wrap_cfg(x, *calls)
    torch.testing.assert_close(found, expected)
    # each picture's rows of the prompt have changed, far beyond rounding
    prompted = [kind == 0 for call in calls for kind, _ in call for _ in range(2)]
    assert (found - plain)[prompted].abs().amax((1, 2, 3)).min() > 0.01
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)
    adapter.end()
    adapter.end()
    assert torch.equal(p.sampler.model_wrap_cfg(x, *calls), plain)
    assert hooks(model) == 0 and clean(p)


def test_the_same_prompt_all_over_is_the_plain_result(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls = [[(1, conds(3)), (0, conds(1))]]
    plain = p.sampler.model_wrap_cfg(x, *calls)
    whole = Picture(shares(((0, 0, 1, 1),), (1.0,), 0.3), (Schedule.of(conds(1)),), (Schedule.of(conds(3)),))
    forge.Forge(p).begin([whole], x, 10)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), plain)


def test_nothing_is_hooked_in_without_regions(model: Checkpoint) -> None:
    p = double.run(model)
    options = model.forge_objects.unet.model_options
    forge.Forge(p).begin([None, None], latent(2, *SIZE), 10)
    assert hooks(model) == 0 and clean(p)
    forge.Forge(p).begin([FIRST], latent(1, *SIZE), 10)
    p.sampler.model_wrap_cfg(latent(1, *SIZE), [(0, conds(1))])
    assert model.forge_objects.unet.model_options is options and options == {"transformer_options": {}}


def test_one_picture_of_the_batch_without_regions(model: Checkpoint) -> None:
    x, p = latent(2, *SIZE), double.run(model)
    calls = [[NEGATIVE, POSITIVE]]
    plain = p.sampler.model_wrap_cfg(x, *calls)
    forge.Forge(p).begin([None, SECOND], x, 10)
    changed = (p.sampler.model_wrap_cfg(x, *calls) - plain).abs().amax((1, 2, 3)) > 1e-9
    assert changed.tolist() == [False, False, False, True]


def test_hires_asks_twice_and_has_another_size(model: Checkpoint) -> None:
    adapter_of = forge.Forge(p := double.run(model))
    adapter_of.begin([FIRST], latent(1, *SIZE), 10)
    p.sampler.model_wrap_cfg(latent(1, *SIZE), [(0, conds(1))])
    p.sampler = double.run(model).sampler
    x = latent(1, 18, 33)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    adapter_of.end()
    levels = {18 * 33: (18, 33), 9 * 17: (9, 17), 5 * 9: (5, 9)}
    expected = wanted(model, [FIRST], x, calls, levels)
    for _ in range(2):
        adapter_of.begin([FIRST], x, 5)
        model.forge_objects.unet = model.forge_objects.unet.clone()
    found = p.sampler.model_wrap_cfg(x, *calls)
    torch.testing.assert_close(found, expected)
    # once each: two for the grid, two for the attention
    assert hooks(model) == 2 * 3 + 2 * 4


def test_something_that_scales_the_picture_inside_the_unet(model: Checkpoint) -> None:
    """Kohya HRFix: the grid is read where it is used."""

    def shrink(h: Tensor, options: dict[str, Any]) -> Tensor:
        return nn.functional.interpolate(h, size=(5, 5)) if options["block"][1] == 0 else h

    model.forge_objects.unet.patch("input_block_patch", shrink)
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    levels = {9 * 17: (9, 17), 9: (3, 3), 4: (2, 2)}
    expected = wanted(model, [FIRST], x, calls, levels)
    forge.Forge(p).begin([FIRST], x, 10)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)


@pytest.mark.parametrize("first", ["it", "us"])
def test_an_image_adapter_stays_whole(model: Checkpoint, first: str) -> None:
    """It takes the one slot for replacing attention, before us or after us, and adds to what it computes."""
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(1, conds(3)), (0, conds(1))]]
    added = torch.randn(16, generator=torch.Generator().manual_seed(1)).double()

    def replace(q: Tensor, k: Tensor, v: Tensor, options: dict[str, Any]) -> Tensor:
        parts = (t.reshape(*t.shape[:2], 2, 8).transpose(1, 2) for t in (q, k, v))
        out = nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        return out + added * options["n_heads"]

    def patch() -> None:
        unet = model.forge_objects.unet.clone()
        for i in range(3):
            unet.replace(("input", i), replace)
        model.forge_objects.unet = unet

    # the formula, and then what is added behind `to_out`'s weight
    inner = Attention.inner

    def with_added(self: Attention, x: Tensor, context: Tensor) -> Tensor:
        out = inner(self, x, context)
        return out + 2 * added if context.shape[-1] == 24 else out

    Attention.inner = with_added  # type: ignore[method-assign]
    try:
        expected = wanted(model, [FIRST], x, calls)
    finally:
        Attention.inner = inner  # type: ignore[method-assign]
    adapter_of = forge.Forge(p)
    if first == "it":
        patch()
    adapter_of.begin([FIRST], x, 10)
    if first == "us":
        patch()
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)


def test_other_patches_go_on(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(1, conds(3)), (0, conds(1))]]
    unet = model.forge_objects.unet
    unet.patch("attn2_patch", lambda n, context, value, options: (n * 2, context, value))
    unet.patch("attn2_output_patch", lambda n, options: n + 1)
    expected = wanted(model, [FIRST], x, calls)
    forge.Forge(p).begin([FIRST], x, 10)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)


def test_the_negative_prompt_called_a_prompt(model: Checkpoint) -> None:
    """Self-attention guidance asks for the negative prompt alone, once more, and says it is a prompt."""
    x, p = latent(1, *SIZE), double.run(model)
    negative, positive = (1, conds(3)), (0, conds(1))
    calls = [[negative, positive], [(0, conds(3))], [positive]]
    expected = wanted(model, [FIRST], x, [[negative, positive], [negative], [positive]])
    # the next step may begin with it
    alone = wanted(model, [FIRST], x, [[(0, conds(3))]])
    forge.Forge(p).begin([FIRST], x, 10)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, [(0, conds(3))]), alone)


def test_a_generation_inside_ours_is_left_alone(model: Checkpoint) -> None:
    x, p, other = latent(1, *SIZE), double.run(model), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    plain, small = other.sampler.model_wrap_cfg(x, *calls), latent(1, 4, 4)
    plain_small = other.sampler.model_wrap_cfg(small, *calls)
    forge.Forge(p).begin([FIRST], x, 10)
    ours = p.sampler.model_wrap_cfg(x, *calls)
    assert torch.equal(other.sampler.model_wrap_cfg(x, *calls), plain)
    assert torch.equal(other.sampler.model_wrap_cfg(small, *calls), plain_small)
    assert torch.equal(p.sampler.model_wrap_cfg(x, *calls), ours)
    assert (ours - plain).abs().max() > 0.01


def test_a_refiner_takes_over(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(1, conds(3)), (0, conds(1))]]
    refiner, denoiser = Checkpoint(UNet(seed=7)), p.sampler.model_wrap_cfg
    expected = wanted(model, [FIRST], x, calls), wanted(refiner, [SECOND], x, calls)
    adapter_of = forge.Forge(p)
    # its own text encoders make other conditionings
    adapter_of.encode_again = lambda: [SECOND]
    adapter_of.begin([FIRST], x, 10)
    torch.testing.assert_close(denoiser(x, *calls), expected[0])
    denoiser.refiner = refiner
    torch.testing.assert_close(denoiser(x, *calls), expected[1])
    torch.testing.assert_close(denoiser(x, *calls), expected[1])
    assert denoiser.prompts_made_anew == 1
    assert hooks(model) == 0 and hooks(refiner)
    adapter_of.end()
    assert hooks(refiner) == 0 and clean(p)


def test_a_refiner_that_cannot_have_them(model: Checkpoint) -> None:
    x, calls = latent(1, *SIZE), [[(0, conds(1))]]
    for refiner, encode_again, message in (
        (Checkpoint(UNet(seed=7)), None, "a refiner takes over in the midst"),
        (Checkpoint(nn.Identity()), lambda: [SECOND], "Checkpoint has no cross-attention"),
    ):
        p = double.run(model)
        adapter_of = forge.Forge(p)
        adapter_of.encode_again = encode_again
        adapter_of.begin([FIRST], x, 10)
        p.sampler.model_wrap_cfg.refiner = refiner
        with pytest.raises(RegionsError, match=message):
            p.sampler.model_wrap_cfg(x, *calls)
        assert hooks(model) == 0 and hooks(refiner) == 0


def test_a_refiner_after_their_end(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    refiner = Checkpoint(UNet(seed=7))
    plain = double.run(refiner).sampler.model_wrap_cfg(x, *calls)
    forge.Forge(p).begin([Picture(FIRST.shares, FIRST.positive, FIRST.negative, end=0.1)], x, 10)
    p.sampler.model_wrap_cfg(x, *calls)
    p.sampler.model_wrap_cfg.refiner = refiner
    assert torch.equal(p.sampler.model_wrap_cfg(x, *calls), plain)


def test_another_one_around_the_denoiser(model: Checkpoint) -> None:
    """Somebody exchanges `update_inner_model` after us and puts it back after us."""
    p = double.run(model)
    denoiser = p.sampler.model_wrap_cfg
    adapter_of = forge.Forge(p)
    adapter_of.begin([FIRST], latent(1, *SIZE), 10)
    before = denoiser.update_inner_model
    denoiser.update_inner_model = lambda: before()
    adapter_of.end()
    denoiser.update_inner_model()
    assert denoiser.prompts_made_anew == 1 and hooks(model) == 0


def test_schedules_and_the_end_follow_the_denoisers_step(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    plain = p.sampler.model_wrap_cfg(x, *calls)
    p.sampler.model_wrap_cfg.step = 0
    one, two = (wanted(model, [picture(s, boxes=HALVES[:1])], x, calls) for s in (41, 42))
    scheduled = Schedule.of([(1, cond(41)), (4, cond(42))])
    of = Picture(shares(HALVES[:1], (1.0,), 0.3), (scheduled,), (None,), end=0.75)
    forge.Forge(p).begin([of], x, 4)
    for expected in (one, one, two, plain):
        torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)


def test_half_precision(model: Checkpoint) -> None:
    """The UNet computes in half, the regions' conditionings stay as they were encoded."""
    x, calls = latent(1, *SIZE), [[(1, conds(3)), (0, conds(1))]]
    exact = wanted(model, [FIRST], x, calls)
    model.forge_objects.unet.model.diffusion_model.bfloat16()
    p = double.run(model)
    forge.Forge(p).begin([FIRST], x, 10)
    found = p.sampler.model_wrap_cfg(x.bfloat16(), [(kind, c.bfloat16()) for kind, c in calls[0]])
    assert found.dtype == torch.bfloat16
    assert (found.double() - exact).abs().max() < 0.05 * exact.abs().max()


def test_errors_leave_nothing_behind(model: Checkpoint) -> None:
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    plain = p.sampler.model_wrap_cfg(x, *calls)

    def fail(h: Tensor, options: dict[str, Any]) -> Tensor:
        if options["block"][1] == 1:
            raise MemoryError("full")
        return h

    forge.Forge(p).begin([FIRST], x, 10)
    unet = model.forge_objects.unet
    model.forge_objects.unet = unet.clone()
    model.forge_objects.unet.patch("input_block_patch", fail)
    with pytest.raises(MemoryError):
        p.sampler.model_wrap_cfg(x, *calls)
    model.forge_objects.unet = unet
    assert hooks(model) == 0
    assert torch.equal(double.run(model).sampler.model_wrap_cfg(x, *calls), plain)


def test_where_torch_does_not_tell_of_errors(model: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    register = nn.Module.register_forward_hook

    def old(self: nn.Module, hook: Any, *, prepend: bool = False, with_kwargs: bool = False) -> Any:
        return register(self, hook, prepend=prepend, with_kwargs=with_kwargs)

    monkeypatch.setattr(nn.Module, "register_forward_hook", old)
    x, p = latent(1, *SIZE), double.run(model)
    calls: list[list[Chunk]] = [[(0, conds(1))]]
    expected = wanted(model, [FIRST], x, calls)
    adapter_of = forge.Forge(p)
    adapter_of.begin([FIRST], x, 10)
    torch.testing.assert_close(p.sampler.model_wrap_cfg(x, *calls), expected)
    adapter_of.end()
    assert hooks(model) == 0


def begun(model: Checkpoint) -> Any:
    p = double.run(model)
    forge.Forge(p).begin([FIRST], latent(1, *SIZE), 10)
    return p.sampler.model_wrap_cfg


def test_what_cannot_be_done_ends_the_generation(model: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    x, calls = latent(1, *SIZE), [[(0, conds(1))]]
    with pytest.raises(RegionsError, match=r"8 × 9 of a latent of 17 × 9.*MultiDiffusion"):
        begun(model)(x[..., :8], *calls)
    with pytest.raises(RegionsError, match="3 rows for 1 pictures"):
        begun(model)(latent(3, *SIZE), *calls)
    p = double.run(model)
    with pytest.raises(RegionsError, match="1 pictures were announced, a batch of 2"):
        forge.Forge(p).begin([FIRST], latent(2, *SIZE), 10)
    p.sampler.model_wrap_cfg = object()
    with pytest.raises(RegionsError, match="sampler Euler does not say"):
        forge.Forge(p).begin([FIRST], x, 10)

    with monkeypatch.context() as patch:
        patch.setattr(UNet, "forward", lambda self, x, *_, **__: x)
        with pytest.raises(RegionsError, match="does not pass its transformers"):
            begun(model)(x, *calls)
    monkeypatch.setattr(Attention, "forward", lambda self, x, *_, **__: x)
    with pytest.raises(RegionsError, match="cross-attention is run in a way"):
        begun(model)(x, *calls)


def test_rows_that_nobody_explains(model: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser = begun(model)
    forward = UNet.forward

    def unsaid(self: UNet, *given: Any, transformer_options: dict[str, Any], **named: Any) -> Tensor:
        del transformer_options["cond_or_uncond"]
        return forward(self, *given, transformer_options=transformer_options, **named)

    monkeypatch.setattr(UNet, "forward", unsaid)
    with pytest.raises(RegionsError, match="does not say which rows"):
        denoiser(latent(1, *SIZE), [(0, conds(1))])


def test_refusing(model: Checkpoint) -> None:
    p = double.run(model)
    adapter_of = forge.Forge(p)
    adapter_of.refuse(RegionsError("why"))
    for name in ("sample", "sample_img2img"):
        with pytest.raises(RegionsError, match="why"):
            getattr(p.sampler, name)(p, 1, steps=2)
    adapter_of.begin([FIRST], latent(1, *SIZE), 10)
    assert p.sampler.sample() == p.sampler.sample_img2img() == "sampled"


def test_checkpoints_without_cross_attention(model: Checkpoint) -> None:
    class Flux(Checkpoint):
        """Its blocks attend to prompt and picture in one."""

    class Joint(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer_blocks = nn.ModuleList([nn.Linear(2, 2)])
            self.transformer_blocks[0].attn2 = nn.Linear(2, 2)

    assert forge.unfit(model) == ""
    assert forge.unfit(Flux(Joint())) == "Flux has no cross-attention to its prompt"
    assert forge.unfit(object()) == "no checkpoint is loaded"
    with pytest.raises(RegionsError, match="Flux has no"):
        forge.Forge(double.run(Flux(Joint()))).begin([FIRST], latent(1, *SIZE), 10)


def test_which_webuis_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert forge.can_apply()
    with monkeypatch.context() as patch:
        patch.delattr(sys.modules["modules.sd_samplers_cfg_denoiser"], "CFGDenoiser")
        assert not forge.can_apply()
    monkeypatch.delitem(sys.modules, "modules_forge")
    assert not forge.can_apply()
