"""The handlers of casts: read from a picture, and kept with characters as files that the user owns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lib_extend.api import settings
from lib_extend.api.analyze import look
from lib_extend.api.errors import conflict, missing
from lib_extend.api.generation import parsed
from lib_extend.api.http import Call
from lib_extend.api.services import Services
from lib_extend.errors import UserError
from lib_extend.generation.cast import Cast, Character
from lib_extend.generation.checks import FieldError
from lib_extend.generation.from_picture import cast_of
from lib_extend.generation.infotext import summary
from lib_extend.generation.library import Shelf

T = TypeVar("T", Cast, Character)


def from_picture(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("folder", "image", "config")
    # whose tag is whose is the question, so that what all have is everybody's
    values = {**services.last.values(), "shared_tags": "each", **body.mapping("config", {}), "people": True}
    config = settings.config_of(values, services.folders, services.options().models_dir)
    path = call.upload
    if path is None:
        path = services.folders.image(body.text("folder"), body.text("image"))
    services.last.remember(config)
    looked = look(services.kept, path, config)
    return cast_of(looked.caption, looked.analysis.width, looked.analysis.height).to_json()


def casts(services: Services, call: Call) -> dict[str, Any]:
    return _all(services.library.casts, "casts", lambda cast: {"summary": summary(cast)})


def cast(services: Services, call: Call) -> dict[str, Any]:
    return _one(services.library.casts, "cast", call)


def put_cast(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("cast", "replace")
    given = _within("cast", lambda: parsed(body.mapping("cast")).cast)
    return _put(services.library.casts, "cast", call, given)


def delete_cast(services: Services, call: Call) -> dict[str, Any]:
    return _delete(services.library.casts, call)


def characters(services: Services, call: Call) -> dict[str, Any]:
    return _all(services.library.characters, "characters", lambda one: {"prompt": one.prompt})


def character(services: Services, call: Call) -> dict[str, Any]:
    return _one(services.library.characters, "character", call)


def put_character(services: Services, call: Call) -> dict[str, Any]:
    body = call.members("character", "replace")
    given = _within("character", lambda: Character.from_json(body.mapping("character")))
    return _put(services.library.characters, "character", call, given)


def delete_character(services: Services, call: Call) -> dict[str, Any]:
    return _delete(services.library.characters, call)


def _all(shelf: Shelf[T], kind: str, about: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    rows = []
    for name in shelf.names():
        try:
            rows.append({"name": name, **about(shelf.load(name))})
        except UserError:
            continue  # deleted since, or broken: then `problems` says so
    return {kind: rows, "problems": shelf.problems()}


def _one(shelf: Shelf[T], kind: str, call: Call) -> dict[str, Any]:
    name = call.path["name"]
    try:
        return {"name": name, kind: shelf.load(name).to_json()}
    except UserError as error:
        raise missing(str(error), "name") from None


def _put(shelf: Shelf[T], kind: str, call: Call, thing: T) -> dict[str, Any]:
    name = call.path["name"]
    replace = call.members(kind, "replace").flag("replace", True)
    try:
        shelf.save(name, thing, overwrite=replace)
    except UserError as error:
        taken = not replace and name.casefold() in {n.casefold() for n in shelf.names()}
        if taken:
            raise conflict(str(error), "name") from None
        raise
    return {"name": name, kind: thing.to_json()}


def _delete(shelf: Shelf[T], call: Call) -> dict[str, Any]:
    name = call.path["name"]
    if name.strip().casefold() not in {n.casefold() for n in shelf.names()}:
        raise missing(f"There is nothing saved under the name {name!r}.", "name")
    shelf.delete(name)
    return {"deleted": name}


def _within(member: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except FieldError as error:
        raise error.within(member) from None
