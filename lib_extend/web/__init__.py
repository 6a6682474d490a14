"""The page's own files (modules and styles), given to whoever serves them.

They lie in `app/`. One address serves them on every host and on the standalone page, without a query behind it:
a browser takes the same module under two addresses for two modules.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "app"
MIME = {
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_PART = re.compile(r"[a-z0-9_-]+(\.[a-z]+)?")


VIEW_TABLE = "views/table.mjs"
"""Made from the views that are there, so that adding one is one file."""
_VIEW = re.compile(r"// View (\d+): (.+)")
LANGUAGE_TABLE = "texts/table.mjs"
"""Made from the languages that are there, so that adding one is one file."""
_LANGUAGE = re.compile(r"// Language ([a-z]{2,3}(?:-[a-z0-9]+)?): (.+)")


def views() -> list[tuple[str, str]]:
    """The page's views as (id, title), in the order of their tabs.

    A view is a module `views/ID.mjs` whose first line says `// View PLACE: TITLE`. It exports `view(app)`, which returns
    { element, show(), hide() }: `show` is called each time it comes to the front, `hide` when another does.
    """
    found = []
    for file in (FOLDER / "views").glob("*.mjs"):
        with file.open(encoding="utf-8") as lines:
            said = _VIEW.match(lines.readline())
        if said:
            found.append((int(said[1]), file.stem, said[2].strip()))
    return [(name, title) for _, name, title in sorted(found)]


def languages() -> list[tuple[str, str]]:
    """The page's languages as (id, name in itself), by id.

    A language is a module `texts/ID.mjs` whose first line says `// Language ID: NAME`; `texts/en.mjs` says what it holds.
    """
    found = []
    for file in (FOLDER / "texts").glob("*.mjs"):
        with file.open(encoding="utf-8") as lines:
            said = _LANGUAGE.match(lines.readline())
        if said and said[1] == file.stem:
            found.append((said[1], said[2].strip()))
    return sorted(found)


def _language_table() -> bytes:
    rows = [
        f"  {{ id: {json.dumps(language)}, name: {json.dumps(name, ensure_ascii=False)} }},"
        for language, name in languages()
    ]
    return "\n".join(["export const LANGUAGES = [", *rows, "];", ""]).encode()


def _view_table() -> bytes:
    rows = [
        f"  {{ id: {json.dumps(name)}, title: {json.dumps(title)}, load: () => import({json.dumps(f'./{name}.mjs')}) }},"
        for name, title in views()
    ]
    return "\n".join(["export const VIEWS = [", *rows, "];", ""]).encode()


def read_page(path: str) -> tuple[bytes, str, str]:
    """One file of the page, by its path below `app/` with forward slashes ("app.mjs", "parts/field.mjs").

    Returns its bytes, its MIME type and its ETag (quoted, as the header wants it). To be served with
    `Cache-Control: no-cache`, so that after an update no browser mixes old modules with new ones.

    Raises FileNotFoundError for everything that is not a file of the page.
    """
    parts = path.split("/")
    file = FOLDER.joinpath(*parts)
    made = {VIEW_TABLE: _view_table, LANGUAGE_TABLE: _language_table}.get(path)
    if made is not None:
        body = made()
    elif not all(_PART.fullmatch(p) for p in parts) or file.suffix not in MIME or not file.is_file():
        raise FileNotFoundError(f"The page has no file {path!r}.")
    else:
        body = file.read_bytes()
    return body, MIME[file.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"'
