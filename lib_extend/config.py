"""Every setting once: name, default, range, choices and help text.

The command line, the tab, the API and the documentation are built from `settings(TagConfig)`; nothing
else names a default. A config is frozen: change it with `dataclasses.replace` or `with_()`.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extend.errors import UserError

EXISTING_MODES = ("merge", "skip", "append", "prepend", "overwrite")
SORTS = ("score", "original", "shuffle", "alphabetical")
FORMATS = ("plain", "background", "greek", "separation")
LETTERED = ("greek", "separation")
"""The formats that say whose tag it is."""
LETTERS = ("α", "β", "γ", "δ", "ε")
"""What persons and characters are called from left to right, as the published LoRAs were trained; at most so many."""
PERSON_TAGS = ("describing", "any")
SHARED_TAGS = ("once", "each")
COUNT_STYLES = ("english", "naive")
FOUR_BITS = ("auto", "yes", "no")
DEVICES = ("auto", "cpu", "cuda", "directml")


def _s(
    default: Any,
    help: str,
    *,
    group: str,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    metavar: str | None = None,
    recompose: bool = False,
) -> Any:
    """A dataclass field that carries the facts about one setting."""
    facts = {
        "help": help,
        "group": group,
        "low": low,
        "high": high,
        "choices": choices,
        "metavar": metavar,
        "recompose": recompose,
    }
    return field(default=default, metadata=facts)


@dataclass(frozen=True)
class Setting:
    """One setting as the front ends see it.

    Attributes:
        name: the field's name in the config and in JSON; the flag is `--` + name with dashes.
        type: `str`, `int`, `float`, `bool` or `list` (of str).
        optional: None is allowed (means "the model's own" or "no limit").
        recompose: changing it only re-composes captions; no model runs.
    """

    name: str
    type: type
    optional: bool
    default: Any
    help: str
    group: str
    low: float | None
    high: float | None
    choices: tuple[str, ...] | None
    metavar: str | None
    recompose: bool

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def check(self, value: Any) -> Any:
        """`value` in this setting's type, or UserError with the sentence a user needs."""
        if value is None:
            if self.optional:
                return None
            raise UserError(f"{self.name} needs a value.")
        if self.type is list:
            if isinstance(value, str) or not isinstance(value, (list, tuple)):
                raise UserError(f"{self.name} must be a list of texts.")
            return tuple(str(v) for v in value)
        if self.type is bool:
            if not isinstance(value, bool):
                raise UserError(f"{self.name} must be true or false, not {value!r}.")
            return value
        if self.type in (int, float):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise UserError(f"{self.name} must be a number, not {value!r}.")
            if self.type is int and value != int(value):
                raise UserError(f"{self.name} must be a whole number, not {value!r}.")
            value = self.type(value)
            if value != value or not (
                (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
            ):
                bounds = f"{_bound(self.low, 'any')} to {_bound(self.high, 'any')}"
                raise UserError(f"{self.name} is {value!r}, but must be {bounds}.")
            return value
        if not isinstance(value, str):
            raise UserError(f"{self.name} must be a text, not {value!r}.")
        if self.choices and value not in self.choices:
            raise UserError(f"{self.name} is {value!r}, but must be one of: {', '.join(self.choices)}.")
        return value


def _bound(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"


@dataclass(frozen=True)
class TagConfig:
    """What `prompt-extend tag` does with a folder, apart from the folder itself."""

    # Which models
    tagger: str = _s(
        "wd-swinv2-v3",
        "tagger: a name from `prompt-extend models`, a folder with model.onnx, `sketch` (drawn scenes "
        "only), or `none` to start from the existing captions",
        group="models",
        metavar="NAME",
    )
    vlm: str = _s(
        "none",
        "vision-language model for the questions: a name from `prompt-extend models`, a local folder, an "
        "http(s)://…/v1 server, `auto` (the best that the graphics card has room for), `sketch`, or `none`",
        group="models",
        metavar="NAME|FOLDER|URL",
    )
    vlm_model: str = _s(
        "",
        "model name to request from a --vlm server (default: the first it lists)",
        group="models",
    )
    vlm_4bit: str = _s(
        "auto",
        "load --vlm in 4 bits, a third of the memory: auto (where it would not fit otherwise), yes or no",
        group="models",
        choices=FOUR_BITS,
    )
    vram_limit: float | None = _s(
        None,
        "GB of the graphics card's memory that --vlm may take (default: an eighth of it, at least 2 GB, is left)",
        group="models",
        low=0.5,
        high=1024,
    )
    device: str = _s("auto", "where models run", group="models", choices=DEVICES)
    offline: bool = _s(False, "never use the network; only models already here", group="models")
    models_dir: str = _s(
        "",
        "folder for downloaded models (default: the Hugging Face cache)",
        group="models",
        metavar="DIR",
    )
    # What is asked
    ask: tuple[str, ...] = _s(
        ("count", "color", "furniture", "floor", "door"),
        "questions to ask, separated by commas",
        group="questions",
        metavar="LIST",
    )
    question: tuple[str, ...] = _s(
        (),
        'a question of your own: "What season is it? [spring, summer, autumn, winter]", "Is it raining? [yes] -> rain"',
        group="questions",
        metavar="TEXT",
    )
    question_file: tuple[str, ...] = _s(
        (), "TOML file with questions of your own", group="questions", metavar="FILE"
    )
    question_threshold: float = _s(
        0.35,
        "score a tag needs for questions to be asked about it",
        group="questions",
        low=0.0,
        high=1.0,
    )
    answer_threshold: float = _s(
        0.5,
        "probability an answer needs to become a tag; below it the answer is unsure and not written",
        group="questions",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    max_pixels: int = _s(
        1_048_576,
        "pixels of an image sent to the vision-language model, at the most",
        group="questions",
        low=3136,
        high=67_108_864,
    )
    # Who has which
    people: bool = _s(
        False,
        "find the persons, tag each alone and say whose tag is whose (see --format greek)",
        group="people",
    )
    detector: str = _s(
        "auto",
        "person detector: a name from `prompt-extend models`, a folder with an ONNX model, or auto "
        "(`sketch` with the sketch tagger, else anime-person)",
        group="people",
        metavar="NAME",
    )
    person_threshold: float | None = _s(
        None, "score a person needs (default: the detector's own)", group="people", low=0.01, high=1.0
    )
    person_tag_threshold: float | None = _s(
        None,
        "score a tag needs on a person's cut-out (default: the same as on the whole picture)",
        group="people",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    person_tags: str = _s(
        "describing",
        "which tags may be a person's: describing (hair, eyes, clothes, pose, expression) or any",
        group="people",
        choices=PERSON_TAGS,
        recompose=True,
    )
    person_min_tags: int = _s(
        2, "tags each person needs, else the picture is not separated", group="people", low=0, high=100,
        recompose=True,
    )  # fmt: skip
    person_max_overlap: float = _s(
        0.6,
        "largest overlap of two persons (intersection over union) in a picture that is separated",
        group="people",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    person_min_size: float = _s(
        0.05,
        "least area of a person as a share of the largest person's",
        group="people",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    shared_tags: str = _s(
        "once",
        "tags that all persons have: once without a letter, or each with every letter",
        group="people",
        choices=SHARED_TAGS,
        recompose=True,
    )
    letters: tuple[str, ...] = _s(
        LETTERS,
        "what persons are called, from left to right",
        group="people",
        metavar="LIST",
        recompose=True,
    )
    letter_separator: str = _s(" ", "text between a letter and its tag", group="people", recompose=True)
    pair_characters: bool = _s(
        False,
        "give a named character to the person on whose cut-out the tagger names it",
        group="people",
        recompose=True,
    )
    positions: bool = _s(False, "write where each person is (α on the left)", group="people", recompose=True)
    # Which tags
    threshold: float | None = _s(
        None,
        "score a general tag needs (default: the model's own)",
        group="tags",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    character_threshold: float | None = _s(
        None,
        "score a character tag needs (default: the model's own)",
        group="tags",
        low=0.0,
        high=1.0,
        recompose=True,
    )
    mcut: bool = _s(
        False,
        "find the thresholds in each image's largest score gap (MCut) instead",
        group="tags",
        recompose=True,
    )
    rating: bool = _s(False, "write the rating as a tag", group="tags", recompose=True)
    exclude: tuple[str, ...] = _s(
        (),
        "tags never written: names, wildcards (*_background) or /regular expressions/, separated by commas",
        group="tags",
        metavar="LIST",
        recompose=True,
    )
    keep: tuple[str, ...] = _s(
        (),
        "tags written whatever their score, when the tagger names them at all; same forms as --exclude",
        group="tags",
        metavar="LIST",
        recompose=True,
    )
    replace: tuple[str, ...] = _s(
        (),
        "replacements old=new, separated by commas; old may be a wildcard or a /regular expression/, an "
        "empty new removes",
        group="tags",
        metavar="LIST",
        recompose=True,
    )
    prefix_tags: tuple[str, ...] = _s(
        (),
        "tags put first in every caption (a trigger word)",
        group="tags",
        metavar="LIST",
        recompose=True,
    )
    suffix_tags: tuple[str, ...] = _s(
        (), "tags put last in every caption", group="tags", metavar="LIST", recompose=True
    )
    max_tags: int | None = _s(None, "most tags in a caption", group="tags", low=1, high=1000, recompose=True)
    # How they are written
    existing: str = _s(
        "merge",
        "what to do with a caption that is already there: merge keeps what people wrote and adds, skip "
        "leaves the file, append / prepend add after / before, overwrite replaces",
        group="caption",
        choices=EXISTING_MODES,
        recompose=True,
    )
    format: str = _s(
        "plain",
        "plain; greek (2girls, α black hair, β white hair, indoors; with --people); background or separation "
        "(the published LoRAs' orders); or a template with the fields {people} {characters} {copyright} "
        "{persons} {general} {new} {artist} {year} {rating} {meta}",
        group="caption",
        recompose=True,
    )
    sort: str = _s("score", "order of the tags", group="caption", choices=SORTS, recompose=True)
    separator: str = _s(", ", "text between tags", group="caption", recompose=True)
    underscores: bool = _s(
        False, "keep underscores (black_hair) instead of spaces", group="caption", recompose=True
    )
    escape_brackets: bool = _s(
        False,
        r"write \( and \) so that a WebUI does not read emphasis",
        group="caption",
        recompose=True,
    )
    count_style: str = _s(
        "english",
        "plurals of counts: english (2 boxes) or naive (2boxs), the published LoRA's form",
        group="caption",
        choices=COUNT_STYLES,
        recompose=True,
    )
    seed: int = _s(
        0,
        "seed of everything random, per image",
        group="caption",
        low=0,
        high=2**63 - 1,
        recompose=True,
    )
    # Which images
    recursive: bool = _s(False, "subfolders too", group="images")
    include: tuple[str, ...] = _s(
        (),
        "only images whose relative path matches one of these globs",
        group="images",
        metavar="GLOB",
    )
    limit: int | None = _s(None, "most images in this run", group="images", low=1, high=10_000_000)
    # How it runs
    threads: int | None = _s(
        None, "decoding threads (default: by the number of cores)", group="run", low=1, high=256
    )
    batch_size: int | None = _s(
        None,
        "images a tagger call takes (default: by model and device)",
        group="run",
        low=1,
        high=512,
    )

    def __post_init__(self) -> None:
        for s in settings(type(self)):
            object.__setattr__(self, s.name, s.check(getattr(self, s.name)))
        _check_template(self.format)
        self._check_people()
        if not self.separator.strip(" ") and not self.underscores:
            raise UserError("separator is blank, so tags could not be told apart again: add --underscores.")

    def _check_people(self) -> None:
        if self.people and self.tagger == "none":
            raise UserError("people needs a tagger, because each person is tagged alone: choose a --tagger.")
        if self.format in LETTERED and not self.people:
            raise UserError(f"format {self.format} says whose tag is whose: add --people.")
        if self.people and not (0 < len(self.letters) <= 5 and all(map(str.strip, self.letters))):
            raise UserError(f"letters must be one to five, not {len(self.letters)}.")
        if len(set(self.letters)) < len(self.letters):
            raise UserError(f"letters must differ from each other: {', '.join(self.letters)}.")

    @property
    def person_detector(self) -> str:
        """The detector by name, `auto` resolved; "none" when no persons are wanted."""
        if not self.people:
            return "none"
        if self.detector != "auto":
            return self.detector
        return "sketch" if self.tagger == "sketch" else "anime-person"

    def with_(self, **changes: Any) -> TagConfig:
        """A copy with `changes`; raises UserError on an unknown name or a bad value."""
        return type(self).from_dict({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """JSON values, every setting."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TagConfig:
        """From JSON values; missing settings take their defaults, unknown ones raise UserError."""
        known = {s.name for s in settings(cls)}
        for name in data:
            if name not in known:
                raise UserError(f"There is no setting called {name!r}.")
        return cls(**data)


TEMPLATE_FIELDS = (
    "people",
    "characters",
    "copyright",
    "persons",
    "general",
    "new",
    "artist",
    "year",
    "rating",
    "meta",
)


def _check_template(format: str) -> None:
    if format in FORMATS:
        return
    names = re.findall(r"\{([^{}]*)\}", format)
    if not names:
        raise UserError(
            f"format is {format!r}, but must be {', '.join(FORMATS)} or a template with fields such as "
            "{people} and {general}."
        )
    for name in names:
        if name not in TEMPLATE_FIELDS:
            raise UserError(
                f"format has the field {{{name}}}, but the fields are: {', '.join(TEMPLATE_FIELDS)}."
            )


_CACHE: dict[type, tuple[Setting, ...]] = {}


def settings(config: type) -> tuple[Setting, ...]:
    """The settings of a config class, in the order in which they are declared."""
    if config not in _CACHE:
        _CACHE[config] = tuple(_settings(config))
    return _CACHE[config]


def _settings(config: type) -> Iterator[Setting]:
    hints = typing.get_type_hints(config)
    for f in dataclasses.fields(config):
        hint = hints[f.name]
        optional = isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
        if optional:
            hint = next(a for a in typing.get_args(hint) if a is not type(None))
        kind = list if typing.get_origin(hint) is tuple else hint
        yield Setting(
            name=f.name,
            type=kind,
            optional=optional,
            default=f.default,
            **f.metadata,
        )
