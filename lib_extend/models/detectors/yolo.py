"""Detectors with the signature of the YOLO exports: deepghs' anime detectors and the sketch detector.

- Input `images`: RGB, 0…1, channels first, stretched (no letterbox) to the metadata's `imgsz`, else 640, BICUBIC;
  what is transparent lies over white. [read]
- Output `output0`: [N, 4 + classes, cells] (or its transpose) with cx, cy, w, h in input pixels and a score for
  each class; or [N, boxes, 6] with x0, y0, x1, y1, score, class number. [read]
- A box's class is the one with its best score; suppression is without regard to classes. Labels are in the
  metadata's `names`, a Python dict as text. [read]
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_extend.errors import ModelError
from lib_extend.models import images
from lib_extend.models.detectors.boxes import Array, corners, nms, to_picture
from lib_extend.models.detectors.detector_options import DetectorOptions
from lib_extend.models.family import LATE, Family
from lib_extend.models.files import ModelFiles, identity
from lib_extend.models.runtime import Session
from lib_extend.records import Box, Detection

if TYPE_CHECKING:
    from PIL import Image

SIDE = 640
CONF, IOU = 0.3, 0.5
VERSION = 1
"""Counts the changes of the preprocessing and of the reading that change boxes; part of the key."""

MOST = 300
"""Boxes of a picture at the most, as the exports themselves have it."""

ROWS, COLUMNS, CORNERS = "rows", "columns", "corners"
"""The layouts of the output: an attribute a row, an attribute a column, ready-made boxes."""


def recognises(files: ModelFiles) -> bool:
    """Whether a folder may be of this family: any folder with an ONNX model. `load` reports what is wrong."""
    return any(name.endswith(".onnx") for name in files.paths)


def load(files: ModelFiles, options: DetectorOptions) -> YoloDetector:
    """The detector in `files`; scores from 0.3, IoU up to 0.5 where the registry says nothing. Raises ModelError."""
    path = files.model()
    session = Session(
        files,
        path,
        side=SIDE,
        device=options.device,
        batch_size=options.batch_size,
        threads=options.threads,
    )
    return YoloDetector(files, path, session, options)


class YoloDetector:
    """The `Detector` port over a `Session`. Raises ModelError when the model is not one of these."""

    def __init__(self, files: ModelFiles, path: Path, session: Session, options: DetectorOptions) -> None:
        conf = CONF if options.conf is None else options.conf
        self._conf = conf if options.threshold is None else options.threshold
        self._iou = IOU if options.iou is None else options.iou
        self._session = session
        self._size = _size(files, path, session)
        self.labels, self._layout = _output(files, path, session, self._size)
        # The key has the model's own threshold. The user's threshold is a setting and not part of the key.
        self.key = f"yolo{VERSION}-{identity(files, path)}-{conf:g}-{self._iou:g}"
        self.side = max(self._size)
        self.device, self.batch = session.device, session.batch

    def prepare(self, image: Image.Image) -> Array:
        """The model's input for one upright image, without the batch axis, in the model's number type."""
        small = images.resize(images.carry(image), self._size, images.BICUBIC)
        pixels = images.planes(np.asarray(small, np.float32)) / np.float32(255)
        return np.ascontiguousarray(pixels, self._session.dtype)

    def detect(self, batch: Sequence[Array], sizes: Sequence[tuple[int, int]]) -> list[list[Detection]]:
        """For each prepared input its detections, best first; see the port."""
        found: list[list[Detection]] = []
        for start in range(0, len(batch), self.batch):
            part = batch[start : start + self.batch]
            inputs = part if isinstance(part, np.ndarray) else np.stack(part)
            for output in self._session.run(inputs).astype(np.float32):
                found.append(self._read(output, sizes[len(found)]))
        return found

    def _read(self, output: Array, size: tuple[int, int]) -> list[Detection]:
        boxes, scores, classes = _unpack(output, self._layout)
        # A damaged model or driver may give NaN: then there is no box.
        kept = np.flatnonzero((scores >= self._conf) & np.isfinite(boxes).all(axis=1) & np.isfinite(scores))
        chosen = nms(boxes[kept], scores[kept], self._iou)[:MOST]
        kept = kept[chosen]
        placed = to_picture(boxes[kept], self._size, size)
        return [
            Detection(Box(x0, y0, x1, y1), min(1.0, score), self._label(number))
            for (x0, y0, x1, y1), score, number in zip(
                placed.tolist(), scores[kept].tolist(), classes[kept].tolist(), strict=True
            )
            if x1 > x0 and y1 > y0
        ]

    def _label(self, number: int) -> str:
        return self.labels[number] if 0 <= number < len(self.labels) else str(number)

    def close(self) -> None:
        """Give memory back; the object is not used afterwards."""
        self._session.close()


def _unpack(output: Array, layout: str) -> tuple[Array, Array, Array]:
    """One picture's output → boxes [K, 4] as corners, scores [K], class numbers [K], in input pixels."""
    if layout == CORNERS:
        classes = np.nan_to_num(output[:, 5], nan=-1.0, posinf=-1.0, neginf=-1.0)
        return output[:, :4], output[:, 4], classes.round().astype(np.int64)
    table = output.T if layout == ROWS else output
    return corners(table[:, :4]), table[:, 4:].max(axis=1), table[:, 4:].argmax(axis=1)


def _size(files: ModelFiles, path: Path, session: Session) -> tuple[int, int]:
    """(width, height) of the input: the file's own where it is fixed, else the metadata's, else 640."""
    channels, high, wide = session.input.shape[1:]
    if channels not in (3, None):
        shape = " × ".join(str(d or "any") for d in session.input.shape[1:])
        raise _stranger(files, path, f"takes inputs of {shape} in place of 3 × height × width")
    named = _image_size(session.metadata.get("imgsz", ""))
    return wide or named[1], high or named[0]


def _image_size(text: str) -> tuple[int, int]:
    """(height, width) from the metadata's `imgsz`: "[640, 640]", "640"; 640 if it is missing."""
    value = _literal(text)
    numbers = list(value) if isinstance(value, (list, tuple)) else [value]
    good = [n for n in numbers if isinstance(n, int) and 32 <= n <= 8192]
    if not good or len(good) < len(numbers):
        return SIDE, SIDE
    return good[0], good[-1]


def _names(text: str) -> tuple[str, ...]:
    """The labels by number from the metadata's `names`: {0: 'person'}, ['person']; () where it says nothing."""
    value = _literal(text)
    if isinstance(value, (list, tuple)):
        return tuple(str(v) for v in value)
    if isinstance(value, dict) and all(str(k).isdigit() for k in value):
        table = {int(k): str(v) for k, v in value.items()}
        if table and max(table) < 10_000:
            return tuple(table.get(i, str(i)) for i in range(max(table) + 1))
    return ()


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _output(
    files: ModelFiles, path: Path, session: Session, size: tuple[int, int]
) -> tuple[tuple[str, ...], str]:
    """(labels, layout) of the first output. Raises ModelError when it is not a detector's output."""
    shape = session.outputs[0].shape
    if len(shape) != 3 or None in shape[1:]:
        # Only a run shows the shape; if the file says it, the run of a large model is saved.
        blank = np.zeros((1, 3, size[1], size[0]), session.dtype)
        shape = session.run(blank).shape
    names = _names(session.metadata.get("names", ""))
    if len(shape) == 3:
        high, wide = int(shape[1] or 0), int(shape[2] or 0)
        if wide == 6 and high != 4 + len(names):
            return names, CORNERS
        attributes = 4 + len(names) if names else min(high, wide)
        layout = ROWS if high == attributes else COLUMNS if wide == attributes else ""
        if layout and attributes > 4:
            return names or tuple(str(i) for i in range(attributes - 4)), layout
    said = " × ".join(map(str, shape[1:])) or "nothing"
    wanted = f"{4 + len(names)} rows" if names else "4 rows and one a class"
    raise _stranger(files, path, f"gives {said} numbers a picture in place of {wanted}")


def _stranger(files: ModelFiles, path: Path, what: str) -> ModelError:
    return ModelError(
        f"{path.name} of {files.label} is no YOLO detector (it {what}): choose a detector from `prompt-extend models`."
    )


FAMILY = Family(recognises, load, LATE)
