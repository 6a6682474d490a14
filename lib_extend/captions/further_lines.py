"""Several captions in one file: a line each, in styles and variants of their own; what a person wrote in each stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.curator import Curator
from lib_extend.captions.existing import Existing
from lib_extend.captions.text import CaptionText, Line, parse
from lib_extend.config import TagConfig
from lib_extend.config.curation_settings import NONE
from lib_extend.config.further_captions import (
    FULL,
    LONG,
    MOST_SHORT,
    PRUNED,
    SHORT,
    FurtherCaption,
    further_captions,
)
from lib_extend.records import Caption

LINES, FILES = "lines", "files"


@dataclass(frozen=True)
class Further:
    """A further caption of each picture: what it is called, the settings that it is written by, what leaves tags out."""

    name: str
    config: TagConfig
    curator: Curator | None = None


def config_of(config: TagConfig, wanted: FurtherCaption) -> TagConfig:
    """The settings that a further caption is written by."""
    changes: dict[str, object] = {"format": wanted.style, "also": ()}
    if wanted.variant == PRUNED and config.pruning in (NONE, "minimal"):
        changes["prune"] = "character"
    elif wanted.variant == FULL:
        # a trigger word alone would prune
        trigger = (config.trigger,) if config.trigger else ()
        changes.update(prune=NONE, trigger="", prefix_tags=(*trigger, *config.prefix_tags))
    elif wanted.variant == SHORT:
        changes["max_tags"] = min(config.max_tags or MOST_SHORT, MOST_SHORT)
    elif wanted.variant == LONG:
        changes["max_tags"] = None
    return config.with_(**changes)


def in_lines(config: TagConfig) -> tuple[FurtherCaption, ...]:
    """The further captions that are lines of the caption file."""
    return further_captions(config.also) if config.also_as == LINES else ()


def beside(config: TagConfig) -> tuple[FurtherCaption, ...]:
    """The further captions that have files of their own."""
    return further_captions(config.also) if config.also_as == FILES else ()


def together(
    first: Caption,
    existing: Existing,
    config: TagConfig,
    further: Sequence[Further],
    write: Callable[[TagConfig, Existing, Curator | None], Caption],
    curator: Curator | None,
) -> Caption:
    """The file of a first line that is made, the lines that are there, and those of `further` that are not there yet.

    A line of ours that no setting asks for any more goes, unless a person changed it or lines are only added to; so does
    one that says nothing.
    `write` makes a line by its settings.
    """
    by_name = {f.name: f for f in further}
    text = existing.before + first.text
    later: list[Caption] = []
    for i, line in enumerate(existing.later):
        made = replace(line.line, ending="").write()
        wanted = by_name.pop(line.also, None) if line.also else None
        if wanted is not None and not line.unreadable:
            caption = replace(write(wanted.config, line, wanted.curator), also=line.also)
        elif (
            line.also
            and config.existing in ("merge", "overwrite")
            and not (line.own or line.removed or line.unreadable)
        ):
            continue
        elif line.also or config.lines != "every":
            caption = Caption(made, also=line.also, stays=True)
        else:
            caption = write(config, line, curator)
        if not caption.text.strip():
            continue
        text += line.before + caption.text
        later.append(replace(caption, line=i))
    after = existing.later[-1].after if existing.later else existing.after
    for wanted in by_name.values():
        caption = write(wanted.config, Existing(), wanted.curator)
        if not caption.text.strip():
            continue
        text += ("\r\n" if "\r\n" in existing.text else "\n") + caption.text
        later.append(replace(caption, also=wanted.name))
    return replace(first, text=text + after, later=tuple(later))


def lines_apart(text: str, read: Callable[[str], CaptionText | None]) -> CaptionText | None:
    """A file of captions each in its own style: the first line with words by `read`, the others as lists until then.

    None where the first is none of its style.
    """
    lines: list[Line] = []
    head: Line | None = None
    for line in parse(text, one_a_line=False).lines:
        if line.pieces and head is None:
            found = read(replace(line, ending="").write())
            if found is None:
                return None
            head = replace(found.lines[0], ending=line.ending)
            lines.append(head)
        else:
            lines.append(line)
    return CaptionText(tuple(lines))
