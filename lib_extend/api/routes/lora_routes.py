"""LoRAs: those on this machine, those that can be downloaded, and downloads."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes, trusted
from lib_extend.files.scan import show
from lib_extend.generation.lora_downloads import import_file
from lib_extend.generation.lora_files import LoraInfo, family_of, misfit
from lib_extend.services import messages
from lib_extend.services.container import Services
from lib_extend.services.lora_offers import SOURCES, Found

routes = Routes("LoRAs", place=85)
MAY_WRITE = trusted("Files cannot be put into the LoRA folder")
_LARGEST_MODEL = 2**31
_LONGEST_TOKEN = 200
_DOWNLOAD: dict[str, Any] = {
    "id": "b7c2f0a1d3e4", "file": "background.safetensors", "state": "running", "done": 51000000,
    "total": 228000000, "seconds_left": 17.5, "error": "", "name": "",
}  # fmt: skip


@routes.get(
    "/loras",
    gives={
        "loras": [
            {
                "name": "background",
                "role": "background",
                "published": True,
                "family": "sdxl",
                "base": "NoobAI-XL.safetensors",
                "title": "",
                "alias": "1_A",
                "count_style": "naive",
                "triggers": ["1girl"],
                "problem": "",
                "fits": "",
            }
        ],
        "folders": ["/webui/models/Lora"],
    },
)
def loras(services: Services) -> dict[str, Any]:
    """The LoRAs in the host's folders, by their metadata.

    `triggers` are the words that call what it was trained on: the file's own, or the tags all its captions had.
    `role` is background, separation, or empty for any other LoRA; `fits` is a sentence when it does not fit the loaded
    checkpoint, `problem` when its file cannot be read.
    """
    family = services.regions.family()
    folders = services.loras.folders()
    return {
        "loras": [_row(x, family) for x in services.loras.all(fresh=True)],
        # remote users must not see the paths of this machine
        "folders": [str(f) if services.folders.free else f.name for f in folders],
    }


def _row(lora: LoraInfo, family: str) -> dict[str, Any]:
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
        "triggers": list(lora.triggers),
        "problem": lora.problem,
        "fits": misfit(lora, family),
    }


@routes.get(
    "/loras/offers",
    gives={
        "offers": [
            {
                "id": "5feceb66ffc86f38",
                "name": "background",
                "file": "background.safetensors",
                "size": 228000000,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "url": "https://github.com/owner/name/releases/download/v1/background.safetensors",
                "page": "https://github.com/owner/name/releases",
                "version": "v1",
                "base": "Illustrious",
                "family": "sdxl",
                "role": "background",
                "source": "GitHub, owner/name",
            }
        ]
    },
    access=MAY_WRITE,  # it makes this machine send requests to other servers
)
def offers(
    services: Services,
    source: Annotated[str, Takes("github (the published LoRAs' project) or civitai", choices=SOURCES)],
    model: Annotated[
        int | None,
        Takes(
            "number of a model's page on Civitai (default: both published ones)", low=1, high=_LARGEST_MODEL
        ),
    ] = None,
) -> dict[str, Any]:
    """The files that GitHub or Civitai offer right now; it is they who are asked.

    `size` is 0 and `sha256`, `base`, `family`, `role` are empty where nobody says.
    """
    return {"offers": [_offer(f) for f in services.downloads.offers(source, model)]}


@routes.post("/loras/get", gives=_DOWNLOAD, access=MAY_WRITE)
def get(
    services: Services,
    source: Annotated[str, Takes("where it is offered: github or civitai", choices=SOURCES)],
    id: Annotated[str, Takes("the offer's")],
    model: Annotated[int | None, Takes("the page it was found on", low=1, high=_LARGEST_MODEL)] = None,
    token: Annotated[str, Takes("an API key of yours, where a login is wanted; it is not kept")] = "",
) -> dict[str, Any]:
    """Download an offer into the host's LoRA folder; it also runs without an open page.

    The file appears in the folder when it is whole and its SHA256 is right.
    """
    token = token.strip()
    if len(token) > _LONGEST_TOKEN or not token.isascii() or not (token.isprintable() or not token):
        raise messages.MUST_BE.error(name="token", what="an API key", field="token")
    return services.downloads.start(source, model, id, token).to_json()


@routes.get("/loras/get/{id}", gives=_DOWNLOAD)
def download(services: Services, id: str) -> dict[str, Any]:
    """The progress of a download.

    `state` is running, done, stopped or failed (then `error` says why); `name` is the LoRA's, once it is done; `done` and
    `total` are bytes, `total` is 0 while not known.
    """
    return services.downloads.get(id).to_json()


@routes.post("/loras/get/{id}/stop", gives=_DOWNLOAD, access=MAY_WRITE)
def stop(services: Services, id: str) -> dict[str, Any]:
    """Stop a download; the bytes that have arrived are kept, and the next download continues from them."""
    one = services.downloads.get(id)
    one.stop.set()
    return one.to_json()


@routes.post("/loras/import", gives={"name": "background"}, access=MAY_WRITE)
def import_lora(
    services: Services, path: Annotated[str, Takes("the whole path of a .safetensors file")]
) -> dict[str, Any]:
    """Copy a LoRA file from elsewhere on the server's machine into the host's LoRA folder."""
    file = services.folders.resolve(path)
    if not file.is_file():
        raise messages.NO_FILE.error(path=show(str(file)), field="path")
    name = import_file(file, services.downloads.folder()).stem
    services.downloads.tell()
    return {"name": name}


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
