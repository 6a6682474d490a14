"""The edits of filtered pictures' captions: add, remove, rename, replace, front, sort.

An `Edit` is checked JSON; a `Plan` is what it does to one caption and which pictures it can touch at all, so that a
folder of 100,000 is not read to change ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.captions.editing import Style, by_lines, fronted, lines_of, ordered, renamed, with_tags
from lib_extend.datasets import filters as f
from lib_extend.datasets.index_reading import is_prose
from lib_extend.errors import UserError
from lib_extend.guarded_regex import LONGEST_RESULT, SECONDS, Budget, GuardedRegex
from lib_extend.jobs.edit_runs import Change
from lib_extend.vocabulary.tag_names import canonical, key

ACTIONS = ("add", "remove", "rename", "replace", "front", "sort")
MOST_TAGS = 100
LONGEST_TAG = 500
LONGEST_REPLACEMENT = 1000
_A_TEXT = 0.002
"""Seconds that each caption adds to the time a regular expression may take."""


@dataclass(frozen=True)
class Edit:
    """An edit of all selected captions.

    Attributes:
        action: one of `ACTIONS`.
        tags: what to add, remove, rename, bring to the front (in this order) or, when sorting, leave there; for
            "replace" the one text to look for in the caption.
        to: the new name or text; for "add" the word "front" puts the tags first.
        regex: `tags` are regular expressions ("remove", "rename": on whole tags, "replace": in the caption).
    """

    action: str
    tags: tuple[str, ...] = ()
    to: str = ""
    regex: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Edit:
        """Raises UserError with the sentence a user needs."""
        action, tags, to = data.get("action"), data.get("tags", []), data.get("to") or ""
        if action not in ACTIONS:
            raise UserError(f"There is no edit {action!r}: the edits are {', '.join(ACTIONS)}.")
        if not isinstance(tags, (list, tuple)) or not all(isinstance(t, str) for t in tags):
            raise UserError("tags must be a list of texts.")
        if not isinstance(to, str) or not isinstance(data.get("regex", False), bool):
            raise UserError("to must be a text, and regex true or false.")
        edit = cls(action, tuple(tags), to, bool(data.get("regex", False)))
        edit._check()
        return edit

    def to_json(self) -> dict[str, Any]:
        return {"action": self.action, "tags": list(self.tags), "to": self.to, "regex": self.regex}

    def _check(self) -> None:
        if not self.tags and self.action != "sort":
            raise UserError(f"{self.action} needs at least one tag.")
        if len(self.tags) > MOST_TAGS:
            raise UserError(f"{self.action} takes {MOST_TAGS} tags at the most.")
        if self.regex and self.action not in ("remove", "rename", "replace"):
            raise UserError(f"{self.action} takes no regular expression: write the tags.")
        texts = [*self.tags, self.to]
        if any("\0" in t or any("\ud800" <= c <= "\udfff" for c in t) for t in texts):
            raise UserError("The text holds characters that no caption can have: type it anew.")
        if len(self.to) > LONGEST_REPLACEMENT or any(len(t) > LONGEST_TAG for t in self.tags):
            raise UserError(f"A tag has at most {LONGEST_TAG} characters.")
        if self.action == "replace":
            if len(self.tags) != 1 or not self.tags[0]:
                raise UserError("replace takes one text to look for.")
            return
        names = () if self.regex else self.tags
        new = (self.to,) if self.action == "rename" else ()
        if self.action == "rename" and not self.to.strip():
            raise UserError("rename needs a new name: to take tags out, use remove.")
        for name in (*names, *new):
            if not name.strip() or "," in name or "\n" in name:
                raise UserError(f"{name!r} is not one tag: write tags singly, without commas.")
        if self.action == "add" and self.to not in ("", "front", "end"):
            raise UserError("add puts tags at the end or at the front: to takes one of these words.")


@dataclass(frozen=True)
class Plan:
    """An edit prepared for one folder.

    Attributes:
        where: pictures it can change; every one it changes is among them.
        exact: it changes every one of them, captions of several lines aside.
        change: what it does to one caption.
        prepare: to be called with all captions that `change` will be asked about, to do them in one go.
    """

    where: f.Node
    exact: bool
    change: Change
    prepare: Callable[[Sequence[str]], None] = lambda texts: None


def plan(edit: Edit, vocabulary: Sequence[str]) -> Plan:
    """How to do an edit where the captions have these tags.

    Raises:
        UserError: a regular expression cannot be used, or takes too long.
    """
    if edit.action == "replace":
        return _replace(edit)
    if edit.regex:
        return _rename_by_regex(edit, vocabulary)
    names = [canonical(t) for t in edit.tags]
    keys = {key(n) for n in names}
    among = f.Or(tuple(f.Exact(key(n)) for n in names))
    if edit.action == "add":
        first = edit.to == "front"
        lacking = f.Or(tuple(f.Not(f.Exact(k)) for k in sorted(keys)))
        known = not any(map(is_prose, names))  # the index does not list sentences
        # written as it was typed; of several lines another than the first may have it
        typed = [t.strip() for t in edit.tags]
        several = f.Regex(r"\n\s*\S")
        return Plan(
            f.Or((lacking, several)), known, lambda text, style: with_tags(text, typed, style, first=first)
        )
    if edit.action == "front":
        return Plan(among, False, lambda text, style: fronted(text, names, style))
    if edit.action == "sort":
        return Plan(f.Compare("tags", ">", 1), False, lambda text, style: ordered(text, names, style))
    to = edit.to.strip() if edit.action == "rename" else ""

    def new_name(name: str) -> str:
        return to if key(name) in keys and name != to else name

    return Plan(among, key(canonical(to)) not in keys, lambda text, style: renamed(text, new_name, style))


def _replace(edit: Edit) -> Plan:
    (wanted,) = edit.tags
    if not edit.regex:
        pattern = re.compile(re.escape(wanted), re.IGNORECASE)  # a plain text is always fast
        return Plan(
            f.Text(wanted.lower()),
            False,
            lambda text, style: by_lines(text, lambda line: _replaced(pattern, line, edit.to)),
        )
    regex = _regex(edit, wanted)
    budget = Budget(SECONDS, _A_TEXT)
    done: dict[str, str] = {}

    def prepare(texts: Sequence[str]) -> None:
        for text in texts:
            for line in lines_of(text):
                if line not in done:
                    done[line] = regex.replaced(line, edit.to, budget)

    def change(text: str, style: Style) -> str:
        prepare([text])  # what changed on the disk since it was prepared
        return by_lines(text, done.__getitem__)

    return Plan(f.Regex(wanted), False, change, prepare)


def _replaced(pattern: re.Pattern[str], text: str, to: str) -> str:
    """`text` with every match replaced; a result longer than `LONGEST_RESULT` is cut off there, and then refused."""
    parts: list[str] = []
    length = done = 0
    for match in pattern.finditer(text):
        parts += (text[done : match.start()], to)
        length += match.start() - done + len(to)
        done = match.end()
        if length > LONGEST_RESULT:
            break
    return "".join((*parts, text[done:]))


def _rename_by_regex(edit: Edit, vocabulary: Sequence[str]) -> Plan:
    """The whole tag must match, as with `--replace`: its name, or its name with spaces."""
    done: dict[str, str] = {}
    to = edit.to if edit.action == "rename" else ""

    regexes = [_regex(edit, pattern) for pattern in edit.tags]
    budget = Budget(SECONDS, _A_TEXT)

    def new_name(name: str) -> str:
        if name not in done:
            done[name] = learn(name)
        return done[name]

    def learn(name: str) -> str:
        for regex in regexes:
            for form in dict.fromkeys((key(name), key(name).replace("_", " "))):
                match = regex.fullmatch(form, budget)
                new = form if match is None else match.expand(to)
                if new != form:
                    return canonical(new.replace(",", " "))
        return name

    where = f.Or(tuple(f.Exact(key(n)) for n in vocabulary if new_name(n) != n))
    return Plan(where, False, lambda text, style: renamed(text, new_name, style, as_written=False))


def _regex(edit: Edit, pattern: str) -> GuardedRegex:
    """The expression of an edit; raises UserError when it or the new text cannot be used."""
    regex = GuardedRegex(pattern, f"{edit.action} has /{pattern}/")
    regex.check_template("" if edit.action == "remove" else edit.to)
    return regex
