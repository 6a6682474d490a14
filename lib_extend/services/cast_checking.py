"""Check whether a finished picture shows its cast, with the same models as for datasets.

found = check(image, cast)
found.score, found.summary, found.to_json()
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lib_extend.captions.thresholds import limit_of
from lib_extend.config import TagConfig
from lib_extend.errors import ModelError
from lib_extend.generation.cast import Cast
from lib_extend.generation.cast_finding import Found, look_for, persons_of
from lib_extend.services import messages
from lib_extend.services.container import Services, shared
from lib_extend.services.picture_analysis import look

if TYPE_CHECKING:
    from PIL.Image import Image


def check(image: Image | Path | str, cast: Cast, services: Services | None = None) -> Found:
    """Find a cast in a picture, with the models used last.

    Waits while another picture is analysed. Nothing is downloaded, because that would delay a generation. The models
    stay loaded for the next picture, in their own process.

    Args:
        image: the picture, or its file.
        services: whose worker is used; default: this process' services.

    Raises:
        UserError: the models' environment is missing, or the models are. ImageError: the picture. WorkerError.
    """
    services = services or shared()
    if not cast.characters:
        return look_for(cast, ())
    config = settings(services)
    if isinstance(image, (str, Path)):
        return _check(Path(image), cast, services, config)
    # images never go through the worker's pipe, so save a file
    with tempfile.TemporaryDirectory(prefix="prompt-extend-") as folder:
        path = Path(folder, "picture.png")
        image.save(path, compress_level=1)
        return _check(path, cast, services, config)


def settings(services: Services) -> TagConfig:
    """The settings for checking a finished picture."""
    own = services.options().models_dir
    values = {**({"models_dir": own} if own else {}), **services.last_settings.values()}
    return TagConfig.from_dict({**values, "people": True, "shared_tags": "each", "offline": True})


def _check(path: Path, cast: Cast, services: Services, config: TagConfig) -> Found:
    try:
        looked = look(services.worker, path, config)
    except ModelError as error:
        print(f"Prompt Extend: {error}", file=sys.stderr, flush=True)
        raise messages.CHECK_MODELS.error(tagger=config.tagger, detector=config.person_detector) from error

    def threshold(name: str) -> float:
        if config.person_tag_threshold is not None:
            return config.person_tag_threshold
        return limit_of(name, config, looked.thresholds)

    return look_for(cast, persons_of(looked.caption, looked.analysis, threshold), looked.vocabulary)
