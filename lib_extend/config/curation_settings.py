"""Which tags a caption leaves out because something else says them already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lib_extend.config.setting import setting

_s = partial(setting, group="curation", recompose=True)

PRUNING = ("none", "minimal", "character", "character_core")
NONE, MINIMAL, CHARACTER, CORE = PRUNING


@dataclass(frozen=True)
class CurationSettings:
    """Which tags a caption leaves out because something else says them already."""

    prune: str = _s(
        "none",
        "none; minimal drops what a list names and what a more exact tag says already; character drops traits of "
        "characters (hair, eyes) besides; character_core only those that a character has on most of its pictures",
        choices=PRUNING,
        label="Leave out",
    )
    trigger: str = _s(
        "",
        "the word that stands for the character of this folder: it comes first, and the character's own traits go "
        "(as with --prune character_core)",
        metavar="NAME",
        label="Trigger word",
    )
    drop_difficulty: int = _s(
        2,
        "traits that go, up to this level: 1 hair, eyes and other traits of people, 2 ears, horns, tails and the like "
        "too; 0 none",
        low=0,
        high=100,
        label="Traits that go, up to level",
    )
    drop_all_core: bool = _s(
        False,
        "drop every core tag of a character, clothes too, whatever its level",
        label="Drop every core tag",
    )
    blacklist: tuple[str, ...] = _s(
        (),
        "a text file with one tag, wildcard or /regular expression/ a line: those tags go, yours too",
        metavar="FILE",
        label="Files of tags that go",
    )
    overlap: tuple[str, ...] = _s(
        (),
        "a JSON file that says which tags make others needless (overlap_tags.json in either form)",
        metavar="FILE",
        label="Files of overlapping tags",
    )
    character_tags: tuple[str, ...] = _s(
        (),
        "a JSON file that says what a trait is (whitelist, suffixes, prefixes, as character_tags.json); the last one counts",
        metavar="FILE",
        label="Files of traits",
    )
    aliases: tuple[str, ...] = _s(
        (),
        "a file of other names of tags: old=new a line, a JSON object, or a table of tagcomplete",
        metavar="FILE",
        label="Files of other names",
    )
    only_my_lists: bool = _s(
        False,
        "use the named files alone, without the lists that come with Prompt Extend",
        label="Only my lists",
    )
    core_threshold: float = _s(
        0.4,
        "share of a character's pictures that must have a tag, so that it is a core tag",
        low=0.0,
        high=1.0,
        label="Core tags: on this share of pictures",
    )
    core_min_pictures: int = _s(
        5,
        "pictures of a character alone that are needed before any core tag is dropped",
        low=1,
        high=1_000_000,
        label="Core tags: pictures needed",
    )
    core_levels: int | None = _s(
        None,
        "levels of folders above a picture's own over which its core tags are counted: 0 is its own folder (default: the "
        "whole dataset)",
        low=0,
        high=100,
        label="Core tags: levels of folders",
    )
    core_file: str = _s(
        "",
        "take core tags from this core_tag.json instead of counting them",
        metavar="FILE",
        label="Core tags: from a file",
    )
    emb_min_difficulty: int = _s(
        1,
        "core tags of this level and above start an embedding (emb_init.json) and go from captions",
        low=0,
        high=100,
        label="Embedding: from level",
    )
    emb_max_difficulty: int = _s(
        2,
        "core tags below this level start an embedding",
        low=0,
        high=100,
        label="Embedding: below level",
    )
    emb_init_all_core: bool = _s(
        False,
        "every core tag starts an embedding, whatever its level",
        label="Embedding: every core tag",
    )
    append_dropped: bool = _s(
        False,
        "put traits that would go at the end of the caption instead, where no limit cuts them",
        label="Traits to the end",
    )
    load_aux: tuple[str, ...] = _s(
        (),
        "fields read from files beside the pictures (a.characters, a.tags, a.processed_tags, a.copyright, a.artist: values "
        "with commas between them); what they say counts more than what is stored",
        metavar="LIST",
        label="Fields read from files",
    )
    save_aux: tuple[str, ...] = _s(
        (),
        "fields written to files beside the pictures: processed_tags (as in the caption), tags (before anything was left "
        "out), characters, copyright, artist, dropped_character_tags; undo leaves these files",
        metavar="LIST",
        label="Fields written to files",
    )
    load_grabber: str = _s(
        "",
        "ending of Grabber's tag files beside the pictures (.tags for a.png.tags), which count more than other files",
        metavar="ENDING",
        label="Ending of Grabber's files",
    )
    from_original: bool = _s(
        False,
        "start from the original tags, not from processed_tags that were edited",
        label="Start from the original tags",
    )

    @property
    def pruning(self) -> str:
        """Which tags are left out; with a trigger word, core tags are left out too."""
        return CORE if self.trigger and self.prune == NONE else self.prune
