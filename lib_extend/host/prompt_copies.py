"""Other code's copies of one batch's prompts, made while the prompts carried a cast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_extend.generation import marks
from lib_extend.generation.compile import Compiled
from lib_extend.host import leftovers

_ALL = ("all_prompts", "all_negative_prompts", "all_hr_prompts", "all_hr_negative_prompts")
"""Prompts of all pictures: those of later batches still carry the cast."""


class PromptCopies:
    """The copies of a batch's prompts, found when they are about to be compiled; the scripts' lose their marks at once.

    Attributes:
        compiled: what the batch's prompts have become, one a picture.
    """

    def __init__(self, p: Any, first: int) -> None:
        """`first`: the number of the batch's first picture in the run."""
        self._p = p
        self._first = first
        places = slice(first, first + len(p.prompts))
        self._kept = leftovers.clean_scripts(getattr(p, "scripts", None), only=places)
        self.compiled: list[Compiled] = []

    @property
    def keepers(self) -> list[str]:
        """Titles of the scripts that keep copies."""
        return list(dict.fromkeys(self._kept.values()))

    def settle(self, compile_texts: Callable[[tuple[str, str], int], Compiled]) -> None:
        """Replace the WebUI's own copies of all prompts (with their comments) by the compiled prompts.

        Args:
            compile_texts: compiles a carrying prompt and negative prompt of the picture of this number.
        """
        p = self._p
        copies = [
            name
            for name, value in vars(p).items()
            if isinstance(value, list) and name not in _ALL and len(value) == len(p.all_prompts)
        ]
        for name in copies:
            texts = getattr(p, name)
            for i in range(self._first, self._first + len(p.prompts)):
                if not isinstance(texts[i], str) or not marks.is_carrying(texts[i]):
                    continue
                if "negative" in name:
                    texts[i] = compile_texts(("", texts[i]), i).negative
                else:
                    texts[i] = compile_texts((texts[i], ""), i).prompt
        leftovers.clean(p, but=(*_ALL, *copies))

    def undone_by(self) -> str:
        """The script that restored the prompts from before the compilation; "" for none."""
        for i, made in enumerate(self.compiled):
            now = self._p.all_prompts[self._first + i]
            if now != made.prompt and now in self._kept:
                return self._kept[now]
        return ""

    def put_back(self) -> None:
        """If a script restored earlier prompts, put the pictures' prompts back."""
        p = self._p
        for i, made in enumerate(self.compiled, self._first):
            now = p.all_prompts[i], p.all_negative_prompts[i]
            if any(text in self._kept or marks.is_carrying(text) for text in now):
                p.all_prompts[i], p.all_negative_prompts[i] = made.prompt, made.negative
