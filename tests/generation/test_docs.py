"""The example of docs/generate.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lib_extend.generation.compile import compile_cast
from lib_extend.generation.panel import Panel

DOCS = Path(__file__).resolve().parents[2] / "docs" / "generate.md"


def test_the_call_from_a_script_is_a_cast() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    call = json.loads(block)
    (value,) = call["alwayson_scripts"]["Prompt Extend"]["args"]
    panel = Panel.parse(value)
    assert panel.enabled and panel.checks and panel.keep_trying == 3
    made = compile_cast(panel.cast, call["prompt"])
    assert made.prompt == (
        "1girl, 1boy, α black hair, α blue skirt, β white hair, indoors, 3 cakes, red cake, wooden floor, "
        "watercolor <lora:background:0.8> <lora:separation:1>"
    )
    assert [(r.name, r.box, r.weight) for r in made.regions] == [
        ("Ann", (0.0, 0.0, 0.5, 1.0), 1.0),
        ("Ben", (0.5, 0.0, 1.0, 1.0), 1.2),
    ]
