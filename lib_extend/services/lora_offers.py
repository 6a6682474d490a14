"""LoRAs that are offered elsewhere, and their downloads: each in a thread that goes on without anybody watching."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extend.errors import ConflictError, NotFoundError, Stopped
from lib_extend.generation import lora_sources
from lib_extend.generation.lora_downloads import download
from lib_extend.generation.lora_sources import CIVITAI, GITHUB, PUBLISHED_MODELS, PUBLISHED_REPO, Offer
from lib_extend.services import messages
from lib_extend.services.bug_reports import sentence_of
from lib_extend.services.throughput import Throughput

SOURCES = ("github", "civitai")
AT_ONCE = 3
"""Downloads that may run at once."""
REMEMBERED = 30
"""Downloads that are over and can still be asked about."""
_REMEMBERED_OFFERS = 500


@dataclass(frozen=True)
class Sources:
    """Where GitHub's and Civitai's APIs are."""

    github: str = GITHUB
    civitai: str = CIVITAI


PUBLIC = Sources()


@dataclass(frozen=True)
class Found:
    """An offer with its page for people, and the `role` that page is known for ("" for any other)."""

    offer: Offer
    page: str
    role: str = ""

    @property
    def id(self) -> str:
        """The same as long as the same file is offered."""
        o = self.offer
        text = "\n".join((o.url, o.name, o.version, str(o.size), o.sha256))
        return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


class LoraDownload:
    """One download.

    Attributes:
        file: the offered file's name. name: once it is here, the LoRA's, as prompts name it.
        state: running, done, stopped or failed; then `error` is a sentence.
        done, total: bytes that are here, and those of the whole file (0: not known).
    """

    def __init__(self, id: str, offer: str, file: str) -> None:
        self.id, self.offer, self.file = id, offer, file
        self.state, self.error, self.name = "running", "", ""
        self.done = self.total = 0
        self.stop = threading.Event()
        self._speed = Throughput()

    def progress(self, done: int, total: int) -> None:
        """See `lora_downloads.Progress`."""
        self.done, self.total = done, total
        self._speed.reach(done)

    def seconds_left(self) -> float | None:
        """At the speed of the last seconds; None while nobody knows."""
        speed = self._speed.value()
        if self.state != "running" or not self.total or not speed:
            return None
        return (self.total - self.done) / speed

    def to_json(self) -> dict[str, Any]:
        left = self.seconds_left()
        return {
            "id": self.id,
            "file": self.file,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "seconds_left": None if left is None else round(left, 1),
            "error": self.error,
            "name": self.name,
        }


class LoraDownloads:
    """The offers that were asked for, and what is being downloaded.

    Args:
        folders: the WebUI's LoRA folders; files go into the first.
        arrived: called when a new file is there.
    """

    def __init__(
        self, folders: Callable[[], Sequence[Path]], arrived: Callable[[], Any], sources: Sources = PUBLIC
    ) -> None:
        self._folders = folders
        self._arrived = arrived
        self._sources = sources
        self._lock = threading.Lock()
        self._offers: OrderedDict[str, Found] = OrderedDict()
        self._downloads: OrderedDict[str, LoraDownload] = OrderedDict()

    def offers(self, source: str, model: int | None = None) -> list[Found]:
        """What is offered right now: by the published LoRAs' project, or by a model's page (default: by both of theirs).

        Raises UserError: offline, no such page, asked too often.
        """
        if source == "github":
            page = f"https://github.com/{PUBLISHED_REPO}/releases"
            found = [Found(o, page) for o in lora_sources.github(base=self._sources.github)]
        else:
            roles = {number: role for role, number in PUBLISHED_MODELS.items()}
            found = [
                Found(o, f"https://civitai.com/models/{number}", roles.get(number, ""))
                for number in ([model] if model is not None else roles)
                for o in lora_sources.civitai(number, base=self._sources.civitai)
            ]
        with self._lock:
            for one in found:
                self._offers[one.id] = one
                self._offers.move_to_end(one.id)
            while len(self._offers) > _REMEMBERED_OFFERS:
                self._offers.popitem(last=False)
        return found

    def start(self, source: str, model: int | None, offer: str, token: str = "") -> LoraDownload:
        """Begin to download an offer by its id; one that is under way is given back.

        Raises NotFoundError (not offered any more), ConflictError (no folder, too many at once), UserError as `offers` does.
        """
        folder = self.folder()
        with self._lock:
            found = self._offers.get(offer)
        if found is None:
            found = next((f for f in self.offers(source, model) if f.id == offer), None)
        if found is None:
            raise messages.NO_OFFER.error(NotFoundError, field="id")
        with self._lock:
            running = [d for d in self._downloads.values() if d.state == "running"]
            for same in running:
                if same.offer == offer:
                    return same
            if len(running) >= AT_ONCE:
                raise messages.TOO_MANY_DOWNLOADS.error(ConflictError, count=AT_ONCE)
            one = LoraDownload(secrets.token_hex(6), offer, found.offer.name)
            self._downloads[one.id] = one
            over = [d.id for d in self._downloads.values() if d.state != "running"]
            for id in over[:-REMEMBERED]:
                del self._downloads[id]
        work = threading.Thread(
            target=self._work, args=(one, found.offer, folder, token), name="prompt-extend-lora", daemon=True
        )
        work.start()
        return one

    def get(self, id: str) -> LoraDownload:
        """A download by its id. Raises NotFoundError."""
        found = self._downloads.get(id)
        if found is None:
            raise messages.NO_DOWNLOAD.error(NotFoundError, id=ascii(id[:40])[1:-1], field="id")
        return found

    def stop_all(self) -> None:
        """Stop what runs; what has arrived is kept and goes on another time."""
        for one in list(self._downloads.values()):
            one.stop.set()

    def folder(self) -> Path:
        """Where files go. Raises ConflictError when there is no WebUI's LoRA folder."""
        folders = self._folders()
        if not folders:
            raise messages.NO_LORA_FOLDER.error(ConflictError)
        return folders[0]

    def tell(self) -> None:
        """Let the WebUI know of a new file, as soon as it has time: it may be generating."""
        threading.Thread(target=self._tell, name="prompt-extend-lora-list", daemon=True).start()

    def _tell(self) -> None:
        try:
            self._arrived()
        except Exception as error:  # noqa: BLE001 - the file is there; the WebUI's trouble goes to the log
            sentence_of(error)

    def _work(self, one: LoraDownload, offer: Offer, folder: Path, token: str) -> None:
        try:
            path = download(offer, folder, progress=one.progress, stop=one.stop.is_set, token=token)
            one.name = path.stem
            one.state = "done"
        except Stopped:
            one.state = "stopped"
        except BaseException as error:  # noqa: BLE001 - it must reach whoever asks
            one.error = sentence_of(error)
            one.state = "failed"
        if one.state == "done":
            self.tell()
