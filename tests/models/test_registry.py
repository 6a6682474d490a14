"""The list of models, how a name or folder is found in it, and a named tagger from download to tags."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import constants
from PIL import Image

from lib_extend.errors import ModelError, UserError
from lib_extend.models import registry
from lib_extend.models.family import families
from lib_extend.models.model_loading import load_tagger
from tests.hub_server import HubServer

from .tiny_onnx import wd_folder


def test_the_list_is_shown_without_any_inference_package() -> None:
    code = """
        import sys
        from lib_extend.models import registry
        registry.taggers(), registry.vlms(), registry.find_tagger("wd-swinv2-v3")
        heavy = {"numpy", "PIL", "onnxruntime", "torch", "transformers", "huggingface_hub", "httpx", "requests"}
        print(sorted(heavy & set(sys.modules)))
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_entry_is_complete() -> None:
    for entries, kind in ((registry.taggers(), "tagger"), (registry.vlms(), "vlm")):
        names = [e.name for e in entries]
        assert len(names) == len(set(names)) and all(n == n.lower() and "/" not in n for n in names)
        for entry in entries:
            assert entry.kind == kind
            assert (entry.folder is None) == (entry.repo.count("/") == 1), entry.name
            assert entry.name == "sketch" or entry.folder is None
            for threshold in (entry.threshold, entry.character_threshold):
                assert threshold is None or 0 < threshold < 1
    for entry in registry.taggers():
        assert entry.family in families("taggers")
        assert entry.folder or any(f.path.endswith(".onnx") and f.required for f in entry.files), entry.name
        # Families look for files by their base names.
        assert len({f.name for f in entry.files}) == len(entry.files)
    for entry in registry.vlms():
        assert not entry.files and all(part.isdigit() for part in entry.needs.split(".")), entry.name
    assert registry.find_tagger(registry.DEFAULT_TAGGER).family == "wd"


@pytest.mark.parametrize("name", [e.name for e in registry.taggers()])
def test_every_family_has_its_module(name: str) -> None:
    assert registry.find_tagger(name).family in families("taggers")


def test_names_are_found_in_any_case_and_by_repository() -> None:
    assert registry.find_tagger(" WD-ViT-v3 ").name == "wd-vit-v3"
    assert registry.find_tagger("SmilingWolf/wd-vit-tagger-v3").name == "wd-vit-v3"
    assert registry.find_vlm("Qwen/Qwen2-VL-2B-Instruct").name == "qwen2-vl-2b"
    other = registry.find_tagger("animetimm/resnet152.dbv4-full")
    assert other.family == "animetimm" and other.repo == "animetimm/resnet152.dbv4-full" and other.gated


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("wd-swin-v3", "did you mean wd-swinv2-v3"),
        ("eva02", "did you mean wd-eva02-large-v3"),
        ("zzz", "'zzz'; `"),
    ],
)
def test_an_unknown_tagger_is_answered_with_close_names(spec: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        registry.find_tagger(spec)
    text = str(caught.value)
    assert text.startswith("There is no tagger called") and hint in text
    assert text.endswith("`prompt-extend models` lists them.")


def test_an_unknown_vlm_is_answered_with_close_names() -> None:
    with pytest.raises(UserError, match=r"no vision-language model called 'qwen-vl-2b'; did you mean qwen"):
        registry.find_vlm("qwen-vl-2b")


@pytest.mark.parametrize(
    "spec", ["./nothing", "/no/such/folder", "~nobody-at-all/x", "a" * 5000, "nul\0", ""]
)
def test_what_cannot_be_a_folder_is_said(spec: str) -> None:
    with pytest.raises(UserError, match="There is no"):
        registry.find_tagger(spec)


def test_a_name_wins_over_a_folder_beside_it_but_not_over_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wd-vit-v3").mkdir()
    assert registry.find_tagger("wd-vit-v3").folder is None
    assert registry.find_tagger("./wd-vit-v3").folder == Path("wd-vit-v3")
    model = wd_folder(tmp_path / "mine", side=64)
    assert registry.find_tagger(str(model)).folder == model
    assert registry.find_tagger(str(model / "model.onnx")).folder == model


def test_a_named_tagger_is_downloaded_and_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = wd_folder(tmp_path / "mine", side=64)
    seen: list[tuple[str, int, int]] = []
    entry = registry.find_tagger("wd-swinv2-v3")
    with HubServer() as hub:
        hub.add(entry.repo, {p.name: p.read_bytes() for p in model.iterdir()})
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        tagger = load_tagger(
            entry.name,
            device="cpu",
            models_dir=str(tmp_path / "models"),
            progress=lambda what, done, total: seen.append((what, done, total)),
        )
    assert seen[-1][0] == entry.name and seen[-1][1] == seen[-1][2] > 0
    assert tagger.threshold == entry.threshold and tagger.device == "CPU"
    white = tagger.prepare(Image.new("RGB", (50, 30), "white"))
    (tags,) = tagger.tag([white], 0.5)
    assert tags[0].score == pytest.approx(1.0)
    # Downloaded or copied by hand, the same weights have the same key: stored analyses stay good.
    local = load_tagger(str(model), device="cpu", offline=True)
    again = load_tagger(entry.name, device="cpu", offline=True, models_dir=str(tmp_path / "models"))
    assert tagger.key == local.key == again.key
    for one in (tagger, local, again):
        one.close()


def test_offline_and_not_here(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"wd-vit-v3 is not on this machine.*--offline"):
        load_tagger("wd-vit-v3", offline=True, models_dir=str(tmp_path))


def test_a_folder_without_a_model_or_labels(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no model.onnx"):
        load_tagger(str(tmp_path))
    (wd_folder(tmp_path, side=64) / "selected_tags.csv").unlink()
    with pytest.raises(ModelError, match=r"no list of its tags"):
        load_tagger(str(tmp_path))


def test_families_are_asked_in_the_order_they_declare() -> None:
    found = list(families("taggers"))
    assert found.index("pixai") < found.index("animetimm") < found.index("wd") == len(found) - 1
    assert "base" not in found and "labels" not in found
    assert list(families("detectors")) == ["yolo"]
    assert list(families("vlms.families")) == ["http_server", "transformers_folder"]


def test_finding_a_server_needs_no_model_package() -> None:
    code = """
        import sys
        from lib_extend.models.family import recognise
        from lib_extend.models.vlms.vlm_options import VlmSource
        assert recognise("vlms.families", VlmSource("HTTP://127.0.0.1:1/v1")) is not None
        assert recognise("vlms.families", VlmSource("qwen3-vl-2b")) is None
        print(sorted({"torch", "transformers", "onnxruntime"} & set(sys.modules)))
    """
    code = "\n".join(line.strip() for line in code.splitlines())
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
