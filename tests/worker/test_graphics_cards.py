"""Graphics cards, with a stand-in for each kind: what is found, what it needs, what would be installed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lib_extend.errors import UserError
from lib_extend.services import doctor
from lib_extend.worker import card_needs, card_setup
from lib_extend.worker.graphics_cards import GraphicsCard, Row, System, graphics_cards, has_rocm, this_machine

NVIDIA_SAYS = "NVIDIA GeForce RTX 4090, 24564, 570.86.10\n"


def system(
    root: Path, platform: str = "linux", machine: str = "x86_64", rows: Sequence[Row] = (), **says: str
) -> System:
    """A machine whose commands (`nvidia_smi` for nvidia-smi) print what is given, and nothing else."""
    answers = {name.replace("_", "-"): text for name, text in says.items()}
    return System(platform, machine, lambda command: answers.get(command[0], ""), root, lambda: rows)


def drm(root: Path, number: int, **files: str) -> None:
    """A card as Linux shows it in /sys."""
    device = root / "sys" / "class" / "drm" / f"card{number}" / "device"
    device.mkdir(parents=True)
    (root / "sys" / "class" / "drm" / f"card{number}-HDMI-A-1" / "device").mkdir(parents=True)
    for name, text in files.items():
        (device / name).write_text(text + "\n", encoding="utf-8")


def test_no_card(tmp_path: Path) -> None:
    at = system(tmp_path)
    assert graphics_cards(at) == []
    needs = card_needs.card_needs([], "linux", (3, 11))
    assert (needs.way, needs.runtime) == ("cpu", "onnxruntime>=1.17,<2")
    assert card_needs.sentence(needs).startswith("Models run on the CPU: no graphics card was found.")
    assert "graphics card  none found" in doctor.as_text(doctor.examine(at, models_dir=str(tmp_path)))


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_nvidia_as_its_own_tool_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nprintf '{NVIDIA_SAYS}'\n", encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (card,) = [c for c in graphics_cards() if c.kind == "nvidia"]
    assert card == GraphicsCard("nvidia", "NVIDIA GeForce RTX 4090", 24564 * 1024**2, "570.86.10")
    monkeypatch.setenv("PATH", os.environ["PATH"].partition(os.pathsep)[2])
    assert this_machine().run(("nvidia-smi-of-nobody",)) == ""


def test_nvidia(tmp_path: Path) -> None:
    drm(tmp_path, 0, vendor="0x8086", device="0x4680")
    drm(tmp_path, 1, vendor="0x10de", device="0x2684")
    cards = graphics_cards(system(tmp_path, nvidia_smi=NVIDIA_SAYS))
    assert [c.kind for c in cards] == ["nvidia", "intel"], "the same card is not listed twice"
    new, old = (card_needs.card_needs(cards, "linux", p) for p in ((3, 11), (3, 10)))
    assert new.way == "cuda" and new.torch and ">=1.28" in new.runtime and "<1.27" in old.runtime
    assert card_needs.sentence(new) == (
        "Graphics card: NVIDIA GeForce RTX 4090, 24 GB, used by CUDA (`--device cpu`: not used)."
    )
    assert card_needs.to_install(new, {"onnxruntime": "1.28"}, "") == (True, new.runtime)
    assert card_needs.to_install(new, {"onnxruntime-gpu": "1.28"}, "cuda") == (False, "")
    both = {"onnxruntime-gpu": "1.28", "onnxruntime": "1.28"}
    assert card_needs.to_install(new, both, "cuda") == (False, new.runtime), "two of them hide each other"
    without = card_needs.card_needs(cards, "linux", (3, 11), device="cpu")
    assert without.way == "cpu" and card_needs.to_install(without, {"onnxruntime": "1.28"}, "cuda") == (
        False,
        "",
    )


def test_nvidia_without_a_driver(tmp_path: Path) -> None:
    drm(tmp_path, 0, vendor="0x10de", device="0x2684")
    needs = card_needs.card_needs(graphics_cards(system(tmp_path)), "linux", (3, 11))
    assert needs.way == "cpu" and "NVIDIA card 0x2684 has no NVIDIA driver" in needs.why


def test_amd_on_linux(tmp_path: Path) -> None:
    drm(
        tmp_path,
        0,
        vendor="0x1002",
        device="0x744c",
        product_name="Radeon RX 7900 XTX",
        mem_info_vram_total=f"{24 << 30}",
    )
    at = system(tmp_path)
    assert card_needs.card_needs(graphics_cards(at), "linux", (3, 11)).way == "cpu", "no compute driver"
    (tmp_path / "sys" / "class" / "kfd" / "kfd").mkdir(parents=True)
    cards = graphics_cards(at)
    assert cards == [GraphicsCard("amd", "Radeon RX 7900 XTX", 24 << 30, "amdgpu")]
    assert not has_rocm(at)
    torch_only = card_needs.card_needs(cards, "linux", (3, 11))
    assert torch_only.way == "rocm" and torch_only.torch and torch_only.runtime.startswith("onnxruntime>")
    (tmp_path / "opt" / "rocm").mkdir(parents=True)
    whole = card_needs.card_needs(cards, "linux", (3, 11), rocm=has_rocm(at))
    assert whole.runtime.startswith("onnxruntime-migraphx") and not whole.why


def test_directml(tmp_path: Path) -> None:
    rows = [
        ("AMD Radeon RX 6800", r"PCI\VEN_1002&DEV_73BF", 16 << 30, "31.0.1"),
        ("Virtual display", "ROOT\\X", 0, "1"),
    ]
    cards = graphics_cards(system(tmp_path, "win32", "amd64", rows))
    assert [c.name for c in cards] == ["AMD Radeon RX 6800"]
    needs = card_needs.card_needs(cards, "win32", (3, 11))
    assert needs.way == "directml" and not needs.torch and needs.runtime.startswith("onnxruntime-directml")
    assert "vision-language models on the CPU" in card_needs.sentence(needs)
    told = doctor.as_text(doctor.examine(system(tmp_path, "win32", "amd64", rows), models_dir=str(tmp_path)))
    assert "AMD Radeon RX 6800, 16.0 GB, driver 31.0.1" in told


def test_apple(tmp_path: Path) -> None:
    cards = graphics_cards(system(tmp_path, "darwin", "arm64", sysctl="Apple M3 Max\n"))
    needs = card_needs.card_needs(cards, "darwin", (3, 12))
    assert needs.way == "apple" and card_needs.to_install(needs, {"onnxruntime": "1.28"}, "") == (False, "")
    assert card_needs.sentence(needs).startswith("Graphics card: Apple M3 Max, used by Metal (taggers")
    assert graphics_cards(system(tmp_path, "darwin", "x86_64")) == []


def test_asked_for_another_way(tmp_path: Path) -> None:
    card = GraphicsCard("amd", "Radeon", 0, "amdgpu")
    needs = card_needs.card_needs([card], "linux", (3, 11), device="cuda")
    assert needs.way == "cpu" and needs.why == "there is no card for CUDA here"


def test_what_is_run_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    card = GraphicsCard("nvidia", "RTX", 0, "570")
    needs = card_needs.card_needs([card], "linux", (3, 11))
    monkeypatch.setattr(card_setup, "missing", lambda n: (True, n.runtime))
    ran: list[list[str]] = []
    card_setup.install(needs, lambda command: ran.append(list(command)) or 0)  # type: ignore[func-returns-value]
    words = [" ".join(c[1:]) for c in ran]
    assert "uv" in ran[0][-1] and "--torch-backend=auto" in ran[1] and sys.executable in ran[1]
    assert "uninstall" in words[2] and "onnxruntime-directml" in words[2]
    assert ran[3][-1].startswith("onnxruntime-gpu[cuda,cudnn]")
    with pytest.raises(UserError, match="--device cpu"):
        card_setup.install(needs, lambda command: 1)


def test_which_torch_is_there(tmp_path: Path) -> None:
    version = tmp_path / "torch" / "version.py"
    version.parent.mkdir()
    for text, build in (
        ("cuda: Optional[str] = '13.0'", "cuda"),
        ("cuda = None\nhip = '6.4.1'", "rocm"),
        ("cuda = None\nhip = None", ""),
    ):
        version.write_text(text, encoding="utf-8")
        assert card_setup.torch_build([str(tmp_path)]) == build
    assert card_setup.torch_build([]) == ""


def test_the_report_names_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "hoshino"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "hoshino"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("HF_HOME", raising=False)
    (tmp_path / "hoshino" / ".cache" / "huggingface" / "hub" / "models--hoshino--my-secret").mkdir(
        parents=True
    )
    told = doctor.as_text(doctor.examine(system(tmp_path)))
    assert "hoshino" not in told and "hf_secret" not in told and "my-secret" not in told
    assert "HF_TOKEN" in told and "free there" in told
