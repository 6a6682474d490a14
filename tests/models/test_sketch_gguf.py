"""The sketch model's GGUF files hold what its folder holds; that a server reads them, `test_vlm_real_server` says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

gguf = pytest.importorskip("gguf")
pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from tests.models.real_servers import SKETCH  # noqa: E402
from tests.models.sketch_gguf import convert  # noqa: E402


def test_every_weight_and_token_is_there(tmp_path: Path) -> None:
    weights = load_file(SKETCH / "model.safetensors")
    text, mmproj = (gguf.GGUFReader(str(path)) for path in convert(SKETCH, tmp_path))
    written = sum(t.n_elements for reader in (text, mmproj) for t in reader.tensors)
    assert written == sum(w.size for w in weights.values())

    found = {t.name: t.data for reader in (text, mmproj) for t in reader.tensors}
    assert np.array_equal(found["token_embd.weight"], weights["model.embed_tokens.weight"])
    fused = weights["visual.blocks.1.attn.qkv.weight"]
    assert np.array_equal(np.concatenate([found[f"v.blk.1.attn_{p}.weight"] for p in "qkv"]), fused)
    later = weights["visual.patch_embed.proj.weight"][:, :, 1]
    assert np.array_equal(found["v.patch_embd.weight.1"], later)

    tokens = text.fields["tokenizer.ggml.tokens"].contents()
    vocabulary = json.loads((SKETCH / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    assert len(tokens) == len(weights["model.embed_tokens.weight"])
    assert all(tokens[number] == token for token, number in vocabulary.items())
    assert text.fields["qwen2vl.rope.dimension_sections"].contents() == [4, 6, 6, 0]
