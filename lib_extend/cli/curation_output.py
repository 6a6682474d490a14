"""The output of a curating run: which tags are left out, how often and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TextIO

from lib_extend.cli.output import Terminal, count
from lib_extend.curation.curation_reason import SENTENCES
from lib_extend.files.scan import show
from lib_extend.jobs import job_events as ev
from lib_extend.records import Drop
from lib_extend.vocabulary.tag_names import written

SHOWN = 15
"""Tags listed for each reason, at the most."""
TITLES = {
    "overruled": "You said so for this folder",
    "alias": "Other names",
    "same": "There already under another name",
    "blacklisted": "Named by a list",
    "blacklisted_by_us": "Say nothing that a model can learn",
    "overlap": "Said by a more exact tag",
    "exclusive": "Contradicted by a likelier tag",
    "trait": "Traits of characters",
    "core_tag": "Core tags of characters",
    "moved_to_end": "Moved to the end",
}
"""Titles of the codes of reasons, in the order in which they are shown; the reason itself is that of another step's."""


class CurateReport(Terminal):
    """As `Terminal`; at the end the tags that were (or would be) left out, by reason, most frequent first.

    Args:
        captions: also print each picture's caption, or its changes.
    """

    def __init__(self, out: TextIO, err: TextIO, *, captions: bool = False, dry_run: bool = False) -> None:
        super().__init__(out, err, captions=captions, dry_run=dry_run)
        self._captions = captions
        self._shows = captions
        self._gone: dict[str, Counter[tuple[str, str]]] = {}
        self._changed = 0

    def event(self, event: ev.Event) -> None:
        if isinstance(event, ev.Image):
            self._changed += event.changed
            for drop in event.dropped:
                self._note(drop)
            if not self._shows:
                self._step()
                return
        if isinstance(event, ev.Finished):
            self._table()
            event = replace(event, earlier=0)  # everything that stays here is from earlier runs
        super().event(event)

    def _note(self, drop: Drop) -> None:
        if drop.code in SENTENCES and drop.code != "limit":
            self._gone.setdefault(drop.code, Counter())[drop.name, drop.reason] += 1

    def _table(self) -> None:
        self.close()
        for code in (*TITLES, *(c for c in self._gone if c not in TITLES)):
            title = TITLES.get(code) or SENTENCES[code].text
            counts = self._gone.get(code)
            if not counts:
                continue
            names = Counter[str]()
            for (name, _), n in counts.items():
                names[name] += n
            total = sum(counts.values())
            self._print(f"{title}: {count(len(names), 'tag')}, {count(total, 'time')}", self._out)
            for name, n in sorted(names.items(), key=lambda x: (-x[1], x[0]))[:SHOWN]:
                reason = min(((-m, r) for (other, r), m in counts.items() if other == name), default=(0, ""))[
                    1
                ]
                self._print(f"  {n:>7,}  {show(written(name))}: {show(reason)}", self._out)
            if len(names) > SHOWN:
                self._print(f"           and {count(len(names) - SHOWN, 'other tag')}", self._out)
        if not self._gone:
            self._print("No tag goes.", self._out)
        verb = "would change" if self._dry_run else "changed"
        self._print(f"{count(self._changed, 'caption')} {verb}.", self._out)
