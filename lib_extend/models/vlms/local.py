"""A vision-language model from a local folder, through transformers' own classes.

`AutoProcessor` and `AutoModelForImageTextToText` load it (transformers ≥ 4.49); code from a model folder
is never run and pickled weights are never read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_extend.errors import ImageError, ModelError
from lib_extend.models.vlms.pictures import to_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from lib_extend.models.ports import Look
    from lib_extend.models.vlms.plain import PlainEngine
    from lib_extend.records import Prompt, Reply

T = TypeVar("T")

WAY = 1
"""Version of the way of asking; raise it when the same weights would answer otherwise."""

SETTINGS = "prompt_extend.json"
"""Our own file in a model folder: {"temperature": t}, t > 0, measured on pictures of known truth."""


class LocalVlm:
    """A model folder as a `Vlm`.

    Attributes: those of `lib_extend.models.ports.Vlm`.
    """

    parallel = 1

    def __init__(self, folder: Path, *, device: str = "auto", max_pixels: int = 1_048_576) -> None:
        """Loads the folder.

        Args:
            folder: with `config.json`, `*.safetensors`, a tokenizer, a processor and a chat template.
            device: `auto`, `cpu`, `cuda` or `directml` (which transformers cannot use: the CPU is).
            max_pixels: pixels of an image that reach the model at the most; the processor's own maximum
                holds where it is smaller.

        Raises:
            ModelError: the folder is no model that can be loaded here; the sentence says why.
        """
        from lib_extend.models.vlms.chat import Chat, load_processor
        from lib_extend.models.vlms.prefix import choose_engine

        check(folder)
        heat = temperature(folder)
        place, reason = choose_device(device)
        self._chat = Chat(_loaded(folder, lambda: load_processor(folder)), max_pixels)
        model = _loaded(folder, lambda: _load_model(folder, place))
        self._engine: PlainEngine | None
        self._engine, way = choose_engine(model, self._chat, heat)
        self.pixels = self._chat.pixels
        self.key = f"{fingerprint(folder)}-{WAY}-{self.pixels}"
        self.device = f"{reason}; {way}"

    def look(self, image: Image.Image) -> Look:
        """Takes one upright image of any mode and size; transparency becomes white."""
        if self._engine is None:
            raise RuntimeError("the model is closed")
        return _MemoryGuard(self._engine.look(to_rgb(image)))

    def close(self) -> None:
        """Frees the model's memory."""
        import gc

        import torch

        self._engine = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _MemoryGuard:
    """A look whose lack of memory is one image's trouble, not the run's."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """As `Look.ask`. Raises ImageError when the device's memory does not suffice."""
        import torch

        try:
            return self._look.ask(prompts)
        except torch.cuda.OutOfMemoryError as error:
            self._look.close()
            torch.cuda.empty_cache()
            raise ImageError(
                "The graphics card's memory did not suffice for the vision-language model: lower max_pixels "
                "or close other programs that use the card."
            ) from error

    def close(self) -> None:
        self._look.close()


def check(folder: Path) -> None:
    """Whether a folder is a model that may be loaded here, told from its files alone.

    Raises ModelError with the sentence a user needs: no model, no native class (its own code would have
    to be run), unknown to this transformers, not for pictures, or weights in a format that runs code.
    """
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = str(config.get("model_type", ""))
    except FileNotFoundError:
        hint = (
            " A GGUF file is served by llama-server: give its http://…/v1."
            if any(folder.glob("*.gguf"))
            else ""
        )
        raise ModelError(f"{folder} holds no model: it has no config.json.{hint}") from None
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read ({error}).") from error
    if kind not in CONFIG_MAPPING_NAMES:
        if "auto_map" in config:
            raise ModelError(
                f"{folder} is a model of the kind {kind!r} that only runs with program code of its own, which is "
                "never run here: take a model that transformers supports itself, or serve this one over http."
            )
        raise ModelError(
            f"{folder} is a model of the kind {kind!r}, which transformers {transformers.__version__} does not "
            "know: a newer transformers may."
        )
    if kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise ModelError(
            f"{folder} is a model of the kind {kind!r}, which takes no picture together with text."
        )
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"{folder} has no *.safetensors file; weights in other formats may run code and are never "
            "loaded: convert the model or take one that comes as safetensors."
        )


def temperature(folder: Path) -> float:
    """The temperature that makes the folder's probabilities honest; 1 where none is stored.

    Raises ModelError when the stored one is no positive number.
    """
    file = folder / SETTINGS
    if not file.is_file():
        return 1.0
    try:
        heat = float(json.loads(file.read_text(encoding="utf-8")).get("temperature", 1.0))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{file} cannot be read ({error}).") from error
    if not 0 < heat < float("inf"):
        raise ModelError(f"{file} has the temperature {heat}, but it must be a positive number.")
    return heat


def choose_device(wanted: str) -> tuple[str, str]:
    """torch's device name and the same in words, with the reason where it is not the wanted one."""
    import torch

    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name()}"
    if wanted == "cuda":
        return "cpu", "CPU: torch finds no CUDA device"
    if wanted == "directml":
        return "cpu", "CPU: vision-language models do not run on DirectML"
    return "cpu", "CPU"


def fingerprint(folder: Path) -> str:
    """Hex identity of a model folder's content, the same on every machine.

    Small files are hashed whole; of the weights their header, size and 64 samples spread over the file,
    so that a folder of 16 GB takes milliseconds.
    """
    digest = hashlib.blake2b(digest_size=12)
    for file in sorted(folder.iterdir()):
        if file.suffix not in (".json", ".jinja", ".safetensors", ".txt", ".model") or not file.is_file():
            continue
        size = file.stat().st_size
        digest.update(f"{file.name}\0{size}\0".encode())
        with file.open("rb") as data:
            if file.suffix != ".safetensors":
                digest.update(data.read())
                continue
            (header,) = struct.unpack("<Q", data.read(8).ljust(8, b"\0"))
            digest.update(data.read(min(header, 100_000_000)))
            for i in range(64):
                data.seek(size * i // 64)
                digest.update(data.read(4096))
    return digest.hexdigest()


def _loaded(folder: Path, load: Callable[[], T]) -> T:
    """What `load` gives; what transformers raises becomes a ModelError that names the folder."""
    from safetensors import SafetensorError

    try:
        return load()
    except ModelError:
        raise
    except (
        OSError,
        ValueError,
        RuntimeError,
        ImportError,
        AttributeError,
        KeyError,
        TypeError,
        SafetensorError,
    ) as error:
        text = " ".join(str(error).split())
        if "trust_remote_code" in text:
            text = "a part of it needs program code of its own, which is never run here"
        raise ModelError(f"The model in {folder} cannot be loaded: {text[:400]}") from error


def _load_model(folder: Path, device: str) -> Any:
    """The model on `device`, ready to answer; raises ModelError when weights are missing."""
    import torch
    import transformers
    from transformers import AutoModelForImageTextToText

    dtype = torch.float32
    if device == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    release = tuple(int(n) for n in transformers.__version__.split(".")[:2])
    # Releases before 4.56 know the argument by its older name only.
    name = "dtype" if release >= (4, 56) else "torch_dtype"
    with _no_bars():
        model, info = AutoModelForImageTextToText.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **{name: dtype},
        )
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"The model in {folder} is incomplete: {len(missing)} of its weights are missing, {missing[0]} for one."
        )
    return model.to(device).eval()


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    """Without transformers' progress bars, which would run through our own output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
