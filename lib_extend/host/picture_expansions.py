"""What an expander adds to each picture of a run, where every picture draws its own; the expander runs in its own process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from lib_extend.errors import PromptExtendError
from lib_extend.generation.cast import Cast
from lib_extend.generation.expansion import NOTHING, Added
from lib_extend.generation.expansion_requests import (
    PlaceRequest,
    as_written,
    places_of,
    requests_of,
    with_added,
)
from lib_extend.generation.marks import Settled

Expand = Callable[[Sequence[PlaceRequest]], Sequence[Added]]
FAILED = "Prompt Extend: the prompt is used as written, because it could not be expanded. {}"


class PictureExpansions:
    """The texts that a run's pictures are given by an expander.

    Args:
        expand: what is added to each of several texts. say: puts a sentence below the pictures.
    """

    def __init__(self, cast: Cast, expand: Expand, say: Callable[[str], None]) -> None:
        expansion = cast.expansion
        self._expansion = expansion if expansion is not None and expansion.at_generation else None
        self._expand = expand
        self._say = say
        self._mains: dict[int, str] = {}
        self._found: dict[int, dict[str, Added]] = {}

    def draw(self, pictures: Sequence[Settled], first: int, seeds: Sequence[Any]) -> None:
        """Draw for a batch. `pictures`: their texts, settled; `first`: the number of the first; `seeds`: of all pictures.

        Whatever fails, the pictures come: with their prompts as written, and a note.
        """
        self._mains |= {first + i: one.main for i, one in enumerate(pictures)}
        if self._expansion is None:
            return
        places = [places_of(one.cast, self._expansion.places) for one in pictures]
        self._found |= {first + i: {} for i in range(len(pictures))}
        try:
            asked = [
                requests_of(one.cast, one.main, int(seeds[first + i]), places[i])
                for i, one in enumerate(pictures)
            ]
            made = iter(self._expand([request for own in asked for request in own]))
            self._found |= {
                first + i: {request.place: next(made) for request in own} for i, own in enumerate(asked)
            }
        except PromptExtendError as error:
            self._say(FAILED.format(error))
        except Exception as error:  # noqa: BLE001 - no picture may be lost over it
            self._say(FAILED.format(f"({type(error).__name__}: {error})"))

    def cast_of(self, settled: Settled, number: int, *, hires: bool = False) -> Cast:
        """The cast of a picture with what was drawn for it.

        Args:
            number: the picture's. hires: the texts are those of the hires pass: its prompt takes what the picture's
                took only where it is the same.
        """
        cast = settled.cast
        if number in self._found and self._expansion is not None:
            # what was drawn stays with the picture: its infotext brings back just this one
            drawn = with_added(as_written(cast), self._found[number])
            cast = replace(drawn, expansion=replace(self._expansion, when="shown"))
        if hires and settled.main != self._mains.get(number):
            cast = replace(cast, main_added=NOTHING)
        return cast
