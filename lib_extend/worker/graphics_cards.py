"""Find the graphics cards of this machine: by the drivers' tools, /sys and the registry.

Standard library only, and nothing of this package but its siblings of the same kind: install.py uses it before
anything is installed. Nothing here imports torch or onnxruntime, and nothing raises.
"""

from __future__ import annotations

import contextlib
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

NVIDIA, AMD, INTEL, APPLE = "nvidia", "amd", "intel", "apple"
_VENDORS = {"0x10de": NVIDIA, "0x1002": AMD, "0x8086": INTEL}
_TITLES = {NVIDIA: "NVIDIA", AMD: "AMD", INTEL: "Intel", APPLE: "Apple"}
_ORDER = (NVIDIA, AMD, APPLE, INTEL)
ANSWER_SECONDS = 15.0
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"


@dataclass(frozen=True)
class GraphicsCard:
    """One card.

    Attributes:
        kind: "nvidia", "amd", "intel" or "apple".
        name: as its driver says it.
        memory: bytes; 0 where the driver does not say, or the machine shares its memory with it.
        driver: the driver's version; "" where nothing can run on the card, because it has none.
    """

    kind: str
    name: str
    memory: int = 0
    driver: str = ""


Row = tuple[str, str, int, str]
"""What Windows knows of a card: its name, its PCI device, its memory in bytes, its driver's version."""


@dataclass(frozen=True)
class System:
    """The sources of information; tests replace each of them.

    Attributes:
        platform: as `sys.platform`.
        machine: as `platform.machine()`, in small letters.
        run: a command's output, "" where it cannot be run.
        root: the folder that `/sys` and `/opt` are in.
        rows: what Windows knows of its cards.
    """

    platform: str
    machine: str
    run: Callable[[Sequence[str]], str]
    root: Path
    rows: Callable[[], Iterable[Row]]


def this_machine() -> System:
    """The machine we run on."""
    return System(sys.platform, platform.machine().lower(), _output, Path("/"), _registry)


def graphics_cards(system: System | None = None) -> list[GraphicsCard]:
    """The cards, the most useful kind first. Takes some tens of milliseconds."""
    at = system or this_machine()
    found = _nvidia(at)
    if at.platform == "darwin":
        found += _apple(at)
    elif at.platform == "win32":
        found += _windows(at)
    else:
        found += _linux(at)
    if any(c.kind == NVIDIA and c.driver for c in found):
        # the same card twice: the driver's own tool says more
        found = [c for c in found if c.kind != NVIDIA or c.driver]
    return sorted(found, key=lambda c: _ORDER.index(c.kind))


def has_rocm(system: System | None = None) -> bool:
    """Whether AMD's libraries, which onnxruntime's build for AMD needs, are installed here (Linux)."""
    at = system or this_machine()
    return at.platform == "linux" and (at.root / "opt" / "rocm").exists()


def _nvidia(at: System) -> list[GraphicsCard]:
    query = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits")
    cards = []
    for line in at.run(("nvidia-smi", *query)).splitlines():
        parts = [p.strip() for p in line.split(",")]
        if len(parts) == 3 and parts[0]:
            cards.append(GraphicsCard(NVIDIA, parts[0], _number(parts[1]) * 1024**2, parts[2]))
    return cards


def _apple(at: System) -> list[GraphicsCard]:
    if at.machine != "arm64":
        return []
    name = at.run(("sysctl", "-n", "machdep.cpu.brand_string")).strip() or "Apple silicon"
    return [GraphicsCard(APPLE, name, 0, "Metal")]


def _linux(at: System) -> list[GraphicsCard]:
    cards = []
    for device in sorted((at.root / "sys" / "class" / "drm").glob("card[0-9]*/device")):
        if not re.fullmatch(r"card\d+", device.parent.name):
            continue  # an output of a card: card0-HDMI-A-1
        kind = _VENDORS.get(_text(device / "vendor"))
        if kind is None:
            continue
        name = _text(device / "product_name") or f"{_TITLES[kind]} card {_text(device / 'device')}".strip()
        # AMD's compute driver; NVIDIA's driver is what answers through its tool
        driver = "amdgpu" if kind == AMD and (at.root / "sys" / "class" / "kfd" / "kfd").exists() else ""
        cards.append(GraphicsCard(kind, name, _number(_text(device / "mem_info_vram_total")), driver))
    return cards


def _windows(at: System) -> list[GraphicsCard]:
    cards = []
    for name, device, memory, driver in at.rows():
        vendor = re.search(r"VEN_([0-9A-F]{4})", device, re.IGNORECASE)
        kind = _VENDORS.get("0x" + vendor[1].lower()) if vendor else None
        # a driver for NVIDIA's cards that has no nvidia-smi cannot run CUDA
        if kind:
            cards.append(GraphicsCard(kind, name, memory, "" if kind == NVIDIA else driver))
    return cards


def _registry() -> Iterable[Row]:
    if sys.platform != "win32":
        return
    import winreg

    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _CLASS) as key:
        for n in range(winreg.QueryInfoKey(key)[0]):
            with contextlib.suppress(OSError), winreg.OpenKey(key, winreg.EnumKey(key, n)) as card:

                def value(name: str, card: object = card) -> object:
                    try:
                        return winreg.QueryValueEx(card, name)[0]  # type: ignore[arg-type]
                    except OSError:
                        return None

                memory = value("HardwareInformation.qwMemorySize")
                yield (
                    str(value("DriverDesc") or ""),
                    str(value("MatchingDeviceId") or ""),
                    memory if isinstance(memory, int) else 0,
                    str(value("DriverVersion") or ""),
                )


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
