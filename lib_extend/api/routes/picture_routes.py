"""One picture on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from lib_extend.api import request_messages
from lib_extend.api.declaring import Routes, Takes
from lib_extend.api.examples import ANSWER, CAPTION, DROP, PERSON, TAG, Settings
from lib_extend.errors import NotFoundError
from lib_extend.files.scan import show
from lib_extend.services import messages
from lib_extend.services.container import Services
from lib_extend.services.picture_analysis import analyse
from lib_extend.services.requested_settings import config_of

routes = Routes("One picture", place=50)


@routes.post(
    "/analyze",
    gives={
        "caption": CAPTION,
        "tags": [TAG],
        "answers": [ANSWER],
        "persons": [PERSON],
        "description": "",
        "reason": "",
        "reason_code": "",
        "reason_fields": {},
        "dropped": [DROP],
        "width": 832,
        "height": 1216,
        "seconds": 0.41,
        "unmade": [],
    },
)
def analyze(
    services: Services,
    upload: Annotated[
        Path | None, Takes("the picture, as a part of a form (multipart/form-data)", name="image")
    ] = None,
    path: Annotated[str | None, Takes("or, in JSON, the path of an image in an open folder")] = None,
    config: Settings | None = None,
) -> dict[str, Any]:
    """All about one picture; nothing is written.

    `description`: the picture in sentences, where the settings ask for it; `reason`: why there are no persons, where they were wanted (`reason_code`, `reason_fields`: the same for programs); `unmade`: each `part` ("answers", "prose") that could not be made,
    with its `reason` and `code`. The models stay loaded for the next one.
    """
    settings = config_of(config or {}, services.folders, services.options().models_dir)
    if upload is None:
        if path is None:
            raise request_messages.NO_PICTURE.error(field="path")
        upload = services.folders.resolve(path)
        services.folders.check(upload)
        if not upload.is_file():
            raise messages.NO_IMAGE.error(NotFoundError, name=show(upload.name), field="path")
    services.last_settings.remember(settings)
    return analyse(services.worker, upload, settings)
