"""onnxruntime sessions: the provider asked for, tried once to see that it is truly used, with the reason if not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import ModelError, UserError

# providers of each device in order of preference
_PROVIDERS = {
    "cuda": ("CUDAExecutionProvider",),
    "directml": ("DmlExecutionProvider",),
    "auto": (
        "CUDAExecutionProvider",
        "DmlExecutionProvider",
        "ROCMExecutionProvider",
        "CoreMLExecutionProvider",
    ),
    "cpu": (),
}
_NAMES = {
    "CUDAExecutionProvider": "CUDA",
    "DmlExecutionProvider": "DirectML",
    "ROCMExecutionProvider": "ROCm",
    "CoreMLExecutionProvider": "CoreML",
    "CPUExecutionProvider": "CPU",
}
CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Input:
    """The model's image input.

    Attributes:
        name: of the tensor. shape: with None for dynamic dimensions. dtype: numpy's name for its type.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass
class Session:
    """An onnxruntime session that has run once.

    Attributes:
        run: `run(array) -> list of arrays`. input: what it takes. outputs: the outputs' names.
        output_shapes: of the outputs, None for dynamic dimensions.
        device: where it runs, in words, with the reason of a fallback. on_gpu: whether that is no CPU.
        metadata: the model file's own key-value pairs.
    """

    raw: Any
    input: Input
    outputs: tuple[str, ...]
    output_shapes: tuple[tuple[int | None, ...], ...]
    device: str
    on_gpu: bool
    metadata: dict[str, str]

    def run(self, batch: Any) -> list[Any]:
        """All outputs for a batch (numpy array in the input's shape and type)."""
        result: list[Any] = self.raw.run(None, {self.input.name: batch})
        return result


def open_session(
    file: Path, device: str = "auto", *, threads: int | None = None, side: int | None = None
) -> Session:
    """Load an ONNX file and run it once on zeros.

    Args:
        device: auto, cpu, cuda or directml. threads: of the CPU provider (default: onnxruntime's choice).
        side: pixels to try it with where the file leaves its input's size open.

    Raises:
        ModelError: the file is missing, damaged, or does not run on the CPU either.
        UserError: a device that this onnxruntime cannot offer at all is not an error: it falls back.
    """
    import onnxruntime as ort

    if device not in _PROVIDERS:
        raise UserError(f"device is {device!r}, but must be one of: {', '.join(_PROVIDERS)}.")
    if not file.is_file():
        raise ModelError(f"{file} is missing: download the model again or name its folder.")
    available = ort.get_available_providers()
    wanted = [p for p in _PROVIDERS[device] if p in available]
    reason = ""
    if _PROVIDERS[device] and not wanted and device != "auto":
        reason = f"this onnxruntime has no {device} support (install onnxruntime-{_package(device)})"
    for provider in [*wanted[:1], CPU]:
        try:
            session = _open(ort, file, provider, threads)
            _try(session, side)
            used = session.get_providers()[0]
            if provider != CPU and used != provider:
                reason = f"{_NAMES[provider]} could not be loaded by onnxruntime (driver or CUDA libraries missing?)"
                continue
        except Exception as e:  # noqa: BLE001 - onnxruntime's errors have no common class across versions
            if provider == CPU:
                raise ModelError(
                    f"{file} cannot be run ({_first_line(e)}): it is damaged or no tagger; download it again."
                ) from e
            reason = f"{_NAMES[provider]} failed ({_first_line(e)})"
            continue
        words = _NAMES.get(used, used) + (
            f" (not {_wanted_name(device, wanted)}: {reason})" if reason else ""
        )
        return _describe(session, words, used != CPU)
    raise ModelError(f"{file} cannot be run on any device.")


def _open(ort: Any, file: Path, provider: str, threads: int | None) -> Any:
    options = ort.SessionOptions()
    # warnings about fallbacks are told in our own words
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads = threads
    return ort.InferenceSession(str(file), options, providers=[provider, *([CPU] if provider != CPU else [])])


def _try(session: Any, side: int | None) -> None:
    import numpy as np

    feed = {}
    for node in session.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else None for d in node.shape]
        # an open batch is 1, open sides take `side`, and an open channel axis 3
        sizes = [1 if i == 0 else d or side or 448 for i, d in enumerate(shape)]
        feed[node.name] = np.zeros(sizes, _dtype(node.type))
    session.run(None, feed)


def _describe(session: Any, device: str, on_gpu: bool) -> Session:
    node = session.get_inputs()[0]

    def shape(node: Any) -> tuple[int | None, ...]:
        return tuple(d if isinstance(d, int) and d > 0 else None for d in node.shape)

    return Session(
        raw=session,
        input=Input(node.name, shape(node), _dtype(node.type)),
        outputs=tuple(o.name for o in session.get_outputs()),
        output_shapes=tuple(shape(o) for o in session.get_outputs()),
        device=device,
        on_gpu=on_gpu,
        metadata=dict(session.get_modelmeta().custom_metadata_map),
    )


def _dtype(text: str) -> str:
    """numpy's name of an onnxruntime type such as `tensor(float16)`."""
    inner = text.removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(inner, inner)


def _package(device: str) -> str:
    return {"cuda": "gpu", "directml": "directml"}.get(device, device)


def _wanted_name(device: str, wanted: list[str]) -> str:
    return _NAMES[wanted[0]] if wanted else {"cuda": "CUDA", "directml": "DirectML"}.get(device, device)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
