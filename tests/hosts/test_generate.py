"""`host.generate` where no WebUI has to run: when regions go in and out, what makes a run fail, checks and tries."""

from __future__ import annotations

import copy
import dataclasses
import json
import sys
import types
from collections.abc import Sequence
from typing import Any

import pytest

from lib_extend.errors import PromptExtendError, UserError
from lib_extend.generation import infotext
from lib_extend.generation.batch_rows import RegionsError
from lib_extend.generation.cast import Cast
from lib_extend.generation.compile import compile_cast
from lib_extend.generation.expansion import Added
from lib_extend.generation.expansion_requests import PlaceRequest
from lib_extend.generation.panel import Panel
from lib_extend.generation.value_checks import INVISIBLE
from lib_extend.host import conds, generate, pasting, regions
from lib_extend.host.run import CHECK, Helpers

CAST = {
    "characters": [
        {"prompt": "black hair", "box": [0, 0, 0.5, 1]},
        {"prompt": "white hair", "box": [0.5, 0, 1, 1]},
    ]
}


class FakeAdapter:
    """Keeps what it was told."""

    reason = ""
    error: Exception | None = None
    encode_again: Any = None

    def __init__(self) -> None:
        self.begun: list[tuple[Sequence[Any], Any, int]] = []
        self.ends = 0
        self.refused: list[PromptExtendError] = []

    def unfit(self) -> str:
        return self.reason

    def begin(self, pictures: Sequence[Any], x: Any, steps: int, loras: Any = None) -> None:
        if self.error is not None:
            raise self.error
        self.begun.append((pictures, x, steps))

    def end(self) -> None:
        self.ends += 1

    def refuse(self, error: RegionsError) -> None:
        self.refused.append(error)


class Cond:
    """A tensor as far as its shape goes."""

    shape = (77, 768)

    def dim(self) -> int:
        return 2


class P:
    """The processing object of a WebUI; `run` calls in the WebUI's order."""

    enable_hr = is_hr_pass = False
    sampler_name = "Euler a"
    n_iter = 1

    def __init__(self, prompt: str = "", batch_size: int = 1) -> None:
        self.prompt, self.negative_prompt, self.batch_size = prompt, "", batch_size
        self.steps, self.width, self.height, self.seed = 4, 64, 64, 5
        self.styles: list[str] = []
        self.extra_generation_params: dict[str, Any] = {}
        self.override_settings: dict[str, Any] = {}
        self.comments: list[str] = []

    def comment(self, text: str) -> None:
        self.comments.append(text)

    def sample(self) -> None:
        generate.before_sampling(self, "x")

    def run(self, value: Any, helpers: Helpers | None = None) -> types.SimpleNamespace:
        generate.before_process(self, value, lambda: helpers or Helpers())
        self.all_prompts = [self.prompt] * self.batch_size
        self.all_negative_prompts = [self.negative_prompt] * self.batch_size
        self.all_seeds = self.all_subseeds = [self.seed + i for i in range(self.batch_size)]
        generate.process(self)
        self.iteration = 0
        self.prompts = self.all_prompts[: self.batch_size]
        self.negative_prompts = self.all_negative_prompts[: self.batch_size]
        generate.before_process_batch(self, 0)
        self.sample()
        result = types.SimpleNamespace(samples="latents")
        generate.post_sample(self, result)
        # as the WebUIs go on
        getattr(result.samples, "already_decoded", False)
        generate.after_sampling(self)
        infotexts = []
        for i in range(self.batch_size):
            self.batch_index = i
            generate.postprocess_image(self, f"picture of seed {self.all_seeds[i]}")
            entries = {
                k: v(index=i, all_prompts=self.prompts) if callable(v) else v
                for k, v in self.extra_generation_params.items()
            }
            infotexts.append({k: v for k, v in entries.items() if v is not None})
        pictures = [f"picture {s}" for s in self.all_seeds]
        done = types.SimpleNamespace(
            images=pictures, infotexts=infotexts, all_prompts=self.prompts, all_seeds=list(self.all_seeds)
        )
        done.all_negative_prompts, done.all_subseeds = [], []
        generate.postprocess(self, done)
        return done


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> FakeAdapter:
    """The host's; prompts are encoded without a host."""
    made = FakeAdapter()
    monkeypatch.setattr(regions, "adapter", lambda p: made)
    monkeypatch.setattr(conds.Encoder, "_encode", lambda self, text, negative, hires: Cond())
    return made


def test_off_touches_nothing(adapter: FakeAdapter) -> None:
    p = P("a cat")
    before = copy.deepcopy(vars(p))
    generate.before_process(p, {"enabled": False})
    assert vars(p) == before
    for hook in (generate.process, generate.after_sampling):
        hook(p)
    generate.before_sampling(p, "x")
    assert vars(p) == before and not adapter.begun and not adapter.ends


def test_regions_go_in_before_sampling_and_out_behind_it(adapter: FakeAdapter) -> None:
    p = P("park", batch_size=2)
    p.run(CAST, Helpers(notes=lambda cast: ["A LoRA of another kind."] * len(cast.characters[:1])))
    ((pictures, x, steps),) = adapter.begun
    assert (x, steps, len(pictures)) == ("x", 4, 2)
    assert pictures[0] is pictures[1] and pictures[0].shares.count == 2
    assert adapter.ends and not adapter.refused and p.comments == ["A LoRA of another kind."]
    assert p.prompts == ["2girls, α black hair, β white hair, park"] * 2 and p.prompt == "park"


def test_the_same_processing_object_again(adapter: FakeAdapter) -> None:
    """As loopback does: nothing is compiled twice."""
    p = P("park")
    first = p.run(CAST).infotexts
    assert p.run(CAST).infotexts == first
    off = p.run("")
    assert off.all_prompts == ["park"] and len(adapter.begun) == 2


def test_only_the_prompt(adapter: FakeAdapter) -> None:
    p = P()
    p.run({**CAST, "mode": "prompt"})
    assert not adapter.begun and not p.comments
    adapter.reason = "Flux has no cross-attention"
    p.run(CAST)
    assert not adapter.begun and "Flux has no cross-attention" in p.comments[0]


@pytest.mark.parametrize("error", [RegionsError("of a reason"), ValueError("of a reason")])
def test_what_cannot_be_applied_is_refused(adapter: FakeAdapter, error: Exception) -> None:
    adapter.error = error
    P().run(CAST)
    (refused,) = adapter.refused
    assert isinstance(refused, RegionsError) and "of a reason" in str(refused)


def test_who_samples_in_a_way_of_its_own_is_noticed(
    adapter: FakeAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the script img2img alternative does: no callback comes, and the picture would have no regions."""
    monkeypatch.setattr(P, "sample", lambda self: None)
    with pytest.raises(RegionsError, match="a way of its own"):
        P().run(CAST)
    P().run({**CAST, "mode": "prompt"})
    P().run("")
    adapter.reason = "Flux has no cross-attention"
    P().run(CAST)


def test_a_bad_field_ends_the_run_and_not_the_next(adapter: FakeAdapter) -> None:
    p = P()
    with pytest.raises(UserError, match=r"base_weight is 3") as error:
        p.run({**CAST, "base_weight": 3})
    assert vars(error.value)["status_code"] == 422
    p.run("")
    p.run(CAST)
    assert len(adapter.begun) == 1


def test_slips_end_the_run_with_a_sentence(adapter: FakeAdapter) -> None:
    """Not a picture without what was meant."""
    with pytest.raises(UserError, match=r"characters\[1\]\.prompt has a \( without its \)"):
        P().run({"characters": [{"prompt": "hat"}, {"prompt": "(1girl, black hair"}]})
    gone = Helpers(missing=lambda tags: [t for t in tags if "gone" in t])
    with pytest.raises(UserError, match=r"the LoRA <lora:gone:1> is not among"):
        P("<lora:gone-too:1>").run({"characters": [{"prompt": "hat <lora:gone:1>"}]}, gone)
    P("<lora:gone:1>").run(CAST, gone)  # what the user's own prompt says is the WebUI's to tell
    p = P()
    generate.before_process(p, CAST, Helpers, others=["", None, CAST])
    with pytest.raises(UserError, match="put all of them into the first"):
        p.sample()
    generate.before_process(p, CAST, Helpers, others=["", None])
    assert len(adapter.begun) == 1


class Rival:
    """A script that keeps the prompts of before."""

    prompts: list[str]

    def title(self) -> str:
        return "Regional Prompter"


def test_who_puts_the_prompts_back_is_named(adapter: FakeAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    rival = Rival()
    p = P("park", batch_size=2)
    vars(p)["scripts"] = types.SimpleNamespace(scripts=[rival])
    process, sample = generate.process, p.sample

    def keeping(p: P) -> None:
        process(p)
        rival.prompts = list(p.all_prompts)

    def undoing() -> None:
        p.all_prompts[:] = rival.prompts
        sample()

    monkeypatch.setattr(generate, "process", keeping)
    monkeypatch.setattr(p, "sample", undoing)
    done = p.run(CAST)
    (refused,) = adapter.refused
    assert "Regional Prompter puts the prompts of before back: turn one of the two off" in str(refused)
    assert p.all_prompts == [done.all_prompts[0]] * 2  # and they are as compiled in the end
    assert rival.prompts == ["park"] * 2

    # without regions it only has the wrong prompts in the infotext, which are put right
    p.run({**CAST, "mode": "prompt"})
    assert len(adapter.refused) == 1 and p.all_prompts[1].startswith("2girls, α black hair")


def test_no_mark_is_left_after_a_job(adapter: FakeAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the prompts of pictures that were never made, in the WebUI's copies, in its result, in scripts."""
    rival = Rival()
    p = P("park", batch_size=2)
    vars(p)["scripts"] = types.SimpleNamespace(scripts=[rival])
    process = generate.process

    def more(p: P) -> None:
        process(p)
        p.all_prompts.append(p.all_prompts[0])
        p.all_negative_prompts.append(p.all_negative_prompts[0])
        vars(p).update(_all_prompts_c=[f"{x} # note" for x in p.all_prompts], styles=[p.all_prompts[0]])

    monkeypatch.setattr(generate, "process", more)
    done = p.run({**CAST, "negative": "ugly"})
    kept = vars(p)["_all_prompts_c"]
    assert kept[:2] == ["2girls, α black hair, β white hair, park # note"] * 2 and kept[2] == "park # note"
    assert p.all_prompts[2] == "park" and p.styles == ["park"]
    everything = json.dumps([vars(p), vars(done), vars(rival)], default=str, ensure_ascii=False)
    assert not set(INVISIBLE) & set(everything)

    # a run that broke off: the next one finds what it has left in the scripts
    generate.before_process(p, CAST, Helpers)
    rival.prompts = [p.prompt]
    assert set(INVISIBLE) & set(p.prompt)
    generate.before_process(P(), "")
    assert rival.prompts == ["park"]


def test_a_prompt_taken_apart_ends_the_run(adapter: FakeAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    process = generate.process

    def tearing(p: P) -> None:
        process(p)
        p.all_prompts = [prompt[:-4] for prompt in p.all_prompts]

    monkeypatch.setattr(generate, "process", tearing)
    with pytest.raises(UserError, match="takes the prompt apart: turn one of the two off"):
        P("park").run(CAST)


def test_what_fails_within_ends_the_run(adapter: FakeAdapter) -> None:
    """The WebUI would swallow it, and the picture come out as if nothing had been asked."""

    def broken() -> Helpers:
        raise ImportError("no fastapi")

    p = P()
    generate.before_process(p, CAST, broken)
    with pytest.raises(UserError, match="no fastapi"):
        p.sample()
    generate.before_process(p, "", broken)  # off asks nobody
    p.sample()


def test_what_a_broken_run_left_is_taken_out_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeAdapter] = []

    def new(p: Any) -> FakeAdapter:
        made.append(FakeAdapter())
        regions._begun.append(made[-1])
        return made[-1]

    monkeypatch.setattr(regions, "adapter", new)
    generate.before_process(P(), CAST)  # and the sampling broke off
    ended = made[0].ends
    generate.before_process(P(), "")
    assert made[0].ends == ended + 1 and not regions._begun


@dataclasses.dataclass(frozen=True)
class Found:
    score: float

    def to_json(self) -> dict[str, Any]:
        return {"score": self.score}


def checking(scores: dict[int, float], asked: list[str]) -> Helpers:
    """Scores by the pictures' seeds."""

    def check(image: str, cast: Cast) -> Found:
        assert len(cast.characters) == 2
        asked.append(image)
        return Found(scores.get(int(image.rsplit(" ")[-1]), 0.5))

    return Helpers(check=check)


def test_a_check_is_in_the_infotext(adapter: FakeAdapter) -> None:
    asked: list[str] = []
    done = P(batch_size=2).run({**CAST, "check": True}, checking({5: 1.0, 6: 0.25}, asked))
    assert [json.loads(i[CHECK])["score"] for i in done.infotexts] == [1.0, 0.25]
    assert CHECK not in P().run(CAST, checking({}, asked)).infotexts[0] and len(asked) == 2


def test_a_check_that_cannot_be_made_is_said_once(adapter: FakeAdapter) -> None:
    def check(image: Any, cast: Cast) -> Found:
        raise UserError("Set up the models first.")

    p = P(batch_size=2)
    done = p.run({**CAST, "check": True}, Helpers(check=check))
    assert len(p.comments) == 1 and "Set up the models first." in p.comments[0]
    assert CHECK not in done.infotexts[0]


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """`modules` as far as more seeds need it."""
    state = types.SimpleNamespace(interrupted=False, skipped=False, job_count=1)
    packages = {
        "modules": types.ModuleType("modules"),
        "modules.shared": types.SimpleNamespace(state=state),
        "modules.processing": types.SimpleNamespace(process_images=None),
    }
    for name, package in packages.items():
        monkeypatch.setitem(sys.modules, name, package)  # type: ignore[arg-type]
        if "." in name:
            setattr(packages["modules"], name.split(".")[1], package)
    return types.SimpleNamespace(state=state, processing=packages["modules.processing"])


@pytest.mark.parametrize(
    ("scores", "seeds"),
    [
        ({5: 1.0}, [5, 6]),  # nothing is missing
        ({8: 1.0}, [5, 6, 7, 8]),
        ({}, [5, 6, 7, 8, 9]),
    ],
)
def test_more_seeds_until_all_is_there(
    adapter: FakeAdapter, webui: types.SimpleNamespace, scores: dict[int, float], seeds: list[int]
) -> None:
    helpers = checking(scores, [])
    panel = {**CAST, "keep_trying": 3}
    webui.processing.process_images = lambda p: p.run(panel, helpers)
    done = P("park", batch_size=2).run(panel, helpers)
    assert done.images == [f"picture {s}" for s in seeds] and done.all_seeds == seeds
    assert len(done.infotexts) == len(seeds) and CHECK in done.infotexts[-1]
    assert set(done.all_prompts) == {"2girls, α black hair, β white hair, park"}


def test_an_interrupt_ends_the_tries(adapter: FakeAdapter, webui: types.SimpleNamespace) -> None:
    webui.state.interrupted = True
    assert len(P().run({**CAST, "keep_trying": 5}, checking({}, [])).images) == 1


def test_pasting_brings_back_panel_and_prompt() -> None:
    cast = Cast.from_json(CAST)
    made = compile_cast(cast, "park", "dog")
    params: dict[str, Any] = {**infotext.write(made), "Prompt": made.prompt, "Negative prompt": made.negative}
    params["Hires prompt"] = ""
    panel = Panel.parse(pasting.value(params))
    assert (panel.cast, panel.enabled) == (cast, True)
    assert panel.mains(made.prompt, made.negative, {}) == ("park", "dog")
    assert panel.mains("typed anew", "", {}) == ("typed anew", "")
    pasting.infotext_pasted("", params)
    assert (params["Prompt"], params["Negative prompt"], params["Hires prompt"]) == ("park", "dog", "")


def test_a_plot_over_what_was_pasted_compiles_once(adapter: FakeAdapter) -> None:
    made = compile_cast(Cast.from_json(CAST), "park")
    value = {**CAST, "main": "park"}

    def other(panel: Panel, p: Any) -> Panel:
        return dataclasses.replace(panel, cast=Cast.from_json({"characters": [{"prompt": "hat"}]}))

    p = P(made.prompt)
    p.run(value, Helpers(overridden=other))
    assert p.prompts == ["1girl, hat, park"]


def test_pasting_a_picture_without_it_switches_off() -> None:
    params = {"Prompt": "a cat"}
    pasting.infotext_pasted("", params)
    assert params == {"Prompt": "a cat"} and pasting.value(params) == ""


@pytest.mark.parametrize("hostile", ["{", '{"version":99}', '{"version":1,"base_weight":"x"}', "[]"])
def test_pasting_what_cannot_be_used_says_so(hostile: str) -> None:
    params = {infotext.KEY: hostile, "Prompt": "a cat"}
    told = json.loads(pasting.value(params))
    assert told["enabled"] is False and "infotext cannot be used" in told["problem"]
    assert not Panel.parse(pasting.value(params)).enabled
    pasting.infotext_pasted("", params)
    assert params["Prompt"] == "a cat"


EXPANDED = {
    "characters": [{"prompt": "1girl, black hair"}, {"prompt": "1boy, white hair"}],
    "expansion": {"when": "generation"},
}


def drawing(asked: list[PlaceRequest], fails: type[Exception] | None = None) -> Helpers:
    """An expander that adds a tag with the place and the seed, and after the first batch fails, if asked to."""

    def expand(requests: Sequence[PlaceRequest]) -> list[Added]:
        if asked and fails is not None:
            raise fails("the model is not here.")
        asked.extend(requests)
        return [Added((f"{one.place} of {one.seed}",)) for one in requests]

    return Helpers(expand=expand)


def test_each_picture_draws_its_own_by_its_seed(adapter: FakeAdapter) -> None:
    p = P("park, <lora:x:1> BREAK night", batch_size=2)
    asked: list[PlaceRequest] = []
    done = p.run(EXPANDED, drawing(asked))
    assert [one.place for one in asked] == ["prompt", "0", "1"] * 2
    assert [one.seed for one in asked if one.place == "prompt"] == [5, 6]
    assert len({one.seed for one in asked}) == 6
    for seed, prompt, entries in zip((5, 6), p.all_prompts, done.infotexts, strict=True):
        assert prompt.startswith("1girl, 1boy, α black hair, α 0 of ") and ", β white hair, β 1 of " in prompt
        assert prompt.endswith(f"park, <lora:x:1> BREAK night, prompt of {seed}")
        # the infotext brings back just this picture, without the expander
        restored = infotext.read(entries)
        assert restored is not None and restored.main == "park, <lora:x:1> BREAK night"
        again = P(restored.main)
        again.run(Panel.of(restored).to_json(brief=True), drawing([], RuntimeError))
        assert again.all_prompts == [prompt] and not again.comments


def test_hires_takes_what_its_picture_took(adapter: FakeAdapter) -> None:
    p = P("park", batch_size=2)
    p.enable_hr, p.hr_prompt, p.hr_negative_prompt = True, "", ""
    carried = [p.prompt] * 2
    generate.before_process(p, EXPANDED, lambda: drawing([]))
    carried = [p.prompt] * 2
    p.all_prompts, p.all_hr_prompts = (
        list(carried),
        [carried[0], carried[1].replace("park", "a detailed park")],
    )
    p.all_negative_prompts, p.all_hr_negative_prompts = [p.negative_prompt] * 2, [p.negative_prompt] * 2
    p.all_seeds = [5, 6]
    generate.process(p)
    p.prompts, p.negative_prompts = list(p.all_prompts), list(p.all_negative_prompts)
    generate.before_process_batch(p, 0)
    assert p.all_hr_prompts[0] == p.all_prompts[0] and "prompt of 5" in p.all_prompts[0]
    # another prompt for the hires pass is the user's own: the characters' tags are in it all the same
    assert p.all_hr_prompts[1].endswith("a detailed park") and "α 0 of " in p.all_hr_prompts[1]


@pytest.mark.parametrize("fails", [PromptExtendError, ValueError])
def test_an_expander_that_fails_loses_no_picture(adapter: FakeAdapter, fails: type[Exception]) -> None:
    p = P("park")
    locked = {**EXPANDED, "main_added": {"tags": ["bench", "tree"], "locked": ["bench"]}}
    done = p.run(locked, drawing([None], fails))  # type: ignore[list-item]
    assert p.all_prompts == ["1girl, 1boy, α black hair, β white hair, park, bench"]
    assert done.images and not adapter.refused
    (comment,) = p.comments
    assert "the prompt is used as written" in comment and "the model is not here." in comment
