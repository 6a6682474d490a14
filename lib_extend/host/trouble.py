"""Report errors from loading the extension in a WebUI: one line in its log, and the same text in the tab.

It imports only the standard library and `errors`, because it must load when other modules do not.
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
    """The errors, one sentence each; one instance for each loading of the script."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def attempt(self, what: str, work: Callable[[], T], otherwise: T) -> T:
        """The result of `work()`; if it fails, report that once and return `otherwise`.

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
    if isinstance(error, PromptExtendError):  # these errors already say how to correct them
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
