"""One run of the WebUI's `process_images` with the panel on: its prompts, its regions, and what was found in its
pictures.

It is stored at the processing object `p`; `host.generate` calls its steps.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from lib_extend.errors import PromptExtendError, UserError
from lib_extend.generation import infotext, marks, syntax
from lib_extend.generation.batch_conditionings import Picture, pictures
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import Compiled, compile_cast
from lib_extend.generation.panel import Panel
from lib_extend.generation.placed_loras import PlacedLoras
from lib_extend.host import conds, leftovers, regions
from lib_extend.host.detect import module
from lib_extend.host.entries import Entry
from lib_extend.host.picture_expansions import Expand, PictureExpansions
from lib_extend.host.prompt_copies import PromptCopies

CHECK = "Prompt Extend check"
"""The infotext's entry with what was found in the picture."""
TORN = (
    "Prompt Extend cannot tell the characters' texts from the prompt, because another extension{} takes the prompt "
    "apart: turn one of the two off."
)
NO_LORA = (
    "Prompt Extend: the LoRA {} is not among the WebUI's: put its file into the folder of LoRAs, or take it out of the "
    "panel."
)
UNDONE = "{} puts the prompts of before back: turn one of the two off"
LORAS_NEED_REGIONS = "{}, and a character's LoRA acts in its box only (take the LoRAs out of the characters)"
ONLY_COMPILED = (
    "Prompt Extend: only the prompt was compiled, nothing is confined to a character's box, because {}."
)


class Found(Protocol):
    """What was found in a picture. `score`: 0…1, the share of the characters' tags that are in their places."""

    @property
    def score(self) -> float: ...

    def to_json(self) -> dict[str, Any]: ...


@dataclasses.dataclass(frozen=True)
class Helpers:
    """Functions from other rooms.

    Attributes:
        aliases: other names of LoRAs, in lower case, to those of their files.
        notes: sentences about probable mistakes in a cast, such as a LoRA for another model.
        missing: of tags such as `<lora:name:1>` the names of LoRAs that the WebUI does not have.
        check: looks for a cast in a finished picture (PIL); raises UserError when that cannot be done.
        overridden: the panel as an XYZ plot's axes change it.
        lora_file: of a LoRA's name, as the panel has it, the file; None where the WebUI does not have it.
        expand: what an expander adds to texts, one request each; raises PromptExtendError when that cannot be done.
    """

    aliases: Callable[[], Mapping[str, str]] = dict
    notes: Callable[[Cast], Iterable[str]] = lambda cast: ()
    missing: Callable[[Iterable[str]], Sequence[str]] = lambda tags: ()
    check: Callable[[Any, Cast], Found] | None = None
    overridden: Callable[[Panel, Any], Panel] = lambda panel, p: panel
    lora_file: Callable[[str], Path | None] = lambda name: None
    expand: Expand = lambda asked: [one.kept for one in asked]


class Run:
    """One run with the panel on.

    Attributes:
        by_picture: what each picture of the run was compiled to. found: what a check found, by picture.
    """

    def __init__(self, p: Any, panel: Panel, helpers: Helpers, given: Panel | None = None) -> None:
        """`given`: the panel before a plot's axes changed it, by which a compiled prompt is known."""
        self.p = p
        self._given = given or panel
        self.panel = panel
        self.helpers = helpers
        self.aliases = helpers.aliases() if panel.cast.background_lora or panel.cast.separation_lora else {}
        self.adapter = regions.adapter(p)
        self.placed = PlacedLoras(panel.cast, helpers.lora_file)
        self.encode = conds.Encoder(p, self.placed)
        self.by_picture: dict[int, Compiled] = {}
        self._drawn = PictureExpansions(panel.cast, helpers.expand, lambda sentence: comment(p, sentence))
        self.found: dict[int, Found] = {}
        self._batch: dict[bool, list[Compiled]] = {}
        self._pictures: dict[bool, list[Picture | None]] = {}
        self._kept: dict[str, Any] = {}
        self._unchecked = False
        self._asked = False
        self._copies: PromptCopies | None = None

    def carry(self) -> None:
        """Puts the cast's texts into the host's prompts."""
        for positive, negative in self._fields():
            own = getattr(self.p, positive), getattr(self.p, negative)
            if all(isinstance(text, str) for text in own):
                own = self._given.mains(*own, self.aliases)
            self._kept[positive], self._kept[negative] = own
            setattr(self.p, positive, _each(own[0], self._positive))
            setattr(self.p, negative, _each(own[1], self._negative))

    def restore(self) -> None:
        """Restore the host's own fields, because a script may run the same `p` again."""
        for name, value in self._kept.items():
            setattr(self.p, name, value)

    def compile(self, batch: int) -> None:
        """Compiles the prompts of a batch's pictures, in the lists from which the host takes them."""
        p = self.p
        self.forget()
        first = batch * p.batch_size
        self._batch = {False: [], True: []}
        hires = []
        if getattr(p, "enable_hr", False):
            # read both first: an extension may have put one list into both places
            hires = list(zip(p.all_hr_prompts, p.all_hr_negative_prompts, strict=True))[first:]
        copies = self._copies = PromptCopies(p, first)
        settled = [self._settled(*texts) for texts in zip(p.prompts, p.negative_prompts, strict=True)]
        self._drawn.draw(settled, first, p.all_seeds)
        for i, one in enumerate(settled):
            made = self._compiled(one, first + i)
            p.prompts[i], p.negative_prompts[i] = made.prompt, made.negative
            p.all_prompts[first + i], p.all_negative_prompts[first + i] = made.prompt, made.negative
            self.by_picture[first + i] = made
            self._batch[False].append(made)
            copies.compiled.append(made)
            if hires:
                again = self._compiled(self._settled(*hires[i]), first + i, hires=True)
                p.all_hr_prompts[first + i] = again.prompt
                p.all_hr_negative_prompts[first + i] = again.negative
                self._batch[True].append(again)
        if batch == 0:
            p.main_prompt, p.main_negative_prompt = p.all_prompts[0], p.all_negative_prompts[0]
            for note in self.helpers.notes(self.panel.cast):
                comment(p, note)
        for note in dict.fromkeys(note for made in self._batch[False] for note in made.notes):
            comment(p, note)
        if missing := self.helpers.missing(self._own_networks()):
            raise UserError(NO_LORA.format(", ".join(missing)))
        self._write()
        copies.settle(lambda texts, number: self._compiled(self._settled(*texts), number))

    def _own_networks(self) -> list[str]:
        """The extra networks that the cast adds to the batch's prompts, unchanged."""
        found: dict[str, None] = {}
        for made in self._batch[False]:
            users = set(syntax.networks(made.main)[1])
            found.update(dict.fromkeys(t for t in syntax.networks(made.prompt)[1] if t not in users))
        return [*found, *(lora.tag for _, lora in self.panel.cast.placed_loras)]

    def begin(self, x: Any) -> None:
        """The regions of the sampling pass that starts now. Raises RegionsError."""
        self._asked = True
        hires = bool(getattr(self.p, "is_hr_pass", False))
        compiled = self._batch.get(hires) or []
        if not self.placed and not any(one.regions for one in compiled):
            return
        reason = self.adapter.unfit()
        if reason and self.placed:
            raise RegionsError(LORAS_NEED_REGIONS.format(reason))
        if reason:
            comment(self.p, ONLY_COMPILED.format(reason))
            return
        if self._copies is not None and (undone_by := self._copies.undone_by()):
            raise RegionsError(UNDONE.format(undone_by))
        self.adapter.encode_again = lambda: self._encoded(hires, anew=True)
        self.adapter.begin(self._encoded(hires), x, conds.steps(self.p, hires=hires), self.placed)

    def tidy(self) -> None:
        """After a batch: put the compiled prompts back if other code replaced them."""
        if self._copies is not None:
            self._copies.put_back()

    def missed(self) -> bool:
        """Whether the batch was sampled without its regions; scripts with their own sampling do that."""
        state = getattr(module("modules.shared"), "state", None)
        if self._asked or getattr(state, "interrupted", False) or getattr(state, "skipped", False):
            return False
        asked = bool(self.placed) or any(one.regions for one in self._batch.get(False, ()))
        return asked and not self.adapter.unfit()

    def _encoded(self, hires: bool, *, anew: bool = False) -> list[Picture | None]:
        """The batch's regions. `anew`: encoded by the checkpoint that was loaded during the pass."""
        if anew:
            self.encode.forget()
            self._pictures.clear()
        if hires not in self._pictures:
            self._pictures[hires] = pictures(
                self._batch[hires],
                lambda text, negative, loras: self.encode(text, negative=negative, hires=hires, loras=loras),
            )
        return self._pictures[hires]

    def forget(self) -> None:
        """Forget the data of one batch."""
        self.adapter.end()
        self.encode.forget()
        self._pictures.clear()
        self._asked = False

    def end(self, processed: Any = None) -> None:
        """End the run: forget all data, and remove the marks from all copies of a prompt. `processed`: the result."""
        self.forget()
        self.placed.forget()
        regions.end(self.adapter)
        leftovers.clean_scripts(getattr(self.p, "scripts", None))
        for owner in (self.p, processed):
            leftovers.clean(owner)

    def check(self, number: int, image: Any) -> None:
        """Looks for the cast in a picture of the run; an error is reported once."""
        made = self.by_picture.get(number)
        if self.helpers.check is None or made is None or not made.cast.characters or self._unchecked:
            return
        try:
            self.found[number] = self.helpers.check(image, made.cast)
        except PromptExtendError as error:
            self._unchecked = True
            comment(self.p, f"Prompt Extend: the picture was not checked. {error}")
            return
        self.p.extra_generation_params[CHECK] = Entry(_compact(self.found[number]), self._check_entry)

    def _fields(self) -> Iterable[tuple[str, str]]:
        yield "prompt", "negative_prompt"
        if getattr(self.p, "enable_hr", False):
            # the host fills an empty field from the prompt, with the carried texts in it
            if self.p.hr_prompt:
                yield "hr_prompt", "hr_negative_prompt"
            else:
                self._kept |= {"hr_prompt": self.p.hr_prompt, "hr_negative_prompt": self.p.hr_negative_prompt}

    def _positive(self, text: str) -> str:
        return marks.carry(self.panel.cast, text, "")[0]

    def _negative(self, text: str) -> str:
        return marks.carry(self.panel.cast, "", text)[1]

    def _settled(self, prompt: str, negative: str) -> marks.Settled:
        if marks.is_torn(prompt) or marks.is_torn(negative):
            names = " and ".join(self._copies.keepers) if self._copies is not None else ""
            raise UserError(TORN.format(f", perhaps {names}," if names else ""))
        return marks.settle(prompt, negative, self.panel.cast)

    def _compiled(self, texts: marks.Settled, number: int, *, hires: bool = False) -> Compiled:
        cast = self._drawn.cast_of(texts, number, hires=hires)
        return compile_cast(cast, texts.main, texts.main_negative, aliases=self.aliases)

    def _write(self) -> None:
        """The infotext's entries; they differ from picture to picture."""
        params = self.p.extra_generation_params
        # templates that others keep of a prompt
        leftovers.clean_mapping(params)
        first = infotext.write(self._batch[False][0])
        for key in (infotext.SUMMARY, infotext.KEY):
            params[key] = Entry(first[key], self._entry(key))

    def _entry(self, key: str) -> Callable[..., str | None]:
        def entry(index: int = 0, **others: Any) -> str | None:
            made = self.by_picture.get(self._number(index, others))
            return infotext.write(made)[key] if made is not None else None

        return entry

    def _check_entry(self, index: int = 0, **others: Any) -> str | None:
        found = self.found.get(self._number(index, others))
        if found is None or others.get("use_main_prompt"):
            return None
        return _compact(found)

    def _number(self, index: int, others: Mapping[str, Any]) -> int:
        """The picture's number in the run: the host's index is one of its batch, except before the first."""
        if others.get("use_main_prompt"):
            return 0
        if len(others.get("all_prompts", ())) == len(self.p.all_prompts):
            return index
        return index + int(self.p.iteration) * int(self.p.batch_size)


def comment(p: Any, sentence: str) -> None:
    """A sentence below the pictures."""
    say = getattr(p, "comment", None)
    if say is not None:
        say(sentence)


def _compact(found: Found) -> str:
    return json.dumps(found.to_json(), ensure_ascii=False, separators=(",", ":"))


def _each(value: Any, change: Callable[[str], str]) -> Any:
    return [change(v) for v in value] if isinstance(value, list) else change(value)
