"""The open folder, and the picture, that a request names."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes

from lib_extend.api.calls import Call
from lib_extend.datasets.browse import Browser
from lib_extend.errors import NotFoundError
from lib_extend.files.scan import show
from lib_extend.services import messages
from lib_extend.services.container import Services


def browser_of(services: Services, folder: str) -> Browser:
    """What browses an open folder, by its id. Raises UserError."""
    opened = services.folders.get(folder)
    return services.browsers.open(opened.path, recursive=opened.recursive)


def picture_of(
    services: Services, call: Call, folder: str, image: str, ending: str = "", *, known: bool = True
) -> tuple[Browser, str]:
    """The browser and the name of the image in the address (`known`: see `Browser.has`). Raises NotFoundError."""
    browser = browser_of(services, folder)
    names = _names_in(call, folder, image, ending)
    for name in names:
        if browser.has(name, known=known):
            services.folders.check(browser.root / name)
            services.folders.check_captions(browser.root / name)
            return browser, name
    raise messages.NO_IMAGE.error(NotFoundError, name=show(names[0]), field="image")


def _names_in(call: Call, folder: str, decoded: str, ending: str) -> list[str]:
    """The image's name in the address: from the bytes that were sent, then as the server decoded them.

    Decoded as text, bytes that are no UTF-8 are lost; but what was sent may have been rewritten on its way here.
    """
    where = f"/datasets/{folder}/".encode("utf-8", "surrogateescape")
    if where not in call.raw_path:
        return [decoded]
    sent = call.raw_path.split(b"?", 1)[0].split(where, 1)[1].partition(b"/")[2]
    return [os.fsdecode(unquote_to_bytes(sent.removesuffix(ending.encode()))), decoded]
