"""From a stored analysis and the caption that is there now to the caption that is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_extend.captions import memory as edits
from lib_extend.captions.composing import Existing, compose, replaces
from lib_extend.captions.memory import Written
from lib_extend.config import TagConfig
from lib_extend.datasets.caption_sources import CaptionSources
from lib_extend.datasets.recipe import ANSWERS, PERSONS, TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.errors import ImageError
from lib_extend.files import caption_files as files
from lib_extend.files.caption_forms import is_blank
from lib_extend.files.encodings import encode
from lib_extend.files.scan import Found, show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.journal import Outcome, Write
from lib_extend.parts.part_table import parts
from lib_extend.people import corrected as persons
from lib_extend.questions.verdicts import apply
from lib_extend.records import Analysis, Caption


@dataclass
class Decided:
    """A caption as decided for one image, for the report."""

    found: Found
    analysis: Analysis
    caption: Caption
    before: str | None

    def event(self, changed: bool) -> ev.Image:
        return ev.Image(
            path=self.found.name,
            caption=self.caption.text,
            tags=self.caption.tags,
            answers=self.analysis.answers,
            persons=self.caption.persons,
            reason=self.caption.reason,
            changed=changed,
            before=self.before,
            dropped=self.caption.dropped,
        )

    def as_it_is(self) -> ev.Image:
        """The report on a caption that an earlier start of the run wrote: what stands in the file now."""
        text = self.caption.text if self.before is None else self.before.strip()
        return replace(self.event(False), caption=text)


class Captioner:
    """Composes the captions of one run."""

    def __init__(self, state: State, recipe: Recipe) -> None:
        self.recipe = recipe
        self._state = state
        self._config = recipe.config
        self.sources = CaptionSources.of(state.root, recipe.config)

    def write(self, found: Found, analysis: Analysis | None, decided: dict[str, Decided]) -> Write:
        """The write of one image's caption; fills `decided[found.name]` when it is made."""

        def make(data: bytes | None) -> tuple[bytes | None, str | None]:
            text = None if data is None else self._state.encodings.decode(data, found.caption_name)
            written = _written(self._state, found)
            existing = edits.reconcile(written, _or_elsewhere(found, text, written, self.sources))
            known = self.analysis(found, existing) if analysis is None else self._decided(found, analysis)
            caption = compose(
                known,
                self._config,
                existing=existing,
                image_key=found.name,
                thresholds=self.recipe.thresholds,
            )
            if not caption.text.strip():
                raise ImageError(self._nothing(found, existing))
            decided[found.name] = Decided(found, known, caption, text)
            after = encode(caption.text)
            if data is not None and text is not None and caption.text == text.strip() and _clean(data):
                after = data  # a closing newline a person left is theirs
            kept = None if replaces(self._config) else existing
            memory = edits.remember(
                caption.text, self._config.separator, caption.tags, kept, self._config.format
            )
            return after, json.dumps(memory.to_json(), separators=(",", ":"))

        return Write(found.caption_name, make)

    def caption(self, found: Found, analysis: Analysis, existing: Existing | None = None) -> Caption:
        """The caption of an analysis, with what people decided about it."""
        return compose(
            self._decided(found, analysis),
            self._config,
            existing=existing,
            image_key=found.name,
            thresholds=self.recipe.thresholds,
        )

    def preview(self, writes: Sequence[Write]) -> list[Outcome]:
        """What `journal.commit` would do."""
        outcomes = []
        for w in writes:
            try:
                before = files.read_bytes(self._state.root / w.name)
                after, _ = w.make(before)
                outcomes.append(Outcome(w.name, after != before))
            except ImageError as e:
                outcomes.append(Outcome(w.name, False, e))
        return outcomes

    def analysis(self, found: Found, existing: Existing | None) -> Analysis:
        """The stored analysis of an image, with its answers as people left them."""
        return self._decided(found, self.stored(found, existing))

    def _decided(self, found: Found, analysis: Analysis) -> Analysis:
        verdicts = self._state.verdicts(found.name)
        if not verdicts:
            return analysis
        analysis = persons.decided(analysis, verdicts) if self._config.people else analysis
        return replace(analysis, answers=apply(analysis.answers, verdicts, self.recipe.questions))

    def stored(self, found: Found, existing: Existing | None) -> Analysis:
        """The stored analysis of an image, as the models gave it."""
        recipe = self.recipe
        keys = {TAGS: recipe.models.tagger or ""}
        if recipe.questions:
            known = existing.added if existing and not recipe.models.tagger else ()
            keys[ANSWERS] = recipe.answers_key_of(known) if known else recipe.answers_key
        if self._config.people:
            keys[PERSONS] = recipe.persons_key
        width = height = 0
        values = {}
        for name, key in keys.items():
            part = self._state.part(found, name, key) if key else None
            if part is not None:
                width, height = part.width, part.height
                values[name] = parts()[name].from_json(part.payload)
        return Analysis(width, height, *(values.get(name, ()) for name in (TAGS, ANSWERS, PERSONS)))

    def _nothing(self, found: Found, existing: Existing | None) -> str:
        name = show(Path(found.name).name)
        if self._config.tagger == "none" and existing is None:
            return f"{name} has no caption to start from: write one, or choose a --tagger."
        return f"No tag of {name} is left to write: lower --threshold or --exclude less."


def existing_caption(state: State, found: Found, config: TagConfig) -> Existing | None:
    """The caption that is there now, or what the settings take for it. Raises ImageError when it cannot be read."""
    data = files.read_bytes(state.root / found.caption_name)
    text = None if data is None else state.encodings.decode(data, found.caption_name)
    written = _written(state, found)
    sources = CaptionSources.of(state.root, config)
    return edits.reconcile(written, _or_elsewhere(found, text, written, sources))


def captioned(state: State, found: Found) -> bool:
    """Whether a picture has a caption: a file that says something, or of which that cannot be told."""
    try:
        data = files.read_bytes(state.root / found.caption_name)
        return data is not None and not is_blank(state.encodings.decode(data, found.caption_name))
    except ImageError:
        return True


def _or_elsewhere(
    found: Found, text: str | None, written: Written | None, sources: CaptionSources
) -> str | None:
    """A caption file's text; where it is missing or blank and was never ours, what another source says."""
    if written is None and (text is None or is_blank(text)):
        return sources.text(found.name)
    return text


def _written(state: State, found: Found) -> Written | None:
    record = state.record(found.caption_name)
    return None if record is None else Written.from_json(json.loads(record))


def _clean(data: bytes) -> bool:
    """Whether the bytes are already what sd-scripts reads: UTF-8 without BOM."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.startswith(b"\xef\xbb\xbf")
