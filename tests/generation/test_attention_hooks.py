"""The regions in modules that hosts and other extensions have changed in their ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lib_extend.generation.attention import Call, RegionalAttention
from lib_extend.generation.attention_hooks import AttentionHook, AttentionHooks
from lib_extend.generation.batch_conditionings import Picture, Schedule
from lib_extend.generation.batch_rows import Layout, RegionsError
from lib_extend.generation.masks import shares
from lib_extend.generation.places import columns
from tests.generation.doubles import CrossAttention, cond, hidden, module

SIZE = (4, 8)
X, BASE = hidden(1, *SIZE), cond(1)[None]


def regions() -> Call:
    of = Picture(shares(columns(2), (1, 1), 0.3), (Schedule.of(cond(2)), Schedule.of(cond(3))), (None, None))
    return RegionalAttention([of]).call(Layout.forge([0], 1), 0, 10)


def idle() -> Call:
    return RegionalAttention([None]).call(Layout.forge([0], 1), 0, 10)


def sdp(self: CrossAttention, x: Tensor, context: Tensor) -> Tensor:
    """An optimizer: another forward, the same parts."""
    b, n, c = x.shape
    q, k, v = (
        t.view(b, -1, self.heads, c // self.heads).transpose(1, 2)
        for t in (self.to_q(x), self.to_k(context), self.to_v(context))
    )
    return self.to_out(nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c))


def scaled(self: CrossAttention, x: Tensor, context: Tensor) -> Tensor:
    """Another: scales the queries first, goes through the heads one by one, unpacks to_out."""
    dim = x.shape[2] // self.heads
    q, k, v = self.to_q(x) * dim**-0.5, self.to_k(context), self.to_v(context)
    parts = []
    for h in range(self.heads):
        own = slice(h * dim, (h + 1) * dim)
        parts.append((q[..., own] @ k[..., own].mT).softmax(-1) @ v[..., own])
    linear, dropout = self.to_out
    return dropout(linear(torch.cat(parts, -1)))


@pytest.fixture
def attn() -> CrossAttention:
    return module()


def expected() -> Tensor:
    attn = module()
    with torch.no_grad():
        return regions().forward("a", attn, X, BASE, SIZE, 2)


@pytest.mark.parametrize("forward", [None, sdp, scaled])
def test_whatever_computes_the_attention(
    attn: CrossAttention, forward: Callable[..., Tensor] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if forward is not None:
        # on the class, as A1111 does it
        monkeypatch.setattr(CrossAttention, "forward", forward)
    before = attn(X, BASE)
    tap = AttentionHook(attn, "a", lambda: (regions(), SIZE))
    torch.testing.assert_close(attn(X, BASE), expected())
    tap.remove()
    tap.remove()
    assert torch.equal(attn(X, BASE), before)
    assert not attn.to_q._forward_hooks and not attn.to_out[0]._forward_pre_hooks


def test_a_forward_wrapped_before_or_after(attn: CrossAttention) -> None:
    def wrap() -> None:
        inner = attn.forward
        attn.forward = lambda x, context: inner(x, context) + 1  # type: ignore[method-assign]

    wrap()
    tap = AttentionHook(attn, "a", lambda: (regions(), SIZE))
    wrap()
    torch.testing.assert_close(attn(X, BASE), expected() + 2)
    tap.remove()
    torch.testing.assert_close(attn(X, BASE), module()(X, BASE) + 2)


class Adapter(CrossAttention):
    """What an image adapter does: attention over a picture's tokens is added before `to_out`."""

    def __init__(self) -> None:
        super().__init__()
        self.to_k_image, self.to_v_image = nn.Linear(24, 16), nn.Linear(24, 16)

    def image(self, x: Tensor) -> Tensor:
        q, tokens = self.to_q(x), cond(8)[None]
        scores = (q @ self.to_k_image(tokens).mT).softmax(-1)
        return scores @ self.to_v_image(tokens)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        added = self.image(x)
        return self.to_out(self.inner(x, context) + added)


def test_what_an_adapter_adds_stays_whole() -> None:
    torch.manual_seed(0)
    other = Adapter().double()
    with torch.no_grad():
        linear = other.to_out[0]
        alone = regions().forward("a", other, X, BASE, SIZE, 2)
        tap = AttentionHook(other, "a", lambda: (regions(), SIZE), added=True)
        other(X, cond(9)[None])
        found = other(X, BASE)
        tap.remove()
        torch.testing.assert_close(found, alone + other.image(X) @ linear.weight.mT)
        assert (found - alone).abs().max() > 0.01
        assert not other.to_k._forward_hooks and not other.to_v._forward_hooks


def test_nothing_to_do_is_nothing_done(attn: CrossAttention) -> None:
    before = attn(X, BASE)
    states: list[tuple[Call, tuple[int, int]] | None] = [None, (idle(), (999, 1))]
    for state in states:
        tap = AttentionHook(attn, "a", lambda state=state: state)  # type: ignore[misc]
        assert torch.equal(attn(X, BASE), before)
        tap.remove()


def test_errors_come_through_and_leave_nothing(attn: CrossAttention) -> None:
    tap = AttentionHook(attn, "a", lambda: (regions(), (3, 3)))
    with pytest.raises(RegionsError, match="32 positions"):
        attn(X, BASE)
    tap.remove()
    attn(X, BASE)

    class Without(CrossAttention):
        def forward(self, x: Tensor, context: Tensor) -> Tensor:
            return self.to_out(x)

    other = Without().double()
    AttentionHook(other, "b", lambda: (regions(), SIZE))
    with pytest.raises(RegionsError, match="b was run without its queries"):
        other(X, BASE)


def test_all_modules_or_none(attn: CrossAttention) -> None:
    taps = AttentionHooks()
    with pytest.raises(RegionsError, match="module odd"):
        taps.add([("a", attn), ("odd", nn.Linear(2, 2))], lambda: None)
    assert not attn.to_q._forward_hooks
    second = module(3)
    assert taps.add([("a", attn), ("b", second)], lambda: (regions(), SIZE)) == 2
    torch.testing.assert_close(attn(X, BASE), expected())
    taps.remove()
    taps.remove()
    assert not attn.to_q._forward_hooks and not second.to_out[0]._forward_pre_hooks
