"""What a plan knows of models that were loaded before."""

from __future__ import annotations

from pathlib import Path

from lib_extend.config import TagConfig
from lib_extend.datasets.recipe import Models, config_key, known_models, remember_models
from lib_extend.datasets.state import State


def test_weights_in_four_bits_are_another_model(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite3", tmp_path)
    full = TagConfig(tagger="none", vlm="qwen2-vl-2b")
    small = full.with_(vlm_4bit="yes")
    remember_models(state, full, Models("", "abc"))
    assert known_models(state, full).vlm == "abc"
    assert known_models(state, small).vlm is None
    remember_models(state, small, Models("", "abc-nf4"))
    assert (known_models(state, full).vlm, known_models(state, small).vlm) == ("abc", "abc-nf4")


def test_a_stopped_run_may_continue_with_less_memory() -> None:
    config = TagConfig(vlm="qwen2-vl-2b")
    assert config_key(config.with_(vram_limit=4)) == config_key(config)
    assert config_key(config.with_(vlm_4bit="yes")) != config_key(config)
