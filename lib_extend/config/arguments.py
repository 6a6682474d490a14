"""The settings as options of a command line."""

from __future__ import annotations

import argparse
from typing import Any

from lib_extend.config import Setting, TagConfig, settings

GROUPS = {
    "models": "models",
    "questions": "questions to the vision-language model",
    "prose": "descriptions in sentences by the vision-language model",
    "people": "who has which",
    "tags": "which tags",
    "curation": "what captions leave out",
    "caption": "how the caption is written",
    "images": "which images",
    "run": "how it runs",
}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One option a setting, in the settings' own groups."""
    groups: dict[str, Any] = {}
    for s in settings(TagConfig):
        if s.group not in groups:
            groups[s.group] = parser.add_argument_group(GROUPS[s.group])
        add_setting(groups[s.group], s)


def add_setting(group: Any, s: Setting) -> None:
    text = s.help.replace("%", "%%")
    if s.default not in (None, "", (), False):
        default = ",".join(s.default) if isinstance(s.default, tuple) else s.default
        text += f" (default: {str(default).replace('%', '%%')!s})" if str(default).strip(" ,") else ""
    if s.type is bool:
        # all of them are off by default; one that is on would need a --no- form
        group.add_argument(s.flag, dest=s.name, action="store_const", const=True, default=None, help=text)
        return
    options: dict[str, Any] = {"dest": s.name, "default": None, "help": text}
    if s.type is list:
        options.update(action="append", metavar=s.metavar or "LIST")
    else:
        options["type"] = {int: int, float: float, str: str}[s.type]
        if s.choices:
            options["choices"] = s.choices
        else:
            options["metavar"] = s.metavar or {int: "N", float: "P", str: "TEXT"}[s.type]
    group.add_argument(s.flag, **options)


def config_of(args: argparse.Namespace) -> TagConfig:
    """The settings given on the command line, over the defaults."""
    return TagConfig.from_dict(given(args))


def given(args: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line."""
    values: dict[str, Any] = {}
    for s in settings(TagConfig):
        value = getattr(args, s.name, None)
        if value is None:
            continue
        if s.type is list:
            value = (
                list(value)
                if s.metavar in ("GLOB", "FILE", "TEXT")
                else [w for text in value for w in split_list(text)]
            )
        values[s.name] = value
    return values


def split_list(text: str) -> list[str]:
    """Split at commas, but not inside `/regular expressions/`.

    A regular expression begins with `/` at the start of an item and ends at the `/` before a comma, an
    equals sign or the end.
    """
    items: list[str] = []
    item = ""
    in_regex = False
    for i, c in enumerate(text):
        if c == "/" and not in_regex and not item.strip():
            in_regex = True
        elif c == "/" and in_regex and text[i + 1 : i + 2] in ("", ",", "="):
            in_regex = False
        elif c == "," and not in_regex:
            items.append(item.strip())
            item = ""
            continue
        item += c
    items.append(item.strip())
    return [i for i in items if i]
