"""Tags of an open folder that mean the same."""

from __future__ import annotations

from typing import Any

from lib_extend.datasets.browser import Browser
from lib_extend.vocabulary.lookup import Vocabulary
from lib_extend.vocabulary.same_meaning import same_meaning

_MOST = 1_000_000


def of_folder(browser: Browser, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """The groups of tags that mean the same, with the number of pictures of each."""
    counts = {row["tag"]: row["count"] for row in browser.tags("", limit=_MOST)[1]}
    return [
        {
            "proposed": group.proposed,
            "reason": group.reason.value,
            "pictures": group.pictures,
            "tags": [{"name": name, "count": counts[name]} for name in group.names],
        }
        for group in same_meaning(counts, vocabulary)
    ]
