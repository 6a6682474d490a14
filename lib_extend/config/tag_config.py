"""All settings of a tagging run: the groups put together, flat on the command line and in JSON.

The command line, the tab, the API and the documentation are built from `settings(TagConfig)`; nothing
else names a default. A config is frozen: change it with `dataclasses.replace` or `with_()`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extend.config.caption_settings import CAPTION_SOURCES, LETTERED, CaptionSettings, check_template
from lib_extend.config.curation_settings import CurationSettings
from lib_extend.config.field_list import caption_fields, field_name
from lib_extend.config.further_captions import further_captions
from lib_extend.config.image_settings import ImageSettings
from lib_extend.config.model_settings import ModelSettings
from lib_extend.config.people_settings import PeopleSettings
from lib_extend.config.prose_settings import ProseSettings
from lib_extend.config.question_settings import QuestionSettings
from lib_extend.config.run_settings import RunSettings
from lib_extend.config.setting import settings
from lib_extend.config.tag_settings import TagSettings, last_part
from lib_extend.errors import UserError


# a dataclass takes the fields of its last base first: the groups stand here from last to first
@dataclass(frozen=True)
class TagConfig(
    RunSettings,
    ImageSettings,
    CaptionSettings,
    CurationSettings,
    TagSettings,
    PeopleSettings,
    ProseSettings,
    QuestionSettings,
    ModelSettings,
):
    """What `prompt-extend tag` does with a folder, apart from the folder itself."""

    def __post_init__(self) -> None:
        for s in settings(type(self)):
            object.__setattr__(self, s.name, s.check(getattr(self, s.name)))
        check_template(self.format)
        for source in self.caption_source:
            if source not in CAPTION_SOURCES:
                raise UserError(
                    f"caption_source is {source!r}, but must be one of: {', '.join(CAPTION_SOURCES)}."
                )
        self._check_people()
        self._check_taggers()
        self._check_fields()
        if not self.separator.strip(" ") and not self.underscores:
            raise UserError(
                "separator is blank, so tags could not be told apart again: add --underscores.",
                field="separator",
            )

    def _check_fields(self) -> None:
        for further in further_captions(self.also):
            if further.style in LETTERED and not self.people:
                raise UserError(
                    f"also has {further.style}, which says whose tag is whose: add --people.", field="also"
                )
            if further.name == self.format:
                raise UserError(f"also has {further.name}, which is the format already.", field="also")
        caption_fields(self.caption_fields)
        field_name(self.keep_tokens_before)
        for name in ("outer_separator", "character_separator"):
            text = getattr(self, name)
            if not text.strip() or "\n" in text or "\r" in text:
                raise UserError(
                    f"{name} is {text!r}, but must have a sign in it and no line break, so that fields can be told apart.",
                    field=name,
                )
        if self.keep_tokens_separator not in ("", "|||"):
            raise UserError(
                f"keep_tokens_separator is {self.keep_tokens_separator!r}, but must be ||| or nothing.",
                field="keep_tokens_separator",
            )

    def _check_people(self) -> None:
        if self.people and self.tagger == "none":
            raise UserError(
                "people needs a tagger, because each person is tagged alone: choose a --tagger.",
                field="people",
            )
        if self.format in LETTERED and not self.people:
            raise UserError(f"format {self.format} says whose tag is whose: add --people.", field="format")
        if self.people and not (0 < len(self.letters) <= 5 and all(map(str.strip, self.letters))):
            raise UserError(f"letters must be one to five, not {len(self.letters)}.", field="letters")
        if len(set(self.letters)) < len(self.letters):
            raise UserError(
                f"letters must differ from each other: {', '.join(self.letters)}.", field="letters"
            )

    def _check_taggers(self) -> None:
        """Raises UserError for thresholds that cannot be read, or of another tagger than the several that are asked."""
        names = {n for tagger in self.taggers for n in (tagger, last_part(tagger))}
        for name in self.thresholds_each:
            if len(self.taggers) > 1 and name not in names:
                raise UserError(
                    f"tagger_thresholds names {name!r}, but must name one of: {', '.join(self.taggers)}.",
                    field="tagger_thresholds",
                )

    @property
    def person_detector(self) -> str:
        """The detector by name, `auto` resolved; "none" when no persons are wanted."""
        if not self.people:
            return "none"
        if self.detector != "auto":
            return self.detector
        return "sketch" if self.tagger == "sketch" else "anime-person"

    def with_(self, **changes: Any) -> TagConfig:
        """A copy with `changes`; raises UserError on an unknown name or a bad value."""
        return type(self).from_dict({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """JSON values, every setting."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}

    def changed(self) -> dict[str, Any]:
        """As `to_dict`, but only the settings that differ from their defaults."""
        values = self.to_dict()
        return {
            s.name: values[s.name]
            for s in settings(type(self))
            if values[s.name] != (list(s.default) if isinstance(s.default, tuple) else s.default)
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TagConfig:
        """From JSON values; missing settings take their defaults, unknown ones raise UserError."""
        known = {s.name for s in settings(cls)}
        for name in data:
            if name not in known:
                raise UserError(f"There is no setting called {name!r}.", code="unknown_setting", field=name)
        return cls(**data)
