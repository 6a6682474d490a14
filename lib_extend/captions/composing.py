"""From an analysis, the settings and the caption that is there to the caption that is written.

Deterministic: the same inputs give the same caption, whatever ran before. What is random (shuffling,
sampling) depends on the seed and the image's name only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lib_extend.captions.layout import arrange, grouped
from lib_extend.captions.names import canonical, key, written
from lib_extend.captions.patterns import patterns, replacements
from lib_extend.captions.people import group
from lib_extend.captions.thresholds import Thresholds, passing
from lib_extend.config import TagConfig
from lib_extend.questions.asking import settle
from lib_extend.questions.plurals import naive_plural, plural
from lib_extend.records import Analysis, Answer, Caption, Drop, Source, Tag

__all__ = ["Existing", "Thresholds", "compose"]


@dataclass(frozen=True)
class Existing:
    """The caption that is there, with what is known of who wrote what.

    Attributes:
        text: as it stands in the file.
        added: a person's tags, in the file's order. forms: how each stands there, by canonical name.
        leading: names of those that stand before anything we wrote.
        ours: names of tags we wrote that are still there, in the file's order.
        removed: names of tags a person took out; they never come back by themselves.
    """

    text: str
    added: tuple[Tag, ...] = ()
    forms: tuple[tuple[str, str], ...] = ()
    leading: frozenset[str] = frozenset()
    ours: tuple[str, ...] = ()
    removed: frozenset[str] = frozenset()


def compose(
    analysis: Analysis,
    config: TagConfig,
    *,
    existing: Existing | None = None,
    image_key: str = "",
    thresholds: Thresholds | None = None,
) -> Caption:
    """The caption of one image.

    Args:
        analysis: what the models said.
        existing: the caption that is there; None where there is no file.
        image_key: the image's name, which seeds what is random.
        thresholds: the tagger's own, used where the settings name none.

    A person's tags stay unless `config.existing` is "overwrite", or `exclude` or `replace` name them.
    """
    dropped: list[Drop] = []
    if replaces(config):
        existing = None
    human = list(existing.added) if existing else []
    machine = _machine(analysis, config, thresholds or Thresholds(), {t.name for t in human}, dropped)
    if existing:
        removed = {key(n) for n in existing.removed}
        machine = _without(machine, removed, "removed by hand", dropped)
    human, machine = _rewritten(human, config, dropped), _rewritten(machine, config, dropped)
    options = [Tag(canonical(n), source=Source.OPTION) for n in (*config.prefix_tags, *config.suffix_tags)]
    prefix, suffix = options[: len(config.prefix_tags)], options[len(config.prefix_tags) :]
    taken = {key(t.name) for t in options}
    human = _unique(human, set(taken))
    machine = _unique(machine, taken | {key(t.name) for t in human})
    rng = _rng(config.seed, image_key)
    forms = dict(existing.forms) if existing else {}
    leading = existing.leading if existing else frozenset()
    if existing and config.existing in ("append", "prepend"):
        there, new = _base(existing, human, machine)
        if config.format == "plain":
            new = _sorted(new, config, rng)
        else:
            arranged = arrange(new, config, rng)
            new = list(arranged.tags)
            dropped += arranged.dropped
        body = [*there, *new] if config.existing == "append" else [*new, *there]
        tags = [*prefix, *body, *suffix]
        tags = _limited(tags, config.max_tags, dropped)
        return Caption(_joined(tags, config, forms), tuple(tags), tuple(dropped))
    if config.format == "plain":
        before = [t for t in human if t.name in leading]
        after = [t for t in human if t.name not in leading]
        tags = [*prefix, *before, *_sorted(machine, config, rng), *after, *suffix]
        tags = _limited(tags, config.max_tags, dropped)
        return Caption(_joined(tags, config, forms), tuple(tags), tuple(dropped))
    kept = _limited([*prefix, *human, *machine, *suffix], config.max_tags, dropped)
    body = [t for t in kept if t.source is not Source.OPTION]
    arranged = arrange(body, config, rng, lambda t: _form(t, config, forms))
    dropped += arranged.dropped
    ends = [_form(t, config, forms) for t in prefix], [_form(t, config, forms) for t in suffix]
    text = config.separator.join([*ends[0], *([arranged.text] if arranged.text else []), *ends[1]])
    return Caption(text, (*prefix, *arranged.tags, *suffix), tuple(dropped))


def replaces(config: TagConfig) -> bool:
    """Whether the caption that is there is thrown away; without a tagger it is where all starts from."""
    return config.existing == "overwrite" and config.tagger != "none"


# what the models said


def _machine(
    analysis: Analysis, config: TagConfig, own: Thresholds, human: set[str], dropped: list[Drop]
) -> list[Tag]:
    keep = patterns(config.keep, "keep")
    tags: list[Tag] = []
    for item in passing(analysis.tags, config, own, keep.match):
        if isinstance(item, Drop):
            dropped.append(item)
        else:
            tags.append(item)
    return tags + _answered(analysis, config, {t.name for t in tags} | human, dropped)


def _answered(analysis: Analysis, config: TagConfig, there: set[str], dropped: list[Drop]) -> list[Tag]:
    """The tags that answers give: sure enough, and about things that are in the caption."""
    answers = []
    for a in settle(analysis.answers):
        if not a.tag:
            continue
        if a.probability is not None and a.probability < config.answer_threshold:
            dropped.append(Drop(a.tag, f"unsure: {a.probability:.2f} is below {config.answer_threshold:.2f}"))
        else:
            answers.append(a)
    # a yes/no question that finds a thing vouches for it
    there = there | {a.tag for a in answers if a.object in ("", a.tag)}
    result = []
    for a in answers:
        if a.object and a.object not in there:
            dropped.append(Drop(a.tag, f"{a.object} itself is left out"))
        else:
            result.append(Tag(_count_form(a, config), score=a.probability, source=Source.QUESTION))
    return result


def _count_form(answer: Answer, config: TagConfig) -> str:
    """`3_boxes`, or `3boxs` in the published LoRA's form."""
    if config.count_style == "naive" and answer.tag == f"{answer.answer}_{plural(answer.object)}":
        return f"{answer.answer}{naive_plural(answer.object)}"
    return answer.tag


# the user's lists


def _rewritten(tags: Iterable[Tag], config: TagConfig, dropped: list[Drop]) -> list[Tag]:
    rules = replacements(config.replace)
    excluded = patterns(config.exclude, "exclude")
    result = []
    for tag in tags:
        name = rules.apply(tag.name) if rules else tag.name
        if not name:
            dropped.append(Drop(tag.name, "replaced by nothing"))
            continue
        pattern = excluded.match(name)
        if pattern is not None:
            dropped.append(Drop(name, f"excluded by {pattern}"))
            continue
        result.append(tag if name == tag.name else replace(tag, name=name))
    return result


def _without(tags: Iterable[Tag], names: set[str], reason: str, dropped: list[Drop]) -> list[Tag]:
    result = []
    for tag in tags:
        if key(tag.name) in names:
            dropped.append(Drop(tag.name, reason))
        else:
            result.append(tag)
    return result


def _unique(tags: Iterable[Tag], taken: set[str]) -> list[Tag]:
    result = []
    for tag in tags:
        if key(tag.name) not in taken:
            taken.add(key(tag.name))
            result.append(tag)
    return result


def _limited(tags: list[Tag], most: int | None, dropped: list[Drop]) -> list[Tag]:
    """At most `most` tags: machine tags go first, from the end; people and a person's tags stay longest."""
    if most is None or len(tags) <= most:
        return tags
    spare = len(tags) - most
    gone: set[int] = set()
    for protected in (False, True):
        for i in range(len(tags) - 1, -1, -1):
            if len(gone) == spare:
                break
            t = tags[i]
            held = t.source in (Source.HUMAN, Source.OPTION) or t.locked or group(t) == "people"
            if held == protected and i not in gone:
                gone.add(i)
    for i in sorted(gone):
        dropped.append(Drop(tags[i].name, f"more than {most} tags"))
    return [t for i, t in enumerate(tags) if i not in gone]


# order and text


def _base(existing: Existing, human: Sequence[Tag], machine: Sequence[Tag]) -> tuple[list[Tag], list[Tag]]:
    """For append and prepend: the tags of the file as they stand there, and those that are new."""
    by_name = {t.name: t for t in machine}
    places = {name: i for i, (name, _) in enumerate(existing.forms)}
    there = list(human)
    there += [by_name.get(n, Tag(n)) for n in existing.ours]
    there.sort(key=lambda t: places.get(t.name, len(places)))
    present = {key(t.name) for t in there}
    return there, [t for t in machine if key(t.name) not in present]


def _sorted(tags: Sequence[Tag], config: TagConfig, rng: random.Random) -> list[Tag]:
    """Plain order: people, characters and copyrights first, then the rest as `sort` says, ratings last."""
    groups = grouped(tags)
    front = [*groups["people"], *groups["characters"], *groups["copyright"]]
    middle = [t for t in tags if group(t) in ("general", "new")]
    if config.sort == "score":
        middle.sort(key=lambda t: -1.0 if t.score is None else -t.score)
    elif config.sort == "alphabetical":
        middle.sort(key=lambda t: t.name)
    elif config.sort == "shuffle":
        middle.sort(key=lambda t: t.name)
        rng.shuffle(middle)
    return [*front, *middle, *groups["artist"], *groups["year"], *groups["meta"], *groups["rating"]]


def _form(tag: Tag, config: TagConfig, forms: dict[str, str]) -> str:
    """A person's tag as the person wrote it, any other by the settings."""
    if tag.source is Source.HUMAN and tag.name in forms:
        return forms[tag.name]
    return written(tag.name, config.underscores, config.escape_brackets)


def _joined(tags: Sequence[Tag], config: TagConfig, forms: dict[str, str]) -> str:
    return config.separator.join(_form(t, config, forms) for t in tags)


def _rng(seed: int, image_key: str) -> random.Random:
    """Randomness of one image: independent of the order in which images are done."""
    digest = hashlib.blake2b(f"{seed}\n{image_key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
