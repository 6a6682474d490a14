"""A list of tags from a file's text: the tables of taggers and of tagcomplete, plain lists, JSON, translations.

- CSV with a head: columns `name`, `category`, `count` (or `post_count`), `aliases`, in any order.
- CSV without: `name,category,count,"alias,alias"`, tagcomplete's form. [read in its source]
- CSV of translations: `name,translation`, or of old `name,anything,translation`.
- Plain text: one tag a line, or several with commas between them; `#` begins a comment.
- JSON: a list of names or of objects with `name`, `category`, `count` or `post_count`, `aliases`; or an object with
  `tags` (such a list), `aliases` {"other word": "tag"} and `implications` {"special": ["general", …]}.

An entry that cannot be used is reported with its line; all others are used.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lib_extend.records import Category
from lib_extend.vocabulary.implications import cycles_broken
from lib_extend.vocabulary.tag_list import ListProblem, Pair, TagList, TagRow
from lib_extend.vocabulary.tag_names import canonical

MOST_PROBLEMS = 20
"""Lines of a file that are told one by one."""
_LONGEST_NAME = 300
_LOOKED_AT = 50
"""Rows by which a table without a head is known."""
_COUNTS = ("count", "post_count")

_DANBOORU = {
    "0": Category.GENERAL, "1": Category.ARTIST, "3": Category.COPYRIGHT, "4": Category.CHARACTER, "5": Category.META,
    "9": Category.RATING,
}  # fmt: skip
# 5 is species, 6 invalid, 7 meta, 8 lore
_E621 = {**_DANBOORU, "5": Category.GENERAL, "6": Category.META, "7": Category.META, "8": Category.META}
_E621.pop("9")
# Danbooru's as they are, and e621's plus 7
_BOTH = {
    **{n: c for n, c in _DANBOORU.items() if n != "9"},
    **{str(int(n) + 7): c for n, c in _E621.items()},
}
_WORDS = {c.value: c for c in Category} | {"series": Category.COPYRIGHT, "species": Category.GENERAL}


class _Problems:
    """Collects what cannot be used; from `MOST_PROBLEMS` on only their number."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[ListProblem] = []
        self._more = 0

    def add(self, code: str, line: int, what: str) -> None:
        if len(self._found) >= MOST_PROBLEMS:
            self._more += 1
            return
        where = f"{self._file}, line {line}" if line else self._file
        self._found.append(ListProblem(code, self._file, line, f"{where}: {what}"))

    def all(self) -> tuple[ListProblem, ...]:
        if not self._more:
            return tuple(self._found)
        words = f"{self._file}: {self._more} more lines could not be used."
        return (*self._found, ListProblem("more", self._file, 0, words))


def parsed_csv(name: str, text: str) -> TagList:
    """The tags or translations of a table; `name` is the file's, for messages."""
    problems = _Problems(name)
    rows = list(_csv_rows(text, problems))
    if not rows:
        return TagList(name, problems=problems.all())
    head = [cell.strip().lower() for cell in rows[0][1]]
    if "name" in head:
        columns = {title: place for place, title in reversed(list(enumerate(head)))}
        body = rows[1:]
    elif translation_at := _translations_at(rows):
        return _translations(name, rows, translation_at, problems)
    else:
        columns = {"name": 0, "category": 1, "count": 2, "aliases": 3}
        body = rows
    categories = _numbers_of(row[columns["category"]] for _, row in body if _has(row, columns, "category"))
    found = [row for number, cells in body if (row := _row(number, cells, columns, categories, problems))]
    return TagList(name, found, problems=problems.all())


def parsed_text(name: str, text: str) -> TagList:
    """The tags of a plain list."""
    problems = _Problems(name)
    found: dict[str, TagRow] = {}
    for number, line in enumerate(text.splitlines(), 1):
        # a tag may have # in it, but begins with it as a face only (#_#)
        if line.lstrip().startswith("#") and line.strip() != "#_#":
            continue
        for word in line.split(","):
            if tag := _name(word, number, problems):
                found.setdefault(tag, TagRow(tag))
    return TagList(name, list(found.values()), problems=problems.all())


def parsed_json(name: str, data: Any) -> TagList:
    """The tags, other words and implications of JSON values."""
    problems = _Problems(name)
    if isinstance(data, list):
        data = {"tags": data}
    if not isinstance(data, Mapping) or not {"tags", "aliases", "implications"} & set(data):
        problems.add(
            "format", 0, "is neither a list of tags nor an object with tags, aliases or implications."
        )
        return TagList(name, problems=problems.all())
    items = data.get("tags", [])
    found = list(_json_rows(items if isinstance(items, list) else [], problems))
    aliases = list(_json_pairs(data.get("aliases", {}), "aliases", problems))
    kept, circles = cycles_broken(aliases)
    _tell_circles("alias_cycle", "other words for each other", circles, problems)
    targets: dict[str, list[str]] = {}
    for alias, tag in kept:
        targets.setdefault(tag, []).append(alias)
    rows = [row._replace(aliases=(*row.aliases, *targets.pop(row.name, ()))) for row in found]
    rows += [TagRow(tag, aliases=tuple(words)) for tag, words in targets.items()]
    pairs, circles = cycles_broken(_json_pairs(data.get("implications", {}), "implications", problems))
    _tell_circles("implication_cycle", "that follow from each other", circles, problems)
    return TagList(name, rows, pairs, problems=problems.all())


# tables


def _csv_rows(text: str, problems: _Problems) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add("row", reader.line_num, f"is no row of a table ({error}): mend or delete it.")
            continue
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _translations_at(rows: Sequence[tuple[int, list[str]]]) -> int:
    """Which column is a translation; 0 where none is."""
    looked_at = [cells for _, cells in rows[:_LOOKED_AT] if len(cells) > 1]
    if not looked_at:
        return 0
    half = len(looked_at) / 2
    if sum(_is_number(cells[1]) for cells in looked_at) < half and all(len(c) < 4 for c in looked_at):
        three = [cells for cells in looked_at if len(cells) > 2 and cells[2].strip()]
        return 2 if len(three) > half and not all(_is_number(c[2]) for c in three) else 1
    last = [cells[2] for cells in looked_at if len(cells) == 3]
    return 2 if len(last) > half and sum(not text.isascii() for text in last) > half else 0


def _translations(name: str, rows: Sequence[tuple[int, list[str]]], at: int, problems: _Problems) -> TagList:
    found: dict[str, str] = {}
    for number, cells in rows:
        tag = _name(cells[0], number, problems)
        if tag and len(cells) > at and cells[at].strip():
            found.setdefault(tag, cells[at].strip())
        elif tag:
            problems.add("row", number, f"{tag} has no translation.")
    return TagList(name, translations=found, problems=problems.all())


def _row(
    number: int,
    cells: Sequence[str],
    columns: Mapping[str, int],
    categories: Mapping[str, Category],
    problems: _Problems,
) -> TagRow | None:
    tag = _name(cells[columns["name"]] if len(cells) > columns["name"] else "", number, problems)
    if not tag:
        return None
    count = None
    for title in _COUNTS:
        if _has(cells, columns, title):
            count = _number(cells[columns[title]])
    category = cells[columns["category"]].strip() if _has(cells, columns, "category") else ""
    words = cells[columns["aliases"]] if _has(cells, columns, "aliases") else ""
    aliases = dict.fromkeys(canonical(word) for word in words.split(",") if word.strip())
    return TagRow(tag, _category(category, categories), count, False, tuple(aliases))


def _has(cells: Sequence[str], columns: Mapping[str, int], title: str) -> bool:
    return title in columns and columns[title] < len(cells)


def _numbers_of(categories: Iterable[str]) -> Mapping[str, Category]:
    """Which site's numbers these are: only e621 has 7 and 8, only both sites together more than 9."""
    there = {category.strip() for category in categories}
    if any(number.isdigit() and int(number) > 9 for number in there):
        return _BOTH
    return _E621 if there & {"7", "8"} else _DANBOORU


def _category(text: str, numbers: Mapping[str, Category]) -> Category | None:
    text = text.lower().removesuffix(".0")
    return numbers.get(text) or _WORDS.get(text)


def _is_number(text: str) -> bool:
    return text.strip().removeprefix("-").isdigit()


def _number(text: Any) -> int | None:
    try:
        return max(0, int(text))
    except (TypeError, ValueError):
        return None  # tagcomplete's file of quality tags says "Quality tag" there


def _name(text: str, line: int, problems: _Problems) -> str:
    name = canonical(text)
    if len(name) > _LONGEST_NAME:
        problems.add("row", line, f"a tag of {len(name)} letters: is this a list of tags?")
        return ""
    return name


# JSON


def _json_rows(items: Iterable[Any], problems: _Problems) -> Iterator[TagRow]:
    for place, item in enumerate(items, 1):
        if isinstance(item, str):
            if name := _name(item, 0, problems):
                yield TagRow(name)
        elif isinstance(item, Mapping) and isinstance(item.get("name"), str) and item["name"].strip():
            words = item.get("aliases", [])
            count = next((item[title] for title in _COUNTS if title in item), None)
            yield TagRow(
                canonical(item["name"]),
                _category(str(item.get("category", "")), _DANBOORU),
                _number(count),
                False,
                tuple(canonical(w) for w in words if isinstance(w, str)) if isinstance(words, list) else (),
            )
        else:
            problems.add("row", 0, f"the tag number {place} is neither a text nor an object with a name.")


def _json_pairs(data: Any, title: str, problems: _Problems) -> Iterator[Pair]:
    if not isinstance(data, Mapping):
        problems.add("format", 0, f"{title} are no object.")
        return
    for one, others in data.items():
        for other in [others] if isinstance(others, str) else others if isinstance(others, list) else [None]:
            if isinstance(other, str) and other.strip() and one.strip():
                yield canonical(one), canonical(other)
            else:
                problems.add("row", 0, f"{title} of {one!r} are neither a tag nor a list of tags.")


def _tell_circles(code: str, what: str, circles: Iterable[Sequence[str]], problems: _Problems) -> None:
    for circle in circles:
        way = " → ".join([*circle, circle[0]])
        problems.add(code, 0, f"tags {what} in a circle; the last pair was left out: {way}.")


PARSERS: Mapping[str, Callable[[str, Any], TagList]] = {
    ".csv": parsed_csv,
    ".txt": parsed_text,
    ".json": parsed_json,
}
"""By a file's ending; JSON's takes values, the others text."""
