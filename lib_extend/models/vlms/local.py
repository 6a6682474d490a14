"""A vision-language model from a local folder, through transformers' own classes.

`AutoProcessor` and `AutoModelForImageTextToText` load it (transformers ≥ 4.49); code from a model folder
is never run and pickled weights are never read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_extend.errors import ImageError, ModelError
from lib_extend.models.vlms import four_bit as nf4
from lib_extend.models.vlms.folders import check, fingerprint, objects, parameters, temperature
from lib_extend.models.vlms.prepared_pictures import to_rgb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from lib_extend.models.ports import Look
    from lib_extend.models.vlms.memory_need import Card
    from lib_extend.models.vlms.plain import PlainEngine
    from lib_extend.models.vlms.prefix import PrefixEngine
    from lib_extend.records import Prompt, Reply

T = TypeVar("T")

WAY = 1
"""Version of the way of asking; raise it when the same weights would answer otherwise."""

BATCH = 8
"""Pictures side by side on a graphics card, at the most. A CPU gains nothing from more than 1."""


class LocalVlm:
    """A model folder as a `Vlm`.

    Attributes: those of `lib_extend.models.ports.Vlm`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        device: str = "auto",
        max_pixels: int = 1_048_576,
        batch: int | None = None,
        vram_limit: float | None = None,
        four_bit: str = "auto",
    ) -> None:
        """Loads the folder.

        Args:
            folder: with `config.json`, `*.safetensors`, a tokenizer, a processor and a chat template.
            device: `auto`, `cpu`, `cuda` or `directml` (which transformers cannot use: the CPU is).
            max_pixels: pixels of an image that reach the model at the most; the processor's own maximum
                holds where it is smaller.
            batch: pictures that run side by side at the most; None: 1 on the CPU, on a card as many as its
                memory allows, up to `BATCH`.
            vram_limit: GB (2³⁰ bytes) of the card that may be taken; None leaves some to other programs.
            four_bit: weights in 4 bits: "yes", "no", or "auto", where they would not fit otherwise.

        Raises:
            ModelError: the folder is no model that can be loaded here; the sentence says why.
        """
        from lib_extend.models.vlms.chat import Chat, load_processor
        from lib_extend.models.vlms.engines import choose_engine
        from lib_extend.models.vlms.memory_need import Card
        from lib_extend.models.vlms.prefix import PrefixEngine

        check(folder)
        heat = temperature(folder)
        self.objects = objects(folder)
        place, words = choose_device(device)
        self._chat = Chat(_loaded(folder, lambda: load_processor(folder)), max_pixels)
        card = Card.of(vram_limit) if place == "cuda" else None
        small, said = _four_bit(folder, four_bit, card)
        if card is not None:
            card.hold()
        model = _loaded(folder, lambda: _load_model(folder, place, small))
        self._engine: PlainEngine | None
        self._engine, way = choose_engine(model, self._chat, heat)
        self.parallel = 1
        if isinstance(self._engine, PrefixEngine):
            self.parallel = self._share(self._engine, card, batch)
        self.pixels = self._chat.pixels
        self.key = f"{fingerprint(folder)}-{WAY}-{self.pixels}" + ("-nf4" if small else "")
        self.device = "; ".join(w for w in (words, said, way) if w)

    def _share(self, engine: PrefixEngine, card: Card | None, batch: int | None) -> int:
        """Has pictures run side by side, and says how many are worth having open for it."""
        from lib_extend.models.vlms.memory_need import bytes_per_token

        batcher = engine.batcher
        if card is None:
            batcher.most = batch or 1
            return batcher.most
        token = bytes_per_token(engine.model.config, engine.model.dtype.itemsize)
        batcher.room = lambda: card.room() // token
        batcher.most = batch or max(1, min(BATCH, card.room() // (token * self._chat.most_tokens)))
        # While some run on the card, as many are made ready on the CPU.
        return 2 * batcher.most

    def look(self, image: Image.Image) -> Look:
        """Takes one upright image of any mode and size; transparency becomes white.

        Several threads may each ask about one where `parallel` is more than 1.
        """
        from lib_extend.models.vlms.prefix import PrefixEngine

        if self._engine is None:
            raise RuntimeError("the model is closed")
        look = self._engine.look(to_rgb(image))
        return look if isinstance(self._engine, PrefixEngine) else _MemoryGuard(look)

    def close(self) -> None:
        """Frees the model's memory."""
        from lib_extend.models.vlms.memory_need import give_back

        self._engine = None
        give_back()


class _MemoryGuard:
    """A look whose lack of memory is one image's trouble, not the run's."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def ask(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """As `Look.ask`. Raises ImageError when the device's memory does not suffice."""
        from lib_extend.models.vlms.memory_need import NO_ROOM, give_back, is_out_of_memory

        try:
            return self._look.ask(prompts)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside `except`: until its end the error keeps the tensors of the pass alive.
        self._look.close()
        give_back()
        raise ImageError(NO_ROOM)

    def close(self) -> None:
        self._look.close()


def _four_bit(folder: Path, wanted: str, card: Card | None) -> tuple[bool, str]:
    """Whether to load in 4 bits, and what there is to say about it."""
    from lib_extend.models.vlms.memory_need import WORKING

    allowed = None if card is None else card.room()
    hindrance = nf4.obstacle(cuda=card is not None)
    return nf4.decide(wanted, 2 * parameters(folder) + WORKING, allowed, hindrance)


def choose_device(wanted: str) -> tuple[str, str]:
    """torch's device name and the same in words, with the reason where it is not the wanted one."""
    import torch

    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        return "cuda", f"CUDA: {torch.cuda.get_device_name()}"
    if wanted == "cuda":
        return "cpu", "CPU: torch finds no CUDA device"
    if wanted == "directml":
        return "cpu", "CPU: vision-language models do not run on DirectML"
    if wanted == "cpu":
        return "cpu", "CPU"
    if torch.version.cuda or torch.version.hip:
        return "cpu", "CPU: torch finds no graphics card that it can use"
    return "cpu", "CPU: this torch is built for the CPU only (`prompt-extend card` says what a card needs)"


def _loaded(folder: Path, load: Callable[[], T]) -> T:
    """What `load` gives; what transformers raises becomes a ModelError that names the folder."""
    from safetensors import SafetensorError

    from lib_extend.models.vlms.memory_need import is_out_of_memory

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
        if is_out_of_memory(error):
            raise ModelError(
                f"The memory does not suffice for the model in {folder}: take a smaller one (--vlm auto), --vlm-4bit "
                "yes or a larger --vram-limit, or close other programs that use the card."
            ) from error
        if "trust_remote_code" in text:
            text = "a part of it needs program code of its own, which is never run here"
        raise ModelError(f"The model in {folder} cannot be loaded: {text[:400]}") from error


def _load_model(folder: Path, device: str, small: bool) -> Any:
    """The model on `device`, in 4 bits if `small`, ready to answer; raises ModelError when weights are missing."""
    import torch
    from transformers import AutoModelForImageTextToText

    dtype = torch.float32
    if device == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    with no_bars():
        model, info = AutoModelForImageTextToText.from_pretrained(
            folder,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **{precision_argument(): dtype},
            **(nf4.options(dtype) if small else {}),
        )
    if missing := sorted(info["missing_keys"]):
        raise ModelError(
            f"The model in {folder} is incomplete: {len(missing)} of its weights are missing, {missing[0]} for one."
        )
    # Weights in 4 bits are where they belong, and cannot be moved.
    return (model if small else model.to(device)).eval()


def precision_argument() -> str:
    """What transformers calls the precision of the weights; releases before 4.56 know the older name only."""
    import transformers

    release = tuple(int(n) for n in transformers.__version__.split(".")[:2])
    return "dtype" if release >= (4, 56) else "torch_dtype"


@contextlib.contextmanager
def no_bars() -> Iterator[None]:
    """Without transformers' progress bars, which would run through our own output."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
