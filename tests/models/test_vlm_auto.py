"""`--vlm auto` by a table of machines; what a card's memory allows; weights in 4 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from lib_extend.errors import ModelError  # noqa: E402
from lib_extend.models import downloads, registry  # noqa: E402
from lib_extend.models.entry import Entry  # noqa: E402
from lib_extend.models.vlms import auto, folders, four_bit, loading, local  # noqa: E402
from lib_extend.models.vlms import memory_need as memory  # noqa: E402
from lib_extend.models.vlms.memory_need import GIB, Card, allowance, bytes_per_token, is_out_of_memory  # noqa: E402
from tests.models import vlm_tiny  # noqa: E402

NO_BNB = "4-bit is not available, for bitsandbytes is not installed where the models run"

TABLE: list[tuple[str, float, float, dict[str, Any], tuple[str, bool, bool], str]] = [
    # what it shows · GB free · GB in all · the rest · name, on the card, in 4 bits · words
    ("24 GB take 7B as it is", 23, 24, {}, ("qwen2-vl-7b", True, False), "3.0 GB of them left"),
    ("16 GB take 7B in 4 bits", 15, 16, {}, ("qwen2-vl-7b", True, True), "in 4-bit"),
    ("but not where that cannot be had", 15, 16, {"hindrance": NO_BNB}, ("qwen2-vl-2b", True, False), "bitsandbytes"),
    ("nor where it is not wanted", 15, 16, {"four_bit": "no"}, ("qwen2-vl-2b", True, False), "13.0 GB of the card's"),
    ("8 GB take 2B", 7.5, 8, {}, ("qwen2-vl-2b", True, False), "2.0 GB of them left"),
    ("where a WebUI has its model, 2B in 4 bits", 5.2, 8, {}, ("qwen2-vl-2b", True, True), "5.2 GB are free"),
    ("or the smallest", 5, 8, {"hindrance": NO_BNB}, ("smolvlm2-500m", True, False), "bitsandbytes"),
    ("a full card is left alone", 2.5, 24, {}, ("qwen2-vl-2b", False, False), "too little"),
    ("a limit is kept although more is free", 23, 24, {"limit": 6}, ("qwen2-vl-2b", True, False), "vram_limit"),
    ("and may take what would be left", 5.5, 6, {"limit": 5.5}, ("qwen2-vl-2b", True, False), "5.5 GB of the card's 6.0 GB may be taken"),
    ("but nothing that is not free", 3, 24, {"limit": 20}, ("qwen2-vl-2b", True, True), "3.0 GB of the card's"),
    ("4 bits wanted", 23, 24, {"four_bit": "yes"}, ("qwen2-vl-7b", True, True), "in 4-bit"),
    ("4 bits wanted in vain", 23, 24, {"four_bit": "yes", "hindrance": NO_BNB}, ("qwen2-vl-7b", True, False), "bitsandbytes"),
    ("what is here goes before a download", 23, 24, {"cached": ["qwen2-vl-2b"]}, ("qwen2-vl-2b", True, False),
     "qwen2-vl-7b would fit too: `prompt-extend models get qwen2-vl-7b`"),
    ("the best of what is here", 23, 24, {"cached": ["qwen2-vl-2b", "qwen3-vl-8b"]}, ("qwen3-vl-8b", True, False), ""),
    ("if it fits", 11, 12, {"cached": ["qwen3-vl-8b", "qwen3-vl-4b"], "hindrance": NO_BNB},
     ("qwen2-vl-2b", True, False), ""),
    ("what this transformers does not know is not", 23, 24,
     {"cached": ["qwen3-vl-8b"], "usable": ["qwen2-vl-7b", "qwen2-vl-2b"]}, ("qwen2-vl-7b", True, False), ""),
    ("offline only what is here", 23, 24, {"cached": ["qwen2-vl-2b"], "offline": True}, ("qwen2-vl-2b", True, False), ""),
    ("offline on a small card", 5, 6, {"cached": ["qwen2-vl-7b", "qwen2-vl-2b"], "offline": True, "four_bit": "no"},
     ("qwen2-vl-2b", False, False), "too little for any model that is here"),
    ("no card", 0, 0, {"cuda": False}, ("qwen2-vl-2b", False, False), "no NVIDIA card"),
    ("no card, a cached giant", 0, 0, {"cuda": False, "cached": ["qwen2-vl-7b"]}, ("qwen2-vl-2b", False, False), ""),
    ("no card, little memory", 0, 0, {"cuda": False, "ram": 6 * GIB}, ("smolvlm2-500m", False, False), ""),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_the_table(row: Any) -> None:
    _, free, total, rest, wanted, words = row
    if "limit" in rest:
        rest = {**rest, "limit": int(rest["limit"] * GIB)}
    choice = auto.choose(int(free * GIB), int(total * GIB), **rest)
    assert (choice.name, choice.cuda, choice.four_bit) == wanted
    assert words in choice.why and choice.name in choice.why and "\n" not in choice.why


def test_never_more_than_allowed() -> None:
    for total in (4, 6, 8, 12, 16, 24, 48, 80):
        for tenth in range(11):
            for limit in (None, 3 * GIB, 10 * GIB):
                free = total * GIB * tenth // 10
                choice = auto.choose(free, total * GIB, limit=limit)
                if choice.cuda:
                    share = four_bit.SHARE if choice.four_bit else 1
                    size = registry.find_vlm(choice.name).weights * share
                    assert size < allowance(free, total * GIB, limit) <= free


def test_nothing_fits() -> None:
    with pytest.raises(ModelError, match="free some memory"):
        auto.choose(0, 0, cuda=False, ram=GIB)
    with pytest.raises(ModelError, match="models get qwen2-vl-2b"):
        auto.choose(0, 0, cuda=False, offline=True)


def test_all_that_auto_names_has_a_size() -> None:
    entries = [registry.find_vlm(name) for name in auto.RANK]
    assert set(auto.DOWNLOADED) <= set(auto.RANK)
    assert all(e.weights > 0 for e in entries)
    assert all(registry.find_vlm(n).licence == "Apache-2.0" for n in auto.DOWNLOADED)
    sizes = [registry.find_vlm(name).weights for name in auto.DOWNLOADED]
    assert sizes == sorted(sizes, reverse=True)


class Driver:
    """The answers of a CUDA driver with one card, at torch's functions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: float, total: float) -> None:
        self.free, self.total, self.held, self.used = int(free * GIB), int(total * GIB), 0, 0
        self.fraction = 1.0
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "a card")
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (self.free, self.total))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda *_: self.held)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda *_: self.used)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self._hold)

    def _hold(self, fraction: float) -> None:
        self.fraction = fraction


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model that the downloads take for qwen2-vl-2b."""
    folder = vlm_tiny.build_folder("qwen2_vl", tmp_path / "model")

    def where(entry: Entry, **_: Any) -> Path | None:
        return folder if entry.name == "qwen2-vl-2b" else None

    monkeypatch.setattr(downloads, "where", where)
    return folder


def test_auto_loads_what_it_chose_and_says_why(here: Path) -> None:
    vlm = loading.load_vlm("auto", device="cpu", offline=True)
    assert vlm.device.startswith("CPU; ") and "because there is no NVIDIA card to use" in vlm.device
    vlm.close()


def test_auto_asks_the_driver(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Driver(monkeypatch, 7.5, 8)
    choice = loading._choice("auto", True, "", None, "no")
    assert (choice.name, choice.cuda, choice.four_bit) == ("qwen2-vl-2b", True, False)
    assert not loading._choice("auto", True, "", 4.0, "no").cuda
    assert not loading._choice("cpu", True, "", None, "no").cuda


def test_releases_are_compared_as_numbers() -> None:
    assert loading._release("4.57.1") > loading._release("4.57") > loading._release("4.9.3")
    assert loading._release("5.0.0rc1") >= loading._release("4.57.1")


def test_the_room_on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(monkeypatch, 10, 16)
    assert Card().room() == 8 * GIB, "two are left"
    assert Card.of(6.0).room() == 6 * GIB
    assert Card.of(12.0).room() == 10 * GIB, "only what is free"
    driver.held, driver.used, driver.free = 5 * GIB, 4 * GIB, 5 * GIB
    assert Card().room() == 4 * GIB, "what torch holds and does not use is free to it"
    assert Card.of(6.0).room() == 2 * GIB, "of the limit some is used"
    driver.used = driver.held = 7 * GIB
    assert Card.of(6.0).room() == 0
    Card.of(4.0).hold()
    assert driver.fraction == 0.25
    Card.of(64.0).hold()
    assert driver.fraction == 1.0
    Card.of(4.0).hold()
    Card().hold()
    assert driver.fraction == 1.0, "a limit does not outlive its model"


@pytest.mark.parametrize("kind", vlm_tiny.ARCHITECTURES)
def test_the_estimate_covers_what_is_kept(kind: str, tmp_path: Path) -> None:
    from PIL import Image

    if kind not in vlm_tiny.available():
        pytest.skip(f"this transformers has no {kind}")
    vlm = local.LocalVlm(vlm_tiny.build_folder(kind, tmp_path), device="cpu")
    engine: Any = vlm._engine
    (trunk,) = engine.encode([engine.prepare(Image.new("RGB", (300, 200)))])
    kept = sum(t.numel() * t.element_size() for layer in trunk.layers for t in layer) / trunk.length
    per_token = bytes_per_token(engine.model.config, 4)
    assert per_token > 2 * kept
    assert bytes_per_token(engine.model.config, 2) == per_token / 2
    vlm.close()


def test_the_estimate_for_a_published_model() -> None:
    """Qwen2-VL-7B: 28 layers of 4 heads of 128 numbers, keys and values, 2 bytes each: 57,344 a token."""
    from types import SimpleNamespace as Config

    vision = Config(embed_dim=1280, hidden_size=3584, mlp_ratio=4, spatial_merge_size=2, temporal_patch_size=2, patch_size=14)  # fmt: skip
    config = Config(hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
                    num_key_value_heads=4, vision_config=vision)  # fmt: skip
    token = bytes_per_token(config, 2)
    assert token > 2 * 57_344
    assert 0.2 * GIB < 1369 * token < memory.WORKING, "a megapixel fits into what a model is given besides"


def test_a_card_runs_as_many_pictures_as_fit(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the driver's word for the memory; the model itself stays on the CPU."""
    driver = Driver(monkeypatch, 3, 4)
    monkeypatch.setattr(local, "choose_device", lambda _: ("cuda", "CUDA: a card"))
    honest = local._load_model
    monkeypatch.setattr(local, "_load_model", lambda folder, _, small: honest(folder, "cpu", small))
    vlm = local.LocalVlm(here, vram_limit=2.0)
    engine: Any = vlm._engine
    assert driver.fraction == 0.5 and engine.batcher.most == local.BATCH and vlm.parallel == 2 * local.BATCH
    picture = bytes_per_token(engine.model.config, 4) * vlm._chat.most_tokens
    driver.used = driver.held = 2 * GIB - 3 * picture
    assert local.LocalVlm(here, vram_limit=2.0)._engine.batcher.most == 3  # type: ignore[union-attr]
    assert engine.batcher.room() // vlm._chat.most_tokens == 3
    driver.used = driver.held = 2 * GIB
    full = local.LocalVlm(here, vram_limit=2.0)
    assert full._engine.batcher.most == 1 and full.parallel == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "memory_error"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (MemoryError(), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_errors_of_memory(error: Exception, memory_error: bool) -> None:
    assert is_out_of_memory(error) is memory_error


def test_a_model_too_large_for_memory_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForImageTextToText

    def fail(*_: Any, **__: Any) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(AutoModelForImageTextToText, "from_pretrained", fail)
    with pytest.raises(ModelError, match=r"memory does not suffice.*--vlm auto"):
        local.LocalVlm(here, device="cpu")


@pytest.mark.parametrize(
    ("wanted", "allowed", "hindrance", "small", "words"),
    [
        ("auto", None, "", False, ""),
        ("auto", 11, "", False, ""),
        ("auto", 9, "", True, "to fit"),
        ("auto", 9, NO_BNB, False, "bitsandbytes"),
        ("auto", 11, NO_BNB, False, ""),
        ("no", 9, "", False, ""),
        ("yes", 11, "", True, "in 4-bit"),
        ("yes", None, "4-bit needs an NVIDIA card", False, "NVIDIA"),
    ],
)
def test_when_four_bits(wanted: str, allowed: int | None, hindrance: str, small: bool, words: str) -> None:
    found, said = four_bit.decide(wanted, 10, allowed, hindrance)
    assert found is small
    assert words in said and bool(said) is bool(words)


def test_four_bits_cannot_be_had_on_the_cpu(here: Path) -> None:
    vlm = local.LocalVlm(here, device="cpu", four_bit="yes")
    assert "4-bit needs an NVIDIA card" in vlm.device
    vlm.close()


def test_weights_in_four_bits_are_asked_alike(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU, to which bitsandbytes can put them too; all else is as on a card."""
    pytest.importorskip("bitsandbytes")
    pytest.importorskip("accelerate")
    from lib_extend.models.vlms.plain import PlainLook
    from lib_extend.models.vlms.prefix import PrefixLook
    from tests.models.test_vlm_prefix import QUESTIONS, TOLERANCE, WIDE

    honest = four_bit.options
    config = honest(torch.bfloat16)["quantization_config"]
    assert config.load_in_4bit and config.bnb_4bit_quant_type == "nf4"
    assert config.bnb_4bit_compute_dtype == torch.bfloat16
    monkeypatch.setattr(four_bit, "options", lambda dtype: {**honest(dtype), "device_map": {"": "cpu"}})
    monkeypatch.setattr(four_bit, "obstacle", lambda *, cuda: "")
    small, full = (local.LocalVlm(here, device="cpu", four_bit=wanted) for wanted in ("yes", "no"))
    assert "in 4-bit" in small.device and small.key == full.key + "-nf4"
    engine: Any = small._engine
    assert any(type(m).__name__ == "Linear4bit" for m in engine.model.modules())
    ours, plain = (look(engine, WIDE).logits(QUESTIONS) for look in (PrefixLook, PlainLook))
    assert float((ours - plain).abs().max()) <= TOLERANCE
    whole: Any = full._engine
    rounded = float((ours - PrefixLook(whole, WIDE).logits(QUESTIONS)).abs().max())
    assert 0.01 < rounded < float(plain.abs().max()), "the same model, coarser"


def test_the_worker_hands_the_settings_on(here: Path) -> None:
    from lib_extend.config import TagConfig
    from lib_extend.worker.protocol import Setup
    from lib_extend.worker.serving_process import load_models

    config = TagConfig(tagger="none", vlm=str(here), device="cpu", vlm_4bit="yes", vram_limit=3)
    vlm = load_models(Setup.from_config(config, ()), lambda *_: None).vlm
    assert vlm is not None and "4-bit needs an NVIDIA card" in vlm.device
    vlm.close()


def test_parameters_are_counted_from_the_header(here: Path) -> None:
    from safetensors.torch import load_file

    weights = load_file(here / "model.safetensors")
    assert folders.parameters(here) == sum(w.numel() for w in weights.values()) > 100_000
    (here / "model.safetensors").write_bytes(b"\xff" * 30)
    with pytest.raises(ModelError, match="damaged"):
        folders.parameters(here)
