"""What went wrong while the WebUI loaded the extension: one line in its log, and the same text for the tab.

Standard library only and no module of ours but `errors`: it must load where others do not.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from lib_extend.errors import PromptExtendError

T = TypeVar("T")

MEND = "update the extension in the Extensions tab (Check for updates), then restart the WebUI"


class Trouble:
    """What is wrong, one sentence each; one instance for one loading of the script."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def attempt(self, what: str, work: Callable[[], T], otherwise: T) -> T:
        """`work()`; when it fails, say so (once) and go on with `otherwise`.

        Args:
            what: what does not work then, such as "the tab cannot be shown".
        """
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the WebUI has to start
            self.report(what, error)
            return otherwise

    def report(self, what: str, error: BaseException) -> None:
        """Note a failure and print it as one line."""
        sentence = describe(what, error)
        if sentence not in self.sentences:
            self.sentences.append(sentence)
            print(f"Prompt Extend: {sentence}", file=sys.stderr, flush=True)


def describe(what: str, error: BaseException) -> str:
    """One sentence: what does not work, why, and how to mend it."""
    if isinstance(error, PromptExtendError):  # these name the mend themselves
        return f"{what}. {error}"
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("lib_extend"):
        return (
            f"{what}, because the WebUI's python has no {error.name}: restart the WebUI so that it installs its "
            "own requirements."
        )
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].filename} line {frames[-1].lineno}" if frames else ""
    words = " ".join(str(error).split()) or "no reason given"
    return f"{what} ({type(error).__name__}: {words[:200]}{where}): {MEND}."
