"""From an exception to an answer: a status and `{"error": one sentence, "field": what it is about}`."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from lib_extend.api import texts
from lib_extend.errors import (
    BusyError,
    ImageError,
    PromptExtendError,
    Stopped,
    StorageError,
    UserError,
    WorkerError,
)


class ApiError(UserError):
    """A request that is answered with `status`; `field` names the setting or member it is about.

    `more` goes into the answer beside the sentence.
    """

    def __init__(self, status: int, message: str, field: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.more = more


def bad(message: str, field: str = "") -> ApiError:
    """The request cannot be understood (400)."""
    return ApiError(400, message, field)


def forbidden(message: str, field: str = "") -> ApiError:
    """It may not be done (403)."""
    return ApiError(403, message, field)


def missing(message: str, field: str = "") -> ApiError:
    """What is asked for is not there (404)."""
    return ApiError(404, message, field)


def conflict(message: str, field: str = "", **more: Any) -> ApiError:
    """It does not go together with what is under way (409)."""
    return ApiError(409, message, field, **more)


def answer_of(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an exception. One that is nobody's fault but ours goes to the log, whole."""
    if not isinstance(error, PromptExtendError):
        print("Prompt Extend:", *traceback.format_exception(error), file=sys.stderr, flush=True)
        return 500, {"error": texts.BUG.format(kind=type(error).__name__)}
    body: dict[str, Any] = {"error": str(error)}
    field = getattr(error, "field", "")
    if field:
        body["field"] = field
    body.update(getattr(error, "more", {}))
    return status_of(error), body


def status_of(error: PromptExtendError) -> int:
    """400 for what the user can mend, 409 for what is busy, 422 for one image, 507 for the disk, 502 for the worker."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status
    for kind, code in (
        (BusyError, 409), (UserError, 400), (ImageError, 422), (StorageError, 507), (WorkerError, 502), (Stopped, 409),
    ):  # fmt: skip
        if isinstance(error, kind):
            return code
    return 500
