"""What curates the captions of a folder, made from the settings, the user's files and the dataset's state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from lib_extend.config import TagConfig
from lib_extend.config.curation_settings import CORE, NONE
from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.line_curator import LineCurator
from lib_extend.curation.own_lists import knowledge
from lib_extend.datasets import aux_files, curation_memory
from lib_extend.datasets.curation_lists import ListProblem, load_lists
from lib_extend.datasets.state import State


@dataclass
class FolderCuration:
    """What curates captions.

    Attributes:
        curator: None where nothing is to be left out. problems: lines of lists that do not count.
    """

    curator: LineCurator | None = None
    problems: Sequence[ListProblem] = ()


def folder_curation(state: State, config: TagConfig) -> FolderCuration:
    """What curates a folder's captions under these settings, with the core tags as they were last counted.

    Raises:
        UserError: a list cannot be read.
    """
    overrules = curation_memory.overrules(state)
    if not (leaves_out(config) or overrules):
        return FolderCuration()
    loaded = load_lists(config)
    core = loaded.core or curation_memory.core_table(state) or CoreTable()
    known = knowledge(config, loaded.lists, core, overrules)
    return FolderCuration(
        LineCurator(known, folder_of=lambda image: core_folder(image, config)), loaded.problems
    )


def check(config: TagConfig) -> None:
    """Raises UserError at once for errors that would end a run later: an unreadable list, an unknown field."""
    aux_files.check(config)
    if leaves_out(config):
        load_lists(config)


def leaves_out(config: TagConfig) -> bool:
    """Whether the settings have curation leave anything out."""
    return config.pruning != NONE or bool(config.blacklist or config.overlap or config.aliases)


def needs_folder(config: TagConfig) -> bool:
    """Whether all pictures must be known before the first caption is decided."""
    return config.pruning == CORE and not config.core_file


def core_folder(image: str, config: TagConfig) -> str:
    """The folder over which the core tags of a picture's characters are counted, "" for the whole dataset."""
    if config.core_levels is None:
        return ""
    folders = PurePosixPath(image).parts[:-1]
    return "/".join(folders[: max(0, len(folders) - config.core_levels)])


def said(problems: Sequence[ListProblem]) -> Iterator[tuple[str, str]]:
    """Code and sentence of each line of a list that does not count."""
    for p in problems:
        where = f"{p.file}, line {p.line}: " if p.line else ""
        yield p.code, where + p.text
