"""The reference of the API in Markdown, made from the declared routes.

python -m lib_extend.api.reference_page docs/api.md    # writes the reference into the page
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from lib_extend.api.declaring import Member, Route
from lib_extend.api.finding import all_routes
from lib_extend.api.openapi import ACCESS

BEGIN, END = "<!-- reference -->", "<!-- end of the reference -->"


def markdown(routes: Sequence[Route]) -> str:
    """The reference, a section a route."""
    parts = []
    for subject, group in groupby(routes, key=lambda r: r.subject):
        parts.append(f"### {subject}\n")
        parts += [_section(route) for route in group]
    return "\n".join(parts)


def _section(route: Route) -> str:
    lines = [f"#### `{route.method} {route.plain_path}`\n", f"{route.summary}\n"]
    for title, fields in (("Query", route.of("query")), ("Body", route.of("body"))):
        if fields:
            lines += [f"{title}:\n", *(_line(f) for f in fields), ""]
    if isinstance(route.gives, str):
        lines.append(f"Gives: {route.gives}\n")
    else:
        lines += ["```json", json.dumps(route.gives, ensure_ascii=False), "```\n"]
    if route.notes:
        lines.append(f"{route.notes}\n")
    if route.access.trusted:
        lines.append(f"{ACCESS}\n")
    return "\n".join(lines)


_KINDS = {"config": "settings", "list": "list of texts", "objects": "list"}


def _line(m: Member) -> str:
    about = [w for w in (_KINDS.get(m.kind, m.kind), "needed" if m.needed else "") if w]
    shown = f" ({', '.join(about)})" if about else ""
    return f"- `{m.name}`{shown}: {m.text}"


def page(text: str) -> str:
    """A page with the reference put between its two marks."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{markdown(all_routes())}\n{END}{rest.partition(END)[2]}"


def main(file: str) -> int:
    """Write the reference into `file`."""
    path = Path(file)
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
