"""A family of WebUIs: how it is recognised, and where it differs from the others.

Versions are not compared: a family is recognised by its modules, and a function is called with the arguments in its
signature.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

from lib_extend.host.detect import module


@dataclass(frozen=True)
class Reliance:
    """A definition in a WebUI's source on which this program relies; a test looks it up there.

    Attributes:
        file: its path in the WebUI's folder.
        name: of a function or class, `Class.method` for a method; "" for the file alone.
        takes: arguments that the function takes, by name.
        sets: attributes that the class or function sets or reads, as `self.step` is `step`.
    """

    file: str
    name: str = ""
    takes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()


def _script(method: str) -> Reliance:
    return Reliance("modules/scripts.py", f"Script.{method}", takes=("p",))


COMMON = (
    *(
        _script(name)
        for name in (
            "before_process",
            "process",
            "before_process_batch",
            "process_batch",
            "process_before_every_sampling",
            "post_sample",
            "postprocess_batch",
            "postprocess_image",
            "postprocess",
        )
    ),
    Reliance(
        "modules/prompt_parser.py",
        "get_learned_conditioning",
        takes=("model", "prompts", "steps", "hires_steps"),
    ),
    Reliance(
        "modules/prompt_parser.py",
        "SdConditioning.__init__",
        takes=("prompts", "is_negative_prompt", "width", "height"),
    ),
    Reliance("modules/sd_samplers.py", "find_sampler_config", takes=("name",)),
    Reliance("modules/sd_samplers_cfg_denoiser.py", "CFGDenoiser.__init__", sets=("step", "p")),
    Reliance("modules/sd_samplers_cfg_denoiser.py", "CFGDenoiser.update_inner_model"),
    Reliance("modules/sd_samplers_common.py", "Sampler.__init__", sets=("model_wrap_cfg",)),
    Reliance("modules/processing.py", "StableDiffusionProcessing.setup_prompts", sets=("all_prompts",)),
    Reliance("modules/processing.py", "create_infotext", sets=("extra_generation_params", "main_prompt")),
    Reliance("modules/sd_models.py", "SdModelData"),
    Reliance("modules/call_queue.py"),
    Reliance("modules/paths_internal.py"),
)
"""What every WebUI of the family tree has."""


@dataclass(frozen=True)
class Host:
    """A family of WebUIs.

    Attributes:
        name: for display.
        has, lacks: modules that only this family has, or has not: together they fit one family alone.
        regions: (module, class) of its `host.regions.Adapter`; the module has `can_apply()` and `unfit(sd_model)`.
        memory: the module with `unload_all_models()`; "" where the checkpoint is unloaded by `modules.sd_models`.
        main_thread: the module that runs work on models on the main thread; "" where any thread may.
        notes: (module, name) of the mapping into which its text encoders write notes for the infotext.
        reliances: the definitions in its sources on which this program relies, besides those of all families.
    """

    name: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    regions: tuple[str, str]
    memory: str = ""
    main_thread: str = ""
    notes: tuple[str, str] = ("modules.sd_hijack", "model_hijack.extra_generation_params")
    reliances: tuple[Reliance, ...] = ()

    def recognises(self, has: Callable[[str], bool]) -> bool:
        """Whether a WebUI is of this family. `has`: whether it has a module."""
        return all(has(name) for name in self.has) and not any(has(name) for name in self.lacks)

    def takes_regions(self) -> bool:
        """Whether this WebUI offers what regions need."""
        return bool(self._regions().can_apply())

    def adapter(self, p: Any) -> Any:
        """The `host.regions.Adapter` for a run of `process_images`; None where regions cannot be applied."""
        return getattr(self._regions(), self.regions[1])(p) if self.takes_regions() else None

    def unfit(self, sd_model: Any) -> str:
        """Why a checkpoint takes no regions, in a clause; "" when it does."""
        return str(self._regions().unfit(sd_model))

    def _regions(self) -> Any:
        return importlib.import_module(self.regions[0])

    def encode(self, sd_model: Any, prompts: Any, steps: int, hires_steps: int | None) -> Any:
        """A list of prompts as conditionings, each a list of pairs (last step, conditioning).

        The arguments are the same as for the WebUI's own prompts, so that schedules end at the same steps.
        """
        from modules import prompt_parser, shared

        more = {"use_old_scheduling": bool(getattr(shared.opts, "use_old_scheduling", False))}
        with self._unnoted():
            return call(
                prompt_parser.get_learned_conditioning, sd_model, prompts, steps, hires_steps, optional=more
            )

    @contextlib.contextmanager
    def _unnoted(self) -> Iterator[None]:
        """Encoding writes embeddings and emphasis into the next infotext; remove the notes of the regions' prompts."""
        before = dict(self._noted())
        try:
            yield
        finally:
            noted = self._noted()
            noted.clear()
            noted.update(before)

    def _noted(self) -> MutableMapping[str, Any]:
        found: Any = module(self.notes[0])
        for name in self.notes[1].split("."):
            found = getattr(found, name, None)
        return found if isinstance(found, MutableMapping) else {}


def call(function: Callable[..., Any], *given: Any, optional: dict[str, Any]) -> Any:
    """`function(*given)`, with those of the `optional` arguments that its signature takes."""
    takes = inspect.signature(function).parameters
    return function(*given, **{name: value for name, value in optional.items() if name in takes})
