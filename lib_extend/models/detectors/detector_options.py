"""How to load a detector."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorOptions:
    """The options for loading a detector.

    Attributes:
        device: auto, cpu, cuda or directml. batch_size: images a call takes; None leaves it to model and device.
        threads: of one call on the CPU; None leaves it to onnxruntime.
        conf, iou: the registry's least score and largest overlap, in 0…1; None leaves them to the family.
        threshold: the user's least score; it replaces `conf`.
    """

    device: str = "auto"
    batch_size: int | None = None
    threads: int | None = None
    conf: float | None = None
    iou: float | None = None
    threshold: float | None = None
