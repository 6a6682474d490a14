"""From an exception to an answer: a status and JSON with one sentence, its code and what it is about."""

from __future__ import annotations

from typing import Any

from lib_extend.errors import (
    BusyError,
    ConflictError,
    DamagedFileError,
    ForbiddenError,
    ImageError,
    NotFoundError,
    OverloadedError,
    PromptExtendError,
    Stopped,
    StorageError,
    UserError,
    WorkerError,
)
from lib_extend.services.bug_reports import sentence_of

_STATUS: tuple[tuple[type[PromptExtendError], int], ...] = (
    (NotFoundError, 404), (ForbiddenError, 403), (ConflictError, 409), (DamagedFileError, 422), (OverloadedError, 429),
    (BusyError, 409), (UserError, 400), (ImageError, 422), (StorageError, 507), (WorkerError, 502), (Stopped, 409),
)  # fmt: skip
"""The first that fits: what the user can mend is 400 and its kinds, one image 422, the disk 507, the worker 502."""
_JSON = (str, int, float, bool, type(None), list, dict)


class ApiError(UserError):
    """A request that is answered with a status of its own."""

    def __init__(self, message: object = "", /, *, status: int = 400, code: str = "", **fields: Any) -> None:
        super().__init__(message, code=code, **fields)
        self.status = status


def answer_of(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an exception: `error` (the sentence), `code`, and the error's fields beside them.

    `field`, where it is there, names the setting or member to mend. A bug goes to the log, whole.
    """
    if not isinstance(error, PromptExtendError):
        return 500, {"error": sentence_of(error), "code": "bug"}
    body: dict[str, Any] = {"error": str(error), "code": error.code}
    if error.field:
        body["field"] = error.field
    for name, value in error.fields.items():
        body.setdefault(name, value if isinstance(value, _JSON) else str(value))
    return status_of(error), body


def status_of(error: PromptExtendError) -> int:
    """The status of an error's kind, or its own."""
    own = getattr(error, "status", None)
    if isinstance(own, int):
        return own
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
