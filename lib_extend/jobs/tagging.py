"""A tagging job over a folder: plan, run, journal, and continue an unfinished run."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_extend.captions.thresholds import agreed
from lib_extend.config import TagConfig
from lib_extend.datasets import aux_files
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import ANSWERS, PERSONS, PROSE, TAGS, ModelKeys, Recipe
from lib_extend.datasets.state import Part, State
from lib_extend.errors import ImageError, ModelError, Stopped, StorageError
from lib_extend.files.caption_writing import remove_leftovers
from lib_extend.files.scan import Found, Survey, show
from lib_extend.jobs import job_events as ev
from lib_extend.jobs import journal, notices
from lib_extend.jobs.background_work import pump
from lib_extend.jobs.caption_edit_job import pictures_of
from lib_extend.jobs.captioning import Captioner, Decided, captioned, has_earlier
from lib_extend.jobs.core_counting import counts_core, learn
from lib_extend.jobs.folder_curation import check, said
from lib_extend.jobs.job_kinds import Client
from lib_extend.jobs.needs import Need, needs_of
from lib_extend.jobs.recovery import recover, working
from lib_extend.parts import part_table
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.question import Question
from lib_extend.records import Analysis, Unmade
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds import analyse_picture
from lib_extend.worker.protocol import Failed as TaskFailed
from lib_extend.worker.protocol import Progress, Ready, Setup

HOPELESS = 3
"""Images in a row of which nothing could be made for the model's own trouble: the run then ends with the sentence."""

CHUNK = 64
"""Captions committed together: one journal transaction each, so that 1,000 take well under a second."""

LOOKING, COUNTING = "looking at pictures", "counting core tags"

GATHER = 0.25
"""Seconds that an image's result waits for others, to be stored and written with them: the disk is waited for once."""


class TagJob:
    """`prompt-extend tag`: iterate `events()` once; `stop()` may be called from any thread or signal.

    Args:
        dataset: what to tag.
        config: all settings.
        dry_run: analyse and decide, but write no caption.
        questions: the question table that `config.ask` selects from.
        client: makes the worker's client; replaced in tests only.
        into: gives the run that the changes belong to, instead of one of the job's own.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: TagConfig,
        *,
        dry_run: bool = False,
        questions: Sequence[Question] = BUILTIN,
        client: Callable[[], Client] = WorkerClient,
        into: Callable[[State], int] | None = None,
    ) -> None:
        self.dataset = dataset
        self.root = dataset.root
        self.config = config
        self.dry_run = dry_run
        # raises now when a word of --ask is unknown, and not after an hour of tagging
        self._recipe = Recipe.of(config, questions)
        check(config)
        self._make_client = client
        self._into = into
        self._client: Client | None = None
        self._stop = threading.Event()
        self._counts = Counter[str]()
        self._unused: set[str] = set()  # pictures whose own text is not used by the settings
        self._said: set[str] = set()  # sentences about a model, each said once
        self._emptied: list[str] = []  # pictures whose caption has nothing left

    def stop(self) -> None:
        """End the job; what is done is kept. Returns at once."""
        self._stop.set()

    def events(self) -> Iterator[ev.Event]:
        """Run the job.

        Raises:
            UserError: the folder, a model or a setting needs mending; nothing was changed.
            StorageError: the disk is full or the folder is gone; what was done is kept.
            WorkerError: the inference process cannot be kept alive.
        """
        began = time.monotonic()
        look = pictures_of(self.dataset, self.config)
        found = look.found
        with working(self.dataset, [f.name for f in found]) as state:
            state.encodings.begin(self.config.caption_encoding)
            for parent in {(self.root / f.name).parent for f in found}:
                remove_leftovers(parent)
            run, continued = self._begin(state)
            status = "stopped"
            try:
                yield from self._run(state, run, continued, look)
                status = "done"
            except Stopped:
                pass
            finally:
                if self._client is not None:
                    self._client.stop() if status != "done" else self._client.close()
                recover(state)
                state.update_run(run, status, time.time())
            yield from notices.of_sources(self._unused)
            yield from notices.of_emptied(self._emptied, dry_run=self.dry_run)
            yield ev.finished(
                time.monotonic() - began,
                self._counts["done"],
                self._counts["failed"],
                written=self._counts["written"],
                analysed=self._counts["analysed"],
                skipped=self._skipped,
                separated=self._counts["separated"],
                incomplete=self._counts["incomplete"],
                earlier=self._counts["earlier"],
                several_lines=self._counts["several_lines"],
                stopped=status != "done",
                run=run,
                encodings=dict(Counter(state.encodings.read.values())),
            )

    # the run

    _skipped = 0
    _hopeless = 0
    _later: list[Found] | None = None  # pictures that were looked at, while no caption is decided yet
    kind = "tag"
    preview_kind = "preview"

    def _captioner(self, state: State, recipe: Recipe) -> Captioner:
        return Captioner(state, recipe)

    def _waiting(self, needs: Sequence[Need]) -> list[Need]:
        """The images that need a model."""
        return [n for n in needs if not n.nothing]

    def _learn(self, state: State, captioner: Captioner, found: Sequence[Found]) -> Iterator[ev.Event]:
        """Look through the folder for what its characters usually look like."""
        yield ev.Status(COUNTING, 0, len(found))
        learn(state, captioner, found, self._check_stop)

    def _begin(self, state: State) -> tuple[int, bool]:
        """The run's number, and whether it is one that an earlier start did not finish."""
        if self._into is not None:
            return self._into(state), False
        key = self._recipe.key
        run = None if self.dry_run else state.unfinished_run(self.kind, key)
        if run is not None:
            return run, True
        kind = self.preview_kind if self.dry_run else self.kind
        return state.start_run(kind, self.config.changed(), key, time.time()), False

    def _run(self, state: State, run: int, continued: bool, look: Survey) -> Iterator[ev.Event]:
        found = look.found
        finished = state.items_done(run) if continued else set()
        clashes = [f for f in found if f.clash]
        owners = [f for f in found if not f.clash]
        if self.config.existing == "skip":
            skipped = {f.name for f in owners if f.name not in finished and captioned(state, f)}
            owners = [f for f in owners if f.name not in skipped]
            self._skipped = len(skipped)
        recipe = self._recipe.known_in(state)
        needs = needs_of(state, recipe, owners)
        # an image that changed after this run finished it is done again
        again = [n.found for n in needs if n.nothing and n.found.name in finished]
        done = {f.name for f in again}
        todo = [f for f in owners if f.name not in done]
        needs = [n for n in needs if n.found.name not in done]
        waiting = self._waiting(needs)
        planned = len(found) - self._skipped
        state.update_run(run, "running", None, images=planned if self._into is None else None)
        yield ev.Planned(
            images=planned,
            already_done=len(again) + len(needs) - len(waiting),
            skipped=self._skipped,
            run=run,
            continued=continued,
            earlier=self._earlier(state, owners),
        )
        yield from notices.of_folder(self.root, look, self.config)
        for f in clashes:
            other = show(Path(f.clash).name)
            reason = (
                f"{show(Path(f.name).name)} shares its caption {show(Path(f.caption_name).name)} with {other}: "
                "rename one of the two."
            )
            yield from self._fail(state, run, [(f.name, reason)])
        captioner = self._captioner(state, recipe)
        for code, text in said(captioner.curation.problems):
            yield ev.Notice(code, text, 1)
        whole = counts_core(captioner)
        if whole and not waiting:
            yield from self._learn(state, captioner, owners)
        for start in range(0, len(again), CHUNK):
            self._check_stop()
            chunk = [(f, None) for f in again[start : start + CHUNK]]
            yield from self._results(state, run, chunk, captioner, write=False)
        if waiting:
            ready = yield from self._load()
            loaded = self._models(ready)
            if loaded != recipe.models:
                recipe = recipe.with_models(loaded)
                recipe.remember_in(state)
                captioner = self._captioner(state, recipe)
                needs = needs_of(state, recipe, todo)
                waiting = [n for n in needs if not n.nothing]
        if whole and waiting:
            # core tags are known only when all pictures were analysed
            self._later = []
            yield from self._analyse(state, run, waiting, captioner)
            looked = {f.name for f in self._later}
            needs = [n if n.nothing else Need(n.found) for n in needs if n.nothing or n.found.name in looked]
            waiting, self._later = [], None
            yield from self._learn(state, captioner, owners)
        analysed = {n.found.name for n in waiting}
        composed = [n.found for n in needs if n.found.name not in analysed]
        for start in range(0, len(composed), CHUNK):
            self._check_stop()
            chunk = [(f, None) for f in composed[start : start + CHUNK]]
            yield from self._results(state, run, chunk, captioner)
        if waiting:
            yield from self._analyse(state, run, waiting, captioner)

    def _earlier(self, state: State, found: Sequence[Found]) -> int:
        """How many captions have something that this run neither asks for nor drops."""
        config = self.config
        asks = bool(self._recipe.questions) and config.people
        if asks or config.drop_earlier or config.existing in ("skip", "overwrite"):
            return 0
        return sum(has_earlier(state.record(f.caption_name), self._recipe) for f in found)

    def _models(self, ready: Ready) -> ModelKeys:
        return ModelKeys(ready.tagger_key, ready.vlm_key, ready.thresholds, ready.detector_key)

    def _load(self) -> Generator[ev.Event, None, Ready]:
        """Start the worker; returns its Ready."""
        client = self._client = self._make_client()
        config = self.config.with_(ask=tuple(dict.fromkeys(q.selected_by for q in self._recipe.questions)))
        setup = Setup.from_config(config, self._recipe.questions)

        def start(put: Callable[[Any], None]) -> None:
            put(client.start(setup, lambda what, done, total: put(Progress(what, done, total))))

        ready: Ready | None = None
        for batch in pump(start, self._stop, CHUNK):
            for item in batch:
                if isinstance(item, Progress):
                    yield ev.Status(item.what, item.done, item.total)
                else:
                    ready = item
        assert ready is not None
        devices = (
            ("Tagger", ready.tagger_device),
            ("Person detector", ready.detector_device),
            ("Vision-language model", ready.vlm_device),
        )
        yield ev.Loaded(tuple(f"{what} on {device}" for what, device in devices if device))
        return ready

    def _analyse(
        self, state: State, run: int, waiting: Sequence[Need], captioner: Captioner
    ) -> Iterator[ev.Event]:
        client = self._client
        assert client is not None
        recipe = captioner.recipe
        by_id = {str(i): n for i, n in enumerate(waiting)}
        tasks = [
            analyse_picture.task(i, str((self.root / n.found.name).absolute()), tuple(n.missing), n.known)
            for i, n in by_id.items()
        ]

        def work(put: Callable[[Any], None]) -> None:
            for result in client.run(tasks):
                put(result)

        for batch in pump(work, self._stop, CHUNK, GATHER):
            rows = []
            ready: list[tuple[Found, Analysis | None]] = []
            failed = []
            for result in batch:
                need = by_id[result.id]
                if isinstance(result, TaskFailed):
                    failed.append((need.found.name, result.reason))
                    continue
                made = result.payload
                assert isinstance(made, analyse_picture.Result)
                if made.unmade and not made.parts and not recipe.models.tagger:
                    failed.append((need.found.name, self._nothing_made(made.unmade.values())))
                    continue
                self._counts["analysed"] += 1
                yield from self._incomplete(need.found, made.unmade)
                for name, value in made.parts.items():
                    stored = part_table.parts()[name].to_json(value)
                    value = Part(made.width, made.height, stored)
                    rows.append((need.found, name, need.missing[name], value))
                ready.append((need.found, self._whole(need, made, recipe)))
            if rows:
                with state.transaction():
                    state.store_parts(rows)
            yield from self._fail(state, run, failed)
            if self._later is None:
                yield from self._results(state, run, ready, captioner)
            else:
                self._later += [f for f, _ in ready]
                yield ev.Status(LOOKING, len(self._later), len(waiting))

    def _incomplete(self, found: Found, unmade: Mapping[str, Unmade]) -> Iterator[ev.Event]:
        """Report the parts that an image must do without."""
        self._counts["incomplete"] += bool(unmade)
        for part, why in unmade.items():
            if not why.everywhere:
                yield ev.Incomplete(found.name, part, why.reason, why.code)
            elif why.reason not in self._said:
                self._said.add(why.reason)
                yield ev.Incomplete("", part, why.reason, why.code)

    def _nothing_made(self, unmade: Iterable[Unmade]) -> str:
        """Why an image fails of which nothing could be made. Raises ModelError when no image would fare better."""
        everywhere = [why.reason for why in unmade if why.everywhere]
        self._hopeless = self._hopeless + 1 if everywhere else 0
        if self._hopeless >= HOPELESS:
            raise ModelError(everywhere[0])
        return next(why.reason for why in unmade)

    def _whole(self, need: Need, made: analyse_picture.Result, recipe: Recipe) -> Analysis | None:
        """The image's analysis where the result has all of it; None: what is stored completes it."""
        parts = {**need.known, **made.parts}
        if not all(part.name in parts for part in recipe.parts):
            return None
        tags = parts.get(TAGS, ()) if recipe.models.tagger else ()
        answers, persons = parts.get(ANSWERS, ()), parts.get(PERSONS, ())
        found = Analysis(made.width, made.height, tags, answers, persons, parts.get(PROSE))
        return agreed(found, recipe.config, recipe.thresholds)

    def _results(
        self,
        state: State,
        run: int,
        chunk: Sequence[tuple[Found, Analysis | None]],
        captioner: Captioner,
        *,
        write: bool = True,
    ) -> Iterator[ev.Event]:
        """Decide, write and report a chunk of captions."""
        if not chunk:
            return
        decided: dict[str, Decided] = {}
        writes = [captioner.write(f, analysis, decided) for f, analysis in chunk]
        owner = {f.caption_name: f for f, _ in chunk}
        further: dict[str, Found] = {}
        for f, analysis in chunk:
            beside = captioner.writes_beside(f, analysis)
            writes += beside
            further.update((w.name, f) for w in beside)

        def settle(outcomes: list[journal.Outcome]) -> None:
            state.add_items(
                run,
                [
                    (owner[o.name].name, "" if o.error is None else o.error.reason)
                    for o in outcomes
                    if o.name in owner
                ],
            )

        if write and not self.dry_run:
            outcomes = journal.commit(state, run, writes, settle)
        else:
            outcomes = captioner.preview(writes)
        self._unused |= captioner.sources.unused
        if outcomes and not self.root.is_dir():
            raise StorageError(f"The folder {show(str(self.root))} is gone: bring it back and start again.")
        for outcome in outcomes:
            if outcome.name in further:
                if outcome.error is not None:
                    self._counts["failed"] += 1
                    yield ev.Failed(further[outcome.name].name, outcome.error.reason)
                continue
            f = owner[outcome.name]
            if outcome.error is not None:
                self._counts["failed"] += 1
                yield ev.Failed(f.name, outcome.error.reason)
                continue
            if self.config.save_aux and write and not self.dry_run:
                try:
                    caption = decided[f.name].caption
                    fields = aux_files.fields_of(caption.tags, caption.dropped)
                    aux_files.save(self.root, f.name, fields, self.config.save_aux)
                except ImageError as e:
                    self._counts["failed"] += 1
                    yield ev.Failed(f.name, e.reason)
                    continue
            self._counts["done"] += 1
            self._note(decided[f.name])
            self._counts["separated"] += bool(decided[f.name].caption.persons)
            self._counts["written"] += outcome.changed and write and not self.dry_run
            self._counts["earlier"] += len(decided[f.name].caption.earlier)
            self._counts["several_lines"] += decided[f.name].lines > 1 and self.config.lines == "first"
            yield decided[f.name].event(outcome.changed) if write else decided[f.name].as_it_is()

    def _note(self, decided: Decided) -> None:
        """Remember what is to be said of a caption at the end."""
        if decided.empty:
            self._emptied.append(decided.found.name)

    def _fail(self, state: State, run: int, rows: Sequence[tuple[str, str]]) -> Iterator[ev.Event]:
        if not rows:
            return
        with state.transaction():
            state.add_items(run, rows)
        for name, reason in rows:
            self._counts["failed"] += 1
            yield ev.Failed(name, reason)

    # threads

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise Stopped("Stopped.")
