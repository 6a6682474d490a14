"""`prompt-extend separate IMAGE`: the persons of one picture, whose tag is whose, and a picture to look at."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extend.config import TagConfig, settings
from lib_extend.config.arguments import add_setting, config_of
from lib_extend.records import Person, Tag
from lib_extend.vocabulary.tag_names import written

if TYPE_CHECKING:
    from lib_extend.analysis.separation import Looked

_OTHERS = ("tagger", "device", "offline", "models_dir", "threshold")


def add(commands: Any) -> None:
    """Adds the command to the parsers of `prompt-extend`."""
    parser = commands.add_parser("separate", help="who has which in one image, with a picture to look at")
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PNG",
        help="the picture with the persons drawn in (default: beside IMAGE)",
    )
    parser.add_argument(
        "--explain", action="store_true", help="each tag's scores on the persons, and why it is whose"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    for s in settings(TagConfig):
        if s.name in _OTHERS or (s.group == "people" and s.name != "people"):
            add_setting(parser, s)
    parser.set_defaults(run=_separate)


def _separate(args: argparse.Namespace) -> int:
    from lib_extend.analysis.annotating import annotate
    from lib_extend.analysis.decode import decode
    from lib_extend.analysis.separation import load_separator

    config = config_of(args)
    image = decode(str(args.image)).image
    separator = load_separator(
        config.tagger,
        config.detector,
        device=config.device,
        offline=config.offline,
        models_dir=config.models_dir,
        config=config,
    )
    looked = separator.look(image)
    out = args.out or args.image.with_name(f"{args.image.stem}.persons.png")
    annotate(image, looked.separation.persons or looked.found).save(out)
    if args.json:
        print(json.dumps({**_plain(looked), "picture": str(out)}, ensure_ascii=True))
    else:
        print("\n".join(_lines(looked, args.explain)))
        print(f"The persons are drawn into {out}.")
    return 0


def _lines(looked: Looked, explain: bool) -> Iterator[str]:
    result = looked.separation
    if result.reason:
        yield f"Not separated: {result.reason}."
        for person in looked.found:
            yield f"   {_where(person)}"
        return
    people = ", ".join(written(t.name) for t in result.people) or "no people tags"
    note = " (the tagger alone said another number)" if result.recounted else ""
    yield f"{len(result.persons)} person{'' if len(result.persons) == 1 else 's'}: {people}{note}"
    for person in result.persons:
        yield f"{person.letter}  {_where(person)}"
        yield f"   {_named(person.tags)}"
    if result.shared:
        yield f"All of them: {_named(result.shared)}"
    for name, better in result.ruled_out.items():
        yield f"Left out: {written(name)} ({written(better)} is likelier on each person)"
    if explain:
        for d in result.decisions:
            scores = " ".join(f"{s:.2f}" for s in d.scores)
            yield f"   {written(d.name):<24} {''.join(d.letters) or '-':<5} {scores}  {d.why}"


def _where(person: Person) -> str:
    b = person.box
    score = "" if person.score is None else f", {person.score:.2f} sure"
    return f"box {b.x0:.0f},{b.y0:.0f} to {b.x1:.0f},{b.y1:.0f}{score}"


def _named(tags: Sequence[Tag]) -> str:
    return ", ".join(written(t.name) + ("" if t.score is None else f" {t.score:.2f}") for t in tags)


def _plain(looked: Looked) -> dict[str, Any]:
    result = looked.separation
    return {
        "reason": result.reason,
        "people": [t.to_json() for t in result.people],
        "persons": [p.to_json() for p in result.persons],
        "shared": [t.to_json() for t in result.shared],
        "ruled_out": dict(result.ruled_out),
        "decisions": [d.to_json() for d in result.decisions],
        "found": [{"box": p.box.as_list(), "score": p.score} for p in looked.found],
    }
