"""All questions about a picture on one shared beginning: the picture is encoded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_extend.models.vlms.plain import PlainEngine

if TYPE_CHECKING:
    from lib_extend.models.vlms.chat import Chat


def choose_engine(model: Any, chat: Chat, temperature: float) -> tuple[PlainEngine, str]:
    """The fastest engine a model can take, and in words how it asks and why."""
    return PlainEngine(model, chat, temperature), PlainEngine.name
