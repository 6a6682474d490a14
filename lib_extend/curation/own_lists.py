"""The lists that come with Prompt Extend, and what steps know where the user names none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from lib_extend.captions.patterns import Patterns
from lib_extend.config import TagConfig
from lib_extend.curation.core_tags import CoreTable
from lib_extend.curation.knowledge import Knowledge, UserLists
from lib_extend.vocabulary.merging import own
from lib_extend.vocabulary.traits import own_traits

BLACKLIST = tuple(
    # what compares the picture with how a character usually looks: an image model cannot know that
    "alternate_* official_alternate_* adapted_costume casual contemporary cosplay enmaided genderswap genderswap_(*) "
    "aged_up aged_down age_progression age_regression bimbofication crossdressing no_eyewear parody "
    # what says where the drawing ends
    "virtual_youtuber feet_out_of_frame head_out_of_frame out_of_frame".split()
)


@cache
def own_blacklist() -> Patterns:
    """Tags that no caption for training needs."""
    return Patterns(BLACKLIST, "the list of Prompt Extend")


def knowledge(
    config: TagConfig,
    lists: UserLists | None = None,
    core: CoreTable | None = None,
    overrules: Mapping[str, str] | None = None,
) -> Knowledge:
    """What steps know under these settings, with our vocabulary and lists."""
    words = own()
    return Knowledge(
        config,
        words,
        own_traits(),
        words.exclusive_groups,
        own_blacklist(),
        lists or UserLists(),
        core or CoreTable(),
        overrules or {},
    )
