"""The handlers of the LoRA library: which LoRAs are here, which can be got, and getting them."""

from __future__ import annotations

from typing import Any

from lib_extend.api import texts
from lib_extend.api.errors import bad, forbidden
from lib_extend.api.http import Call
from lib_extend.api.lora_downloads import SOURCES, Found
from lib_extend.api.services import Services
from lib_extend.files.scan import show
from lib_extend.generation.lora_downloads import import_file
from lib_extend.generation.loras import LoraInfo, family_of, misfit

_LARGEST_MODEL = 2**31
_LONGEST_TOKEN = 200


def loras(services: Services, call: Call) -> dict[str, Any]:
    family = services.regions.family()
    folders = services.loras.folders()
    return {
        "loras": [row(x, family) for x in services.loras.all(fresh=True)],
        # where things lie is nothing to those who come from elsewhere
        "folders": [str(f) if services.folders.free else f.name for f in folders],
    }


def row(lora: LoraInfo, family: str) -> dict[str, Any]:
    """A LoRA as JSON values; `fits` is "" or a sentence why it does not fit a checkpoint of `family`."""
    return {
        "name": lora.name,
        "role": lora.role,
        "published": lora.published,
        "family": lora.family,
        "base": lora.base,
        "title": lora.title,
        "alias": lora.alias,
        "count_style": lora.count_style,
        "problem": lora.problem,
        "fits": misfit(lora, family),
    }


def offers(services: Services, call: Call) -> dict[str, Any]:
    _may_write(services, call)  # it makes this machine ask elsewhere
    source = call.query.get("source", "")
    if source not in SOURCES:
        raise bad(texts.ONE_OF.format(name="source", value=source, choices=", ".join(SOURCES)), "source")
    model = call.number("model", 0, 1, _LARGEST_MODEL) if call.query.get("model") else None
    return {"offers": [_offer(f) for f in services.downloads.offers(source, model)]}


def get(services: Services, call: Call) -> dict[str, Any]:
    _may_write(services, call)
    body = call.members("source", "model", "id", "token")
    source = body.choice("source", SOURCES)
    model = body.integer("model", 1, _LARGEST_MODEL)
    token = body.text("token", "").strip()
    if len(token) > _LONGEST_TOKEN or not token.isascii() or not (token.isprintable() or not token):
        raise bad(texts.MUST_BE.format(name="token", what="an API key"), "token")
    return services.downloads.start(source, model, body.text("id"), token).to_json()


def download(services: Services, call: Call) -> dict[str, Any]:
    return services.downloads.get(call.path["id"]).to_json()


def stop(services: Services, call: Call) -> dict[str, Any]:
    _may_write(services, call)
    call.members()
    one = services.downloads.get(call.path["id"])
    one.stop.set()
    return one.to_json()


def import_(services: Services, call: Call) -> dict[str, Any]:
    _may_write(services, call)
    path = services.folders.resolve(call.members("path").text("path"))
    if not path.is_file():
        raise bad(texts.NO_FILE.format(path=show(str(path))), "path")
    name = import_file(path, services.downloads.folder()).stem
    services.downloads.tell()
    return {"name": name}


def _may_write(services: Services, call: Call) -> None:
    """Raises ApiError (403) where anybody could fill the disk."""
    if not (services.folders.free or call.login):
        raise forbidden(texts.SHARED_LORA)


def _offer(found: Found) -> dict[str, Any]:
    offer = found.offer
    return {
        "id": found.id,
        "name": offer.name.rpartition(".")[0],
        "file": offer.name,
        "size": offer.size,
        "sha256": offer.sha256,
        "url": offer.url,
        "page": found.page,
        "version": offer.version,
        "base": offer.base,
        "family": family_of(offer.base),
        "role": found.role,
        "source": offer.source,
    }
