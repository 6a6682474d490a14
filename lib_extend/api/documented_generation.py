"""What the routes of the generation panel take and give; see `documented.py`."""

from __future__ import annotations

from typing import Any

from lib_extend.api.documented import Doc, Field

_CHARACTER: dict[str, Any] = {
    "name": "Ann",
    "prompt": "1girl, black hair",
    "negative": "",
    "weight": 1.0,
    "box": [0.0, 0.0, 0.5, 1.0],
}
_CAST: dict[str, Any] = {
    "version": 1,
    "characters": [_CHARACTER],
    "common": "masterpiece",
    "scene": "indoors",
    "negative": "lowres",
    "things": [{"object": "cake", "number": 3, "color": "red"}],
    "floor": "wooden",
    "count_style": "english",
    "background_lora": {"name": "background", "weight": 0.8},
    "separation_lora": None,
    "mode": "regions",
    "base_weight": 0.3,
    "end_step": 1.0,
}
_CAST_FIELDS = (
    Field(
        "characters",
        "list",
        "one to five objects of name, prompt, negative, weight (0 to 2) and box: [x0, y0, x1, y1] as shares of the "
        "picture",
    ),
    Field("common", "text", "tags that every region has, too (quality, style)"),
    Field("scene", "text", "tags of the whole picture alone"),
    Field("negative", "text", "added to the negative prompt"),
    Field("things", "list", "objects of the background: object, number (1 to 20), color"),
    Field("floor", "text", "what the floor is made of"),
    Field("count_style", "text", "how the background LoRA counts: english (`3 cakes`) or naive (`3cakes`)"),
    Field("background_lora", "object", "name and weight of the LoRA for backgrounds"),
    Field("separation_lora", "object", "name and weight of the LoRA that tells characters apart"),
    Field("mode", "text", "regions, or prompt: only the prompt is compiled"),
    Field("base_weight", "number", "the base prompt's share in a character's box, 0 to 1"),
    Field("end_step", "number", "share of the steps after which the base prompt goes on alone, 0 to 1"),
    Field("version", "integer", "1"),
)
"""As in `alwayson_scripts: {"Prompt Extend": {"args": [{…}]}}`."""

_PANEL_FIELDS = (
    Field("enabled", "flag", "for generating: whether anything is done"),
    Field("check", "flag", "for generating: look for each character's tags in the finished picture"),
    Field("keep_trying", "integer", "for generating: so many more seeds until all are found, 0 to 20"),
    Field("main", "text", "the prompt that was compiled when these values were made from a picture"),
    Field("main_negative", "text", "and its negative prompt"),
    Field("problem", "text", "ignored"),
)
_REPLACE = Field("replace", "flag", "take the place of one of that name (default), or refuse (409)")
_DOWNLOAD: dict[str, Any] = {
    "id": "b7c2f0a1d3e4", "file": "background.safetensors", "state": "running", "done": 51000000,
    "total": 228000000, "seconds_left": 17.5, "error": "", "name": "",
}  # fmt: skip

GENERATION: tuple[Doc, ...] = (
    Doc(
        "GET",
        "/panel",
        "What the panel in txt2img and img2img offers, and whether the loaded checkpoint takes regions.",
        {
            "regions": True,
            "reason": "",
            "family": "sdxl",
            "colors": ["red"],
            "objects": ["cake"],
            "floors": ["wooden"],
            "letters": ["α"],
            "max_characters": 5,
            "max_tries": 20,
            "arrangements": ["columns"],
            "count_styles": ["english"],
            "modes": ["regions"],
        },
        notes="`family` is sd1, sd2, sdxl, sd3, flux, or empty where no checkpoint is loaded or known; none is loaded "
        "to find out. `reason`: why regions cannot be had, in a clause.",
    ),
    Doc(
        "POST",
        "/compile",
        "From a cast to the prompts that the host is given, with their tokens, and the regions' masks.",
        {
            "prompt": "1girl, 1boy, masterpiece, α black hair, β white hair, indoors, 3 cakes <lora:background:0.8>",
            "negative_prompt": "lowres",
            "tokens": 22,
            "negative_tokens": 2,
            "regions": [
                {
                    "letter": "α",
                    "name": "Ann",
                    "prompt": "1girl, 1boy, masterpiece, black hair",
                    "negative": None,
                    "box": [0.0, 0.0, 0.5, 1.0],
                    "weight": 1.0,
                    "tokens": 9,
                }
            ],
            "notes": ["Ben has no tags of its own: give it a prompt, or remove it."],
            "summary": "2 characters (α Ann, β Ben), base 0.3",
        },
        body=(
            Field("prompt", "text", "the host's own prompt"),
            Field("negative_prompt", "text", "the host's own negative prompt"),
            Field("width", "integer", "of the picture in pixels, for the masks: 16 to 4096 (default 1024)"),
            Field("height", "integer", "the same"),
            Field("masks", "flag", "give each region its `mask`: a grey PNG as a data URL"),
            *_CAST_FIELDS,
            *_PANEL_FIELDS,
        ),
        notes="`tokens` as the hosts count them; a textual inversion counts as its name. `negative` of a region is null "
        "where the base's own acts.",
    ),
    Doc(
        "GET",
        "/loras",
        "The LoRAs in the host's folders, by their metadata.",
        {
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
                    "problem": "",
                    "fits": "",
                }
            ],
            "folders": ["/webui/models/Lora"],
        },
        notes="`role` is background, separation, or empty for any other LoRA; `fits` is a sentence when it does not fit "
        "the loaded checkpoint, `problem` when its file cannot be read.",
    ),
    Doc(
        "GET",
        "/loras/offers",
        "The files that GitHub or Civitai offer right now; it is they who are asked.",
        {
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
        query=(
            Field("source", "text", "github (the published LoRAs' project) or civitai", True),
            Field("model", "integer", "number of a model's page on Civitai (default: both published ones)"),
        ),
        notes="`size` is 0 and `sha256`, `base`, `family`, `role` are empty where nobody says.",
    ),
    Doc(
        "POST",
        "/loras/get",
        "Download an offer into the host's LoRA folder; it goes on without anybody watching.",
        _DOWNLOAD,
        body=(
            Field("source", "text", "where it is offered: github or civitai", True),
            Field("id", "text", "the offer's", True),
            Field("model", "integer", "the page it was found on"),
            Field("token", "text", "an API key of yours, where a login is wanted; it is not kept"),
        ),
        notes="The file appears in the folder when it is whole and its SHA256 is right. A server that others can reach "
        "without a login refuses this.",
    ),
    Doc(
        "GET",
        "/loras/get/{id}",
        "How far a download is.",
        _DOWNLOAD,
        notes="`state` is running, done, stopped or failed (then `error` says why); `name` is the LoRA's, once it is "
        "done; `done` and `total` are bytes, `total` is 0 while not known.",
    ),
    Doc(
        "POST",
        "/loras/get/{id}/stop",
        "Stop a download; what has arrived is kept, and another one goes on from there.",
        _DOWNLOAD,
    ),
    Doc(
        "POST",
        "/loras/import",
        "Copy a LoRA file from elsewhere on the server's machine into the host's LoRA folder.",
        {"name": "background"},
        body=(Field("path", "text", "the whole path of a .safetensors file", True),),
    ),
    Doc(
        "POST",
        "/cast/from-picture",
        "The cast of a picture: who is where with which tags, and the rest as its scene.",
        _CAST,
        body=(
            Field("image", "file", "the picture, as a part of a form (multipart/form-data)"),
            Field("folder", "text", "or, in JSON, the id of an open folder"),
            Field("image", "text", "and the picture's name there"),
            Field(
                "config",
                "config",
                "settings that differ from those with which a picture was looked at last (tagger, detector, thresholds)",
            ),
        ),
    ),
    Doc(
        "GET",
        "/casts",
        "The saved casts by name.",
        {"casts": [{"name": "tea", "summary": "2 characters (α Ann, β Ben), base 0.3"}], "problems": []},
        notes="`problems`: a sentence for each file in the folder that cannot be used.",
    ),
    Doc("GET", "/casts/{name}", "One saved cast.", {"name": "tea", "cast": _CAST}),
    Doc(
        "PUT",
        "/casts/{name}",
        "Save a cast.",
        {"name": "tea", "cast": _CAST},
        body=(Field("cast", "object", "the cast, or all that the panel says", True), _REPLACE),
    ),
    Doc("DELETE", "/casts/{name}", "Delete a saved cast.", {"deleted": "tea"}),
    Doc(
        "GET",
        "/characters",
        "The saved characters by name.",
        {"characters": [{"name": "Ann", "prompt": "1girl, black hair"}], "problems": []},
    ),
    Doc("GET", "/characters/{name}", "One saved character.", {"name": "Ann", "character": _CHARACTER}),
    Doc(
        "PUT",
        "/characters/{name}",
        "Save a character.",
        {"name": "Ann", "character": _CHARACTER},
        body=(Field("character", "object", "name, prompt, negative, weight and box", True), _REPLACE),
    ),
    Doc("DELETE", "/characters/{name}", "Delete a saved character.", {"deleted": "Ann"}),
)
