"""The sketch detector's network: a small residual CNN that says of each place whether a person's middle is there.

Anchor-free: a cell of `STRIDE` × `STRIDE` pixels near a person's middle gives the distances to the person's four
edges. A coarser stage, half as fine, lets it see whole figures.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from lib_extend.sketch.tagger_net import ConvNorm, Residual

STRIDE = 16
"""Pixels of a cell's side."""

FAR = 4.0
"""Edges are at most e^FAR cells away."""


class DetectorNet(nn.Module):
    """RGB pictures float32 [N, 3, S, S] in 0…1 → raw [N, 5, S / 16, S / 16]. S: a multiple of 32.

    The raw channels are the logarithms of the distances, in cells, from the cell's middle to the left, upper,
    right and lower edge of the person there, and the logit of the score. `boxes` makes pixels of the first four.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 48, 96, 128)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = ConvNorm(3, a, 7, 4)
        self.fine = nn.Sequential(
            ConvNorm(a, b, 3, 2),
            nn.ReLU(),
            Residual(b),
            ConvNorm(b, c, 3, 2),
            nn.ReLU(),
            Residual(c),
        )
        self.coarse = nn.Sequential(
            ConvNorm(c, d, 3, 2),
            nn.ReLU(),
            Residual(d),
            Residual(d),
        )
        self.back = ConvNorm(d, c, 1)
        self.joint = nn.Sequential(Residual(c))
        self.last = nn.Conv2d(c, 5, 1)
        nn.init.normal_(self.last.weight, std=0.01)
        bias = self.last.bias
        assert bias is not None  # torch types it as optional
        with torch.no_grad():  # boxes of 4 × 6 cells; one cell in a hundred has a person's middle
            bias.copy_(torch.tensor([0.7, 1.1, 0.7, 1.1, -4.6]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.fine(torch.relu(self.stem(x * 2.0 - 1.0)))
        coarse = functional.interpolate(self.back(self.coarse(fine)), scale_factor=2.0, mode="nearest")
        together = self.joint(torch.relu(fine + coarse))
        with torch.autocast(x.device.type, enabled=False):  # a box's edges need more than eight bits
            raw: torch.Tensor = self.last(together.float())
        return raw


def cell_middles(side: int) -> torch.Tensor:
    """Float32 [2, side / 16, side / 16]: x and y of each cell's middle, in pixels."""
    at = (torch.arange(side // STRIDE, dtype=torch.float32) + 0.5) * STRIDE
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack((x, y))


def boxes(raw: torch.Tensor, middles: torch.Tensor) -> torch.Tensor:
    """The first four raw channels [N, 4, H, W] as x0, y0, x1, y1 in pixels, same shape."""
    away = raw.clamp(max=FAR).exp() * STRIDE
    return torch.cat((middles - away[:, :2], middles + away[:, 2:]), 1)
