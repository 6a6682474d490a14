"""Regions in A1111: its adapter on a denoiser and a UNet that batch, split and scale as A1111's do."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Place
from lib_extend.generation.masks import shares
from lib_extend.generation.places import columns
from lib_extend.host import a1111
from lib_extend.host.a1111 import A1111
from tests.generation.doubles import CrossAttention, cond, fine_masks

HALVES = columns(2)
RED, BLUE, UGLY = cond(2), cond(3), cond(4, 14)
STEPS = 4


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn1, self.attn2 = CrossAttention(context=16), CrossAttention()

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        x = self.attn1(x, x) + x
        return self.attn2(x, context) + x


class SpatialTransformer(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.transformer_blocks = nn.ModuleList(Block() for _ in range(depth))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        flat = x.flatten(2).mT
        for block in self.transformer_blocks:
            flat = block(flat, context)
        return flat.mT.reshape(x.shape) + x


class UNet(nn.Module):
    """Two levels, the second of half the size, rounded up; called as the hosts call theirs."""

    def __init__(self, seed: int = 0, shrink: float = 1.0) -> None:
        torch.manual_seed(seed)
        super().__init__()
        self.begin, self.end = nn.Conv2d(4, 16, 1), nn.Conv2d(16, 4, 1)
        self.fine, self.coarse = SpatialTransformer(1), SpatialTransformer(2)
        self.shrink = shrink
        self.double().eval().requires_grad_(False)

    def forward(self, x: Tensor, timesteps: Tensor | None = None, context: Tensor | None = None) -> Tensor:
        assert context is not None
        h = self.begin(x)
        if self.shrink != 1:  # as Kohya HRFix
            h = nn.functional.interpolate(h, scale_factor=self.shrink)
        h = self.fine(h, context)
        low = self.coarse(nn.functional.avg_pool2d(h, 2, ceil_mode=True), context)
        h = h + nn.functional.interpolate(low, scale_factor=2)[..., : h.shape[2], : h.shape[3]]
        return self.end(nn.functional.interpolate(h, x.shape[2:]))

    def attentions(self) -> list[CrossAttention]:
        return [m for n, m in self.named_modules() if n.endswith("attn2")]  # type: ignore[misc]


class Denoiser(nn.Module):
    """The rows and calls of `CFGDenoiser.forward`. `rows`: what the UNet gave for each row of the last step."""

    def __init__(self, p: Any, *, together: bool = True, skip: bool = False) -> None:
        super().__init__()
        self.p, self.together, self.skip = p, together, skip
        self.step = 0
        self.image_cfg_scale: float | None = None
        self.before: Callable[[], None] = lambda: None
        self.change: Callable[[Tensor], Tensor] = lambda x: x
        self.rows = torch.zeros(0)

    def update_inner_model(self) -> None:
        """What is called once a refiner is loaded."""

    def unet(self, x: Tensor, context: Tensor) -> Tensor:
        # A fresh look at the model each time, and the UNet's arguments partly by name
        return self.p.sd_model.model.diffusion_model(x, timesteps=x[:, 0, 0, 0], context=context)

    def forward(
        self, x: Tensor, sigma: Tensor, uncond: Tensor, cond: Any, cond_scale: float, image_cond: Any
    ) -> Tensor:
        self.before()
        edits = self.p.sd_model.cond_stage_key == "edit" and self.image_cfg_scale not in (None, 1.0)
        repeats = [len(c) for c in cond.batch]
        texts = torch.stack([c for composed in cond.batch for c in composed])
        rows = torch.cat([x[i : i + 1].repeat(n, 1, 1, 1) for i, n in enumerate(repeats)])
        rows = self.change(torch.cat([rows, x, x] if edits else [rows, x]))
        size = len(repeats)
        if self.skip:
            rows = rows[:-size]
        if texts.shape[1] == uncond.shape[1] or self.skip:
            both = texts if self.skip else torch.cat([texts, uncond, uncond] if edits else [texts, uncond])
            size = len(rows) if self.together else size
            parts = [self.unet(rows[a : a + size], both[a : a + size]) for a in range(0, len(rows), size)]
        else:
            size = size * 2 if self.together else size
            n = len(texts)
            ends = [(a, min(a + size, n)) for a in range(0, n, size)]
            parts = [self.unet(rows[a:b], texts[a:b]) for a, b in ends]
            parts.append(self.unet(rows[n:], uncond))
        self.rows = torch.cat(parts)
        self.step += 1
        return x + self.rows[: len(x)]


class Run(SimpleNamespace):
    """The processing object, with what A1111's has that the adapter looks at."""

    @classmethod
    def of(cls, unet: UNet, **options: Any) -> Run:
        model = SimpleNamespace(model=SimpleNamespace(diffusion_model=unet), cond_stage_key="txt")
        made = cls(sd_model=model)
        made.sampler = SimpleNamespace(model_wrap_cfg=Denoiser(made, **options))
        return made

    @property
    def denoiser(self) -> Any:
        return self.sampler.model_wrap_cfg

    def step(self, x: Tensor, texts: Sequence[Sequence[Tensor]], uncond: Tensor) -> Tensor:
        with torch.no_grad():
            given = SimpleNamespace(batch=texts)
            self.denoiser(x, x[:, 0, 0, 0], uncond=uncond, cond=given, cond_scale=7.0, image_cond=None)
        rows: Tensor = self.denoiser.rows
        return rows


def picture(
    conds: tuple[Tensor, ...] = (RED, BLUE),
    negatives: tuple[Tensor | None, ...] = (UGLY, None),
    boxes: tuple[Place, ...] = HALVES,
    end: float = 1.0,
) -> Picture:
    return Picture(
        shares(boxes, (1.0,) * len(boxes), 0.3),
        tuple(Schedule.of(c) for c in conds),
        tuple(None if n is None else Schedule.of(n) for n in negatives),
        end,
    )


def latent(batch: int, height: int = 9, width: int = 17) -> Tensor:
    made = torch.randn(
        batch, 4, height, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    return made * 3


def expected(unet: UNet, x: Tensor, text: Tensor, of: Picture | None, negative: bool) -> Tensor:
    """One row by the formula, the UNet's cross-attention written plainly for this row."""
    schedules = () if of is None else of.negative if negative else of.positive
    contexts = [text, *(text if s is None else s.conds[0] for s in schedules)]
    masks = {}
    if of is not None:
        h, w = (round(n * unet.shrink) for n in x.shape[1:])
        for size in ((h, w), ((h + 1) // 2, (w + 1) // 2)):
            masks[size[0] * size[1]] = fine_masks(of.shares.places, [1.0] * len(schedules), 0.3, *size)
    for attn in unet.attentions():

        def forward(hidden: Tensor, context: Tensor, attn: CrossAttention = attn) -> Tensor:
            shares = masks.get(hidden.shape[1], [torch.ones(1, 1, dtype=torch.float64)])
            inner = [CrossAttention.forward(attn, hidden, c[None])[0] for c in contexts]
            return sum(m * i for m, i in zip(shares, inner, strict=True))[None]  # type: ignore[union-attr, return-value]

        attn.forward = forward  # type: ignore[method-assign]
    try:
        with torch.no_grad():
            return unet(x[None], context=text[None])[0]
    finally:
        for attn in unet.attentions():
            del attn.forward


def hooks(p: Run) -> int:
    """All that is hooked into the UNet and the denoiser, or put over a method of an object."""
    modules = [*p.sd_model.model.diffusion_model.modules(), p.denoiser]
    return sum(
        len(m._forward_hooks)
        + len(m._forward_pre_hooks)
        + sum(name in vars(m) for name in ("forward", "update_inner_model"))
        for m in modules
    )


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def unet() -> UNet:
    return UNet()


LONG = cond(30, 21)
MODES: dict[str, tuple[dict[str, Any], list[int], Tensor | None]] = {
    "one": ({}, [1], None),
    "batch": ({}, [1, 1], None),
    "composed": ({}, [2, 1], None),
    "longer negative": ({}, [1, 1], LONG),
    "longer negative, composed": ({}, [3, 2], LONG),
    "low memory": ({"together": False}, [1, 1], None),
    "low memory, longer negative": ({"together": False}, [1, 1], LONG),
    "low memory, composed": ({"together": False}, [2, 2], None),
    "negative skipped": ({"skip": True}, [1, 1], None),
    "negative skipped, longer": ({"skip": True}, [2, 1], LONG),
}


@pytest.mark.parametrize(("options", "composed", "negative"), MODES.values(), ids=MODES)
@pytest.mark.parametrize("same", [True, False], ids=["one cast", "a cast each"])
def test_every_way_of_batching(
    unet: UNet, options: dict[str, Any], composed: list[int], negative: Tensor | None, same: bool
) -> None:
    p, batch = Run.of(unet, **options), len(composed)
    first = picture()
    of = [first, first if same else picture((BLUE, RED), (None, RED))][:batch]
    x = latent(batch)
    texts = [[cond(40 + 10 * i + j) for j in range(n)] for i, n in enumerate(composed)]
    uncond = torch.stack([cond(60 + i) if negative is None else negative * (1 + i) for i in range(batch)])
    rows = [(i, t, False) for i, own in enumerate(texts) for t in own]
    if not options.get("skip"):
        rows += [(i, uncond[i], True) for i in range(batch)]
    wanted = torch.stack([expected(unet, x[i], t, of[i], n) for i, t, n in rows])
    before = p.step(x, texts, uncond)

    adapter = A1111(p)
    adapter.begin(of, x, STEPS)
    for _ in range(2):
        torch.testing.assert_close(p.step(x, texts, uncond), wanted)
    assert (before - wanted).abs().flatten(1).amax(1).min() > 0.05
    adapter.end()
    assert torch.equal(p.step(x, texts, uncond), before)
    assert hooks(p) == 0


def test_models_that_edit_have_two_negative_rows(unet: UNet) -> None:
    p, x, of = Run.of(unet), latent(2), picture()
    p.sd_model.cond_stage_key, p.denoiser.image_cfg_scale = "edit", 1.5
    text, uncond = cond(40), torch.stack([cond(60), cond(61)])
    rows = [(0, text, False), (1, text, False), *((i, uncond[i], True) for i in (0, 1, 0, 1))]
    wanted = torch.stack([expected(unet, x[i], t, of, negative) for i, t, negative in rows])
    adapter = A1111(p)
    adapter.begin([of, of], x, STEPS)
    torch.testing.assert_close(p.step(x, [[text], [text]], uncond), wanted)
    adapter.end()


@pytest.mark.parametrize("shrink", [1.0, 0.5])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (9, 17), (3, 1), (16, 5)])
def test_any_size_and_scaled_inside(height: int, width: int, shrink: float) -> None:
    unet = UNet(shrink=shrink)
    if shrink != 1:
        height, width = height * 2, width * 2
    p, x, of, text = Run.of(unet), latent(1, height, width), picture(), cond(40)
    wanted = torch.stack([expected(unet, x[0], t, of, n) for t, n in ((text, False), (cond(60), True))])
    adapter = A1111(p)
    adapter.begin([of], x, STEPS)
    torch.testing.assert_close(p.step(x, [[text]], cond(60)[None]), wanted)
    adapter.end()


def test_nothing_is_hooked_in_without_regions(unet: UNet) -> None:
    p, x = Run.of(unet), latent(2)
    adapter = A1111(p)
    adapter.begin([None, None], x, STEPS)
    assert hooks(p) == 0
    adapter.begin([None, picture()], x, STEPS)
    assert hooks(p) > 0
    adapter.begin([None, None], x, STEPS)
    assert hooks(p) == 0
    adapter.end()
    adapter.end()


def test_a_second_call_for_a_pass_takes_the_place_of_the_first(unet: UNet) -> None:
    p, x, text = Run.of(unet), latent(1), cond(40)
    second = picture((BLUE, RED))
    wanted = expected(unet, x[0], text, second, False)
    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    once = hooks(p)
    adapter.begin([second], x, STEPS)
    assert hooks(p) == once
    torch.testing.assert_close(p.step(x, [[text]], cond(60)[None])[0], wanted)
    # the next pass has a sampler of its own, as hires passes have
    old = p.denoiser
    p.sampler = SimpleNamespace(model_wrap_cfg=Denoiser(p))
    adapter.begin([second], x, STEPS)
    assert not old._forward_pre_hooks and "update_inner_model" not in vars(old)
    torch.testing.assert_close(p.step(x, [[text]], cond(60)[None])[0], wanted)
    adapter.end()
    assert hooks(p) == 0


def test_the_base_goes_on_alone_after_the_last_step(unet: UNet) -> None:
    p, x, text = Run.of(unet), latent(1), [[cond(40)]]
    uncond = cond(60)[None]
    before = p.step(x, text, uncond)
    p.denoiser.step = 0
    adapter = A1111(p)
    adapter.begin([picture(end=0.5)], x, STEPS)
    changed = [not torch.equal(p.step(x, text, uncond), before) for _ in range(STEPS)]
    assert changed == [True, True, False, False]
    adapter.end()


def test_the_unet_is_untouched_outside_of_the_steps(unet: UNet) -> None:
    """Previews of others, their own passes: rows that no step announced."""
    p, x, text = Run.of(unet), latent(3), torch.stack([cond(40)] * 3)
    before = unet(x, context=text)
    adapter = A1111(p)
    adapter.begin([picture()], x[:1], STEPS)
    assert torch.equal(unet(x, context=text), before)
    p.step(x[:1], [[cond(40)]], cond(60)[None])
    assert torch.equal(unet(x, context=text), before)
    adapter.end()


def fails(p: Run, match: str) -> None:
    """A step fails with this sentence, and nothing is left behind."""
    x = latent(1)
    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    with pytest.raises(RegionsError, match=match):
        p.step(x, [[cond(40)]], cond(60)[None])
    adapter.end()
    assert hooks(p) == 0


def test_what_does_not_fit_is_said_and_nothing_goes_unpatched(unet: UNet) -> None:
    p = Run.of(unet)
    p.denoiser.change = lambda x: x[..., :5]
    fails(p, "5 × 9 cells of a latent of 17 × 9")
    p = Run.of(unet)
    p.denoiser.skip = True
    p.denoiser.change = lambda x: torch.cat([x, x, x])
    p.denoiser.unet = lambda x, context: unet(x, context=torch.stack([cond(40)] * len(x)))
    fails(p, "takes 5 rows")


def test_an_engine_in_place_of_the_unet(unet: UNet) -> None:
    unet.forward = lambda x, timesteps=None, context=None: x  # type: ignore[method-assign]
    p, x = Run.of(unet), latent(1)
    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    with pytest.raises(RegionsError, match="in place of the UNet"):
        p.step(x, [[cond(40)]], cond(60)[None])
    adapter.end()


def test_rows_that_never_come(unet: UNet) -> None:
    p, x = Run.of(unet), latent(1)
    p.denoiser.unet = lambda x, context: x
    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    with pytest.raises(RegionsError, match="1 rows of the prompts did not come"):
        p.step(x, [[cond(40)]], cond(60)[None])
    adapter.end()


class Sampler:
    """What runs all steps of a pass in A1111."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.model_wrap_cfg = denoiser

    def launch_sampling(self, steps: int, work: Callable[[], Tensor]) -> Tensor:
        return work()


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_when_the_sampling_ends_nothing_is_left(unet: UNet, error: type[BaseException] | None) -> None:
    """However it ends, and before anybody calls `end`."""
    p, x = Run.of(unet), latent(1)
    p.sampler = Sampler(p.denoiser)
    before = p.step(x, [[cond(40)]], cond(60)[None])

    def breaks(*given: Any) -> None:
        if error is not None:
            raise error("boom")

    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    handle = unet.coarse.register_forward_hook(breaks)
    with pytest.raises(error, match="boom") if error is not None else contextlib.nullcontext():
        found = p.sampler.launch_sampling(STEPS, lambda: p.step(x, [[cond(40)]], cond(60)[None]))
        assert not torch.equal(found, before)
    handle.remove()
    assert hooks(p) == 0 and "launch_sampling" not in vars(p.sampler)
    assert torch.equal(p.step(x, [[cond(40)]], cond(60)[None]), before)
    adapter.end()
    adapter.begin([picture()], x, STEPS)
    adapter.end()
    assert hooks(p) == 0 and "launch_sampling" not in vars(p.sampler)


class Added:
    """What an image adapter does, when the sampling has begun already."""

    def __init__(self, unet: UNet) -> None:
        self.modules = unet.attentions()

    def put_in(self) -> None:
        for m in self.modules:
            m.forward = lambda h, context, m=m: m.to_out(m.inner(h, context) + self.of(h))

    def take_out(self) -> None:
        for m in self.modules:
            vars(m).pop("forward", None)

    @staticmethod
    def of(hidden: Tensor) -> Tensor:
        return hidden.roll(1, 1) * 0.5


def test_what_an_image_adapter_adds_stays_whole(unet: UNet) -> None:
    """In a region that is the whole picture with the base's own prompt nothing changes, adapter or not."""
    x, text, uncond = latent(1), cond(40), cond(60)
    same = picture((text,), (uncond,), ((0.0, 0.0, 1.0, 1.0),))
    p, added = Run.of(unet), Added(unet)
    plain = p.step(x, [[text]], uncond[None])
    added.put_in()
    wanted = p.step(x, [[text]], uncond[None])
    added.take_out()
    assert (plain - wanted).abs().max() > 0.1

    adapter = A1111(p)
    adapter.begin([same], x, STEPS)
    torch.testing.assert_close(p.step(x, [[text]], uncond[None]), plain)
    added.put_in()
    torch.testing.assert_close(p.step(x, [[text]], uncond[None]), wanted)
    added.take_out()
    torch.testing.assert_close(p.step(x, [[text]], uncond[None]), plain)
    adapter.end()
    assert hooks(p) == 0


@pytest.mark.parametrize("anew", [False, True], ids=["into the same modules", "into another model"])
def test_a_refiner_takes_over(unet: UNet, anew: bool) -> None:
    p, x, text, uncond = Run.of(unet), latent(1), cond(40), cond(60)
    of, again = picture(), picture((cond(70), cond(71)), (None, None))
    refined = UNet(seed=5)
    wanted = [expected(unet, x[0], text, of, False), expected(refined, x[0], text, again, False)]
    assert (wanted[0] - wanted[1]).abs().max() > 0.05

    def load() -> None:
        if p.denoiser.step == 1:
            if anew:
                p.sd_model = Run.of(refined).sd_model
            else:
                unet.load_state_dict(refined.state_dict())
            p.denoiser.update_inner_model()

    p.denoiser.before = load
    adapter = A1111(p)
    adapter.encode_again = lambda: [again]
    adapter.begin([of], x, STEPS)
    for row in (*wanted, wanted[1]):
        torch.testing.assert_close(p.step(x, [[text]], uncond[None])[0], row)
    adapter.end()
    assert hooks(p) == 0 and hooks(Run.of(unet)) == 0


def test_a_refiner_that_regions_cannot_follow(unet: UNet) -> None:
    p, x = Run.of(unet), latent(1)
    p.denoiser.before = lambda: p.denoiser.update_inner_model()
    fails(p, "a refiner takes over")
    # where their share of the steps is over it may
    adapter = A1111(p)
    adapter.begin([picture(end=0.25)], x, STEPS)
    p.denoiser.step = 1
    p.step(x, [[cond(40)]], cond(60)[None])
    adapter.end()
    adapter.encode_again = lambda: [picture()]
    adapter.begin([picture()], x, STEPS)
    p.denoiser.before = lambda: (
        setattr(p, "sd_model", SimpleNamespace(is_sd3=True)),
        p.denoiser.update_inner_model(),
    )  # type: ignore[assignment]
    with pytest.raises(RegionsError, match="Stable Diffusion 3"):
        p.step(x, [[cond(40)]], cond(60)[None])
    adapter.end()


def test_a_method_that_somebody_put_over_ours_stays(unet: UNet) -> None:
    p, calls = Run.of(unet), []
    adapter = A1111(p)
    adapter.begin([picture()], latent(1), STEPS)
    ours = p.denoiser.update_inner_model
    theirs = lambda: (calls.append("theirs"), ours())  # noqa: E731
    p.denoiser.update_inner_model = theirs
    adapter.end()
    assert p.denoiser.update_inner_model is theirs
    p.denoiser.update_inner_model()
    assert calls == ["theirs"] and hooks(p) == 1


def test_refusing(unet: UNet) -> None:
    p, x, text = Run.of(unet), latent(1), [[cond(40)]]
    before = p.step(x, text, cond(60)[None])
    adapter = A1111(p)
    adapter.begin([picture()], x, STEPS)
    adapter.refuse(RegionsError("no"))
    with pytest.raises(RegionsError, match="cannot be applied: no"):
        p.step(x, text, cond(60)[None])
    adapter.end()
    adapter.end()
    assert torch.equal(p.step(x, text, cond(60)[None]), before) and hooks(p) == 0
    p.sampler = None
    with pytest.raises(RegionsError, match="sampler"):
        adapter.refuse(RegionsError("no"))


def test_models_without_cross_attention(unet: UNet) -> None:
    p = Run.of(unet)
    assert A1111(p).unfit() == "" == a1111.unfit(p.sd_model)
    assert "Stable Diffusion 3" in a1111.unfit(SimpleNamespace(is_sd3=True))
    for model in (
        SimpleNamespace(),
        None,
        SimpleNamespace(model=SimpleNamespace(diffusion_model=nn.Linear(1, 1))),
    ):
        assert "no cross-attention" in a1111.unfit(model)
    p.sd_model.model.diffusion_model = nn.Conv2d(4, 4, 1)
    with pytest.raises(RegionsError, match="no cross-attention"):
        A1111(p).begin([picture()], latent(1), STEPS)
    assert hooks(p) == 0


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of an A1111, as far as they are looked at."""
    found = SimpleNamespace()
    for name in ("", ".script_callbacks", ".scripts", ".shared", ".sd_samplers_cfg_denoiser"):
        made = ModuleType("modules" + name)
        made.__path__ = []  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "modules" + name, made)
        setattr(found, name[1:] or "modules", made)
    found.scripts.Script = type("Script", (), {"process_before_every_sampling": None})
    found.sd_samplers_cfg_denoiser.CFGDenoiser = Denoiser
    found.shared.loaded_hypernetworks = []
    found.shared.opts = SimpleNamespace(upcast_attn=False)
    return found


def test_told_by_what_it_offers(webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert a1111.can_apply()
    with monkeypatch.context() as m:
        m.setitem(sys.modules, "modules_forge", ModuleType("modules_forge"))
        assert not a1111.can_apply()
    with monkeypatch.context() as m:
        m.delattr(webui.scripts.Script, "process_before_every_sampling")
        assert not a1111.can_apply()
    with monkeypatch.context() as m:
        m.setattr(webui.sd_samplers_cfg_denoiser, "CFGDenoiser", object)
        assert not a1111.can_apply()
    with monkeypatch.context() as m:
        m.delitem(sys.modules, "modules.sd_samplers_cfg_denoiser")
        assert not a1111.can_apply()
    assert a1111.can_apply()


def test_hypernetworks_are_refused(webui: SimpleNamespace, unet: UNet) -> None:
    p = Run.of(unet)
    webui.shared.loaded_hypernetworks.append("one")
    with pytest.raises(RegionsError, match="hypernetworks"):
        A1111(p).begin([picture()], latent(1), STEPS)
    assert hooks(p) == 0


def test_attention_in_full_precision_where_the_webui_asks_for_it(
    webui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, x = Run.of(UNet().to(torch.bfloat16)), latent(1).to(torch.bfloat16)
    exact = expected(UNet(), latent(1)[0], cond(40), picture(), False)
    attend, seen = nn.functional.scaled_dot_product_attention, set()

    def spy(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        seen.add(q.dtype)
        return attend(q, k, v)

    monkeypatch.setattr(nn.functional, "scaled_dot_product_attention", spy)
    for upcast, wanted in ((False, torch.bfloat16), (True, torch.float32)):
        webui.shared.opts.upcast_attn = upcast
        seen.clear()
        adapter = A1111(p)
        adapter.begin([picture()], x, STEPS)
        row = p.step(x, [[cond(40).to(torch.bfloat16)]], cond(60).to(torch.bfloat16)[None])[0]
        adapter.end()
        assert row.dtype == torch.bfloat16 and seen == {wanted}
        assert (row.double() - exact).abs().max() < 0.1 * exact.abs().max()
