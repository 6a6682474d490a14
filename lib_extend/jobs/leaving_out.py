"""Pictures left out by a person: no job takes them, no statistic counts them, and their files stay as they are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.state import State
from lib_extend.errors import UserError
from lib_extend.files.scan import IMAGE_SUFFIXES, show

LEAVE_OUT = "leave_out"
LONGEST_REASON = 500


def leave_out(
    dataset: Dataset, images: Sequence[str], *, reason: str = "", back: bool = False
) -> tuple[int, int]:
    """Leave pictures out, or (`back`) take them in again. A run, which undo takes back.

    Args:
        images: names relative to the dataset, or paths of files in it.

    Returns:
        The run's number (0 when nothing changed) and how many pictures changed.

    Raises:
        UserError: no such picture, the reason is too long, or another job is running.
    """
    dataset.check()
    reason = reason.strip()
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise UserError(f"A reason is one line of {LONGEST_REASON} characters at the most.", field="reason")
    with dataset.locked_state() as state:
        marked = state.left_out()
        # a deleted picture can still be taken in again
        names = [image if back and image in marked else _name(dataset.root, image) for image in images]
        what = {"back": True} if back else {"reason": reason}
        run = state.start_run(LEAVE_OUT, what, "", time.time())
        with state.transaction():
            changed = state.set_left_out(run, dict.fromkeys(names, None if back else reason))
        if not changed:
            state.drop_run(run)
            return 0, 0
        state.update_run(run, "done", time.time(), images=len(names))
        return run, len(changed)


def take_back(state: State, run: int, this: int, *, force: bool = False) -> tuple[int, list[tuple[str, str]]]:
    """Undo what `run` left out or took in, as part of the undo `this`.

    Returns how many pictures changed, and (picture, reason) of those that were changed since, which stay unless forced.
    """
    now = state.left_out()
    failed = []
    wanted = {}
    for mark in state.marks_of(run):
        if now.get(mark.image) not in (mark.after, mark.before) and not force:
            failed.append(
                (mark.image, f"{show(mark.image)} was left out for another reason since: it stays so.")
            )
        else:
            wanted[mark.image] = mark.before
    with state.transaction():
        changed = state.set_left_out(this, wanted)
        state.add_items(this, failed)
    return len(changed), failed


def _name(root: Path, image: str) -> str:
    """The name of a picture in the dataset, from its name or its path. Raises UserError."""
    path = Path(image)
    for candidate in (root / path, path):
        try:
            name = candidate.absolute().relative_to(root.absolute()).as_posix()
            there = candidate.is_file()
        except (OSError, ValueError):
            continue
        if there and ".." not in Path(name).parts and path.suffix.lower() in IMAGE_SUFFIXES:
            return name
    raise UserError(
        f"There is no picture {show(image)} in {show(str(root))}: name it as `tag` lists it.", field="image"
    )
