"""A few words become a full prompt."""

from __future__ import annotations

from typing import Annotated, Any

from lib_extend.api.calls import Stream
from lib_extend.api.declaring import Routes, Takes
from lib_extend.expanding.expansion_request import Request, split_bans
from lib_extend.prompt_expansion import DEFAULT_EXPANDER, About, Length, Sampling, Wanted
from lib_extend.services.container import Services
from lib_extend.services.expanding import RANDOM_SEED, expand, expand_events

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
                "short": "",
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
    expander: Annotated[
        str, Takes("a name of the list, a folder, a .gguf file or a server's address")
    ] = DEFAULT_EXPANDER,
    target: Annotated[
        str, Takes("how long the prompt becomes", choices=tuple(x.value for x in Length))
    ] = Length.LONG.value,
    to: Annotated[str, Takes("what is written", choices=tuple(x.value for x in Wanted))] = Wanted.TAGS.value,
    ban: Annotated[
        list[str] | None, Takes("tags that must not be written; * and /regular expressions/ too")
    ] = None,
    force: Annotated[list[str] | None, Takes("tags that every draft has")] = None,
    rating: Annotated[str, Takes("safe, sensitive, nsfw or explicit")] = "",
    aspect: Annotated[float | None, Takes("width divided by height")] = None,
    characters: Annotated[list[str] | None, Takes("who is in the picture")] = None,
    told: Annotated[
        list[str] | None, Takes("tags that are true of the picture though not in the prompt")
    ] = None,
    about: Annotated[
        str, Takes("what the prompt is about", choices=tuple(x.value for x in About))
    ] = About.PICTURE.value,
    others: Annotated[
        list[str] | None, Takes("other prompts of the same picture: what contradicts them is not written")
    ] = None,
    task: Annotated[str, Takes("what a TIPO model does (short_to_tag_to_long); empty for what fits to")] = "",
    seed: Annotated[int, Takes("the same seed gives the same drafts; -1 for any")] = RANDOM_SEED,
    drafts: Annotated[int, Takes("how many, up to 32")] = 1,
    temperature: Annotated[float, Takes("above 0: higher is more daring")] = _OWN.temperature,
    top_p: Annotated[float, Takes("only the likeliest tokens of this share")] = _OWN.top_p,
    top_k: Annotated[int, Takes("only so many of the likeliest tokens, 0 for all")] = _OWN.top_k,
    min_p: Annotated[float, Takes("only tokens at least so likely beside the likeliest")] = _OWN.min_p,
    device: Annotated[str, Takes("auto, cpu or cuda")] = "auto",
    offline: Annotated[bool, Takes("use only models that are here")] = False,
    stream: Annotated[bool, Takes("tell of each draft while it is written, as server-sent events")] = False,
) -> dict[str, Any] | Stream:
    """More tags, or prose, behind a prompt.

    What contradicts the prompt (another number of people, a second hair color of one person) is drawn again while
    sampling, as what is banned. Of a person only a person's tags are written, of a scene only the others, and of neither
    how many people there are. `redrawn`: tags and sentences that were thrown away while sampling. `exhausted`: nothing
    else was left to write. The expander stays loaded for the next prompt.

    With `stream` the answer is events: `draft` (`number` from 0, `done`, and the draft as it is) and at the end `finished`
    (`error`, "" where there is none; `device`, `seconds`). Writing ends when the reader leaves.
    """
    request = Request(
        expander,
        prompt,
        Length(target),
        Wanted(to),
        rating=rating,
        aspect=aspect,
        characters=tuple(characters or ()),
        ban=tuple(b for text in ban or () for b in split_bans(text)),
        drafts=drafts,
        sampling=Sampling(temperature, top_p, top_k, min_p, seed),
        force=tuple(force or ()),
        told=tuple(told or ()),
        about=About(about),
        others=tuple(others or ()),
        task=task,
    )
    config = {"device": device, "offline": offline}
    return (
        Stream(expand_events(services, request, config), 0) if stream else expand(services, request, config)
    )
