"""Tags: finding them while somebody types, what is known of them, and duplicates of meaning in a folder."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.services import tag_duplicates
from lib_extend.services.container import Services

routes = Routes("Tags", place=65)
MOST = 200
MOST_NAMES = 1000


@routes.get(
    "/vocabulary/complete",
    gives={
        "tags": [
            {
                "name": "v", "category": "general", "count": 100000, "rough": True, "alias": "peace_sign", "means": "",
                "group": "gestures", "translation": "", "here": 12,
            }
        ],
        "reading": False,
    },
)  # fmt: skip
def complete(
    services: Services,
    text: Annotated[str, Takes("what was typed: the beginning of a name or of a word in it")] = "",
    limit: Annotated[int, Takes("how many at the most (default 20)", low=1, high=MOST)] = 20,
    folder: Annotated[str, Takes("the id of an open folder, whose own tags go first")] = "",
) -> dict[str, Any]:
    """Tags for what somebody typed: the exact one, the folder's own, then the most frequent.

    `count` is on how many pictures of a site a tag is (null: no list says it; `rough`: about so many), `here` on how
    many of the folder. `alias` is the other word by which it was found; `means` the tag for which the folder's word
    stands. `reading`: lists are still being read, and more may be found in a moment.
    """
    browser = None
    if folder:
        opened = services.folders.get(folder)
        browser = services.browsers.open(opened.path, recursive=opened.recursive)
    found = services.vocabularies.complete(text, limit, browser)
    return {"tags": found, "reading": services.vocabularies.reading}


@routes.get(
    "/vocabulary/tags",
    gives={
        "tags": {
            "peace_sign": {
                "name": "v", "category": "general", "count": 100000, "rough": True, "group": "gestures",
                "aliases": ["peace_sign", "victory_sign"], "translation": "", "implies": [], "excludes": [],
            }
        }
    },
)  # fmt: skip
def facts(
    services: Services,
    names: Annotated[str, Takes("the tags, with commas between them; 1000 at the most")],
) -> dict[str, Any]:
    """What is known of tags: category, number, group, other words, what follows from them, the groups that allow one.

    A tag that is not known is null.
    """
    words = services.vocabularies.get().vocabulary
    found: dict[str, Any] = {}
    for name in [n.strip() for n in names.split(",") if n.strip()][:MOST_NAMES]:
        known = words.facts(name.replace(" ", "_"))
        found[name] = None
        if known is not None:
            found[name] = {
                **known.to_json(),
                "implies": sorted(words.implied(known.name)),
                "excludes": [group.name for group in words.exclusive(known.name)],
            }
    return {"tags": found}


@routes.get(
    "/vocabulary",
    gives={
        "tags": 140782,
        "sources": [{"name": "danbooru.csv", "tags": 140782}],
        "problems": [
            {"code": "row", "file": "mine.csv", "line": 3, "words": "mine.csv, line 3: is no row of a table."}
        ],
        "reading": False,
    },
)
def sources(services: Services) -> dict[str, Any]:
    """The lists that tags are known from, the most trusted first, and what of them could not be used."""
    loaded = services.vocabularies.get()
    return {
        "tags": len(loaded.vocabulary),
        "sources": [{"name": name, "tags": tags} for name, tags in loaded.sources],
        "problems": [problem.to_json() for problem in loaded.problems],
        "reading": services.vocabularies.reading,
    }


@routes.get(
    "/datasets/{folder}/tags/duplicates",
    gives={
        "groups": [
            {
                "proposed": "black_hair", "reason": "spelling", "pictures": 901,
                "tags": [{"name": "black_hair", "count": 900}, {"name": "black-hair", "count": 1}],
            }
        ]
    },
    pool="browsing",
)  # fmt: skip
def duplicates(services: Services, folder: str) -> dict[str, Any]:
    """Tags of a folder that mean the same, with the name that is proposed for all of them.

    `reason` is spelling (`black-hair`, `blackhair`), alias (another word for it) or number (one and many). Renaming is
    `POST /datasets/{folder}/edit` with the action rename.
    """
    opened = services.folders.get(folder)
    browser = services.browsers.open(opened.path, recursive=opened.recursive)
    return {"groups": tag_duplicates.of_folder(browser, services.vocabularies.get().vocabulary)}
