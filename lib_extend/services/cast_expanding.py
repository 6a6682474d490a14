"""More tags to the texts of a cast, by the expander in the worker's process: each text by itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lib_extend.config import TagConfig
from lib_extend.errors import ModelError
from lib_extend.expanding.expansion_request import ExpandedPrompt, Request, split_bans
from lib_extend.generation import value_checks as checks
from lib_extend.generation.cast import Cast
from lib_extend.generation.cast_lora import MAX_NAME
from lib_extend.generation.expansion import MAX_ADDED, MAX_PROSE, PLACES, Added, Expansion
from lib_extend.generation.expansion_requests import MAIN, SCENE, PlaceRequest, places_of, requests_of
from lib_extend.generation.infotext import MAX_MAIN
from lib_extend.prompt_expansion import MOST_DRAFTS, SEEDS, Length, Sampling, Wanted
from lib_extend.services import messages
from lib_extend.services.cast_compiling import panel_of
from lib_extend.services.container import Services, shared
from lib_extend.services.expanding import RANDOM_SEED, checked
from lib_extend.vocabulary.tag_names import written
from lib_extend.worker.kinds.expand_prompt import Result, tasks
from lib_extend.worker.protocol import Failed, Setup

_OWN = ("prompt", "places", "seed", "dropped", "width", "height", "offline")
_MOST_PLACES, _MOST_DROPPED = 10, 500


def expand_texts(
    services: Services,
    asked: Sequence[PlaceRequest],
    *,
    offline: bool,
    aspect: float | None = None,
    dropped: Sequence[str] = (),
) -> list[Added]:
    """What is added to each text, the locked of before first.

    Requests that differ in nothing but seeds in a row are one batch: they share one reading of the text.

    Raises UserError (a damaged ban), ForbiddenError (a place that may not be named here), ModelError (no such expander,
    it cannot be loaded, a text is too long), OverloadedError, WorkerError.
    """
    if not asked:
        return []
    requests = [checked(services, _request(one, aspect, dropped)) for one in asked]
    batches = _batches(requests)
    settings = _settings(services, offline)
    with services.worker.turn(settings) as worker:
        worker.start(Setup(device=settings.device, offline=settings.offline, models_dir=settings.models_dir))
        results = list(worker.run(tasks([replace(requests[b[0]], drafts=len(b)) for b in batches])))
    found: dict[int, Added] = {}
    for result in results:
        if isinstance(result, Failed):
            raise ModelError(result.reason)
        made = result.payload
        assert isinstance(made, Result)
        batch = batches[int(result.id)]
        for i, draft in zip(batch, made.drafts, strict=True):
            found[i] = _added(asked[i].kept, draft)
    return [found[i] for i in range(len(asked))]


def expand_offline(asked: Sequence[PlaceRequest]) -> list[Added]:
    """For a generation: with this process' services, and nothing is downloaded, which would hold it up."""
    return expand_texts(shared(), asked, offline=True)


def expanded_json(services: Services, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was drawn for the places of a cast, as JSON values.

    Args:
        values: a cast's and a panel's members, and `_OWN`.

    Raises UserError naming the member, and as `expand_texts` does.
    """
    value = dict(values)
    own = {name: value.pop(name) for name in _OWN if name in value}
    given = panel_of(value)
    cast = replace(given.cast, expansion=given.cast.expansion or Expansion())
    main = checks.text("prompt", own.get("prompt", ""), MAX_MAIN)
    main, _ = given.mains(main, "", services.loras.aliases())
    seed = own.get("seed")
    if seed is None or seed == RANDOM_SEED:
        seed = random.randrange(SEEDS)
    seed = int(checks.number("seed", seed, 0, 2**63, whole=True))
    chosen = checks.items("places", own.get("places") or _with_words(cast, main), _MOST_PLACES)
    known = places_of(cast, PLACES)
    places = list(dict.fromkeys(checks.choice(f"places[{i}]", p, known) for i, p in enumerate(chosen)))
    dropped = checks.items("dropped", own.get("dropped") or (), _MOST_DROPPED)
    bans = [checks.text(f"dropped[{i}]", tag, MAX_NAME, lines=False) for i, tag in enumerate(dropped)]
    width, height = (checks.number(n, own.get(n, 1024), 16, 16384) for n in ("width", "height"))
    offline = own.get("offline", False)
    if not isinstance(offline, bool):
        raise messages.MUST_BE.error(name="offline", what="true or false", field="offline")
    asked = requests_of(cast, main, seed, places)
    drawn = expand_texts(
        services, asked, offline=offline, aspect=round(width / height, 2), dropped=list(filter(None, bans))
    )
    return {"seed": seed, "added": {p: a.to_json() for p, a in zip(places, drawn, strict=True)}}


def _with_words(cast: Cast, main: str) -> list[str]:
    """The places that say something; of a scene without words the prompt is enough."""
    texts = {MAIN: main, SCENE: cast.scene}
    return [p for p in places_of(cast, PLACES) if texts.get(p, "a character").strip()]


def _settings(services: Services, offline: bool) -> TagConfig:
    last: Mapping[str, Any] = services.last_settings.values()
    device = {"device": last["device"]} if "device" in last else {}
    return TagConfig.from_dict({**device, "offline": offline, "models_dir": services.options().models_dir})


def _request(one: PlaceRequest, aspect: float | None, dropped: Sequence[str]) -> Request:
    how = one.expansion
    return Request(
        how.expander,
        one.text,
        Length(how.length),
        Wanted(how.to),
        aspect=aspect,
        ban=(*split_bans(how.ban), *dropped),
        sampling=Sampling(how.temperature, how.top_p, how.top_k, how.min_p, one.seed),
        about=one.about,
        others=one.others,
    )


def _batches(requests: Sequence[Request]) -> list[list[int]]:
    """Numbers of requests that are one but for their seeds, which follow each other."""
    alike: dict[str, list[int]] = {}
    for i, request in enumerate(requests):
        same = replace(request, sampling=replace(request.sampling, seed=0)).to_json()
        alike.setdefault(json.dumps(same), []).append(i)
    batches: list[list[int]] = []
    for numbers in alike.values():
        numbers.sort(key=lambda i: requests[i].sampling.seed)
        last = -2
        for i in numbers:
            seed = requests[i].sampling.seed
            if seed != last + 1 or len(batches[-1]) == MOST_DRAFTS:
                batches.append([])
            batches[-1].append(i)
            last = seed
    return batches


def _added(kept: Added, draft: ExpandedPrompt) -> Added:
    tags = [written(name, escape_brackets=True) for name in draft.tags]
    tags = [tag for tag in tags if len(tag) <= MAX_NAME]
    return Added((*kept.tags, *tags)[:MAX_ADDED], draft.prose[:MAX_PROSE], kept.locked)
