"""Where an expander is, and how it is to be loaded."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from lib_extend.errors import ModelError
from lib_extend.models.expanders.text_sources import CompletionServer
from lib_extend.prompt_expansion import Draft, Tell, Wish, told_to_nobody


class Expander(Protocol):
    """A loaded expander.

    Attributes:
        name: what it is called. device: where it runs ("cpu", "cuda").
    """

    name: str
    device: str

    def expand(self, wish: Wish, tell: Tell = told_to_nobody) -> list[Draft]:
        """`wish.drafts` results; `tell` hears of each as it grows.

        Raises ModelError when the prompt is too long, or the family cannot do what is wanted.
        """
        ...


@dataclass(frozen=True)
class ExpanderOptions:
    """How to load it: `device` as torch names it, `name` as the user does."""

    device: str
    name: str


@dataclass(frozen=True)
class ExpanderPlace:
    """A folder in transformers' layout, a `.gguf` file, or a server, whose address is the path then."""

    path: Path
    server: CompletionServer | None = None

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The tokens that were added to the tokenizer, by which a family knows its own. Raises ModelError."""
        if self.server is not None:
            return self.server.marks()
        try:
            return frozenset(_gguf_tokens(self.path) if self.path.suffix == ".gguf" else _tokens(self.path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The tokenizer of {self.path} cannot be read ({error}): copy it anew."
            ) from error


def _tokens(folder: Path) -> set[str]:
    found: set[str] = set()
    for name in ("added_tokens.json", "tokenizer.json", "tokenizer_config.json"):
        file = folder / name
        if not file.is_file():
            continue
        data: Any = json.loads(file.read_text(encoding="utf-8-sig"))
        if name == "added_tokens.json":
            found |= set(data)
        elif name == "tokenizer.json":
            found |= {row["content"] for row in data.get("added_tokens", ())}
        else:
            found |= {row["content"] for row in data.get("added_tokens_decoder", {}).values()}
    return found


def _gguf_tokens(file: Path) -> set[str]:
    try:
        from gguf import GGUFReader
    except ImportError:
        raise ModelError(
            f"{file.name} needs the Python package gguf, which the models' Python does not have: run "
            f"`{sys.executable} -m pip install gguf`."
        ) from None
    field = GGUFReader(file).fields.get("tokenizer.ggml.tokens")
    if field is None:
        raise ModelError(f"{file} has no tokenizer: take another GGUF file of the model.")
    return {bytes(field.parts[i]).decode("utf-8", "replace") for i in field.data[-64:]}
