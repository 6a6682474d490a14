"""The sketch tagger's network: a small residual CNN.

Most of the time goes to the first layers, where the picture is still large: there are few of them.
"""

from __future__ import annotations

import torch
from torch import nn


class ConvNorm(nn.Sequential):
    """Convolution and batch norm; the norm is folded into the convolution at export."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, bias=False),
            nn.BatchNorm2d(outputs),
        )


class Residual(nn.Module):
    """x + two 3×3 convolutions of x."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels, 3)
        self.second = ConvNorm(channels, channels, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.second(torch.relu(self.first(x)))
        return torch.relu(x + y)


class TaggerNet(nn.Module):
    """RGB or BGR pictures float32 [N, 3, S, S] in 0…255 → logits [N, outputs]. S: a multiple of 32."""

    def __init__(self, outputs: int, widths: tuple[int, int, int, int] = (32, 64, 96, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stem = ConvNorm(3, a, 7, 4)
        self.stages = nn.Sequential(
            ConvNorm(a, b, 3, 2),
            nn.ReLU(),
            Residual(b),
            ConvNorm(b, c, 3, 2),
            nn.ReLU(),
            Residual(c),
            Residual(c),
            ConvNorm(c, d, 3, 2),
            nn.ReLU(),
            Residual(d),
        )
        self.hidden = nn.Linear(2 * d, 192)
        self.last = nn.Linear(192, outputs)
        # What is present anywhere must not drown in the average: tags are also scored place by place.
        self.local = nn.Conv2d(d, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.stem(x / 127.5 - 1.0))
        x = self.stages(x)
        pooled = torch.cat((x.mean((2, 3)), x.amax((2, 3))), 1)
        whole: torch.Tensor = self.last(torch.relu(self.hidden(pooled)))
        local: torch.Tensor = self.local(x).amax((2, 3))
        return whole + local
