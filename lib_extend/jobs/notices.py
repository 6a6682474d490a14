"""Notices about a folder before and after a run: skipped files, forms of captions, unused sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from lib_extend.config import TagConfig
from lib_extend.datasets.caption_sources import INFOTEXT, JSON
from lib_extend.files.caption_forms import standard_name
from lib_extend.files.scan import Found, Survey, folders_of_images, show
from lib_extend.jobs import job_events as ev

NAMED = 20
"""Files named in an event, at the most; the sentence names three."""


def of_folder(root: Path, survey: Survey, config: TagConfig) -> Iterator[ev.Notice]:
    """The notices about a folder before its pictures are tagged."""
    if not survey.found and not config.recursive and not config.include:
        yield from _elsewhere(root)
    if survey.not_read:
        kinds = Counter(Path(name).suffix.lower() for name in survey.not_read)
        how_many = ", ".join(f"{n:,} {kind}" for kind, n in sorted(kinds.items()))
        text = f"Not read: {how_many} ({_some(survey.not_read)}). Save them as PNG, JPEG or WebP to have them tagged."
        yield _notice("not_read", text, survey.not_read)
    if survey.excluded:
        text = f"Left out by --exclude-images: {_pictures(survey.excluded)} ({_some(survey.excluded)})."
        yield _notice("excluded", text, survey.excluded)
    if survey.left_out:
        text = f"Left out by you: {_pictures(survey.left_out)} ({_some(survey.left_out)})."
        yield _notice("left_out", text, survey.left_out)
    yield from _forms(survey.found)
    if survey.twofold:
        image, used, other = survey.twofold[0]
        text = (
            f"{_pictures(survey.twofold)} with two captions ({show(image)}: {_last(used)} is used, {_last(other)} is left "
            "alone). Delete or rename the one that is not wanted."
        )
        yield _notice("two_captions", text, [image for image, _, _ in survey.twofold])
    if survey.sidecars and JSON not in config.caption_source:
        names = sorted(survey.sidecars)
        text = (
            f"{_pictures(names)} with a JSON file beside that is not read ({_some(survey.sidecars[n] for n in names[:4])}): "
            "--caption-source json takes captions from there where there is no caption file."
        )
        yield _notice("json_not_used", text, names)


def of_sources(unused: Collection[str]) -> Iterator[ev.Notice]:
    """What is to be said when all pictures were looked at; `unused`: those whose infotext nobody asked for."""
    if unused:
        names = sorted(unused)
        text = (
            f"{_pictures(names)} without a caption but with generation data of their own that was not used "
            f"({_some(names)}): --caption-source {INFOTEXT} starts their captions from it."
        )
        yield _notice("infotext_not_used", text, names)


def of_emptied(names: Sequence[str], *, dry_run: bool = False) -> Iterator[ev.Notice]:
    """The notice about captions that became empty."""
    if names:
        what = "would be removed" if dry_run else "were removed"
        text = (
            f"{_pictures(names)} without any tag left ({_some(names)}): the caption files {what}, because trainers stumble "
            "over empty ones; undo brings them back."
        )
        yield _notice("empty_caption", text, names)


def of_own(names: Sequence[str]) -> Iterator[ev.Notice]:
    """The notice about captions in which every tag counts as written by a person."""
    if names:
        text = (
            f"{_pictures(names)} with nothing but your own words ({_some(names)}), which stay: where another tagger wrote "
            "them, say so with --adopt."
        )
        yield _notice("own_words", text, names)


def _elsewhere(root: Path) -> Iterator[ev.Notice]:
    names = folders_of_images(root)
    if names:
        count = "folder holds" if len(names) == 1 else "folders hold"
        text = f"No picture stands in {show(str(root))} itself, but {len(names):,} {count} some ({_some(names)}): add --recursive."
        yield _notice("recursive", text, names)


def _forms(found: Sequence[Found]) -> Iterator[ev.Notice]:
    dotted = [f for f in found if f.caption and f.caption.lower().endswith(".caption")]
    whole = [f for f in found if f.caption and f not in dotted and f.caption != standard_name(f.name)]
    for code, some in (("caption_suffix", dotted), ("whole_name", whole)):
        if some:
            used, usual = some[0].caption, standard_name(some[0].name)
            text = (
                f"{_pictures(some)} with the caption in {_last(used)} instead of {_last(usual)}"
                f"{' and the like' if len(some) > 1 else ''}: it is read there and written back there."
            )
            yield _notice(code, text, [f.name for f in some])


def _notice(code: str, text: str, names: Sequence[str]) -> ev.Notice:
    return ev.Notice(code, text, len(names), tuple(names[:NAMED]))


def _pictures(some: Sequence[object]) -> str:
    return "1 picture" if len(some) == 1 else f"{len(some):,} pictures"


def _last(name: str) -> str:
    return show(Path(name).name)


def _some(names: Iterator[str] | Sequence[str]) -> str:
    shown = list(names)
    return ", ".join(map(show, shown[:3])) + (", …" if len(shown) > 3 else "")
