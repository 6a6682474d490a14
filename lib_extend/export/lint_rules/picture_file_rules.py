"""Files that stop a trainer, and pictures that a trainer reads in another way than this program."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding, Level, Rule, Spot, found
from lib_extend.export.linted_folder import LintedFolder
from lib_extend.export.trainer import Effect
from lib_extend.files.caption_forms import CAPTION_SUFFIX

BROKEN_PICTURE = Message(
    "broken_picture", "{pictures} cannot be read: {trainer} ends with an error, or leaves them out."
)
WRONG_ENDING = Message(
    "wrong_ending",
    "{pictures} {is_} of another kind than the name's ending says: some programs refuse such files.",
)
NOT_TAKEN = Message(
    "not_taken", "{pictures} {has} an ending that {trainer} does not look for: it leaves them out."
)
NOT_READ = Message("not_read", "{files} {is_} a picture or video of a kind that is not read here.")
MOVING = Message(
    "moving_picture", "{pictures} {is_} animated: only the first frame is trained, or the trainer ends."
)
TURNED = Message(
    "turned_picture",
    "{pictures} {is_} turned by EXIF data, which {trainer} does not look at: it trains them lying or upside down.",
)
TRANSPARENT = Message(
    "transparent_picture",
    "{pictures} may be transparent: {trainer} drops transparency, and what is hidden (mostly black) is trained.",
)
OTHER_FILES = Message("other_files", "{files} {is_} neither picture nor caption: {trainer} {effect}.")
HIDDEN_FOLDERS = Message(
    "hidden_folder",
    "A hidden folder lies among the pictures, and {trainer} {effect}: export the folder, or move the state with --state.",
)
SUBFOLDERS = Message(
    "subfolders",
    "Pictures in subfolders are not read by {trainer}: name each folder by itself, or export them.",
)


def _broken(folder: LintedFolder) -> Iterable[Finding]:
    heads, title = folder.heads, folder.trainer.title
    broken = (Spot(n, h.trouble) for n, h in heads.items() if h.trouble)
    yield from found(BROKEN_PICTURE, Level.ERROR, broken, trainer=title)
    wrong = (
        Spot(n, h.format) for n, h in heads.items() if not h.trouble and not h.fits(os.path.splitext(n)[1])
    )
    yield from found(WRONG_ENDING, Level.WARNING, wrong)


def _kinds(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    passed = (Spot(p.name) for p in folder.pictures if not trainer.reads(p.suffix))
    yield from found(NOT_TAKEN, Level.WARNING, passed, trainer=trainer.title)
    yield from found(NOT_READ, Level.WARNING, map(Spot, folder.not_read))


def _looks(folder: LintedFolder) -> Iterable[Finding]:
    trainer, heads = folder.trainer, folder.heads
    moving = (Spot(n, f"{h.frames} frames") for n, h in heads.items() if h.frames > 1)
    yield from found(MOVING, Level.WARNING, moving)
    if not trainer.turns:
        turned = (Spot(n) for n, h in heads.items() if h.turned)
        yield from found(TURNED, Level.WARNING, turned, trainer=trainer.title)
    if trainer.alpha == "dropped":
        transparent = (Spot(n) for n, h in heads.items() if h.transparent)
        yield from found(TRANSPARENT, Level.WARNING, transparent, trainer=trainer.title)


def _others(folder: LintedFolder) -> Iterable[Finding]:
    trainer = folder.trainer
    if trainer.other_files is not Effect.NONE:
        beside = {CAPTION_SUFFIX, *trainer.beside}
        files = [n for n in folder.others if not n.endswith("/") and os.path.splitext(n)[1] not in beside]
        # captions under another name are such files too
        files += sorted(
            p.found.caption_name
            for p in folder.pictures
            if p.data is not None and not p.found.caption_name.endswith(CAPTION_SUFFIX)
        )
        stops = trainer.other_files is Effect.STOPS
        effect = "ends with an error" if stops else "takes them for pictures, and ends when it opens them"
        yield from found(OTHER_FILES, Level.ERROR, map(Spot, files), trainer=trainer.title, effect=effect)
    if trainer.hidden_folders is not Effect.NONE:
        stops = trainer.hidden_folders is Effect.STOPS
        level = Level.ERROR if stops else Level.WARNING
        effect = "ends with an error" if stops else "looks into it too"
        hidden = [Spot(n) for n in folder.others if n.endswith("/")]
        yield from found(HIDDEN_FOLDERS, level, hidden, trainer=trainer.title, effect=effect)
    if not trainer.subfolders and folder.subfolders:
        spots = [Spot(n) for n in folder.subfolders]
        yield from found(SUBFOLDERS, Level.NOTE, spots, trainer=trainer.title)


RULES = (
    Rule("broken_picture", "pictures that cannot be read, or are misnamed", _broken),
    Rule("not_taken", "pictures that the trainer does not take", _kinds),
    Rule("turned_picture", "pictures that are turned, transparent or animated", _looks),
    Rule("other_files", "files that stop a trainer", _others),
)
