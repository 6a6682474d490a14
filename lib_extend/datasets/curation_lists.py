"""The user's lists for curation, read from files in their established formats.

A file that cannot be used at all ends the run with a sentence that names it, and the line where there is one. A single
line that cannot be used is reported, and the others are used.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_extend.captions.patterns import Patterns
from lib_extend.config import TagConfig
from lib_extend.config.arguments import split_list
from lib_extend.curation.core_tags import CoreTable, CoreTags, core_tag
from lib_extend.curation.knowledge import Traits, UserLists
from lib_extend.errors import UserError
from lib_extend.files import outside_json
from lib_extend.files.scan import show
from lib_extend.records import Record
from lib_extend.vocabulary.tag_names import canonical, key
from lib_extend.vocabulary.traits import TraitWords

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
MOST_BYTES = 64_000_000
"""Bytes of a list, at the most."""
MOST_PROBLEMS = 100
"""Lines of one file that are named, at the most."""


@dataclass(frozen=True)
class ListProblem(Record):
    """A line of a list that is ignored: the file's name, the line (1 …; 0: none), what is wrong and how to correct
    it."""

    code: str
    file: str
    line: int
    text: str


@dataclass
class LoadedLists:
    """The lists that were read, and the lines that are ignored."""

    lists: UserLists = field(default_factory=UserLists)
    core: CoreTable | None = None
    problems: list[ListProblem] = field(default_factory=list)


def load_lists(config: TagConfig) -> LoadedLists:
    """The lists that the settings name.

    Raises:
        UserError: a file is not there, or is in another format; it names the file and, where there is one, the line.
    """
    loaded = LoadedLists()
    overlaps: dict[str, tuple[str, ...]] = {}
    aliases: dict[str, str] = {}
    traits: Traits | None = None
    blacklists = []
    alias_files = [_File(name, "aliases") for name in config.aliases]
    for file in alias_files:
        aliases.update(_aliases(file, loaded))
    for name in config.blacklist:
        file = _File(name, "blacklist")
        blacklists.append((file.short, _blacklist(file, loaded)))
    overlap_files = [_File(name, "overlap") for name in config.overlap]
    for file in overlap_files:
        for general, specials in _overlaps(file).items():
            overlaps[general] = tuple(dict.fromkeys((*overlaps.get(general, ()), *specials)))
    for name in config.character_tags:
        file = _File(name, "character_tags")
        try:
            traits = TraitWords.from_json(file.json())
        except ValueError as e:
            word = next((w for w in ("whitelist", "suffixes", "prefixes") if f" {w} that" in str(e)), "")
            raise UserError(
                f"{file.place(word)}: it is no list of traits: it {e}.", field="character_tags"
            ) from None
    aliases = _without_circles(aliases, alias_files, loaded)
    overlaps = _without_mutual(overlaps, overlap_files, loaded)
    loaded.lists = UserLists(tuple(blacklists), overlaps, aliases, traits)
    if config.core_file:
        file = _File(config.core_file, "core_file")
        loaded.core = core_table_of(file.json(), config, traits or _own_traits(), file.place)
    return loaded


class _File:
    """One list as text."""

    def __init__(self, name: str, setting: str) -> None:
        self.path = Path(name).expanduser()
        self.setting = setting
        self.short = show(self.path.name)
        shown = show(str(self.path))
        try:
            if not self.path.is_file():
                self.path.stat()
                raise UserError(f"{setting} names {shown}, which is no file: name a list.", field=setting)
            if self.path.stat().st_size > MOST_BYTES:
                raise UserError(
                    f"{setting} names {shown}, which is too large: {MOST_BYTES // 1_000_000} MB are the most.",
                    field=setting,
                )
            self.text = self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as e:
            line = self.path.read_bytes()[: e.start].count(b"\n") + 1
            raise UserError(
                f"{shown}, line {line}, is no UTF-8 text: save the list as UTF-8.", field=setting
            ) from None
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or "no such file"
            raise UserError(
                f"{setting} names {shown}, which cannot be read ({reason}): check the path.", field=setting
            ) from None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line that is not empty; `# …` is a comment."""
        for number, line in enumerate(self.text.splitlines(), 1):
            text = line.strip()
            if text and text != "#" and not text.startswith(("# ", "#\t")):
                yield number, text

    def place(self, name: object) -> str:
        """Where the file names something: its name, and the line where it can be told."""
        line = self.line_of(name)
        return f"{self.short}, line {line}" if line else self.short

    def line_of(self, name: object) -> int:
        """The first line with a name in quotation marks, in any spelling of it; 0 where there is none."""
        wanted = key(canonical(str(name)))
        for number, line in enumerate(self.text.splitlines(), 1):
            if any(key(canonical(text)) == wanted for text in _QUOTED.findall(line)):
                return number
        return 0

    def alias_line(self, name: str) -> int:
        """The line that gives another name its tag: `old=new`, or a name in quotation marks; 0 where there is none."""
        for number, line in self.lines():
            if key(canonical(line.partition("=")[0])) == key(name):
                return number
        return self.line_of(name)

    def json(self) -> Any:
        """The value of a JSON file. Raises UserError with the line."""
        try:
            return outside_json.loads(self.text)
        except ValueError as e:
            line = getattr(e, "lineno", 0)
            where = f", line {line}," if line else ""
            raise UserError(
                f"{self.short}{where} is no JSON: {self.setting} takes a JSON file.", field=self.setting
            ) from None

    def other_format(self, wants: str) -> UserError:
        return UserError(
            f"{self.short} is in another format: {self.setting} takes {wants}.", field=self.setting
        )


def _blacklist(file: _File, loaded: LoadedLists) -> Patterns:
    """One tag, wildcard or /regular expression/ a line."""
    if file.text.lstrip()[:1] in ("{", "["):
        raise file.other_format("a text file with one tag a line")
    found = []
    for number, line in file.lines():
        for text in split_list(line):
            try:
                Patterns((text,), "it")
                found.append(text)
            except UserError as e:
                _problem(loaded, "bad_pattern", file, number, f"{e} It does not count.")
    return Patterns(tuple(found), file.short)


def _overlaps(file: _File) -> dict[str, tuple[str, ...]]:
    """Either form: an object `{tag: [tags that make it needless]}`, or a list of `{"query": tag, "has_overlap": […]}`."""
    data = file.json()
    wants = 'an object {"tag": ["tag", …]} or a list of {"query": "tag", "has_overlap": ["tag", …]}'
    if isinstance(data, Mapping):
        rows = list(data.items())
    elif isinstance(data, list) and all(isinstance(r, Mapping) and "query" in r for r in data):
        rows = [(r["query"], r.get("has_overlap") or []) for r in data]
    else:
        raise file.other_format(wants)
    result: dict[str, tuple[str, ...]] = {}
    for general, specials in rows:
        if not isinstance(general, str) or not _texts(specials):
            raise UserError(
                f"{file.place(general)}: what it says of {show(str(general)[:60])!r} is no list of tags: overlap takes {wants}.",
                field="overlap",
            )
        if specials:
            name = key(canonical(general))
            result[name] = (*result.get(name, ()), *(key(canonical(s)) for s in specials))
    return result


def _aliases(file: _File, loaded: LoadedLists) -> dict[str, str]:
    """`old=new` a line, `{old: new}` or `{tag: [other names]}` in JSON, or tagcomplete's table (name,category,count,"alias,alias")."""
    if file.text.lstrip()[:1] == "{":
        return _aliases_of_json(file)
    if file.text.lstrip()[:1] == "[":
        raise file.other_format("lines old=new, a JSON object, or a table of tagcomplete")
    result: dict[str, str] = {}
    for number, line in file.lines():
        old, equals, new = line.partition("=")
        if equals and "," not in old and old.strip() and new.strip():
            result[key(canonical(old))] = canonical(new)
            continue
        row = next(csv.reader(io.StringIO(line)), [])
        if len(row) >= 3 and row[1].strip().isdigit():
            for other in row[3].split(",") if len(row) > 3 else ():
                if other.strip():
                    result[key(canonical(other))] = canonical(row[0])
        else:
            text = (
                f"{show(line[:60])!r} is neither old=new nor a row of tagcomplete's table. It does not count."
            )
            _problem(loaded, "bad_alias", file, number, text)
    return result


def _aliases_of_json(file: _File) -> dict[str, str]:
    result: dict[str, str] = {}
    for one, other in file.json().items():
        if isinstance(other, str):
            result[key(canonical(one))] = canonical(other)
        elif _texts(other):
            result.update({key(canonical(o)): canonical(one) for o in other})
        else:
            raise file.other_format('an object {"old": "new"} or {"tag": ["other name", …]}')
    return result


def core_table_of(data: Any, config: TagConfig, traits: Traits, place: Callable[[object], str]) -> CoreTable:
    """A core_tag.json: `{character: [tags]}`, or `{character: {"kept": […], "dropped": […], "emb_init": […]}}`.

    `place` says where the file names a character.

    Raises:
        UserError: it is something else.
    """

    def wrong(at: object) -> UserError:
        return UserError(
            f'{place(at)}: core_file takes a core_tag.json, {{"character": ["tag", …]}}, or "kept", "dropped" and "emb_init" for each.',
            field="core_file",
        )

    if not isinstance(data, Mapping):
        raise wrong("")
    table: dict[str, CoreTags] = {}
    for character, said in data.items():
        if _texts(said):
            tags = [core_tag(key(canonical(t)), 0, 1.0, config, traits.difficulty) for t in said]
        elif isinstance(said, Mapping) and all(
            _texts(said.get(k, [])) for k in ("kept", "dropped", "emb_init")
        ):
            init = {key(canonical(t)) for t in said.get("emb_init", [])}
            tags = [
                _said(key(canonical(t)), use, init, traits)
                for use in ("dropped", "kept")
                for t in said.get(use, [])
            ]
            known = {t.name for t in tags}
            tags += [_said(t, "dropped", init, traits) for t in sorted(init - known)]
        else:
            raise wrong(character)
        table[canonical(character)] = CoreTags(canonical(character), 0, tuple(tags))
    return CoreTable({"": table})


def _said(name: str, use: str, init: set[str], traits: Traits) -> Any:
    from lib_extend.curation.core_tags import CoreTag

    return CoreTag(name, 0, 1.0, use, name in init, traits.difficulty(name))


def _own_traits() -> Traits:
    from lib_extend.vocabulary.traits import own_traits

    return own_traits()


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _problem(loaded: LoadedLists, code: str, file: _File, line: int, text: str) -> None:
    if sum(p.file == file.short for p in loaded.problems) < MOST_PROBLEMS:
        loaded.problems.append(ListProblem(code, file.short, line, text))


def _without_circles(aliases: dict[str, str], files: Sequence[_File], loaded: LoadedLists) -> dict[str, str]:
    """Aliases without circles; the aliases of a circle are ignored, and the circle is reported."""
    result: dict[str, str] = {}
    for name in aliases:
        way = [name]
        while key(way[-1]) in aliases and len(way) <= len(aliases):
            way.append(aliases[key(way[-1])])
            if key(way[-1]) in map(key, way[:-1]):
                break
        if key(way[-1]) in map(key, way[:-1]):
            text = f"{' → '.join(way[:6])} is a circle of other names: none of them counts."
            if not any(p.code == "alias_circle" and name in p.text for p in loaded.problems):
                file = next((f for f in files if f.alias_line(name)), files[0])
                _problem(loaded, "alias_circle", file, file.alias_line(name), text)
        else:
            result[name] = way[-1]
    return result


def _without_mutual(
    overlaps: Mapping[str, Sequence[str]], files: Sequence[_File], loaded: LoadedLists
) -> dict[str, tuple[str, ...]]:
    """Overlaps without pairs that make each other needless, because both tags would be removed. Such pairs are
    reported."""
    result: dict[str, tuple[str, ...]] = {}
    for general, specials in overlaps.items():
        mutual = [s for s in specials if general in overlaps.get(s, ()) and s != general]
        for special in mutual:
            if general < special:
                text = f"{general} and {special} make each other needless: neither counts."
                file = next((f for f in files if f.line_of(general)), files[0])
                _problem(loaded, "overlap_circle", file, file.line_of(general), text)
        left = tuple(s for s in specials if s not in mutual)
        if left:
            result[general] = left
    return result
