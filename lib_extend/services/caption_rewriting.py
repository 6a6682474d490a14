"""The captions of an export in another style than those of the dataset, which stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib_extend.captions.style_table import style_of
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import Recipe
from lib_extend.export.export_plan import ExportOptions
from lib_extend.export.exporting import Rewrite
from lib_extend.export.trainer_table import trainer_of
from lib_extend.files.scan import Found
from lib_extend.jobs.captioning import existing_caption
from lib_extend.jobs.curating import StoredCaptioner, curate_config


@contextmanager
def rewriting(dataset: Dataset, options: ExportOptions) -> Iterator[Rewrite | None]:
    """What makes each picture's caption in the style that an export asks for; None where it asks for none.

    From what is stored and what people wrote, by the settings of the folder's newest run; no model is asked, and nothing
    is written into the dataset.

    Raises:
        UserError: the style needs settings that the newest run did not have (`greek`: people).
    """
    if not options.format:
        yield None
        return
    with dataset.reading() as reader:
        known = reader.last_config()
    keeps = trainer_of(options.trainer).keeps_separator and style_of(options.format).protection.keep_separator
    prefix = [*([options.trigger] if options.trigger else []), *known.get("prefix_tags", ())]
    given = {
        "format": options.format,
        "base": options.base if options.base != ExportOptions.base else known.get("base", "any"),
        "prune": known.get("prune", "none"),
        "prefix_tags": prefix,
        "keep_tokens_separator": "|||" if keeps else "",
        "also": [],
    }
    config = curate_config(dataset, given)
    with dataset.state() as state:
        state.encodings.begin(config.caption_encoding)
        captioner = StoredCaptioner(state, Recipe.of(config).known_in(state))

        def rewrite(found: Found) -> str:
            own = captioner.of(found)[0]
            existing = existing_caption(state, found, config)
            return own.caption(found, own.stored(found, existing), existing).text

        yield rewrite
