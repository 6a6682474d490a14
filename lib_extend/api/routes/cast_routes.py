"""Casts: read from a picture, and kept with characters as files that the user owns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from lib_extend.api.declaring import CONFIG, Routes, Takes
from lib_extend.api.generation_members import CAST, CHARACTER
from lib_extend.errors import UserError
from lib_extend.files.named_files import NamedFiles
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.from_picture import cast_of
from lib_extend.generation.infotext import summary
from lib_extend.generation.value_checks import FieldError
from lib_extend.services import messages
from lib_extend.services.cast_compiling import panel_of
from lib_extend.services.container import Services
from lib_extend.services.picture_analysis import look
from lib_extend.services.requested_settings import config_of

routes = Routes("Casts and characters", place=90)
Replace = Annotated[bool, Takes("take the place of one of that name (default), or refuse (409)")]
T = TypeVar("T", Cast, Character)


@routes.post("/cast/from-picture", gives=CAST)
def from_picture(
    services: Services,
    upload: Annotated[
        Path | None, Takes("the picture, as a part of a form (multipart/form-data)", name="image")
    ] = None,
    folder: Annotated[str | None, Takes("or, in JSON, the id of an open folder")] = None,
    image: Annotated[str | None, Takes("and the picture's name there")] = None,
    config: Annotated[
        dict[str, Any] | None,
        Takes(
            "settings that differ from those with which a picture was looked at last (tagger, detector, thresholds)",
            kind=CONFIG,
        ),
    ] = None,
) -> dict[str, Any]:
    """The cast of a picture: who is where with which tags, and the rest as its scene."""
    # whose tag is whose is the question, so that what all have is everybody's
    values = {**services.last_settings.values(), "shared_tags": "each", **(config or {}), "people": True}
    settings = config_of(values, services.folders, services.options().models_dir)
    if upload is None:
        for name, value in (("folder", folder), ("image", image)):
            if value is None:
                raise messages.NEEDED.error(name=name, field=name)
        upload = services.folders.image(folder or "", image or "")
    services.last_settings.remember(settings)
    looked = look(services.worker, upload, settings)
    return cast_of(looked.caption, looked.analysis.width, looked.analysis.height).to_json()


@routes.get(
    "/casts",
    gives={"casts": [{"name": "tea", "summary": "2 characters (α Ann, β Ben), base 0.3"}], "problems": []},
)
def casts(services: Services) -> dict[str, Any]:
    """The saved casts by name.

    `problems`: a sentence for each file in the folder that cannot be used.
    """
    return _all(services.library.casts, "casts", lambda cast: {"summary": summary(cast)})


@routes.get("/casts/{name:path}", gives={"name": "tea", "cast": CAST})
def cast(services: Services, name: str) -> dict[str, Any]:
    """One saved cast."""
    return {"name": name, "cast": services.library.casts.load(name).to_json()}


@routes.put("/casts/{name:path}", gives={"name": "tea", "cast": CAST})
def put_cast(
    services: Services,
    name: str,
    cast: Annotated[dict[str, Any], Takes("the cast, or all that the panel says")],
    replace: Replace = True,
) -> dict[str, Any]:
    """Save a cast."""
    given = _within("cast", lambda: panel_of(cast).cast)
    services.library.casts.save(name, given, overwrite=replace)
    return {"name": name, "cast": given.to_json()}


@routes.delete("/casts/{name:path}", gives={"deleted": "tea"})
def delete_cast(services: Services, name: str) -> dict[str, Any]:
    """Delete a saved cast."""
    services.library.casts.delete(name)
    return {"deleted": name}


@routes.get(
    "/characters", gives={"characters": [{"name": "Ann", "prompt": "1girl, black hair"}], "problems": []}
)
def characters(services: Services) -> dict[str, Any]:
    """The saved characters by name."""
    return _all(services.library.characters, "characters", lambda one: {"prompt": one.prompt})


@routes.get("/characters/{name:path}", gives={"name": "Ann", "character": CHARACTER})
def character(services: Services, name: str) -> dict[str, Any]:
    """One saved character."""
    return {"name": name, "character": services.library.characters.load(name).to_json()}


@routes.put("/characters/{name:path}", gives={"name": "Ann", "character": CHARACTER})
def put_character(
    services: Services,
    name: str,
    character: Annotated[dict[str, Any], Takes("name, prompt, negative, weight and box")],
    replace: Replace = True,
) -> dict[str, Any]:
    """Save a character."""
    given = _within("character", lambda: Character.from_json(character))
    services.library.characters.save(name, given, overwrite=replace)
    return {"name": name, "character": given.to_json()}


@routes.delete("/characters/{name:path}", gives={"deleted": "Ann"})
def delete_character(services: Services, name: str) -> dict[str, Any]:
    """Delete a saved character."""
    services.library.characters.delete(name)
    return {"deleted": name}


def _all(store: NamedFiles[T], kind: str, about: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    rows, problems = [], []
    for name, found in store.all():
        if isinstance(found, UserError):
            problems.append(str(found))
        else:
            rows.append({"name": name, **about(found)})
    return {kind: rows, "problems": problems}


def _within(member: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except FieldError as error:
        raise error.within(member) from None
