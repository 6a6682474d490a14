"""The tags of one picture in columns: a tagger gives up to thousands, and a caption needs only a few of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, overload

from lib_extend.records import Category, Source, Tag

MILLION = 1_000_000
FORM = 2
"""Of the JSON; form 1 is a list with the fields of each `Tag`."""

Row = tuple[str, Category, "float | None"]
"""Name, category and score of a tag."""
_new = object.__new__
_GENERAL, _TAGGER = Category.GENERAL, Source.TAGGER
NOBODY: Mapping[str, Sequence[int | None]] = MappingProxyType({})


class TagTable(Sequence[Tag]):
    """A sequence of `Tag`s by a tagger, which are made when they are asked for.

    Args:
        names: canonical names.
        millionths: their scores, in millionths of the score in 0…1.
        categories: the categories other than "general", by the tags' positions.
        each: where several taggers were asked, the millionths of each by its name; None of a tag it does not know.
        said: which of them are sure enough of each tag, as bits in their order.
    """

    __slots__ = ("_made", "categories", "each", "millionths", "names", "said")

    def __init__(
        self,
        names: Sequence[str],
        millionths: Sequence[int],
        categories: Mapping[int, Category],
        *,
        each: Mapping[str, Sequence[int | None]] = NOBODY,
        said: Sequence[int] = (),
    ) -> None:
        if len(names) != len(millionths):
            raise ValueError(f"{len(names)} names, but {len(millionths)} scores")
        if any(len(column) != len(names) for column in (*each.values(), *([said] if each else []))):
            raise ValueError("a column of another length than the names")
        self.names, self.millionths, self.categories = names, millionths, categories
        self.each, self.said = each, said
        self._made: tuple[Tag, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Tag: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Tag, ...]: ...

    def __getitem__(self, at: int | slice) -> Tag | tuple[Tag, ...]:
        if isinstance(at, slice) or self._made is not None:
            return self._tags()[at]
        return self.tag(range(len(self.names))[at])

    def __iter__(self) -> Iterator[Tag]:
        return iter(self._tags())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TagTable):
            return self.to_json() == other.to_json()
        return isinstance(other, Sequence) and self._tags() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._tags())

    def __repr__(self) -> str:
        return f"TagTable({len(self)} tags)"

    def rows(self) -> Iterator[Row]:
        """Name, category and score of each tag, in order."""
        kinds = [_GENERAL] * len(self.names)
        for at, category in self.categories.items():
            kinds[at] = category
        return zip(self.names, kinds, [m / MILLION for m in self.millionths], strict=True)

    def to_json(self) -> dict[str, Any]:
        """The columns as JSON values."""
        categories: dict[str, list[int]] = {}
        for at, category in self.categories.items():
            categories.setdefault(category.value, []).append(at)
        columns = {
            "form": FORM,
            "names": list(self.names),
            "millionths": list(self.millionths),
            "categories": categories,
        }
        if not self.each:
            return columns
        return {**columns, "each": {name: list(c) for name, c in self.each.items()}, "said": list(self.said)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TagTable:
        """The inverse of `to_json`. Raises ValueError, KeyError or TypeError for anything else."""
        if data["form"] != FORM:
            raise ValueError(f"tags in the unknown form {data['form']!r}")
        names, millionths = data["names"], data["millionths"]
        categories = {at: Category(name) for name, places in data["categories"].items() for at in places}
        if not (set(map(type, names)) <= {str} and set(map(type, (*millionths, *categories))) <= {int}):
            raise TypeError("names are texts, scores and positions whole numbers")
        if not all(0 <= at < len(names) for at in categories):
            raise ValueError("a category of no tag")
        each, said = data.get("each", NOBODY), data.get("said", ())
        types = {type(m) for column in each.values() for m in column}
        if not (types <= {int, type(None)} and set(map(type, said)) <= {int}):
            raise TypeError("the scores of each tagger are whole numbers, by the taggers' names")
        return cls(names, millionths, categories, each=each, said=said)

    def _tags(self) -> tuple[Tag, ...]:
        if self._made is None:
            self._made = tuple(map(self.tag, range(len(self.names))))
        return self._made

    def tag(self, at: int) -> Tag:
        """The tag in place `at`, 0 or more."""
        if self._made is not None:
            return self._made[at]
        made = _new(Tag)
        # a frozen dataclass sets its fields in a way that takes three times as long
        fields = made.__dict__
        fields["name"] = self.names[at]
        fields["category"] = self.categories.get(at, _GENERAL)
        fields["score"] = self.millionths[at] / MILLION
        fields["source"] = _TAGGER
        fields["locked"] = False
        fields["taggers"] = self._who(at) if self.each else ()
        return made

    def _who(self, at: int) -> tuple[str, ...]:
        """The taggers that are sure enough of a tag."""
        return tuple(name for i, name in enumerate(self.each) if self.said[at] >> i & 1)


def rows(tags: Iterable[Tag]) -> Iterator[Row]:
    """Name, category and score of each tag, without making the tags of a table."""
    if isinstance(tags, TagTable):
        return tags.rows()
    return ((t.name, t.category, t.score) for t in tags)


def tags_to_json(tags: Sequence[Tag]) -> Any:
    """Tags for the pipe and the state: columns where they are in columns, else each tag's fields."""
    return tags.to_json() if isinstance(tags, TagTable) else [t.to_json() for t in tags]


def tags_from_json(data: Any) -> Sequence[Tag]:
    """The inverse of `tags_to_json`."""
    return TagTable.from_json(data) if isinstance(data, Mapping) else tuple(map(Tag.from_json, data))
