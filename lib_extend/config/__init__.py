"""The settings, one dataclass a group, and all of them together as `TagConfig`."""

from lib_extend.config.caption_settings import (
    COUNT_STYLES,
    EXISTING_MODES,
    LETTERED,
    SORTS,
    TEMPLATE_FIELDS,
    format_names,
    is_json_template,
)
from lib_extend.config.field_list import CaptionField, caption_fields, field_name
from lib_extend.config.people_settings import LETTERS
from lib_extend.config.setting import Setting, settings
from lib_extend.config.tag_config import TagConfig

__all__ = [
    "COUNT_STYLES",
    "EXISTING_MODES",
    "LETTERED",
    "LETTERS",
    "SORTS",
    "TEMPLATE_FIELDS",
    "CaptionField",
    "Setting",
    "TagConfig",
    "caption_fields",
    "field_name",
    "format_names",
    "is_json_template",
    "settings",
]
