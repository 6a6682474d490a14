"""`prompt-extend expand "1girl, cake"`: a few words become a full prompt."""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Any

from lib_extend.config import TagConfig, settings
from lib_extend.config.arguments import add_setting
from lib_extend.expanding.expansion_request import ExpandedPrompt, Request, check, expanded, split_bans
from lib_extend.prompt_expansion import DEFAULT_EXPANDER, MOST_DRAFTS, SEEDS, About, Length, Sampling, Wanted

_SETTINGS = ("device", "offline", "models_dir")


def add(commands: Any) -> None:
    """Adds the command to the parsers of `prompt-extend`."""
    parser = commands.add_parser("expand", help="a few words become a full prompt")
    parser.add_argument(
        "prompt", metavar="PROMPT", help='what you have: "1girl, cake"; - reads it from the input'
    )
    parser.add_argument(
        "--expander",
        default=DEFAULT_EXPANDER,
        metavar="MODEL",
        help=f"a name, a folder or a .gguf file (default: {DEFAULT_EXPANDER})",
    )
    parser.add_argument(
        "--target",
        choices=[x.value for x in Length],
        default=Length.LONG.value,
        help="how long the prompt becomes (default: long)",
    )
    parser.add_argument(
        "--to",
        choices=[x.value for x in Wanted],
        default=Wanted.TAGS.value,
        help="what is written (default: tags)",
    )
    parser.add_argument(
        "--ban",
        action="append",
        default=[],
        metavar="LIST",
        help="tags that must not be written, with commas; * and /regular expressions/ too",
    )
    parser.add_argument(
        "--force", action="append", default=[], metavar="LIST", help="tags that every draft has, with commas"
    )
    parser.add_argument("--rating", default="", metavar="WORD", help="safe, sensitive, nsfw or explicit")
    parser.add_argument("--aspect", type=float, metavar="N", help="width divided by height")
    parser.add_argument(
        "--character", action="append", default=[], metavar="NAME", help="who is in the picture"
    )
    parser.add_argument(
        "--about",
        choices=[x.value for x in About],
        default=About.PICTURE.value,
        help="what the prompt is about: a person's tags and the scene's are drawn apart (default: picture)",
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="PROMPT",
        help="another prompt of the same picture: what contradicts it is not written",
    )
    parser.add_argument(
        "--task",
        default="",
        metavar="NAME",
        help="what a TIPO model does, such as short_to_tag_to_long (default: what fits --to)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="the same seed gives the same drafts (default: random)"
    )
    parser.add_argument(
        "--drafts", type=int, default=1, metavar="N", help=f"how many, up to {MOST_DRAFTS} (default: 1)"
    )
    own = Sampling()
    for name, kind, text in (
        ("temperature", float, "above 0: higher is more daring"),
        ("top_p", float, "0 to 1: only the likeliest tokens of this share"),
        ("top_k", int, "only so many of the likeliest tokens, 0 for all"),
        ("min_p", float, "0 to 1: only tokens at least so likely beside the likeliest"),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            type=kind,
            default=getattr(own, name),
            metavar="N",
            help=f"{text} (default: {getattr(own, name):g})",
        )
    parser.add_argument("--json", action="store_true", help="print one draft a line as JSON")
    for s in settings(TagConfig):
        if s.name in _SETTINGS:
            add_setting(parser, s)
    parser.set_defaults(run=_expand)


def _expand(args: argparse.Namespace) -> int:
    from lib_extend.models.model_loading import load_expander

    seed = random.randrange(SEEDS) if args.seed is None else args.seed
    request = Request(
        args.expander,
        sys.stdin.read() if args.prompt == "-" else args.prompt,
        Length(args.target),
        Wanted(args.to),
        rating=args.rating,
        aspect=args.aspect,
        characters=tuple(args.character),
        ban=tuple(b for text in args.ban for b in split_bans(text)),
        drafts=args.drafts,
        sampling=Sampling(args.temperature, args.top_p, args.top_k, args.min_p, seed),
        force=tuple(f.strip() for text in args.force for f in text.split(",")),
        about=About(args.about),
        others=tuple(args.beside),
        task=args.task,
    )
    check(request)
    expander = load_expander(
        args.expander,
        device=args.device or "auto",
        offline=bool(args.offline),
        models_dir=args.models_dir or "",
    )
    for n, draft in enumerate(expanded(expander, request)):
        if args.json:
            print(json.dumps({**draft.to_json(), "seed": seed + n}, ensure_ascii=True))
        else:
            print(draft.text)
            if draft.exhausted:
                print(_short(draft), file=sys.stderr)
    return 0


def _short(draft: ExpandedPrompt) -> str:
    return f"Nothing else was left to write: this prompt has {len(draft.tags)} new tags only."
