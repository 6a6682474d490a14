"""What becomes of an exception: its sentence, and a place in the server's log where it is nobody's fault but ours."""

from __future__ import annotations

import sys
import traceback

from lib_extend.errors import PromptExtendError
from lib_extend.services import messages


def sentence_of(error: BaseException) -> str:
    """The sentence that a user is told. A bug goes to the log, whole."""
    if isinstance(error, PromptExtendError):
        return str(error)
    print("Prompt Extend:", *traceback.format_exception(error), file=sys.stderr, flush=True)
    return messages.BUG.format(kind=type(error).__name__)
