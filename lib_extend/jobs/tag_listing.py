"""The tags of a folder as a table: one row a picture and tag, with what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.recipe import Recipe
from lib_extend.errors import ImageError, UserError
from lib_extend.jobs.caption_edit_job import pictures_of
from lib_extend.jobs.captioning import existing_caption
from lib_extend.jobs.core_counting import counts_core, learn
from lib_extend.jobs.curating import StoredCaptioner
from lib_extend.records import Analysis, Caption, Category, Record, Source
from lib_extend.vocabulary.tag_names import key

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class TagRow(Record):
    """One tag of one picture.

    Attributes:
        picture: its name in the dataset. tag: canonical name. category: Danbooru's. score: in 0…1, None where nobody gave one.
        source: "human", "tagger", "question", "person" or "option"; "" where it is not known any more.
        person: the letter of the person whose it is, "" for the whole picture.
        kept: whether the caption has it. reason: the code of why not, "" where it is kept. why: the same in English.
        taggers: where several were asked, those that are sure of it, with ", " between them.
    """

    picture: str
    tag: str
    category: str
    score: float | None
    source: str
    person: str
    kept: bool
    reason: str
    why: str
    taggers: str = ""


def tag_rows(dataset: Dataset, config: TagConfig) -> Iterator[TagRow]:
    """The tags of all pictures by name, as curating with these settings would decide; nothing is written.

    Raises:
        UserError: a list cannot be read, or there is no such folder.
    """
    dataset.check()
    look = pictures_of(dataset, config)
    with dataset.state() as state:
        state.encodings.choose(config.caption_encoding)
        captioner = StoredCaptioner(state, Recipe.of(config).known_in(state))
        if counts_core(captioner):
            learn(state, captioner, look.found)
        for found in look.found:
            one, _ = captioner.of(found)
            try:
                existing = existing_caption(state, found, config)
            except ImageError:
                continue  # it cannot be read: tagging says so
            analysis = one.stored(found, existing)
            yield from _rows(found.name, one.caption(found, analysis, existing), analysis)


def data_frame(dataset: Dataset, config: TagConfig) -> pandas.DataFrame:
    """The same as a pandas DataFrame with a column for each field of `TagRow`.

    For the standalone installation and the models' environment: a WebUI's need not have pandas.

    Raises UserError where pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError("A table needs the package pandas: pip install prompt-extend[table].") from None
    rows = [r.to_json() for r in tag_rows(dataset, config)]
    frame = pandas.DataFrame(rows, columns=list(TagRow.__dataclass_fields__))
    for column in ("category", "source", "person", "reason"):
        frame[column] = frame[column].astype("category")
    frame["score"] = frame["score"].astype("float32")
    frame["kept"] = frame["kept"].astype("bool")
    return frame


def _rows(picture: str, caption: Caption, analysis: Analysis) -> Iterator[TagRow]:
    known = {key(t.name): t for t in analysis.tags}
    letters = [p.letter for p in caption.persons if p.letter]
    for tag in caption.tags:
        score = tag.score
        if score is None and tag.source is Source.TAGGER and key(tag.name) in known:
            score = known[key(tag.name)].score
        person = next((x for x in letters if tag.source is Source.PERSON and tag.name.startswith(x)), "")
        who = ", ".join(tag.taggers)
        yield TagRow(
            picture, tag.name, tag.category.value, score, tag.source.value, person, True, "", "", who
        )
    seen = set()
    for drop in caption.dropped:
        if (drop.name, drop.code) in seen:
            continue
        seen.add((drop.name, drop.code))
        found = known.get(key(drop.name))
        person = next((x for x in letters if drop.name.startswith(x)), "")
        yield TagRow(
            picture,
            drop.name,
            (found.category if found else Category.GENERAL).value,
            found.score if found else None,
            found.source.value if found else "",
            person,
            False,
            drop.code,
            drop.reason,
            ", ".join(found.taggers) if found else "",
        )
