"""Which changes of a caption file are in effect, given all of them in the order in which they were made.

A change is one replacement of the file. A change with `reverts` restores the state just before the change it names;
that change and all later ones, whoever made them, are then no longer in effect. Undoing an undo restores the state
before that undo. So every state is one that existed before, and no change needs a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Step(NamedTuple):
    """One change of one file: its number, its run, and the change it undoes (None: it undoes nothing)."""

    id: int
    run: int
    reverts: int | None = None


class _Link(NamedTuple):
    step: Step
    older: _Link | None


class _State(NamedTuple):
    changes: _Link | None
    undos: _Link | None


def in_effect(steps: Iterable[Step]) -> list[Step]:
    """The changes of one file that are in effect, oldest first; undos are among them until they are undone."""
    now = _State(None, None)
    before: dict[int, _State] = {}
    reverting: set[int] = set()
    for step in steps:
        before[step.id] = then = now
        target = step.reverts
        if target is None or target not in before or target == step.id:
            now = _State(_Link(step, then.changes), then.undos)
            continue
        back = before[target]
        undone = target in reverting
        now = _State(back.changes, _Link(step, back.undos if undone else then.undos))
        reverting.add(step.id)
    return sorted([*_links(now.changes), *_links(now.undos)])


def _links(link: _Link | None) -> Iterator[Step]:
    while link is not None:
        yield link.step
        link = link.older
