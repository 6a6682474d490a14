"""The sentence that a user reads for an exception. A bug is written to the server's log with its traceback."""

from __future__ import annotations

import sys
import traceback

from lib_extend.errors import PromptExtendError
from lib_extend.services import messages


def sentence_of(error: BaseException) -> str:
    """The sentence for the user. A bug is written to the log with its traceback."""
    if isinstance(error, PromptExtendError):
        return str(error)
    print("Prompt Extend:", *traceback.format_exception(error), file=sys.stderr, flush=True)
    return messages.BUG.format(kind=type(error).__name__)
