"""The encodings of a dataset's captions: decided once from the whole folder, and the same for all readers."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lib_extend.errors import ImageError, UserError
from lib_extend.files import caption_files as files
from lib_extend.files.caption_forms import CAPTION_SUFFIXES
from lib_extend.files.encodings import AUTO, UTF8, Decision, decide, unicode_text
from lib_extend.files.scan import walk

META = "caption_encodings"
"""Where the decision stands in the state."""
LOOKED_AT = 20_000
"""Captions looked at to decide, at the most."""
EVIDENCE = 1000
"""Captions that are no UTF-8 that decide, at the most."""
_LONGEST_EVIDENCE = 65_536


class CaptionEncodings:
    """Decodes the captions of one dataset.

    The folder is scanned when the first caption is not UTF-8, and not before.

    Args:
        root: the dataset's folder. stored: the decision as JSON, "" for none.
        keep: called with a new decision as JSON.

    Attributes:
        read: the encoding of every caption that was not UTF-8, by name; "" where it was not certain.
    """

    def __init__(self, root: Path, stored: str = "", keep: Callable[[str], None] = lambda text: None) -> None:
        self.read: dict[str, str] = {}
        self._root = root
        self._keep = keep
        self._decision = _from_text(stored)
        self._decided = bool(self._decision.files or self._decision.unsure)

    @property
    def decision(self) -> Decision:
        """The decision as far as it is known without a scan of the folder."""
        return self._decision

    def begin(self, chosen: str = AUTO) -> None:
        """Call at the start of a run: it uses the person's choice, and decides for the folder again if needed."""
        self.read.clear()
        if chosen != self._decision.chosen:
            self._decision = Decision(self._decision.files, self._decision.unsure, chosen)
            self._keep(json.dumps(self._decision.to_json()))
        self._decided = False

    def choose(self, chosen: str) -> None:
        """Use another choice from now on, without storing it."""
        self._decision = Decision(self._decision.files, self._decision.unsure, chosen)

    def decode(self, data: bytes, name: str) -> str:
        """The text of the caption `name`.

        Raises:
            ImageError: the file is not text, or its encoding is not certain; the sentence says what to do.
        """
        if data.isascii() and b"\0" not in data and b"\x1b" not in data:
            return data.decode("ascii")
        plain = unicode_text(data)
        if plain is None and not self._decided and self._decision.chosen == AUTO:
            self._decide()
        reading = self._decision.read(data)
        if reading.encoding != UTF8 and name:
            self.read[name] = reading.encoding
        if not reading.encoding:
            raise self._decision.complaint(data, reading, Path(name).name)
        return reading.text

    def _decide(self) -> None:
        self._decided = True
        fresh = decide(itertools.islice(_foreign(self._root), EVIDENCE))
        # keep the evidence of earlier runs: they have since written those captions as UTF-8
        before = self._decision.files
        counts = {n: max(before.get(n, 0), fresh.files.get(n, 0)) for n in {*before, *fresh.files}}
        self._decision = Decision(counts, fresh.unsure, self._decision.chosen)
        self._keep(json.dumps(self._decision.to_json()))


def _foreign(root: Path) -> Iterator[bytes]:
    """The captions of a folder that are not UTF-8. Links are not followed: they may lead to files that must not be
    read."""
    found = walk(root, CAPTION_SUFFIXES, recursive=True, allowed=lambda path: not os.path.islink(path))
    try:
        some = sorted(
            name for name, size, _ in itertools.islice(found, LOOKED_AT) if 0 < size <= _LONGEST_EVIDENCE
        )
    except UserError:
        return
    for name in some:
        try:
            data = files.read_bytes(root / name)
        except ImageError:
            continue
        if data is not None and unicode_text(data) is None:
            yield data


def _from_text(stored: str) -> Decision:
    try:
        return Decision.from_json(json.loads(stored or "{}"))
    except (ValueError, RecursionError):
        return Decision()
