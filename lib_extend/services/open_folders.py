"""Which folders may be used, and what a chosen one holds.

A folder may be used when it was chosen in the page on this very machine, or named by `--prompt-extend-root`. When
other machines can reach the server, only the latter. Links and `..` are followed first; the place where they lead
decides.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.dataset import STATE_FILE
from lib_extend.datasets.state_file import STATE_FOLDER
from lib_extend.errors import ForbiddenError, NotFoundError, UserError
from lib_extend.files.caption_forms import candidates
from lib_extend.files.scan import IMAGE_SUFFIXES, show, sidecar_names
from lib_extend.host.safety import Safety
from lib_extend.services import messages

_DEVICES = ("\\\\.\\", "\\\\?\\", "//./", "//?/")
_LONGEST = 4096


@dataclass(frozen=True)
class Opened:
    """A folder in use. `id` stands for it in addresses; `path` is where it really is."""

    id: str
    path: Path
    recursive: bool


class FolderBook:
    """The folders in use. One for the server: two browser windows may look at the same ones.

    Args:
        safety: called each time, because a WebUI may restart with other flags while this process goes on.
        ours: a folder with files of the page's own, which settings may name on any server.
    """

    def __init__(self, safety: Callable[[], Safety], ours: Path | None = None) -> None:
        self._safety = safety
        self._ours = ours
        self._lock = threading.Lock()
        self._opened: dict[str, Opened] = {}

    @property
    def free(self) -> bool:
        """Whether any folder may be chosen."""
        return not self._safety().shared

    def is_ours(self, path: str) -> bool:
        """Whether this is a file that the page itself wrote."""
        if self._ours is None or os.path.normpath(path) != path:
            return False
        return os.path.dirname(path) == str(self._ours) and not os.path.islink(path)

    def roots(self) -> tuple[Path, ...]:
        """The folders named by flag."""
        return self._safety().roots

    def open(self, path: str, *, recursive: bool = False) -> Opened:
        """Take a folder in use.

        Raises NotFoundError: it is no folder; ForbiddenError: it may not be used.
        """
        real = self.resolve(path)
        if not real.is_dir():
            raise messages.NO_FOLDER.error(NotFoundError, path=show(path), field="path")
        self._check_state(real)
        opened = Opened(folder_id(real), real, recursive)
        with self._lock:
            self._opened[opened.id] = opened
        return opened

    def _check_state(self, root: Path) -> None:
        """Raises UserError when the job's state, which is written to, is a link that leads elsewhere."""
        for path in (root / STATE_FOLDER, root / STATE_FOLDER / STATE_FILE):
            real = Path(os.path.realpath(path))
            if not (_within(real, root) or self.allows(real)):
                raise messages.OUTSIDE.error(ForbiddenError, path=show(str(path)), field="path")

    def resolve(self, path: str) -> Path:
        """Where `path` really is. Raises UserError when that may not be looked at."""
        text = _checked(path)
        safety = self._safety()
        if safety.shared:
            # before the disk is touched: a look at \\server\share sends the user's name to that server
            flagged = safety.roots
            if not any(_within(Path(os.path.normpath(text)), r) for r in flagged):
                raise _refused(text, flagged)
        try:
            real = Path(os.path.realpath(text))
        except (OSError, ValueError):
            raise messages.STRANGE_PATH.error(path=show(path[:200]), field="path") from None
        if safety.shared and not any(_within(real, r) for r in safety.roots):
            raise _refused(text, safety.roots)
        return real

    def may_use(self, path: str) -> bool:
        """Whether `path` may be looked at."""
        try:
            self.resolve(path)
        except UserError:
            return False
        return True

    # what is asked of an open folder

    def get(self, folder: str) -> Opened:
        """An open folder by its id. Raises NotFoundError."""
        with self._lock:
            opened = self._opened.get(folder)
        if opened is None:
            raise messages.CLOSED.error(NotFoundError, field="folder")
        safety = self._safety()
        # the server may have become reachable for others since the folder was opened
        if safety.shared and not any(_within(opened.path, r) for r in safety.roots):
            raise _refused(str(opened.path), safety.roots)
        return opened

    def path(self, folder: str) -> Path:
        """The real path of an open folder by its id. Raises UserError."""
        return self.get(folder).path

    def recursive(self, folder: str) -> bool:
        """Whether its subfolders belong to it, as chosen when it was opened."""
        return self.get(folder).recursive

    def check(self, path: Path) -> None:
        """Raises UserError when `path`, links followed, is outside of the folders in use, or stands outside."""
        if not (self.allows(path) and self.allows(path.parent)):
            raise messages.OUTSIDE.error(ForbiddenError, path=show(path.name))

    def allows(self, path: Path) -> bool:
        """Whether `path`, links followed, lies in a folder in use."""
        safety = self._safety()
        with self._lock:
            chosen = () if safety.shared else tuple(o.path for o in self._opened.values())
        try:
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):
            return False
        return any(_within(real, r) for r in (*safety.roots, *chosen))

    def image(self, folder: str, name: str) -> Path:
        """The path of an image by its name in an open folder. Raises UserError (403, 404)."""
        root = self.path(folder)
        parts = name.split("/")
        if not all(parts) or {".", ".."} & set(parts) or any(c in name for c in ("\0", "\\")):
            raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="image")
        if os.name == "nt" and ":" in name:
            raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="image")
        path = root.joinpath(*parts)
        self.check(path)
        if path.suffix.lower() not in IMAGE_SUFFIXES or not path.is_file():
            raise messages.NO_IMAGE.error(NotFoundError, name=show(name), field="image")
        self.check_captions(path)
        return path

    def check_captions(self, image: Path) -> None:
        """Raises UserError when a caption or a JSON file of `image` is a link that leads out of the folders in use."""
        for name in (*candidates(image.name), *sidecar_names(image.name)):
            if os.path.islink(image.with_name(name)):
                self.check(image.with_name(name))

    def check_links(self, root: Path, *, recursive: bool) -> None:
        """Raises UserError when a link in `root` leads outside of the folders in use: a job would follow it.

        Takes about a second for 100,000 files.
        """
        self._check_state(root)
        self._check_links(root, recursive, set())

    def _check_links(self, folder: Path, recursive: bool, seen: set[str]) -> None:
        real = os.path.realpath(folder)
        if real in seen:
            return
        seen.add(real)
        try:
            with os.scandir(folder) as entries:
                listed = list(entries)
        except OSError:
            return  # a job cannot read a folder that cannot be listed
        for entry in listed:
            path = Path(entry.path)
            is_link = entry.is_symlink() or _is_junction(path)
            if is_link and not self.allows(path):
                raise messages.OUTSIDE.error(ForbiddenError, path=show(str(path)))
            try:
                goes_in = recursive and not entry.name.startswith(".") and entry.is_dir()
            except OSError:
                continue
            if goes_in:
                self._check_links(path, recursive, seen)


def folder_id(real: Path) -> str:
    """A short name of a real path, the same after every restart."""
    return hashlib.blake2b(os.fsencode(os.path.normcase(real)), digest_size=8).hexdigest()


def _checked(path: str) -> str:
    """The path as text, made complete. Raises UserError for what is no path."""
    text = path.strip()
    if not text:
        raise messages.NO_PATH.error(field="path")
    if "\0" in text or len(text) > _LONGEST or text.startswith(_DEVICES):
        raise messages.STRANGE_PATH.error(path=show(text[:200]), field="path")
    if text == "~" or text.startswith(("~/", "~\\")):
        text = os.path.expanduser(text)
    if not os.path.isabs(text) or (os.name == "nt" and not os.path.splitdrive(text)[0]):
        begins = "a drive, such as D:\\" if os.name == "nt" else "/"
        raise messages.NOT_ABSOLUTE.error(path=show(text[:200]), begins=begins, field="path")
    return text


def _within(path: Path, root: Path) -> bool:
    """Whether `path` is `root` or lies in it; upper and lower case as the system has it."""
    inside, outside = os.path.normcase(path), os.path.normcase(root)
    return inside == outside or inside.startswith(outside.rstrip(os.sep) + os.sep)


def _refused(path: str, roots: tuple[Path, ...]) -> ForbiddenError:
    if not roots:
        return messages.NO_ROOTS.error(ForbiddenError, field="path")
    return messages.NOT_ALLOWED.error(ForbiddenError, path=show(path), field="path")


def _is_junction(path: Path) -> bool:
    """A Windows junction, which Python does not report as a link."""
    if os.name != "nt":
        return False
    try:
        return os.path.realpath(path) != os.path.normpath(
            os.path.join(os.path.realpath(path.parent), path.name)
        )
    except OSError:
        return True
