"""Regional attention against its formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lib_extend.generation.attention import RegionalAttention, slices
from lib_extend.generation.batch_conditionings import Picture, Schedule, pictures
from lib_extend.generation.batch_rows import Cursor, Layout, RegionsError
from lib_extend.generation.cast import WHOLE, Cast, Character, Lora, Place
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.masks import grid_of, mask, shares
from lib_extend.generation.places import columns
from tests.generation.casts import places
from tests.generation.doubles import cond, fine_masks, formula, hidden, module

HALVES: tuple[Place, ...] = columns(2)
BASE, RED, BLUE, UGLY = cond(1), cond(2), cond(3), cond(4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small tensors: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def picture(
    boxes: tuple[Place, ...] = HALVES,
    conds: tuple[Tensor, ...] = (RED, BLUE),
    negatives: tuple[Tensor | None, ...] | None = None,
    weights: tuple[float, ...] | None = None,
    base: float = 0.3,
    end: float = 1.0,
) -> Picture:
    return Picture(
        shares(boxes, weights or (1.0,) * len(boxes), base),
        tuple(Schedule.of(c) for c in conds),
        tuple(None if n is None else Schedule.of(n) for n in negatives or (None,) * len(boxes)),
        end,
    )


def run(
    of: list[Picture | None],
    layout: Layout,
    x: Tensor,
    context: Tensor,
    size: tuple[int, int],
    step: int = 0,
) -> Tensor:
    """The module's output with regions, in the form that goes through its own projections."""
    attn = module(dtype=x.dtype)
    with torch.no_grad():
        return RegionalAttention(of).call(layout, step, 10).forward("a", attn, x, context, size, 2)


def plain(x: Tensor, context: Tensor) -> Tensor:
    with torch.no_grad():
        return module(dtype=x.dtype)(x, context)


def expected(
    of: Picture, x: Tensor, base: Tensor, conds: list[Tensor | None], size: tuple[int, int]
) -> Tensor:
    """One row by the formula; masks are sampled by hand."""
    weights = [1.0] * len(conds)
    masks = fine_masks(of.shares.places, weights, 0.3, *size)
    contexts = [base, *(base if c is None else c for c in conds)]
    with torch.no_grad():
        return formula(module(), x, contexts, masks)


def stack(*conds: Tensor) -> Tensor:
    return torch.stack(conds)


ONE = Layout.forge([0], 1)


def test_one_region_over_all_with_the_same_prompt_is_plain_attention() -> None:
    x = hidden(1, 6, 5)
    same = picture((WHOLE,), (BASE,))
    torch.testing.assert_close(run([same], ONE, x, stack(BASE), (6, 5)), plain(x, stack(BASE)))
    other = picture((WHOLE,), (RED,))
    assert (run([other], ONE, x, stack(BASE), (6, 5)) - plain(x, stack(BASE))).abs().max() > 0.05


def test_one_region_without_a_base_is_that_prompt_alone() -> None:
    x = hidden(1, 4, 4)
    alone = picture((WHOLE,), (RED,), base=0.0)
    torch.testing.assert_close(run([alone], ONE, x, stack(BASE), (4, 4)), plain(x, stack(RED)))


def test_two_halves_are_the_formula() -> None:
    x = hidden(1, 4, 8)
    found = run([picture()], ONE, x, stack(BASE), (4, 8))
    torch.testing.assert_close(found[0], expected(picture(), x[0], BASE, [RED, BLUE], (4, 8)))
    # and by hand, for a position of each half
    left = 0.3 * plain(x, stack(BASE))[0, 0] + 0.7 * plain(x, stack(RED))[0, 0]
    right = 0.3 * plain(x, stack(BASE))[0, 7] + 0.7 * plain(x, stack(BLUE))[0, 7]
    torch.testing.assert_close(found[0, 0], left)
    torch.testing.assert_close(found[0, 7], right)
    swapped = run([picture(conds=(BLUE, RED))], ONE, x, stack(BASE), (4, 8))
    assert (swapped - found).abs().max() > 0.05


def test_outside_all_boxes_nothing_changes_at_all() -> None:
    x = hidden(1, 8, 8)
    of = picture(((0.25, 0.25, 0.75, 0.75),), (RED,))
    found, before = run([of], ONE, x, stack(BASE), (8, 8)), plain_regional(x, stack(BASE))
    changed = (found != before).any(-1).view(8, 8)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    inside[2:6, 2:6] = True
    assert torch.equal(changed, inside)


def plain_regional(x: Tensor, context: Tensor) -> Tensor:
    """Plain attention by the same arithmetic, so that equal means equal to the bit."""
    attn = module(dtype=x.dtype)
    with torch.no_grad():
        return RegionalAttention([None]).call(ONE, 0, 10).forward("a", attn, x, context, (8, 8), 2)


@settings(max_examples=25)
@given(
    st.integers(64, 2048).map(lambda n: n // 8),
    st.integers(64, 2048).map(lambda n: n // 8),
    st.integers(1, 3),
    st.lists(places(), min_size=1, max_size=3),
    st.data(),
)
def test_any_size_and_boxes(
    height: int, width: int, level: int, boxes: list[Place], data: st.DataObject
) -> None:
    """Latents of pictures of 64 to 2048 pixels a side, on the levels where UNets attend."""
    for _ in range(level):
        height, width = (height + 1) // 2, (width + 1) // 2
    weights = tuple(data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])) for _ in boxes)
    base = data.draw(st.sampled_from([0.0, 0.3, 1.0]))
    conds = (RED, BLUE, UGLY)[: len(boxes)]
    of = picture(tuple(boxes), conds, weights=weights, base=base)
    x = hidden(1, height, width, torch.float32)
    found = run([of], ONE, x, stack(BASE).float(), (height, width))
    # the masks by their own definition are tested elsewhere; here it is what is done with them
    masks = [
        torch.tensor(mask(of.shares, r, height, width), dtype=torch.float32).reshape(-1, 1)
        for r in range(len(boxes) + 1)
    ]
    attn = module(dtype=torch.float32)
    with torch.no_grad():
        wanted = formula(attn, x[0], [c.float() for c in (BASE, *conds)], masks)
    torch.testing.assert_close(found[0], wanted, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 6e-3), (torch.bfloat16, 5e-2)])
def test_half_precision(dtype: torch.dtype, tolerance: float) -> None:
    size = (9, 17)
    exact = expected(picture(), hidden(1, *size)[0], BASE, [RED, BLUE], size)
    # the regions' conditionings stay float64: they are brought to the queries' precision
    found = run([picture()], ONE, hidden(1, *size, dtype), stack(BASE).to(dtype), size)
    assert found.dtype == dtype
    assert (found[0].double() - exact).abs().max() < tolerance * exact.abs().max()


def test_prompts_of_unequal_length_run_apart() -> None:
    x, size = hidden(1, 4, 8), (4, 8)
    long, longer = cond(5, 14), cond(6, 35)
    of = picture(conds=(long, longer))
    found = run([of], ONE, x, stack(BASE), size)
    torch.testing.assert_close(found[0], expected(of, x[0], BASE, [long, longer], size))
    # the same tokens over and over mean the same: this is how Forge brings lengths together
    tiled = run([of], ONE, x, stack(BASE.repeat(5, 1)), size)
    torch.testing.assert_close(tiled, found)
    padded = run([of], ONE, x, stack(torch.cat([BASE, torch.zeros_like(BASE)])), size)
    assert (padded - found).abs().max() > 0.01


LAYOUTS = {
    "normal": Layout.forge([1, 0], 2),
    "batch": Layout.forge([1, 0], 4),
    "composed": Layout.forge([1, 0, 0], 3),
    "composed batch": Layout.forge([1, 0, 0], 6),
    "no guidance": Layout.forge([0], 2),
    "only negative": Layout.forge([1], 2),
    "a1111": Layout.a1111([1, 1]),
    "a1111 composed": Layout.a1111([2, 1]),
    "a1111 edit": Layout.a1111([1, 1], 2),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("same", [True, False], ids=["one cast", "a cast each"])
def test_every_layout(layout: Layout, same: bool) -> None:
    """Each row has its own hidden state and base prompt; pictures have their own casts or share one."""
    size = (4, 8)
    first = picture(negatives=(UGLY, None))
    second = first if same else picture(conds=(BLUE, UGLY), negatives=(None, RED))
    of = [first, second][: layout.images]
    x = hidden(len(layout), *size)
    contexts = stack(*(cond(20 + i) for i in range(len(layout))))
    found = run(list(of), layout, x, contexts, size)
    for i, row in enumerate(layout):
        own = of[row.image]
        schedules = own.negative if row.negative else own.positive
        conds = [None if s is None else s.conds[0] for s in schedules]
        torch.testing.assert_close(found[i], expected(own, x[i], contexts[i], conds, size))
    if not same and layout.images > 1:
        # each other's cast would be something else
        swapped = run(of[::-1], layout, x, contexts, size)
        assert (swapped - found).abs().amax((1, 2)).min() > 1e-3


def test_a_picture_without_regions_in_the_batch() -> None:
    size, layout = (4, 4), Layout.forge([1, 0], 6)
    x = hidden(6, *size)
    contexts = stack(*(cond(20 + i) for i in range(6)))
    found = run([None, picture(), None], layout, x, contexts, size)
    before = plain(x, contexts)
    changed = (found - before).abs().amax((1, 2)) > 1e-9
    assert changed.tolist() == [False, False, False, False, True, False]


def test_split_calls_are_the_same_as_one() -> None:
    size, layout = (5, 3), Layout.a1111([1, 2])
    of = [picture(negatives=(UGLY, None)), picture(conds=(BLUE, UGLY))]
    x = hidden(5, *size)
    contexts = stack(*(cond(20 + i) for i in range(5)))
    whole = run(of, layout, x, contexts, size)
    for split in ([3, 2], [1, 1, 1, 1, 1], [2, 3], [4, 1]):
        cursor, at, parts = Cursor(layout), 0, []
        for n in split:
            parts.append(run(of, cursor.take(n), x[at : at + n], contexts[at : at + n], size))
            at += n
        torch.testing.assert_close(torch.cat(parts), whole)


def test_skipped_negatives_change_nothing_for_the_rest() -> None:
    size, layout = (4, 4), Layout.a1111([1, 1])
    of = [picture(negatives=(UGLY, UGLY))] * 2
    x = hidden(4, *size)
    contexts = stack(*(cond(20 + i) for i in range(4)))
    whole = run(of, layout, x, contexts, size)
    torch.testing.assert_close(run(of, Cursor(layout).take(2), x[:2], contexts[:2], size), whole[:2])


def test_what_is_off_is_off() -> None:
    layout = Layout.forge([1, 0], 2)
    for of, step, idle in (
        (picture(), 0, False),
        (picture(end=0.5), 4, False),
        (picture(end=0.5), 5, True),
        (picture(end=0.0), 0, True),
        (picture(weights=(0.0, 0.0)), 0, True),
        (picture(base=1.0), 0, True),
        (None, 0, True),
    ):
        call = RegionalAttention([of]).call(layout, step, 10)
        assert call.idle == idle
        if idle:
            base = hidden(2, 2, 2)
            # not even looked at
            assert call.blend("a", base[:, :1], base, (9, 9), 5, None, None) is base  # type: ignore[arg-type]
    # without negatives of its own a region has nothing to do on the negative rows
    assert RegionalAttention([picture()]).call(Layout.forge([1], 1), 0, 10).idle
    assert not RegionalAttention([picture(negatives=(None, UGLY))]).call(Layout.forge([1], 1), 0, 10).idle


def test_schedules() -> None:
    x, size = hidden(1, 4, 8), (4, 8)
    scheduled = Schedule.of([(3, RED), (10, BLUE)])
    assert [scheduled.at(s) for s in (0, 3, 4, 10, 11)] == [0, 0, 1, 1, 0]
    of = Picture(shares((WHOLE,), (1,), 0.0), (scheduled,), (None,))
    regional, attn = RegionalAttention([of]), module()
    with torch.no_grad():
        for step in (0, 5, 3, 9):
            found = regional.call(ONE, step, 10).forward("a", attn, x, stack(BASE), size, 2)
            torch.testing.assert_close(found, plain(x, stack(RED if step <= 3 else BLUE)))


def test_keys_and_values_are_computed_once_a_module_and_change() -> None:
    regional, attn, x = RegionalAttention([picture()] * 2), module(), hidden(2, 4, 8)
    seen: list[tuple[int, ...]] = []
    attn.to_k.register_forward_hook(lambda m, given, out: seen.append(tuple(given[0].shape)))
    contexts = stack(BASE, BASE)

    def forward(key: str, step: int) -> None:
        with torch.no_grad():
            regional.call(Layout.forge([0], 2), step, 10).forward(key, attn, x, contexts, (4, 8), 2)

    forward("a", 0)
    assert seen == [(2, 7, 24), (1, 7, 24), (1, 7, 24)]
    forward("a", 1)
    assert len(seen) == 4  # the base's, which is the host's to compute
    forward("b", 1)
    assert len(seen) == 7
    regional.forget()
    forward("a", 2)
    assert len(seen) == 10
    # another precision needs other keys
    attn.float()
    x, contexts = x.float(), contexts.float()
    forward("a", 2)
    assert len(seen) == 13


def test_a_lora_hooked_into_the_modules_applies_to_regions() -> None:
    x, size, attn = hidden(1, 4, 4), (4, 4), module()
    delta = module(7)
    attn.to_k.register_forward_hook(lambda m, given, out: out + delta.to_k(given[0]))
    attn.to_v.register_forward_hook(lambda m, given, out: out + delta.to_v(given[0]))
    of = picture((WHOLE,), (RED,), base=0.0)
    with torch.no_grad():
        found = RegionalAttention([of]).call(ONE, 0, 10).forward("a", attn, x, stack(BASE), size, 2)
        torch.testing.assert_close(found, attn(x, stack(RED)))
    assert (found - plain(x, stack(RED))).abs().max() > 0.01


def test_what_others_added_stays_whole() -> None:
    size, x, attn = (4, 8), hidden(1, 4, 8), module()
    call = RegionalAttention([picture()]).call(ONE, 0, 10)
    with torch.no_grad():
        q, base = attn.to_q(x), attn.inner(x, stack(BASE))
        added = hidden(1, 4, 8, seed=5)
        alone = call.blend("a", q, base, size, 2, attn.to_k, attn.to_v)
        both = call.blend("a", q, base + added, size, 2, attn.to_k, attn.to_v, plain=base)
        torch.testing.assert_close(both, alone + added)
        assert (call.blend("a", q, base + added, size, 2, attn.to_k, attn.to_v) - both).abs().max() > 0.1


def test_what_is_given_is_left_as_it_is() -> None:
    size, x, attn = (4, 8), hidden(1, 4, 8), module()
    call = RegionalAttention([picture()]).call(ONE, 0, 10)
    with torch.no_grad():
        q, base = attn.to_q(x), attn.inner(x, stack(BASE))
        copies = q.clone(), base.clone()
        found = call.blend("a", q, base, size, 2, attn.to_k, attn.to_v)
        assert torch.equal(q, copies[0]) and torch.equal(base, copies[1])
        again = call.blend("a", q, base, size, 2, attn.to_k, attn.to_v, own=True)
        assert again is base and torch.equal(again, found)


def test_only_the_rows_in_a_box_are_looked_at() -> None:
    asked: list[int] = []

    def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        asked.append(q.shape[2])
        return torch.nn.functional.scaled_dot_product_attention(q, k, v)

    of = picture(((0.0, 0.0, 0.25, 0.5), (0.5, 0.5, 1.0, 1.0)))
    attn, x = module(), hidden(1, 8, 8)
    with torch.no_grad():
        RegionalAttention([of], attend=attend).call(ONE, 0, 10).forward("a", attn, x, stack(BASE), (8, 8), 2)
    assert asked == [64, 4 * 2, 4 * 4]


def test_what_does_not_fit_is_said() -> None:
    attn, regional = module(), RegionalAttention([picture()])
    call = regional.call(ONE, 0, 10)

    def blend(q: Tensor, base: Tensor, size: tuple[int, int], heads: int = 2) -> None:
        with torch.no_grad():
            call.blend("a", q, base, size, heads, attn.to_k, attn.to_v)

    x = hidden(1, 4, 8)
    for q, base, size, heads in (
        (hidden(2, 4, 8), hidden(2, 4, 8), (4, 8), 2),
        (x, hidden(1, 4, 4), (4, 8), 2),
        (x, x, (4, 4), 2),
        (x, x, (4, 8), 3),
        (x[0], x[0], (4, 8), 2),
    ):
        with pytest.raises(RegionsError, match="cannot be applied"):
            blend(q, base, size, heads)
    with pytest.raises(RegionsError, match="picture 2 of a batch of 1"):
        regional.call(Layout.forge([0], 2), 0, 10)
    with pytest.raises(RegionsError, match="channels"):
        wide = torch.nn.Linear(24, 20).double()
        call.blend("b", x, x, (4, 8), 2, wide, wide)
    with pytest.raises(RegionsError, match="24 channels does not fit"):
        other = torch.nn.Linear(32, 16).double()
        call.blend("c", x, x, (4, 8), 2, other, other)
    for entries in ([], [(1, torch.zeros(2, 3, 4))], "x", {"vector": BASE}, [(1, None)]):
        with pytest.raises((RegionsError, TypeError, ValueError)):
            Schedule.of(entries)
    with pytest.raises(RegionsError, match="2 boxes have 1"):
        Picture(shares(HALVES, (1, 1), 0.3), (Schedule.of(RED),), (None,))


def test_conditionings_as_the_hosts_give_them() -> None:
    for entries in (RED, RED[None], {"crossattn": RED, "vector": None}, [(20, {"crossattn": RED[None]})]):
        found = Schedule.of(entries)
        assert len(found.conds) == 1 and torch.equal(found.conds[0], RED)


def test_pictures_of_a_batch() -> None:
    cast = Cast((Character(prompt="a", negative="b", box=HALVES[0]), Character(prompt="c", box=HALVES[1])))
    other = Cast((Character(prompt="d"),), base_weight=0.5, end_step=0.5)
    asked = []

    def encode(text: str, negative: bool, loras: tuple[Lora, ...]) -> Tensor:
        assert not loras
        asked.append((text, negative))
        return RED

    batch = [compile_cast(c, "", "n") for c in (cast, other, cast, Cast(mode="prompt"))]
    first, second, third, fourth = pictures(batch, encode)
    for changed in (
        replace(cast, end_step=0.5),
        replace(cast, base_weight=0.5),
        cast.with_boxes(HALVES[::-1]),
    ):
        one, two = pictures([batch[0], compile_cast(changed, "", "n")], lambda text, negative, loras: RED)
        assert one is not two
    assert asked == [("1girl, a", False), ("1girl, c", False), ("n, b", True), ("1girl, d", False)]
    assert third is first and fourth is None
    assert first is not None and second is not None

    assert [s is not None for s in first.negative] == [True, False]
    assert second.end == 0.5 and second.shares.tables[0] == ((0.5,),)


def test_one_prompt_with_two_loras_is_encoded_twice() -> None:
    """A LoRA's part of the text encoder acts in its own character's prompt only."""
    a, b = Lora("a"), Lora("b", 0.5)
    cast = Cast(
        tuple(Character(prompt="x", box=box, loras=(lora,)) for box, lora in zip(HALVES, (a, b), strict=True))
    )
    asked = []

    def encode(text: str, negative: bool, loras: tuple[Lora, ...]) -> Tensor:
        asked.append((text, loras))
        return RED

    (found,) = pictures([compile_cast(cast)], encode)
    assert asked == [("1girl, x", (a,)), ("1girl, x", (b,))]
    assert found is not None and found.positive[0] is not found.positive[1]


@given(st.sets(st.integers(0, 12), min_size=1).map(sorted))
def test_slices(indices: list[int]) -> None:
    found = list(slices(indices))
    assert [i for s in found for i in range(20)[s]] == indices
    assert list(slices([1, 3, 5])) == [slice(1, 6, 2)]


def test_a_grid_is_guessed_from_the_latent() -> None:
    assert grid_of(17 * 9, 33, 17) == (17, 9)
