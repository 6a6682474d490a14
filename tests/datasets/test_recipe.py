"""What a plan knows of models that were loaded before."""

from __future__ import annotations

from pathlib import Path

from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import ModelKeys, Recipe
from lib_extend.datasets.state import State


def test_weights_in_four_bits_are_another_model(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite3", tmp_path)
    full = TagConfig(tagger="none", vlm="qwen2-vl-2b")
    small = full.with_(vlm_4bit="yes")
    Recipe.of(full).with_models(ModelKeys("", "abc")).remember_in(state)
    assert _vlm(state, full) == "abc"
    assert _vlm(state, small) is None
    Recipe.of(small).with_models(ModelKeys("", "abc-nf4")).remember_in(state)
    assert (_vlm(state, full), _vlm(state, small)) == ("abc", "abc-nf4")


def _vlm(state: State, config: TagConfig) -> str | None:
    return Recipe.of(config).known_in(state).models.vlm


def test_a_stopped_run_may_continue_with_less_memory() -> None:
    config = TagConfig(vlm="qwen2-vl-2b")
    assert Recipe.of(config.with_(vram_limit=4)).key == Recipe.of(config).key
    assert Recipe.of(config.with_(vlm_4bit="yes")).key != Recipe.of(config).key
