"""Three kinds of trouble: what a user can mend, what one image suffers, and bugs (everything else).

Every message is one sentence that names the file or the setting and says how to mend it.
"""

from __future__ import annotations


class PromptExtendError(Exception):
    """Base of every error whose text is meant for a user."""


class UserError(PromptExtendError):
    """The whole request cannot run until the user mends something (wrong option, no model, locked)."""


class BusyError(UserError):
    """Somebody else is at it just now; the same request works later."""


class ImageError(PromptExtendError):
    """One image failed; the run goes on and reports `reason` for it."""

    @property
    def reason(self) -> str:
        return str(self)


class ModelError(UserError):
    """A model cannot be found, downloaded or loaded."""


class WorkerError(PromptExtendError):
    """The inference process died or broke the protocol."""


class StorageError(PromptExtendError):
    """The disk is full, or the folder is gone: the run stops and continues later."""


class Stopped(PromptExtendError):
    """The user asked to stop; what is done is kept."""
