"""Models behind an OpenAI-compatible server: an `http(s)://…/v1` address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_extend.models.family import EARLY, Family
from lib_extend.models.vlms.vlm_options import VlmOptions, VlmSource

if TYPE_CHECKING:
    from lib_extend.models.ports import Vlm


def recognises(source: VlmSource) -> bool:
    """Whether it is an address."""
    return source.folder is None and source.address.lower().startswith(("http://", "https://"))


def load(source: VlmSource, options: VlmOptions) -> Vlm:
    """The model of the server. Raises ModelError."""
    from lib_extend.models.vlms.server_model import connect

    return connect(
        source.address, model=options.vlm_model, max_pixels=options.max_pixels, offline=options.offline
    )


FAMILY = Family(recognises, load, EARLY)
