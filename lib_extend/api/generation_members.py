"""The members of a cast and of the panel, as the routes take them and examples of them."""

from __future__ import annotations

from typing import Any

from lib_extend.api.declaring import FLAG, INTEGER, NUMBER, OBJECT, OBJECTS, TEXT, Member

ADDED: dict[str, Any] = {"tags": ["smile", "red dress"], "prose": "", "locked": ["smile"]}
CHARACTER: dict[str, Any] = {
    "name": "Ann",
    "prompt": "1girl, black hair",
    "negative": "",
    "weight": 1.0,
    "box": [0.0, 0.0, 0.5, 1.0],
    "loras": [{"name": "ann", "weight": 0.8, "text_weight": None, "blocks": []}],
    "added": ADDED,
}
CAST: dict[str, Any] = {
    "version": 1,
    "characters": [CHARACTER],
    "common": "masterpiece",
    "scene": "indoors",
    "negative": "lowres",
    "things": [{"object": "cake", "number": 3, "color": "red"}],
    "floor": "wooden",
    "count_style": "english",
    "background_lora": {"name": "background", "weight": 0.8, "text_weight": None, "blocks": []},
    "separation_lora": None,
    "loras": [],
    "mode": "regions",
    "base_weight": 0.3,
    "end_step": 1.0,
    "expansion": {
        "when": "shown",
        "places": ["prompt", "characters"],
        "expander": "tipo-200m-ft2",
        "length": "short",
        "to": "tags",
        "ban": "",
        "temperature": 0.5,
        "top_p": 0.95,
        "top_k": 80,
        "min_p": 0.1,
    },
    "main_added": ADDED,
    "scene_added": ADDED,
}

PICTURE_MEMBERS = (
    Member("prompt", TEXT, "the host's own prompt"),
    Member("negative_prompt", TEXT, "the host's own negative prompt"),
    Member("width", INTEGER, "of the picture in pixels, for the masks: 16 to 4096 (default 1024)"),
    Member("height", INTEGER, "the same"),
    Member("masks", FLAG, "give each region its `mask`: a grey PNG as a data URL"),
)
CAST_MEMBERS = (
    Member(
        "characters",
        OBJECTS,
        "one to five objects of name, prompt, negative, weight (0 to 2), box: [x0, y0, x1, y1] as shares of the "
        "picture, and loras: up to four that act in the box only, each name, weight (-5 to 5), text_weight (of what it "
        "changes in the text encoders; null is the same) and blocks (block weights: none, or 12, 17, 20 or 26); added: "
        "what an expander added to its prompt (tags, prose, and which tags are locked)",
    ),
    Member("common", TEXT, "tags that every region has, too (quality, style)"),
    Member("scene", TEXT, "tags of the whole picture alone"),
    Member("negative", TEXT, "added to the negative prompt"),
    Member("things", OBJECTS, "objects of the background: object, number (1 to 20), color"),
    Member("floor", TEXT, "what the floor is made of"),
    Member("count_style", TEXT, "how the background LoRA counts: english (`3 cakes`) or naive (`3cakes`)"),
    Member("background_lora", OBJECT, "name and weight of the LoRA for backgrounds"),
    Member("separation_lora", OBJECT, "name and weight of the LoRA that tells characters apart"),
    Member("loras", OBJECTS, "LoRAs that act outside of all boxes only, as a character's"),
    Member("mode", TEXT, "regions, or prompt: only the prompt is compiled"),
    Member("base_weight", NUMBER, "the base prompt's share in a character's box, 0 to 1"),
    Member("end_step", NUMBER, "share of the steps after which the base prompt goes on alone, 0 to 1"),
    Member(
        "expansion",
        OBJECT,
        "how texts are expanded: when (shown: what stands in added is used; generation: each picture draws its own, "
        "seeded by its seed), places (of prompt, characters, scene: what pictures expand), expander, length (very_short, "
        "short, long, very_long), to (tags, prose, both), ban, temperature, top_p, top_k, min_p",
    ),
    Member("main_added", OBJECT, "what was added to the host's own prompt, as a character's added"),
    Member("scene_added", OBJECT, "what was added to the scene"),
    Member("version", INTEGER, "1"),
)
"""As in `alwayson_scripts: {"Prompt Extend": {"args": [{…}]}}`."""
PANEL_MEMBERS = (
    Member("enabled", FLAG, "for generating: whether anything is done"),
    Member("check", FLAG, "for generating: look for each character's tags in the finished picture"),
    Member("keep_trying", INTEGER, "for generating: so many more seeds until all are found, 0 to 20"),
    Member("main", TEXT, "the prompt that was compiled when these values were made from a picture"),
    Member("main_negative", TEXT, "and its negative prompt"),
    Member("problem", TEXT, "ignored"),
)
