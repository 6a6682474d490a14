"""The hub's address, and its cache on this machine."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """The hub's address and its cache folder.

    Attributes:
        cache: the hub cache's folder.
        endpoint: address of the hub or of a mirror.
    """

    cache: Path
    endpoint: str

    @classmethod
    def of(cls, models_dir: str) -> Place:
        """From the setting ("" is the Hugging Face cache) and the current environment variables."""
        from huggingface_hub import constants

        cache = Path(models_dir).expanduser() if models_dir else Path(constants.HF_HUB_CACHE)
        # huggingface_hub itself reads the variable once, when it is imported.
        endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
        return cls(cache, endpoint.rstrip("/"))

    def storage(self, repo: str) -> Path:
        """The folder of a repository: `blobs`, `snapshots`, `refs`."""
        return self.cache / ("models--" + repo.replace("/", "--"))

    def snapshot(self, repo: str, revision: str) -> Path | None:
        """The folder of a branch's, tag's or commit's files, as far as they are here."""
        storage = self.storage(repo)
        commit = revision
        with contextlib.suppress(OSError, ValueError):
            commit = (storage / "refs" / revision).read_text(encoding="utf-8").strip() or revision
        folder = storage / "snapshots" / commit
        return folder if folder.is_dir() else None
