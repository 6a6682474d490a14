"""How the WebUIs write and parse an infotext, after their documented behavior.

A line of `key: value` entries, parted by comma and space; values with a comma, a colon or a line end are JSON
strings. The parser takes the last line if it has three entries or more.
"""

from __future__ import annotations

import contextlib
import json
import re

ENTRY = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
SIZE = re.compile(r"^(\d+)x(\d+)$")


def write(prompt: str, negative: str, entries: dict[str, str]) -> str:
    """The text under a picture."""
    params = {"Steps": "20", "Sampler": "Euler a", "Size": "512x768", "Seed": "1", **entries}
    line = ", ".join(f"{k}: {_quoted(v)}" for k, v in params.items() if v is not None)
    return f"{prompt}\nNegative prompt: {negative}\n{line}".strip()


def _quoted(value: str) -> str:
    if any(c in value for c in ",\n:"):
        return json.dumps(value, ensure_ascii=False)
    return value


def parse(text: str) -> dict[str, str]:
    """The entries of the last line, and the prompts."""
    *lines, last = text.strip().split("\n")
    if len(ENTRY.findall(last)) < 3:
        lines.append(last)
        last = ""
    found: dict[str, str] = {}
    prompts = {"Prompt": [], "Negative prompt": []}  # type: dict[str, list[str]]
    key = "Prompt"
    for line in lines:
        line = line.strip()
        if line.startswith("Negative prompt:"):
            key, line = "Negative prompt", line[16:].strip()
        prompts[key].append(line)
    for name, value in ENTRY.findall(last):
        try:
            if value[0] == '"' and value[-1] == '"':
                with contextlib.suppress(ValueError):
                    value = json.loads(value)
            size = SIZE.match(value)
            if size:
                found[f"{name}-1"], found[f"{name}-2"] = size.groups()
            else:
                found[name] = value
        except IndexError:  # an empty value is an error the hosts only print
            pass
    return {**{k: "\n".join(v) for k, v in prompts.items()}, **found}
