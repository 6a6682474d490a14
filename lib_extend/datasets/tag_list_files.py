"""Reading lists of tags from files: their size, their encoding, their form; see `vocabulary.tag_list_parsing`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lib_extend.errors import UserError
from lib_extend.files import outside_json
from lib_extend.files.encodings import unicode_text
from lib_extend.files.scan import show
from lib_extend.vocabulary.tag_list import ListProblem, TagList
from lib_extend.vocabulary.tag_list_parsing import PARSERS

MAX_BYTES = 64 << 20
"""The longest file that is read; the lists of 200,000 tags that are in use have 5 MB."""


def read_tag_list(path: Path) -> TagList:
    """The list of a file; if it cannot be read, a list without tags that names the problem."""
    name = show(path.name)
    parse = PARSERS.get(path.suffix.lower())
    if parse is None:
        known = ", ".join(PARSERS)
        return _unread("format", name, f"{name} is no list of tags: its name must end in one of {known}.")
    try:
        if not path.is_file():
            return _unread("missing", name, f"{name} is not there: check the path {show(str(path))}.")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _unread("unreadable", name, f"{name} cannot be read ({reason}).")
    if len(data) > MAX_BYTES:
        return _unread("size", name, f"{name} is longer than {MAX_BYTES >> 20} MB: is this a list of tags?")
    reading = unicode_text(data)
    if reading is None:
        return _unread("encoding", name, f"{name} is not UTF-8 text: save it as UTF-8.")
    if path.suffix.lower() == ".json":
        try:
            return parse(name, outside_json.loads(reading.text))
        except ValueError as error:
            return _unread("json", name, f"{name} is no JSON ({error}): mend it.")
    return parse(name, reading.text)


def read_tag_lists(paths: Iterable[str]) -> list[TagList]:
    """The lists that a user named. Raises UserError for the first list without any usable entry."""
    lists = [read_tag_list(Path(path).expanduser()) for path in paths]
    for found in lists:
        if found.problems and not (found.rows or found.implications or found.translations):
            raise UserError(found.problems[0].words, code=f"tag_list_{found.problems[0].code}", field="list")
    return lists


def _unread(code: str, name: str, words: str) -> TagList:
    return TagList(name, problems=(ListProblem(code, name, 0, words),))
