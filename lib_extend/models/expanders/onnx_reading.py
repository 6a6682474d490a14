"""Reading tokens with a causal language model in ONNX, as Optimum exports it, with or without a cache."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_extend.errors import ModelError
from lib_extend.models.runtime import CPU, available_providers, choose, openable

if TYPE_CHECKING:
    import torch

_PAST = re.compile(r"past_key_values\.(\d+)\.(key|value)")
_FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxModel:
    """A session and what its inputs and outputs are.

    Attributes:
        context: tokens that it reads at the most. device: where it runs ("cpu", "cuda").
    """

    def __init__(self, file: Path, device: str) -> None:
        """Raises ModelError when the file is damaged, or no causal language model."""
        import onnxruntime

        provider, _ = choose(device, available_providers())
        self.device = "cpu" if provider == CPU else "cuda"
        try:
            config = json.loads((file.parent / "config.json").read_text(encoding="utf-8-sig"))
            heads = int(config["num_attention_heads"])
            self._cache = (
                int(config.get("num_key_value_heads") or heads),
                int(config["hidden_size"]) // heads,
            )
            self.context = int(config.get("max_position_embeddings") or 2048)
        except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
            raise ModelError(
                f"{file.parent / 'config.json'} cannot be read ({error!r}): copy it anew."
            ) from error
        try:
            providers = list(dict.fromkeys([provider, CPU]))
            self.session: Any = onnxruntime.InferenceSession(openable(file), providers=providers)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0][:300]
            raise ModelError(f"The expander {file} cannot be loaded: {reason}") from error
        self.inputs = {port.name: port.type for port in self.session.get_inputs()}
        self.outputs = [port.name for port in self.session.get_outputs()]
        self.past = [name for name in self.inputs if _PAST.fullmatch(name)]
        missing = [n for n in ("input_ids", "attention_mask") if n not in self.inputs]
        if missing or "logits" not in self.outputs:
            raise ModelError(f"{file} is no causal language model: it has no {(missing or ['logits'])[0]}.")

    def empty(self, name: str) -> np.ndarray[Any, Any]:
        """What a cache is before anything was read: float [1, heads, 0, size]."""
        heads, size = self._cache
        return np.zeros((1, heads, 0, size), _FLOATS.get(self.inputs[name], np.float32))

    def run(
        self, tokens: np.ndarray[Any, Any], past: dict[str, np.ndarray[Any, Any]], before: int
    ) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
        """Logits of the last position, float [rows, vocabulary], and the cache.

        Args:
            tokens: int64 [rows, length]. before: how many tokens `past` holds.
        """
        rows, length = tokens.shape
        given: dict[str, Any] = {
            "input_ids": tokens,
            "attention_mask": np.ones((rows, before + length), np.int64),
            "position_ids": np.tile(np.arange(before, before + length, dtype=np.int64), (rows, 1)),
            "use_cache_branch": np.array([before > 0]),
            **past,
        }
        found = self.session.run(None, {name: given[name] for name in self.inputs})
        made = dict(zip(self.outputs, found, strict=True))
        cache = {name: made[name.replace("past_key_values", "present")] for name in self.past}
        return np.asarray(made["logits"])[:, -1], cache


class OnnxReader:
    """See `Reader`. A model without a cache reads everything anew at each token."""

    def __init__(self, model: OnnxModel, prompt: list[int], rows: int) -> None:
        self._model = model
        tokens = np.array([prompt], np.int64)
        logits, cache = model.run(tokens, {name: model.empty(name) for name in model.past}, 0)
        self._rows = rows
        self._first = logits
        self._past = {name: np.repeat(value, rows, 0) for name, value in cache.items()}
        self._tokens = np.repeat(tokens, rows, 0)

    def first(self) -> torch.Tensor:
        import torch

        return torch.from_numpy(self._first[0].astype(np.float32)).expand(self._rows, -1)

    def keep(self, rows: list[int]) -> None:
        self._past = {name: value[rows] for name, value in self._past.items()}
        self._tokens = self._tokens[rows]

    def read(self, tokens: list[int], hide: list[int]) -> torch.Tensor:
        import torch

        new = np.array(tokens, np.int64)[:, None]
        before = self._tokens.shape[1]
        self._tokens = np.concatenate([self._tokens, new], 1)
        if self._past:
            logits, self._past = self._model.run(new, self._past, before)
        else:
            logits, _ = self._model.run(self._tokens, {}, 0)
        return torch.from_numpy(logits.astype(np.float32))
