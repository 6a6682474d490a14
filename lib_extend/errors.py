"""Kinds of errors: errors a user can correct, errors of one image, and bugs (everything else).

Every error has one sentence that names the file or the setting and says how to mend it, a `code` that programs go by,
and `fields`: the values in the sentence. Programs read `code` and `fields`, never the sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar


class PromptExtendError(Exception):
    """Base of every error whose text is meant for a user.

    Attributes:
        code: what happened, as one word. It stays the same when the sentence changes.
        fields: the values in the sentence, as JSON values.
        field: the setting, or the member of a request, that must be mended; "" for none.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, message: object = "", /, *, code: str = "", **fields: Any) -> None:
        super().__init__(str(message))
        self.code = code or self.default_code
        self.fields: dict[str, Any] = fields
        self.field = str(fields.get("field", ""))


class UserError(PromptExtendError):
    """The request cannot run until the user corrects something (wrong option, no model, locked)."""

    default_code = "invalid"


class BusyError(UserError):
    """Another job or user is working on this now; the same request works later."""

    default_code = "busy"


class OverloadedError(BusyError):
    """Too many requests at once; the same request works in a moment."""

    default_code = "overloaded"


class NotFoundError(UserError):
    """What is asked for is not there."""

    default_code = "not_found"


class ForbiddenError(UserError):
    """The action is not allowed here, or not for this user."""

    default_code = "forbidden"


class ConflictError(UserError):
    """The request conflicts with something that exists, or with a running job."""

    default_code = "conflict"


class DamagedFileError(UserError):
    """One of the user's saved files cannot be read or used."""

    default_code = "damaged_file"


class ImageError(PromptExtendError):
    """One image failed; the run goes on and reports `reason` for it."""

    default_code = "image"

    @property
    def reason(self) -> str:
        return str(self)


class ModelError(UserError):
    """A model cannot be found, downloaded or loaded."""

    default_code = "model"


class WorkerError(PromptExtendError):
    """The inference process died or broke the protocol."""

    default_code = "worker"


class StorageError(PromptExtendError):
    """The disk is full, or the folder is gone: the run stops and can be continued later."""

    default_code = "storage"


class Stopped(PromptExtendError):
    """The user stopped the run; finished work is kept."""

    default_code = "stopped"


E = TypeVar("E", bound=PromptExtendError)


@dataclass(frozen=True)
class Message:
    """A sentence with placeholders, and its code.

    Attributes:
        text: the sentence; `{name}` stands for a field.
    """

    code: str
    text: str

    def format(self, **fields: Any) -> str:
        """The sentence with its placeholders filled."""
        return self.text.format(**fields)

    def error(self, kind: type[E] = UserError, /, **fields: Any) -> E:  # type: ignore[assignment]
        """An error of a class with this sentence and code. `field`, where given, is the setting or member to mend."""
        return kind(self.text.format(**fields), code=self.code, **fields)
