"""Kinds of trouble: what a user can mend, what one image suffers, and bugs (everything else).

Every error has one sentence that names the file or the setting and says how to mend it, a `code` that programs go by,
and `fields`: what the sentence was made from. Nothing reads a sentence to find out what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar


class PromptExtendError(Exception):
    """Base of every error whose text is meant for a user.

    Attributes:
        code: what happened, in one word that stays the same when the sentence is written anew.
        fields: what the sentence speaks of, as JSON values.
        field: the setting, or the member of a request, that must be mended; "" for none.
    """

    default_code: ClassVar[str] = "error"

    def __init__(self, message: object = "", /, *, code: str = "", **fields: Any) -> None:
        super().__init__(str(message))
        self.code = code or self.default_code
        self.fields: dict[str, Any] = fields
        self.field = str(fields.get("field", ""))


class UserError(PromptExtendError):
    """The whole request cannot run until the user mends something (wrong option, no model, locked)."""

    default_code = "invalid"


class BusyError(UserError):
    """Somebody else is at it just now; the same request works later."""

    default_code = "busy"


class OverloadedError(BusyError):
    """Too many ask for the same at once; the same request works in a moment."""

    default_code = "overloaded"


class NotFoundError(UserError):
    """What is asked for is not there."""

    default_code = "not_found"


class ForbiddenError(UserError):
    """It may not be done here, or not by everybody."""

    default_code = "forbidden"


class ConflictError(UserError):
    """It does not go together with what is there, or with what is under way."""

    default_code = "conflict"


class DamagedFileError(UserError):
    """A file that the user keeps here cannot be read or used."""

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
    """The disk is full, or the folder is gone: the run stops and continues later."""

    default_code = "storage"


class Stopped(PromptExtendError):
    """The user asked to stop; what is done is kept."""

    default_code = "stopped"


E = TypeVar("E", bound=PromptExtendError)


@dataclass(frozen=True)
class Message:
    """A sentence with gaps, and the code of what it says.

    Attributes:
        text: the sentence; `{name}` stands for a field.
    """

    code: str
    text: str

    def format(self, **fields: Any) -> str:
        """The sentence with its gaps filled."""
        return self.text.format(**fields)

    def error(self, kind: type[E] = UserError, /, **fields: Any) -> E:  # type: ignore[assignment]
        """An error of a kind that says it. `field`, where given, is the setting or member to mend."""
        return kind(self.text.format(**fields), code=self.code, **fields)
