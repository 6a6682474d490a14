"""Settings, models, questions: what can be chosen, and whether a choice is sound."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import ApiError, bad, forbidden
from lib_extend.api.folders import FolderBook
from lib_extend.config import FORMATS, LETTERED, TEMPLATE_FIELDS, Setting, TagConfig, settings
from lib_extend.datasets.question_files import questions_of_text
from lib_extend.errors import UserError, WorkerError
from lib_extend.questions.builtin import BUILTIN
from lib_extend.questions.own import from_line
from lib_extend.questions.reading import choices
from lib_extend.questions.records import Kind, Question
from lib_extend.worker import listing

MODELS_FRESH = 20.0
"""Seconds for which the list of models is not asked for again."""
_TYPES = {str: "text", int: "integer", float: "number", bool: "flag", list: "list"}


def described() -> dict[str, Any]:
    """Every setting with all that a form needs, the groups in their order, and what the caption's format may be."""
    all_settings = settings(TagConfig)
    used = dict.fromkeys(s.group for s in all_settings)
    return {
        "settings": [_described(s) for s in all_settings],
        "groups": [{"name": g, "title": texts.GROUPS.get(g, g)} for g in used],
        "formats": {"names": FORMATS, "lettered": LETTERED, "fields": TEMPLATE_FIELDS},
    }


def _described(s: Setting) -> dict[str, Any]:
    return {
        "name": s.name,
        "type": _TYPES[s.type],
        "optional": s.optional,
        "default": list(s.default) if isinstance(s.default, tuple) else s.default,
        "help": s.help,
        "group": s.group,
        "low": s.low,
        "high": s.high,
        "choices": None if s.choices is None else list(s.choices),
        "metavar": s.metavar,
        "recompose": s.recompose,
    }


def config_of(values: Mapping[str, Any], folders: FolderBook, models_dir: str = "") -> TagConfig:
    """The settings a request names, over the defaults.

    Args:
        models_dir: where downloads are, unless the request says.

    Raises ApiError naming the setting: unknown, wrong, or a path that may not be used here.
    """
    known = {s.name: s for s in settings(TagConfig)}
    for name, value in values.items():
        if name not in known:
            raise bad(f"There is no setting called {name!r}.", name)
        try:
            known[name].check(value)
        except UserError as error:
            raise bad(str(error), name) from None
    try:
        config = TagConfig.from_dict(values)
    except UserError as error:
        raise bad(str(error), _subject(str(error), known)) from None
    _check_paths(config, folders)
    return config if config.models_dir or not models_dir else config.with_(models_dir=models_dir)


def _subject(message: str, known: Mapping[str, Setting]) -> str:
    """The setting that a message about several of them is about: it begins with its name."""
    return next((w for w in re.findall(r"[a-z_]+", message) if w in known), "")


def _check_paths(config: TagConfig, folders: FolderBook) -> None:
    """On a server that others can reach, settings may name no file, folder or address of its owner's."""
    if folders.free:
        return
    for name in ("tagger", "vlm", "detector", "models_dir"):
        value = getattr(config, name)
        if "://" in value:
            raise forbidden(texts.SHARED_MODEL.format(name=name), name)
        looks_like_path = any(c in value for c in "/\\~:") or value.startswith(".")
        if (name == "models_dir" and value) or (looks_like_path and not _is_repository(value)):
            _resolve(folders, value, name)
    for file in config.question_file:
        if not folders.is_ours(file):
            _resolve(folders, file, "question_file")


def _is_repository(value: str) -> bool:
    """`owner/name`, and no folder of that name in the working directory."""
    return re.fullmatch(r"[\w-]+/[\w.-]+", value) is not None and not Path(value).exists()


def _resolve(folders: FolderBook, value: str, name: str) -> None:
    try:
        folders.resolve(value)
    except ApiError as error:
        raise forbidden(f"{name}: {error}", name) from None


class ModelList:
    """The models known by name, asked for once in a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, models_dir: str) -> dict[str, Any]:
        """`taggers`, `vlms` and `detectors`: name, note, bytes, licence, gated, here. Raises ApiError (502)."""
        with self._lock:
            asked, rows = self._kept.get(models_dir, (0.0, {}))
            if not rows or time.monotonic() - asked > MODELS_FRESH:
                rows = _grouped(models_dir)
                self._kept = {models_dir: (time.monotonic(), rows)}
            return rows


def _grouped(models_dir: str) -> dict[str, Any]:
    try:
        rows = listing.models(models_dir)
    except WorkerError as error:
        raise ApiError(502, texts.MODELS_FAILED.format(reason=error)) from None
    groups: dict[str, list[dict[str, Any]]] = {"tagger": [], "vlm": [], "detector": []}
    for row in rows:
        groups.setdefault(str(row.pop("kind", "")), []).append(row)
    return {f"{kind}s": found for kind, found in groups.items()}


# questions


def question_row(question: Question) -> dict[str, Any]:
    """One question as JSON values. `allowed`: what may be answered; [] for free text."""
    return {
        "name": question.name,
        "selected_by": question.selected_by,
        "ask": question.ask,
        "kind": question.kind.value,
        "tag": question.tag,
        "when": list(question.when),
        "after": question.after,
        "of_person": question.of_person,
        "allowed": allowed(question),
    }


def allowed(question: Question) -> list[str]:
    """The answers a question may have, by name; [] for free text."""
    if question.kind is Kind.ONE_OF:
        return list(question.answers)
    return [c[0] for c in choices(question)]


def check_questions(text: str | None, toml: str | None) -> list[dict[str, Any]]:
    """The questions of one line of text or of a TOML file's text. Raises UserError naming the line."""
    if (text is None) == (toml is None):
        raise bad(texts.NO_QUESTION_TEXT)
    if text is not None:
        return [question_row(from_line(text))]
    return [question_row(q) for q in questions_of_text(toml or "", "The text", BUILTIN)]
