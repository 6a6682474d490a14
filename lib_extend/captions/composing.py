"""From an analysis, the settings and the caption that is there to the caption that is written.

Deterministic: the same inputs give the same caption, whatever ran before. What is random (shuffling,
sampling) depends on the seed and the image's name only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from lib_extend.captions.existing import Existing, extended
from lib_extend.captions.layout import arrange, plain_order
from lib_extend.captions.lettering import lettered
from lib_extend.captions.lists import limited, rewritten, unique, without
from lib_extend.captions.patterns import patterns
from lib_extend.captions.reading import pieces
from lib_extend.captions.thresholds import Thresholds, passing
from lib_extend.config import TagConfig
from lib_extend.questions.asking import settle
from lib_extend.records import Analysis, Answer, Caption, Drop, Person, Source, Tag
from lib_extend.vocabulary.plurals import naive_plural, plural
from lib_extend.vocabulary.tag_names import key, written

__all__ = ["Existing", "Thresholds", "compose"]


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

    A person's tags stay unless `config.existing` is "overwrite", or `exclude` or `replace` name them; what
    a person took out stays out. The same caption given again as `existing` is composed to the same text.
    """
    dropped: list[Drop] = []
    if existing is None or replaces(config):
        existing = Existing("")
    removed = {key(n) for n in existing.removed}
    by_hand = rewritten(existing.added, config, dropped, again=True)
    human = unique((t for _, t in by_hand), set())
    prefix, suffix = _options(config, removed, dropped)
    extends = bool(existing.text.strip()) and config.existing in ("append", "prepend")
    stays = {*map(_key, (*human, *prefix, *suffix)), *(map(key, existing.ours) if extends else ())}
    machine = _machine(analysis, config, thresholds or Thresholds(), stays, removed, dropped)
    persons: tuple[Person, ...] = ()
    reason = ""
    if config.people:
        result = lettered(machine, human, analysis, config, thresholds or Thresholds(), removed, dropped)
        machine, persons, reason = result.tags, result.separation.persons, result.separation.reason

    def caption(text: str, tags: Sequence[Tag], dropped: Sequence[Drop]) -> Caption:
        return Caption(text, tuple(tags), tuple(dropped), persons, reason)

    machine = unique(machine, {*map(_key, (*prefix, *suffix, *human))})
    forms = dict(existing.forms)
    rng = _rng(config.seed, image_key)

    def form(tag: Tag) -> str:
        """A person's tag as the person wrote it, any other by the settings."""
        if tag.source is Source.HUMAN and tag.name in forms:
            return forms[tag.name]
        return written(tag.name, config.underscores, config.escape_brackets)

    if extends:
        arranged = arrange(machine, config, rng)
        made = extended(existing, by_hand, arranged, prefix, suffix, config, form, dropped)
        return caption(made.text, made.tags, made.dropped)
    prefix, suffix, human = _in_place(prefix, suffix, human)
    if config.format == "plain":
        first = _leading(existing, by_hand, {*map(_key, machine)})
        before = [t for t in human if _key(t) in first]
        after = [t for t in human if _key(t) not in first]
        tags = [*prefix, *before, *plain_order(machine, config, rng), *after, *suffix]
        tags = limited(tags, config.max_tags, dropped)
        return caption(config.separator.join(map(form, tags)), tags, dropped)
    kept: list[Tag] = []

    def cut(tags: Sequence[Tag]) -> list[Tag]:
        kept.extend(limited([*prefix, *tags, *suffix], config.max_tags, dropped))
        return [t for t in tags if t in kept]

    arranged = arrange([*human, *machine], config, rng, form, cut)
    ends = [[t for t in tags if t in kept] for tags in (prefix, suffix)]
    texts = [*map(form, ends[0]), *([arranged.text] if arranged.text else []), *map(form, ends[1])]
    tags = [*ends[0], *arranged.tags, *ends[1]]
    return caption(config.separator.join(texts), tags, (*dropped, *arranged.dropped))


def replaces(config: TagConfig) -> bool:
    """Whether the caption that is there is thrown away; without a tagger it is where all starts from."""
    return config.existing == "overwrite" and config.tagger != "none"


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
    made = [t for _, t in rewritten(without(tags, removed, dropped), config, dropped)]
    there = {*stays, *map(_key, tags), *map(_key, made)}
    answers = _answered(analysis, config, there, stays, removed, dropped)
    made += [t for _, t in rewritten(without(answers, removed, dropped), config, dropped)]
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
            dropped.append(Drop(a.tag, f"unsure: {a.probability:.2f} is below {config.answer_threshold:.2f}"))
        else:
            answers.append(a)
    # a yes/no question that finds a thing vouches for it
    there = there | {key(a.tag) for a in answers if a.object in ("", a.tag)}
    result = []
    for a in answers:
        name, other = _count_forms(a, config.count_style)
        if a.object and key(a.object) not in there:
            dropped.append(Drop(name, f"{a.object} itself is left out"))
        elif key(other) in removed:
            dropped.append(Drop(name, "removed by hand"))
        elif other != name and key(other) in stays:
            dropped.append(Drop(name, f"already there as {other}"))
        else:
            result.append(Tag(name, score=a.probability, source=Source.QUESTION, locked=a.locked))
    return result


def _count_forms(answer: Answer, style: str) -> tuple[str, str]:
    """`3_boxes` and `3boxs` (the published LoRA's form) in the order in which the style prefers them."""
    if not answer.object or answer.tag != f"{answer.answer}_{plural(answer.object)}":
        return answer.tag, answer.tag
    naive = f"{answer.answer}{naive_plural(answer.object)}"
    return (naive, answer.tag) if style == "naive" else (answer.tag, naive)


# the user's own tags


def _options(config: TagConfig, removed: set[str], dropped: list[Drop]) -> tuple[list[Tag], list[Tag]]:
    """The prefix and suffix tags."""
    taken: set[str] = set()
    ends = []
    for texts in (config.prefix_tags, config.suffix_tags):
        names = [p.name for text in texts for p in pieces(text)]
        tags = without([Tag(n, source=Source.OPTION) for n in names], removed, dropped)
        ends.append(unique(tags, taken))
    return ends[0], ends[1]


def _in_place(
    prefix: Sequence[Tag], suffix: Sequence[Tag], human: Sequence[Tag]
) -> tuple[list[Tag], list[Tag], list[Tag]]:
    """Prefix, suffix and the remaining human tags.

    A person's tag that is also an option takes the option's place, but remains the person's: it stays when
    the option goes.
    """
    own = {_key(t): t for t in human}
    taken = {*map(_key, (*prefix, *suffix))}
    return (
        [own.get(_key(t), t) for t in prefix],
        [own.get(_key(t), t) for t in suffix],
        [t for t in human if _key(t) not in taken],
    )


def _leading(existing: Existing, by_hand: Sequence[tuple[str, Tag]], machine: set[str]) -> set[str]:
    """Keys of a person's tags that stand before any of ours that is still written between them.

    The user's own prefix does not count, nor what goes: else a second run would move them.
    """
    names = {n: _key(t) for n, t in by_hand}
    result = {names[n] for n in existing.leading if n in names}
    for n, _ in existing.forms:
        if key(n) in machine:
            break
        if n in names:
            result.add(names[n])
    return result


def _key(tag: Tag) -> str:
    return key(tag.name)


def _rng(seed: int, image_key: str) -> random.Random:
    """Randomness of one image: independent of the order in which images are done."""
    digest = hashlib.blake2b(f"{seed}\n{image_key}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))
