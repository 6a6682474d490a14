"""The commands `doctor` and `card`: what this machine has, and what models run on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from lib_extend.services import doctor
from lib_extend.worker import card_needs, card_setup

OK, FAILED = 0, 1


def add(commands: Any, add_state: Callable[[Any], None]) -> None:
    """Add the commands. They work on no folder, so they have no `--state`."""
    command = commands.add_parser(
        "doctor", help="devices, packages, folders and what runs where: for a bug report"
    )
    command.add_argument("--json", action="store_true", help="print it as JSON")
    command.add_argument(
        "--models-dir",
        default="",
        metavar="DIR",
        help="where downloads are (default: the Hugging Face cache)",
    )
    command.set_defaults(run=_doctor)

    card = commands.add_parser("card", help="the graphics card, and what it needs that is not installed")
    card.add_argument("--install", action="store_true", help="install it into this python's environment")
    card.add_argument(
        "--device", choices=card_needs.ASKED, default="auto", help="another way than the best (default: auto)"
    )
    card.set_defaults(run=_card)


def _doctor(args: argparse.Namespace) -> int:
    sections = doctor.examine(models_dir=args.models_dir)
    if args.json:
        print(json.dumps({s.title: [list(line) for line in s.lines] for s in sections}, ensure_ascii=False))
    else:
        print(doctor.as_text(sections))
    return FAILED if doctor.problem() else OK


def _card(args: argparse.Namespace) -> int:
    needs = card_setup.needs_here(args.device)
    print(card_needs.sentence(needs), flush=True)
    exchange, runtime = card_setup.missing(needs)
    if not exchange and not runtime:
        print("All that it needs is installed.")
        return OK
    what = " and ".join(w for w in (f"torch for {needs.title}" if exchange else "", runtime) if w)
    if not args.install:
        print(
            f"Not installed: {what} (about {needs.megabytes / 1000:.1f} GB): `prompt-extend card --install`."
        )
        return OK
    print(f"Installing {what}: about {needs.megabytes / 1000:.1f} GB on the disk …", flush=True)
    card_setup.install(needs)
    print("Done.")
    return OK
