"""Compose the new caption from a stored analysis and the present caption."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_extend.captions import person_edits as edits
from lib_extend.captions import prose_verdicts
from lib_extend.captions.composing import Existing, compose, count_forms, replaces
from lib_extend.captions.further_lines import Further, beside, config_of, in_lines
from lib_extend.captions.person_edits import Written
from lib_extend.captions.text import Kind, is_blank
from lib_extend.captions.thresholds import agreed
from lib_extend.config import TagConfig
from lib_extend.curation.curation_reason import is_curated
from lib_extend.curation.line_curator import LineCurator
from lib_extend.datasets import aux_files
from lib_extend.datasets.caption_sources import CaptionSources
from lib_extend.datasets.recipe import ANSWERS, PERSONS, PROSE, TAGS, Recipe
from lib_extend.datasets.state import State
from lib_extend.datasets.state_values import stored, stored_json
from lib_extend.errors import ImageError
from lib_extend.files import caption_files as files
from lib_extend.files.encodings import encode
from lib_extend.files.scan import Found, show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs.folder_curation import FolderCuration, folder_curation
from lib_extend.jobs.journal import Outcome, Write
from lib_extend.parts.part_table import parts
from lib_extend.people import corrected as persons
from lib_extend.questions.verdicts import ACCEPT, REJECT, Verdict, apply, subject
from lib_extend.records import Analysis, Answer, Caption, Prose, Source, Tag
from lib_extend.vocabulary.tag_names import is_sentence, key


@dataclass
class Decided:
    """A caption as decided for one image, for the report."""

    found: Found
    analysis: Analysis
    caption: Caption
    before: str | None
    lines: int = 1
    empty: bool = False

    def event(self, changed: bool) -> ev.Image:
        return ev.Image(
            path=self.found.name,
            caption=self.caption.text.strip(),
            tags=self.caption.tags,
            answers=self.analysis.answers,
            persons=self.caption.persons,
            reason=self.caption.reason,
            reason_code=self.caption.reason_code,
            reason_fields=self.caption.reason_fields,
            changed=changed,
            before=self.before,
            dropped=self.caption.dropped,
            earlier=self.caption.earlier,
            lines=self.lines,
        )

    def as_it_is(self) -> ev.Image:
        """The report on a caption that an earlier start of the run wrote: what stands in the file now."""
        text = (self.caption.text if self.before is None else self.before).strip()
        return replace(self.event(False), caption=text)


class Captioner:
    """Composes the captions of one run."""

    def __init__(self, state: State, recipe: Recipe, curation: FolderCuration | None = None) -> None:
        """
        Args:
            curation: what leaves tags out, made by the settings where it is not given.
        """
        self.recipe = recipe
        self.curation = folder_curation(state, recipe.config) if curation is None else curation
        self._state = state
        self._config = recipe.config
        self.sources = CaptionSources.of(state.root, recipe.config)
        self._lines = [
            Further(f.name, config, self._curator(config))
            for f in in_lines(recipe.config)
            for config in (config_of(recipe.config, f),)
        ]
        self._files = [
            (f, Captioner(state, replace(recipe, config=config_of(recipe.config, f))))
            for f in beside(recipe.config)
        ]

    def _curator(self, config: TagConfig) -> LineCurator | None:
        """What curates a further line: as the others where its settings do not say otherwise."""
        if config.pruning == self._config.pruning:
            return self.curation.curator
        return folder_curation(self._state, config).curator

    def writes_beside(self, found: Found, analysis: Analysis | None) -> list[Write]:
        """The writes of the image's further captions that have files of their own."""
        stem = found.name[: found.name.rindex(".")]
        return [
            captioner.write(replace(found, caption=stem + further.suffix), analysis, {})
            for further, captioner in self._files
        ]

    def write(self, found: Found, analysis: Analysis | None, decided: dict[str, Decided]) -> Write:
        """The write of one image's caption; fills `decided[found.name]` when it is made."""

        def make(data: bytes | None) -> tuple[bytes | None, str | None]:
            text = None if data is None else self._state.encodings.decode(data, found.caption_name)
            written = _written(self._state, found)
            there = _or_elsewhere(found, text, written, self.sources)
            existing = edits.reconcile(written, there, adopt=self._config.adopt, format=self._config.format)
            if existing is not None and existing.unreadable and not replaces(self._config):
                raise ImageError(
                    f"{show(found.caption_name)} was written as {written.style if written else 'a style'} and cannot be "
                    "read as that any more: mend it, undo the edit, or write it anew with --existing overwrite."
                )
            known = self.analysis(found, existing) if analysis is None else self._decided(found, analysis)
            caption = self._composed(found, known, existing)
            empty = not caption.text.strip()
            if empty and not (existing and any(is_curated(d.code) for d in caption.dropped)):
                raise ImageError(self._nothing(found, existing))
            decided[found.name] = Decided(found, known, caption, text, empty=empty)
            # trainers fail on an empty file, and the old text would be wrong
            after = None if empty else encode(caption.text)
            kept = None if replaces(self._config) else existing
            if kept is not None:
                decided[found.name].lines = kept.captions
            memory = edits.remember_file(caption, self._config, kept, written)
            return after, json.dumps(memory.to_json(), separators=(",", ":"))

        return Write(found.caption_name, make)

    def caption(self, found: Found, analysis: Analysis, existing: Existing | None = None) -> Caption:
        """The caption of an analysis, with what people decided about it."""
        return self._composed(found, self._decided(found, analysis), existing)

    def _composed(self, found: Found, analysis: Analysis, existing: Existing | None) -> Caption:
        if existing is not None and self._is_struck(found, existing):
            analysis = replace(analysis, prose=Prose(""))
        return compose(
            analysis,
            self._config,
            existing=existing,
            image_key=found.name,
            thresholds=self.recipe.thresholds,
            asked=self._asked(found, analysis, existing),
            curator=self.curation.curator,
            further=self._lines,
        )

    def _is_struck(self, found: Found, existing: Existing) -> bool:
        """Whether a person deleted any description that this program wrote from the caption."""
        if not any(is_sentence(n) for n in existing.removed):
            return False
        removed = {key(n) for n in existing.removed}
        told = (stored(parts()[PROSE].from_json, p.payload) for p in self._state.all_of(found, PROSE))
        return any(key(p.text) in removed for p in told)

    def _asked(
        self, found: Found, analysis: Analysis, existing: Existing | None
    ) -> dict[str, tuple[bool, float | None]]:
        """Of the tags that answers ever gave, whether this run asks again, or a person decided otherwise."""
        kinds = (
            {k for line in (existing, *existing.later) for k in line.kinds.values()} if existing else set()
        )
        if not kinds & {Source.QUESTION.value, edits.UNKNOWN}:
            return {}
        now = {(a.question, a.object, a.person) for a in analysis.answers}
        verdicts = self._state.verdicts(found.name)
        result: dict[str, tuple[bool, float | None]] = {}
        for part in self._state.all_of(found, ANSWERS):
            for answer in stored(parts()[ANSWERS].from_json, part.payload):
                again = (answer.question, answer.object, answer.person) in now or is_overruled(
                    answer, verdicts
                )
                for name in count_forms(answer):
                    result[key(name)] = again, answer.probability
        return result

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

    def beside(self, found: Found) -> aux_files.Fields:
        """What files beside an image say of it, by field. Raises ImageError when one cannot be read."""
        config = self._config
        if not (config.load_aux or config.load_grabber):
            return {}
        return aux_files.load(self._state.root, found.name, config)

    def _decided(self, found: Found, analysis: Analysis) -> Analysis:
        analysis = aux_files.applied(analysis, self.beside(found), self._config)
        verdicts = self._state.verdicts(found.name)
        if not verdicts:
            return analysis
        analysis = persons.decided(analysis, verdicts) if self._config.people else analysis
        analysis = prose_verdicts.decided(analysis, verdicts)
        return replace(analysis, answers=apply(analysis.answers, verdicts, self.recipe.questions))

    def stored(self, found: Found, existing: Existing | None) -> Analysis:
        """The stored analysis of an image, as the models gave it."""
        keys = keys_for(self.recipe, existing)
        width = height = 0
        values = {}
        for name, part_key in keys.items():
            part = self._state.part(found, name, part_key) if part_key else None
            if part is not None:
                width, height = part.width, part.height
                values[name] = stored(parts()[name].from_json, part.payload)
        made = [values.get(name, ()) for name in (TAGS, ANSWERS, PERSONS)]
        analysis = Analysis(width, height, made[0], made[1], made[2], values.get(PROSE))
        return agreed(analysis, self._config, self.recipe.thresholds)

    def _nothing(self, found: Found, existing: Existing | None) -> str:
        name = show(Path(found.name).name)
        if self._config.tagger == "none" and existing is None:
            return f"{name} has no caption to start from: write one, or choose a --tagger."
        return f"No tag of {name} is left to write: lower --threshold or --exclude less."


def keys_for(recipe: Recipe, existing: Existing | None) -> Mapping[str, str]:
    """What each part of an image's analysis is stored under, by its name; without a tagger that depends on its caption."""
    if existing is None or not recipe.starts_from_captions:
        return recipe.part_keys
    return recipe.part_keys_of(tags_to_ask_about(existing))


def existing_caption(state: State, found: Found, config: TagConfig) -> Existing | None:
    """The present caption, or its substitute by the settings. Raises ImageError when it cannot be read."""
    data = files.read_bytes(state.root / found.caption_name)
    text = None if data is None else state.encodings.decode(data, found.caption_name)
    written = _written(state, found)
    sources = CaptionSources.of(state.root, config)
    there = _or_elsewhere(found, text, written, sources)
    return edits.reconcile(written, there, adopt=config.adopt, format=config.format)


def captioned(state: State, found: Found) -> bool:
    """Whether a picture has a caption: a file with text, or a file that cannot be read."""
    try:
        data = files.read_bytes(state.root / found.caption_name)
        return data is not None and not is_blank(state.encodings.decode(data, found.caption_name))
    except ImageError:
        return True


def _or_elsewhere(
    found: Found, text: str | None, written: Written | None, sources: CaptionSources
) -> str | None:
    """A caption file's text. If the file is missing or blank and no run wrote it, the text of another source."""
    if written is None and (text is None or is_blank(text)):
        return sources.text(found.name)
    return text


def tags_to_ask_about(existing: Existing) -> tuple[Tag, ...]:
    """The tags of a caption that questions are about where no tagger gives any: all but what questions gave."""
    found: dict[str, Tag] = {}
    for piece, human in zip(existing.line.pieces, existing.human, strict=True):
        kind = existing.kinds.get(key(piece.name), "").partition(" ")[0]
        if human or kind in (Source.TAGGER.value, edits.ADOPTED):
            for name in piece.names or ((piece.name,) if piece.kind is Kind.PROSE else ()):
                found.setdefault(name, Tag(name, source=Source.HUMAN if human else Source.TAGGER))
    return tuple(found.values())


def is_overruled(answer: Answer, verdicts: Mapping[tuple[str, str], Verdict]) -> bool:
    """Whether a person decided that an answer is wrong."""
    verdict = verdicts.get(subject(answer))
    if verdict is None or verdict.verdict == ACCEPT:
        return False
    return (verdict.answer == answer.answer) is (verdict.verdict == REJECT)


def has_earlier(record: str | None, recipe: Recipe) -> bool:
    """Whether our memory of a caption (JSON) has something that the recipe does not ask for."""
    if record is None:
        return False
    questions = '"question"' in record and not recipe.questions
    return questions or ('"person"' in record and not recipe.config.people)


def _written(state: State, found: Found) -> Written | None:
    record = state.record(found.caption_name)
    return None if record is None else stored_json(Written.from_json, record)


def _clean(data: bytes) -> bool:
    """Whether the bytes are already what sd-scripts reads: UTF-8 without BOM."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.startswith(b"\xef\xbb\xbf")
