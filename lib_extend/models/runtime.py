"""Run ONNX models: open a session on the requested device and test it by one run.

onnxruntime is imported when the first session is made, not before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lib_extend.errors import ModelError
from lib_extend.models.files import ModelFiles, is_pointer

Array = npt.NDArray[Any]

CPU, CUDA, DIRECTML = "CPUExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider"
MIGRAPHX = "MIGraphXExecutionProvider"
"""AMD's cards on Linux."""

_NAMES = {CPU: "CPU", CUDA: "CUDA", DIRECTML: "DirectML", MIGRAPHX: "ROCm"}
_ASKED = {"cuda": CUDA, "directml": DIRECTML}
_PACKAGES = {CUDA: "onnxruntime-gpu", DIRECTML: "onnxruntime-directml"}

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}

GPU_BATCH = 8
"""Images a call on an accelerator. A CPU gains nothing from more than 1."""


@dataclass(frozen=True)
class Port:
    """An input or output of a model; the dimensions that are not fixed are None."""

    name: str
    shape: tuple[int | None, ...]
    type: str


class Session:
    """A loaded model on a device that works.

    Attributes:
        input: its first input.
        outputs: all its outputs.
        dtype: numpy's type of the input.
        device: where it runs, in words, with the reason if this is not the requested device.
        provider: onnxruntime's name of that device.
        batch: images one call takes: the file's own number where it is fixed.
        metadata: the file's own key-value texts.

    The constructor raises ModelError when the file is not a model that can run here.
    """

    def __init__(
        self,
        files: ModelFiles,
        path: Path,
        *,
        side: int,
        device: str = "auto",
        batch_size: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._files, self._path, self._side = files, path, side
        self._threads = threads
        provider, reason = choose(device, available_providers())
        failed = ""
        if provider != CPU:
            failed = self._try(provider, batch_size)
            if failed:
                provider, reason = CPU, f"{_NAMES[provider]} does not work here ({failed})"
        if provider == CPU:
            failed = self._try(CPU, batch_size)
        if failed:
            raise files.damaged(path, f"cannot be run ({failed})")
        self.provider = provider
        self.device = f"{_NAMES[provider]}: {reason}" if reason else _NAMES[provider]

    def _try(self, provider: str, batch_size: int | None) -> str:
        """Open the model there and run it on zeros. Returns the error in a few words, or ""."""
        try:
            self._open(provider)
            if self._session.get_providers()[0] != provider:
                return "its libraries could not be loaded"
            fixed = self.input.shape[0]
            self.batch = fixed or batch_size or (1 if provider == CPU else GPU_BATCH)
            try:
                # Two images show whether the batch dimension is really free.
                self.run(np.zeros((min(self.batch, 2), *self.image_shape()), self.dtype))
            except _run_errors():
                if fixed or self.batch == 1:
                    raise
                self.batch = 1
                self.run(np.zeros((1, *self.image_shape()), self.dtype))
        except ModelError:
            raise
        except _run_errors() as error:
            return _brief(error)
        return ""

    def _open(self, provider: str) -> None:
        import onnxruntime

        try:
            if is_pointer(self._path):
                raise self._files.damaged(self._path, "is a Git LFS note, not the model (run `git lfs pull`)")
        except OSError as error:
            raise self._files.damaged(self._path, f"cannot be read ({error.strerror or error})") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # this program reports the error itself, once
        if self._threads:
            options.intra_op_num_threads = min(self._threads, os.cpu_count() or 1)
        # A waiting thread must not spin: the decoders need the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if provider == DIRECTML:
            options.enable_mem_pattern = False
            options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        if provider == CUDA and hasattr(onnxruntime, "preload_dlls"):
            with contextlib.suppress(Exception):  # its libraries may be found without this
                onnxruntime.preload_dlls()
        self._session = onnxruntime.InferenceSession(
            openable(self._path), options, providers=[provider] if provider == CPU else [provider, CPU]
        )
        self.input = _ports(self._session.get_inputs())[0]
        self.outputs = _ports(self._session.get_outputs())
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        if self.input.type not in _TYPES or len(self.input.shape) != 4:
            raise self._files.damaged(
                self._path, f"takes {self.input.type} of {len(self.input.shape)} dimensions, not images"
            )
        self.dtype = _TYPES[self.input.type]

    def image_shape(self) -> tuple[int, int, int]:
        """One input without its batch axis; free sides are the family's own side."""
        a, b, c = self.input.shape[1:]
        if c == 3 and a != 3:
            return (a or self._side, b or self._side, 3)
        return (3, b or self._side, c or self._side)

    def run(self, batch: Array, output: str | None = None) -> Array:
        """The output called `output` (default: the first) for a batch of inputs.

        A file whose batch is fixed at more than one gets its number, the rest zeros.
        """
        fixed, n = self.input.shape[0], len(batch)
        if fixed and n < fixed:
            batch = np.concatenate([batch, np.zeros((fixed - n, *batch.shape[1:]), batch.dtype)])
        name = output or self.outputs[0].name
        (result,) = self._session.run([name], {self.input.name: batch})
        return np.asarray(result)[:n]

    def close(self) -> None:
        """Give the memory back."""
        del self._session


def choose(device: str, available: Sequence[str]) -> tuple[str, str]:
    """The provider for a `device` setting, and the reason if it is not the requested one.

    Args:
        device: auto, cpu, cuda or directml.
        available: the providers this onnxruntime was built with.
    """
    if device in _ASKED:
        wanted = _ASKED[device]
        if wanted in available:
            return wanted, ""
        return CPU, (
            f"this onnxruntime has no {_NAMES[wanted]}; {_PACKAGES[wanted]} in place of onnxruntime has it"
        )
    if device == "auto":
        for provider in (CUDA, MIGRAPHX, DIRECTML):
            if provider in available:
                return provider, ""
        if shutil.which("nvidia-smi"):
            return CPU, (
                f"there is an NVIDIA card, but this onnxruntime has no CUDA; {_PACKAGES[CUDA]} in place of "
                "onnxruntime has it (`prompt-extend card --install`)"
            )
    return CPU, ""


def available_providers() -> list[str]:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            f"onnxruntime cannot be loaded ({_brief(error)}): install it in the environment of the models."
        ) from error
    return list(onnxruntime.get_available_providers())


def _ports(arguments: Sequence[Any]) -> list[Port]:
    return [
        # Free dimensions come as names, None or numbers below 1.
        Port(a.name, tuple(d if isinstance(d, int) and d > 0 else None for d in a.shape), a.type)
        for a in arguments
    ]


def openable(path: Path) -> str | bytes:
    """The path, or the content where onnxruntime could not take the name (bytes that are not UTF-8)."""
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return path.read_bytes()
    return text


def _run_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its own classes derive from RuntimeError in some versions only."""
    kinds: list[type[Exception]] = [RuntimeError, ValueError, OSError, MemoryError, TypeError, IndexError]
    with contextlib.suppress(ImportError):
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        kinds += [
            kind
            for name in dir(state)
            if isinstance(kind := getattr(state, name), type) and issubclass(kind, Exception)
        ]
    return tuple(kinds)


def _brief(error: BaseException) -> str:
    text = " ".join(str(error).split())
    # "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model from … failed:Protobuf parsing failed."
    text = text.rpartition("ONNXRuntimeError] : ")[2]
    text = text.partition(" : ")[2] or text
    return (text[:160] + "…" if len(text) > 160 else text).rstrip(".") or type(error).__name__
