"""The measurement of regions: it compares what it times, and counts what SDXL has."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import regions
from lib_extend.generation.masks import levels


def test_it_measures_both_ways(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(regions, "BLOCKS", ((64, 2, 1, 10), (128, 4, 2, 60)))
    monkeypatch.setattr(regions, "CONVOLUTIONS", ((4, 32, 3, 0, 1),))
    monkeypatch.setattr(regions, "CONTEXT", 64)
    monkeypatch.setattr(regions, "PROJECTIONS", ((64, 1, 10),))
    threads = torch.get_num_threads()
    try:
        assert regions.main(["--json", "--rounds", "1", "--side", "128"]) == 0
    finally:
        torch.set_num_threads(threads)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(result["added_percent"]) == set(result["peer_added_percent"]) == {"2", "3", "5"}
    assert all(v > 0 for v in result["added_percent"].values())
    # padding three prompts to thirty chunks costs far more than running them apart
    assert result["unequal"]["peer_added_percent"] > 2 * result["unequal"]["added_percent"]


def test_it_notices_when_the_two_differ() -> None:
    torch.manual_seed(0)
    block = regions.Block(64, 2)
    x, context = torch.randn(2, 32, 64), torch.randn(2, 77, regions.CONTEXT)
    conds = [torch.randn(77, regions.CONTEXT), torch.randn(154, regions.CONTEXT)]
    with torch.no_grad():
        ways = regions.Ways(block, x, context, conds, (4, 8))
        ways.compare()
        ways.masks = ways.masks.flip(0)
        with pytest.raises(AssertionError):
            ways.compare()


def test_the_counts_are_sdxls() -> None:
    """Weights of the parts that are counted, against those of SDXL's UNet: 2.567 billion."""
    blocks = sum(
        n * sum(p.numel() for p in regions.Block(c, h).parameters()) for c, h, _, n in regions.BLOCKS
    )
    convolutions = sum(n * (i * o * k * k + o) for i, o, k, _, n in regions.CONVOLUTIONS)
    projections = sum(n * (c * c + c) for c, _, n in regions.PROJECTIONS)
    # what is left out: time and label embeddings, and the norms
    assert 0.985 < (blocks + convolutions + projections) / 2_567_463_684 < 1
    assert sum(n for *_, n in regions.BLOCKS) == 70
    assert levels(128, 128, 3) == [(128, 128), (64, 64), (32, 32)]
