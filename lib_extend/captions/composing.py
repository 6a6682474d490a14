"""From an analysis, the settings and the caption that is there to the caption that is written.

Deterministic: the same inputs give the same caption, whatever ran before. What is random (shuffling,
sampling) depends on the seed and the image's name only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib_extend.captions.base_words import base_of, in_words_of
from lib_extend.captions.character_forms import taken_apart
from lib_extend.captions.curator import Curator, ToCurate
from lib_extend.captions.earlier_tags import Asked, earlier_tags, unlettered
from lib_extend.captions.existing import Existing, as_list
from lib_extend.captions.field_order import Arranged, arrange, plain_order
from lib_extend.captions.further_lines import Further, together
from lib_extend.captions.lettering import lettered
from lib_extend.captions.line_writing import LineWriter
from lib_extend.captions.lists import by_lists, rewritten, typed, unique, without
from lib_extend.captions.patterns import patterns
from lib_extend.captions.people_counts import settled
from lib_extend.captions.person_edits import separator_in
from lib_extend.captions.placed_pieces import is_plain
from lib_extend.captions.scene import ScenePerson
from lib_extend.captions.scene_making import persons_of
from lib_extend.captions.structured_writing import StructuredWriter
from lib_extend.captions.style_table import style_of
from lib_extend.captions.text import Kind, parse
from lib_extend.captions.thresholds import Thresholds, passing
from lib_extend.config import TagConfig
from lib_extend.people.not_separated import NotSeparated
from lib_extend.questions.asking import settle
from lib_extend.records import Analysis, Answer, Caption, Category, Drop, Person, Source, Tag
from lib_extend.vocabulary.plurals import naive_plural, plural
from lib_extend.vocabulary.tag_names import key, written

__all__ = ["Existing", "Thresholds", "compose"]

_SAME = random.Random(0)
"""For captions in which nothing is random: to seed one takes longer than to write the caption."""


def compose(
    analysis: Analysis,
    config: TagConfig,
    *,
    existing: Existing | None = None,
    image_key: str = "",
    thresholds: Thresholds | None = None,
    asked: Asked | None = None,
    curator: Curator | None = None,
    further: Sequence[Further] = (),
) -> Caption:
    """The caption of one image.

    Args:
        analysis: what the models said.
        existing: the caption that is there; None where there is no file.
        image_key: the image's name, which seeds what is random.
        thresholds: the tagger's own, used where the settings name none.
        asked: of tags that answers ever gave, whether this run puts their questions again, and the probability; others
            are asked about again when the run asks any questions.
        curator: what leaves out tags that something else says already; None leaves all in.
        further: captions that are further lines of the file.

    What a person wrote stays to the letter unless `config.existing` is "overwrite"; of its tags those go or change that
    `exclude` or `replace` name. What a person took out stays out. Lines besides the first with words stay as they are
    unless `config.lines` is "every". The same caption given again as `existing` is composed to the same text.
    """
    if existing is None or replaces(config):
        existing = Existing()

    def write(config: TagConfig, line: Existing, curator: Curator | None) -> Caption:
        return _line(analysis, config, line, image_key, thresholds or Thresholds(), asked or {}, curator)

    first = write(config, existing, curator)
    if existing.line.one_a_line:
        # its lines are tags
        further = ()
    return together(first, existing, config, further, write, curator)


def replaces(config: TagConfig) -> bool:
    """Whether the caption that is there is thrown away; without a tagger it is where all starts from."""
    return config.existing == "overwrite" and config.tagger != "none"


def _line(
    analysis: Analysis,
    config: TagConfig,
    existing: Existing,
    image_key: str,
    thresholds: Thresholds,
    asked: Asked,
    curator: Curator | None,
) -> Caption:
    """One line of a caption file."""
    dropped: list[Drop] = []
    style = style_of(config.format)
    if existing.style and existing.style != config.format:
        existing = as_list(existing)
    removed = {key(n) for n in existing.removed}
    by_hand = _own(existing, config, dropped, curator)
    human = [t for _, t in by_hand.values() if t is not None]
    there = {*map(_key, human), *(key(n) for p in existing.own for n in p.holds)}
    ends = _options(config, removed, dropped)
    prefix, suffix = ends.prefix, ends.suffix
    extends = bool(existing.line.pieces) and config.existing in ("append", "prepend")
    stays = {*there, *map(_key, (*prefix, *suffix)), *(map(key, existing.ours) if extends else ())}
    machine = _machine(analysis, config, thresholds, stays, removed, dropped)
    words = base_of(config, style)
    machine = without(in_words_of(machine, words), removed, []) if words else machine
    keep = patterns(config.keep, "keep").match
    machine = settled(machine, human, len(analysis.persons), keep, dropped)
    persons: tuple[Person, ...] = ()
    why_not: NotSeparated | None = None
    told: list[ScenePerson] = []
    if config.people:
        result = lettered(machine, human, analysis, config, thresholds, removed, dropped)
        machine, persons, why_not = result.tags, result.separation.persons, result.separation.why_not
        told = persons_of(result.separation, analysis, config) if style.structured else []
    earlier = _earlier(existing, analysis.answers, config, asked, dropped)
    prose, earlier = _described(analysis, earlier, "prose" in style.needs, dropped)
    if earlier:
        earlier = unique(earlier, {*map(_key, (*machine, *prefix, *suffix)), *there})
        machine = [*unlettered(machine, earlier, config, dropped), *earlier]
    pruned: list[Tag] = []
    if curator is not None:
        curated = curator.curated(ToCurate(machine, [*human, *prefix, *suffix], persons, image_key))
        if earlier:
            gone = {key(d.name) for d in curated.dropped}
            pruned = [t for t in earlier if key(t.name) in gone]
        machine, dropped = list(curated.tags), [*dropped, *curated.dropped]
        if curated.last:
            suffix = [*unique(curated.last, {*map(_key, (*machine, *prefix, *suffix)), *there}), *suffix]
    if not style.structured:
        machine = taken_apart(machine)
    machine = unique(machine, {*map(_key, (*prefix, *suffix)), *there})
    spelled = {**typed(config), **ends.forms}
    separator = separator_in(existing, config.separator)
    if separator != config.separator:
        config = replace(config, separator=separator)

    rng = _rng(config.seed, image_key) if config.format != "plain" or config.sort == "shuffle" else _SAME
    if style.structured:
        writer = StructuredWriter(style, existing, by_hand, prefix, suffix, spelled, told, config, dropped)
        written_now, heads = writer.written([*machine, *prose], rng)
        names = {id(t) for t in (*earlier, *prose)} if analysis.prose is None else {id(t) for t in earlier}
        stays_now = tuple(t.name for t in written_now.tags if id(t) in names)
        return Caption(
            written_now.text,
            written_now.tags,
            tuple(dropped),
            persons,
            earlier=stays_now,
            pruned=tuple(pruned),
            heads=heads,
            **_reason(why_not),
        )

    underscores, escape_brackets = config.underscores, config.escape_brackets

    def form(tag: Tag) -> str:
        """What the user typed as it was typed, any other tag by the settings."""
        return spelled.get(tag.name) or written(tag.name, underscores, escape_brackets)

    work = LineWriter(existing, by_hand, prefix, suffix, config, form, dropped)
    if extends:
        made = work.extended(arrange(machine, config, rng))
    elif config.format == "plain":
        made = work.around(Arranged(tuple(plain_order(machine, config, rng)), ""))
    elif existing.own and not is_plain(existing.line, existing.human):
        made = work.around(arrange(machine, config, rng, form, work.cut))
    else:
        made = work.laid_out(machine, rng)
    kept = {id(t) for t in earlier}
    stays_there = tuple(t.name for t in made.tags if id(t) in kept) if kept else ()
    return Caption(
        made.text,
        made.tags,
        (*dropped, *made.dropped),
        persons,
        earlier=stays_there,
        pruned=tuple(pruned),
        **_reason(why_not),
    )


def _reason(why_not: NotSeparated | None) -> dict[str, Any]:
    """The fields of a `Caption` that say why persons were not told apart."""
    if why_not is None:
        return {}
    return {"reason": why_not.text, "reason_code": why_not.code, "reason_fields": why_not.fields}


def _earlier(
    existing: Existing, answers: Sequence[Answer], config: TagConfig, asked: Asked, dropped: list[Drop]
) -> list[Tag]:
    """What earlier runs found and this one does not ask for, after the user's lists."""
    if not existing.kinds and not existing.pruned:
        return []
    # what this run's own answers give, in either style, is none of an earlier one's
    given = {key(form): (True, a.probability) for a in answers if a.tag for form in count_forms(a)}
    found = earlier_tags(existing, config, {**asked, **given})
    return [t for _, t in rewritten(found, config, dropped, again=True)] if found else []


def _described(
    analysis: Analysis, earlier: Sequence[Tag], takes_prose: bool, dropped: list[Drop]
) -> tuple[list[Tag], list[Tag]]:
    """The picture's description, this run's or else an earlier one's; and what else earlier runs found."""
    rest = [t for t in earlier if t.category is not Category.PROSE]
    if not takes_prose:
        if analysis.prose is not None and analysis.prose.text:
            dropped.append(Drop(analysis.prose.text, "the format has no prose", "no_prose"))
        return [], rest
    if analysis.prose is None:
        return [t for t in earlier if t.category is Category.PROSE], rest
    text = analysis.prose.text
    return ([Tag(text, Category.PROSE, source=Source.QUESTION)] if text else []), rest


def _own(
    existing: Existing, config: TagConfig, dropped: list[Drop], curator: Curator | None
) -> dict[int, tuple[str, Tag | None]]:
    """A person's pieces by their place in the line: how each is written now, and as a tag (None: a separator).

    The user's lists name whole tags; they do not look into prose and groups.
    """
    result: dict[int, tuple[str, Tag | None]] = {}
    lists = bool(config.exclude or config.replace)
    spelled = typed(config) if config.replace else {}
    for i, piece in enumerate(existing.line.pieces):
        if not existing.human[i]:
            continue
        if piece.kind is Kind.SEPARATOR:
            result[i] = piece.text, None
            continue
        tag = Tag(piece.name, source=Source.HUMAN)
        refused = curator.refused(piece.name) if curator and piece.kind is Kind.TAG else None
        if refused is not None:
            dropped.append(refused)
            continue
        if not lists or piece.kind is not Kind.TAG:
            result[i] = piece.text, tag
            continue
        for _, made in rewritten([tag], config, dropped, again=True):
            text = piece.text
            if made.name != piece.name:
                name = made.name
                words = spelled.get(name) or written(name, config.underscores, config.escape_brackets)
                text = piece.spelled(words)
            result[i] = text, made
    return result


# what the models said


def _machine(
    analysis: Analysis,
    config: TagConfig,
    own: Thresholds,
    stays: set[str],
    removed: set[str],
    dropped: list[Drop],
) -> list[Tag]:
    keep = patterns(config.keep, "keep")
    tags: list[Tag] = []
    for item in passing(analysis.tags, config, own, keep.match):
        if isinstance(item, Drop):
            dropped.append(item)
        else:
            tags.append(item)
    # a name may have been taken out as it was, or as the user's lists made it
    made = by_lists(without(tags, removed, dropped), config, dropped)
    if not analysis.answers:
        return without(made, removed, dropped)
    there = {*stays, *map(_key, tags), *map(_key, made)}
    answers = _answered(analysis, config, there, stays, removed, dropped)
    made = [*made, *by_lists(without(answers, removed, dropped), config, dropped)]
    return without(made, removed, dropped)


def _answered(
    analysis: Analysis,
    config: TagConfig,
    there: set[str],
    stays: set[str],
    removed: set[str],
    dropped: list[Drop],
) -> list[Tag]:
    """The tags that answers give: sure enough, and about things that are in the caption (`there`).

    `stays` are the keys of what remains in the file anyway.
    """
    answers = []
    for a in settle([a for a in analysis.answers if not a.person]):
        if not a.tag:
            continue
        if a.probability is not None and a.probability < config.answer_threshold:
            reason = f"unsure: {a.probability:.2f} is below {config.answer_threshold:.2f}"
            facts = {"probability": a.probability, "limit": config.answer_threshold}
            dropped.append(Drop(a.tag, reason, "unsure", facts))
        else:
            answers.append(a)
    # a yes/no question that finds a thing vouches for it
    there = there | {key(a.tag) for a in answers if a.object in ("", a.tag)}
    result = []
    for a in answers:
        name, other = count_forms(a, config.count_style)
        if a.object and key(a.object) not in there:
            dropped.append(Drop(name, f"{a.object} itself is left out", "object_left_out", {"by": a.object}))
        elif key(other) in removed:
            dropped.append(Drop(name, "removed by hand", "removed_by_hand"))
        elif other != name and key(other) in stays:
            dropped.append(Drop(name, f"already there as {other}", "same", {"by": other}))
        else:
            result.append(Tag(name, score=a.probability, source=Source.QUESTION, locked=a.locked))
    return result


def count_forms(answer: Answer, style: str = "english") -> tuple[str, str]:
    """`3_boxes` and `3boxs` (the published LoRA's form) in the order in which the style prefers them."""
    if not answer.object or answer.tag != f"{answer.answer}_{plural(answer.object)}":
        return answer.tag, answer.tag
    naive = f"{answer.answer}{naive_plural(answer.object)}"
    return (naive, answer.tag) if style == "naive" else (answer.tag, naive)


# the user's own tags


@dataclass(frozen=True)
class _Ends:
    """The prefix and suffix tags, and how they were typed."""

    prefix: list[Tag]
    suffix: list[Tag]
    forms: dict[str, str]


def _options(config: TagConfig, removed: set[str], dropped: list[Drop]) -> _Ends:
    taken: set[str] = set()
    ends = []
    forms: dict[str, str] = {}
    trigger = (config.trigger,) if config.trigger else ()
    for texts in ((*trigger, *config.prefix_tags), config.suffix_tags):
        found = [p for line in parse(", ".join(texts)).lines for p in line.pieces] if texts else []
        forms = {p.name: p.raw for p in found} | forms
        tags = without([Tag(p.name, source=Source.OPTION) for p in found], removed, dropped)
        ends.append(unique(tags, taken))
    return _Ends(ends[0], ends[1], forms)


def _key(tag: Tag) -> str:
    return key(tag.name)


def _rng(seed: int, image_key: str) -> random.Random:
    """Randomness of one image: independent of the order in which images are done."""
    digest = hashlib.blake2b(f"{seed}\n{image_key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
