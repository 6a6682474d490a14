"""Which models run, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="models")

FOUR_BITS = ("auto", "yes", "no")
DEVICES = ("auto", "cpu", "cuda", "directml")


@dataclass(frozen=True)
class ModelSettings:
    """Which models run, and where."""

    tagger: str = _s(
        "wd-swinv2-v3",
        "tagger: a name from `prompt-extend models`, a folder with model.onnx, `sketch` (drawn scenes "
        "only), several with commas between them, or `none` to start from the existing captions",
        metavar="NAME",
        label="Tagger",
    )
    vlm: str = _s(
        "none",
        "vision-language model for the questions: a name from `prompt-extend models`, a local folder, an "
        "http(s)://…/v1 server, `auto` (the best that the graphics card has room for), `sketch`, or `none`",
        metavar="NAME|FOLDER|URL",
        label="Vision-language model",
    )
    vlm_model: str = _s(
        "",
        "model name to request from a --vlm server (default: the first it lists)",
        label="Model on that server",
    )
    vlm_4bit: str = _s(
        "auto",
        "load --vlm in 4 bits, a third of the memory: auto (where it would not fit otherwise), yes or no",
        choices=FOUR_BITS,
    )
    vram_limit: float | None = _s(
        None,
        "GB of the graphics card's memory that --vlm may take (default: an eighth of it, at least 2 GB, is left)",
        low=0.5,
        high=1024,
    )
    device: str = _s("auto", "where models run", choices=DEVICES)
    offline: bool = _s(
        False,
        "never use the network; only models already here",
        label="Never use the network",
    )
    models_dir: str = _s(
        "",
        "folder for downloaded models (default: the Hugging Face cache)",
        metavar="DIR",
        label="Folder for models",
    )

    @property
    def taggers(self) -> tuple[str, ...]:
        """The taggers' names, in their order; none without a tagger."""
        names = dict.fromkeys(n for name in self.tagger.split(",") if (n := name.strip()))
        return tuple(n for n in names if n != "none")
