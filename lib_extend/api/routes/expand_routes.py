"""A few words become a full prompt."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.declaring import Routes, Takes
from lib_extend.prompt_expansion import DEFAULT_EXPANDER, Length, Sampling, Wanted
from lib_extend.services.container import Services
from lib_extend.services.expanding import RANDOM_SEED, expand

routes = Routes("Expanding prompts", place=85)
_OWN = Sampling()


@routes.post(
    "/expand",
    pool="pictures",
    gives={
        "drafts": [
            {
                "text": "1girl, cake, smile, red cake, table",
                "tags": ["smile", "red_cake", "table"],
                "prose": "",
                "redrawn": 2,
                "exhausted": False,
                "seed": 7,
            }
        ],
        "device": "cpu",
        "seconds": 1.9,
    },
)
def expand_prompt(
    services: Services,
    prompt: Annotated[str, Takes("what you have; it stays to the letter")],
    expander: Annotated[str, Takes("a name of the list, a folder or a .gguf file")] = DEFAULT_EXPANDER,
    target: Annotated[
        str, Takes("how long the prompt becomes", choices=tuple(x.value for x in Length))
    ] = Length.LONG.value,
    to: Annotated[str, Takes("what is written", choices=tuple(x.value for x in Wanted))] = Wanted.TAGS.value,
    ban: Annotated[
        list[str] | None, Takes("tags that must not be written; * and /regular expressions/ too")
    ] = None,
    rating: Annotated[str, Takes("safe, sensitive, nsfw or explicit")] = "",
    aspect: Annotated[float | None, Takes("width divided by height")] = None,
    characters: Annotated[list[str] | None, Takes("who is in the picture")] = None,
    seed: Annotated[int, Takes("the same seed gives the same drafts; -1 for any")] = RANDOM_SEED,
    drafts: Annotated[int, Takes("how many, up to 32")] = 1,
    temperature: Annotated[float, Takes("above 0: higher is more daring")] = _OWN.temperature,
    top_p: Annotated[float, Takes("only the likeliest tokens of this share")] = _OWN.top_p,
    top_k: Annotated[int, Takes("only so many of the likeliest tokens, 0 for all")] = _OWN.top_k,
    min_p: Annotated[float, Takes("only tokens at least so likely beside the likeliest")] = _OWN.min_p,
    device: Annotated[str, Takes("auto, cpu or cuda")] = "auto",
    offline: Annotated[bool, Takes("use only models that are here")] = False,
) -> dict[str, Any]:
    """More tags, or prose, behind a prompt.

    `exhausted`: the bans left nothing more to write. `redrawn`: tags that were thrown away while sampling.
    The expander stays loaded for the next prompt.
    """
    return expand(
        services,
        prompt,
        expander=expander,
        length=target,
        wanted=to,
        rating=rating,
        aspect=aspect,
        characters=characters or (),
        ban=ban or (),
        drafts=drafts,
        sampling=Sampling(temperature, top_p, top_k, min_p, seed),
        config={"device": device, "offline": offline},
    )
