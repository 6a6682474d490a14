"""Expanders through their real loading code and sampling, with the built-in model and random ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_extend.errors import ModelError, Stopped, UserError
from lib_extend.expanding.expansion_request import Request as ExpandRequest
from lib_extend.expanding.expansion_request import expanded
from lib_extend.expanding.prompt_functions import expand_tags
from lib_extend.models.expanders import drafting, dtg
from lib_extend.models.expanders.expander_options import ExpanderOptions, ExpanderPlace
from lib_extend.models.expanders.language_model import LanguageModel, load
from lib_extend.models.expanders.written_draft import Plan
from lib_extend.models.model_loading import load_expander
from lib_extend.models.registry import SKETCH, find_expander
from lib_extend.prompt_expansion import Given, Length, Sampling, Wanted, Wish
from lib_extend.sketch.vocabulary import COLORS
from lib_extend.worker.client import WorkerClient
from lib_extend.worker.kinds.expand_prompt import DraftSoFar, Result, tasks
from lib_extend.worker.protocol import Done, Partial, Setup
from tests.models.expander_gguf import convert

FOLDER = SKETCH / "expander"
GIVEN = Given(people=("1girl", "solo"), general=("cake",))


@pytest.fixture(scope="module")
def expander() -> Any:
    return load_expander("sketch")


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return load(FOLDER, "cpu")


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(FOLDER, tmp_path_factory.mktemp("gguf"))


def test_length_bans_and_the_users_tags_are_kept(expander: Any) -> None:
    banned = ("hair", "eyes")
    wish = Wish(GIVEN, Length.SHORT, sampling=Sampling(seed=5), drafts=4, banned=lambda n: n.endswith(banned))
    drafts = expander.expand(wish)
    assert len(drafts) == 4 and len({d.tags for d in drafts}) == 4
    for draft in drafts:
        assert 18 <= len(draft.tags) + 3 <= 36
        assert len(set(draft.tags)) == len(draft.tags)
        assert not [t for t in draft.tags if t.endswith(banned) or t in GIVEN.tags or "<" in t or "," in t]


def test_contradictions_are_drawn_again(expander: Any) -> None:
    """Without the rules these drafts have other hair, other eyes and another place."""
    request = ExpandRequest(
        "sketch", "1girl, black hair, indoors", Length.VERY_SHORT, Wanted.BOTH, drafts=6,
        sampling=Sampling(seed=3, temperature=1.5, min_p=0.0), force=("blue eyes", "black hair"),
    )  # fmt: skip
    drafts = expanded(expander, request)
    colors = {f"{c}_{what}" for c in COLORS for what in ("hair", "eyes")} - {"black_hair", "blue_eyes"}
    for draft in drafts:
        assert draft.tags[0] == "blue_eyes" and "black_hair" not in draft.tags
        assert not {*draft.tags} & {*colors, "outdoors", "1boy", "2girls"}
        assert not [c for c in colors if c.replace("_", " ") in draft.prose]
        assert draft.text.startswith("1girl, black hair, indoors, blue eyes")
    assert sum(d.redrawn for d in drafts) > 6
    free = expander.expand(Wish(GIVEN, Length.VERY_SHORT, sampling=request.sampling, drafts=6))
    assert {t for d in free for t in d.tags} & colors


def test_all_parts_of_a_task_come(expander: Any) -> None:
    wish = Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=1), task="tag_to_short_to_long")
    draft = expander.expand(wish)[0]
    assert draft.tags and draft.short.endswith(".") and draft.prose.endswith(".")
    with pytest.raises(ModelError, match=r"no task 'tag_to_short': take one of tag_to_long"):
        expander.expand(Wish(GIVEN, task="tag_to_short"))


def test_a_seed_gives_the_same_draft_alone_and_beside_others(expander: Any) -> None:
    together = expander.expand(Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=7), drafts=3))
    alone = expander.expand(Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=8)))
    assert together[1].tags == alone[0].tags
    assert together == expander.expand(Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=7), drafts=3))


def test_what_is_taken_back_leaves_no_trace_in_what_follows(model: LanguageModel) -> None:
    """After a redraw the model sees what it would see if the tag had never been written."""
    import torch

    prompt = "target: <|very_short|>\ntag: 1girl, cake,"
    ids = model.encode(prompt)
    thrown, kept = model.encode_within(" red hair"), model.encode_within(" blue eyes,")
    with torch.inference_mode():
        reader = model.reader(ids, 1)
        for token in thrown:
            reader.read([token], [0])
        logits = reader.read([kept[0]], [len(thrown)])
        for token in kept[1:]:
            logits = reader.read([token], [0])
        plain = model.model(input_ids=torch.tensor([[*ids, *kept]])).logits[0, -1]
    assert torch.allclose(logits[0], plain, atol=1e-4)


def test_prose_ends_with_a_sentence(expander: Any) -> None:
    draft = expander.expand(Wish(GIVEN, Length.VERY_SHORT, Wanted.BOTH, Sampling(seed=2)))[0]
    assert draft.tags and draft.prose.endswith(".")
    assert "long:" not in draft.prose and "\n" not in draft.prose
    alone = expander.expand(Wish(GIVEN, Length.VERY_SHORT, Wanted.PROSE, Sampling(seed=2)))[0]
    assert not alone.tags and alone.prose.endswith(".")


def test_a_ban_of_everything_ends(expander: Any) -> None:
    draft = expander.expand(Wish(GIVEN, Length.LONG, banned=lambda name: True))[0]
    assert draft.tags == () and draft.exhausted and draft.redrawn >= 10


def test_the_last_tag_is_whole(expander: Any) -> None:
    """What ends with "s" keeps it, and a tag that the limit cuts off is left out."""
    import lib_extend.sketch.vocabulary as words

    known = {w for t in (*words.TAGS, *words.FLOORS, *words.COLORS, *words.OBJECTS) for w in t.split("_")}
    known |= {words.plural(o) for o in words.OBJECTS} | {"floor", "door", *map(str, range(10))}
    for seed in range(3):
        wish = Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=seed, temperature=0.3, most_tokens=40))
        for tag in expander.expand(wish)[0].tags:
            assert set(tag.split("_")) <= known, tag


def test_dantaggen_by_its_own_format(tmp_path: Path) -> None:
    """The built-in model knows both; without TIPO's tokens it is a DanTagGen."""
    folder = tmp_path / "DanTagGen-delta"
    shutil.copytree(FOLDER, folder)
    for name in ("added_tokens.json", "tokenizer_config.json"):
        text = (folder / name).read_text(encoding="utf-8").replace("<|tag_to_long|>", "<|other|>")
        (folder / name).write_text(text, encoding="utf-8")
    expander = load_expander(str(folder))
    draft = expander.expand(Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=1)))[0]
    assert 8 <= len(draft.tags) + 3 <= 16
    with pytest.raises(ModelError, match="writes tags only"):
        expander.expand(Wish(GIVEN, wanted=Wanted.PROSE))


def test_a_gguf_file_is_the_same_model(gguf_file: Path, model: LanguageModel) -> None:
    import torch

    other = load(gguf_file, "cpu")
    text = "rating: safe\ntarget: <|short|> <|tag_to_long|>\ntag: 1girl, solo, 3 cakes"
    ids = model.encode(text)
    assert other.encode(text) == ids
    with torch.inference_mode():
        ours = model.model(input_ids=torch.tensor([ids])).logits
        theirs = other.model(input_ids=torch.tensor([ids])).logits
    assert float((ours - theirs).abs().max()) <= 5e-4
    wish = Wish(GIVEN, Length.VERY_SHORT, sampling=Sampling(seed=3))
    drafts = load_expander(str(gguf_file)).expand(wish)
    assert drafts == load_expander("sketch").expand(wish)


def test_mish_is_honoured(tmp_path: Path) -> None:
    import torch

    folder = tmp_path / "mish"
    shutil.copytree(FOLDER, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "hidden_act": "mish"}), encoding="utf-8")
    loaded = load(folder, "cpu")
    assert isinstance(loaded.model.model.layers[0].mlp.act_fn, torch.nn.Mish) or (
        "mish" in type(loaded.model.model.layers[0].mlp.act_fn).__name__.lower()
    )


def test_the_function(expander: Any) -> None:
    heard: list[tuple[int, int, bool]] = []
    drafts = expand_tags(
        ["1girl", "cake"], expander=expander, target="very_short", ban=["*_hair"], seed=4, drafts=2,
        tell=lambda number, draft, done: heard.append((number, len(draft.tags), done)),
    )  # fmt: skip
    assert all(d.text.startswith("1girl, cake, ") and d.tags for d in drafts)
    for number, draft in enumerate(drafts):
        counts = [count for n, count, _ in heard if n == number]
        assert counts == sorted(counts) and counts[0] == 1 and counts[-1] == len(draft.tags)
    assert [n for n, _, done in heard if done] in ([0, 1], [1, 0])
    with pytest.raises(
        UserError, match="target must be one of very_short, short, long, very_long, not 'huge'"
    ):
        expand_tags("cake", expander=expander, target="huge")


def test_the_worker_tells_of_drafts_while_they_are_written() -> None:
    told: list[DraftSoFar] = []

    def tell(partial: Partial) -> None:
        assert isinstance(partial.payload, DraftSoFar)
        told.append(partial.payload)

    def leave(partial: Partial) -> None:
        raise Stopped("left")

    request = ExpandRequest("sketch", "1girl, cake", Length.SHORT, drafts=2, sampling=Sampling(seed=4))
    with WorkerClient() as worker:
        worker.start(Setup(device="cpu", offline=True))
        (done,) = worker.run(tasks([request]), tell)
        assert isinstance(done, Done) and isinstance(done.payload, Result)
        for number, draft in enumerate(done.payload.drafts):
            mine = [t for t in told if t.number == number]
            assert [t.draft for t in mine if t.done] == [draft]
            assert all(draft.text.startswith(t.draft.text) for t in mine)
        with pytest.raises(Stopped, match="left"):
            list(worker.run(tasks([replace(request, length=Length.VERY_LONG)]), leave))
        (again,) = worker.run(tasks([request]))
        assert isinstance(again, Done) and again.payload == done.payload


def test_a_gguf_of_delta_has_the_activation_that_its_file_cannot_say(gguf_file: Path, tmp_path: Path) -> None:
    def activation(name: str) -> str:
        place = ExpanderPlace(shutil.copy(gguf_file, tmp_path / "model.gguf"))
        loaded = dtg.FAMILY.load(place, ExpanderOptions("cpu", name))
        return type(loaded._writer.model.model.model.layers[0].mlp.act_fn).__name__.lower()

    assert "mish" in activation("DanTagGen-delta-rev2") and "silu" in activation("DanTagGen-beta")
    (tmp_path / "config.json").write_text('{"hidden_act": "silu"}', encoding="utf-8")
    assert "silu" in activation("DanTagGen-delta-rev2")


# bad input


def test_no_such_expander(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no expander called 'tipo-200'.*did you mean"):
        find_expander("tipo-200")
    with pytest.raises(UserError, match=r"no file .*nothing\.gguf"):
        find_expander(str(tmp_path / "nothing.gguf"))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is no expander that is known here"):
        load_expander(str(tmp_path))


def test_a_gguf_of_another_architecture(tmp_path: Path) -> None:
    file = convert(FOLDER, tmp_path, architecture="something")
    with pytest.raises(ModelError, match=r"model\.gguf cannot be loaded"):
        load_expander(str(file))


def test_a_damaged_gguf(tmp_path: Path, gguf_file: Path) -> None:
    file = tmp_path / "half.gguf"
    file.write_bytes(gguf_file.read_bytes()[:3000])
    with pytest.raises(ModelError, match=r"half\.gguf"):
        load_expander(str(file))


def test_missing_weights(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_expander(str(folder))
    (folder / "tokenizer.model").unlink()
    with pytest.raises(ModelError, match=r"neither tokenizer.json nor tokenizer.model"):
        load_expander(str(folder))


def test_a_prompt_that_is_too_long(expander: Any) -> None:
    long = Given(general=tuple(f"tag_{i}" for i in range(900)))
    with pytest.raises(ModelError, match=r"The prompt has [\d,]+ tokens and .* reads 1,024: shorten it"):
        expander.expand(Wish(long))


def test_drafts_end_where_the_context_ends(model: LanguageModel) -> None:
    prompt = "target: <|long|>\ntag: " + "cake, " * 450
    left = model.context - len(model.encode(prompt))
    assert 0 < left < 500
    plan = Plan(prompt, ("tag",), 0, 500, 600)
    drafts = drafting.write(model, plan, Wish(Given(), sampling=Sampling(most_tokens=4000), drafts=2))
    assert all(d.tags for d in drafts)


# the command


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lib_extend", "expand", *arguments, "--device", "cpu", "--offline"]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_command_keeps_the_prompt_and_repeats_itself() -> None:
    prompt = "1girl, (cake:1.2), <lora:x:1>"
    arguments = (prompt, "--expander", "sketch", "--target", "very_short", "--seed", "4", "--ban", "*_hair, smile", "--json")  # fmt: skip
    first, second = _run(*arguments), _run(*arguments)
    assert first.returncode == 0 and first.stdout == second.stdout, first.stderr
    row = json.loads(first.stdout)
    assert row["text"].startswith(f"{prompt}, ") and row["seed"] == 4
    assert not [t for t in row["tags"] if t.endswith("_hair") or t in ("smile", "1boy", "2girls")]
    assert first.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--top-p", "0"), "top_p must be above 0"),
        (("--drafts", "99"), "drafts must be from 1 to 32"),
        (("--ban", "/(/"), "ban"),
        (("--expander", "nothing-like-it"), "There is no expander called"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], words: str) -> None:
    done = _run("cake", "--expander", "sketch", *arguments)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1
