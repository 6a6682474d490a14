"""A folder that is worked on: where its pictures are and where its state lives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_extend.datasets.state import State
from lib_extend.datasets.state_reading import StateReader
from lib_extend.files.lock import locked
from lib_extend.files.scan import check_folder

STATE_FOLDER = ".prompt-extend"
STATE_FILE = "state.sqlite3"


@dataclass(frozen=True)
class Dataset:
    """A dataset: what every job, view and front end works on.

    Attributes:
        root: the folder of the pictures. Names of pictures and captions are relative to it.
        state_dir: where the state lives instead of `<root>/.prompt-extend`.
    """

    root: Path
    state_dir: Path | None = None

    @property
    def state_folder(self) -> Path:
        """The folder of the database, the lock and the caches."""
        return self.state_dir if self.state_dir is not None else self.root / STATE_FOLDER

    @property
    def state_file(self) -> Path:
        return self.state_folder / STATE_FILE

    @property
    def has_state(self) -> bool:
        """Whether any job ever ran here."""
        return self.state_file.exists()

    def check(self) -> None:
        """Raises UserError when the folder is not there or is a file."""
        check_folder(self.root)

    @contextlib.contextmanager
    def state(self) -> Iterator[State]:
        """The database, opened (and made where there is none) and closed again.

        Raises:
            UserError: it cannot be read or written, or was written by another version.
        """
        with contextlib.closing(State(self.state_file, self.root)) as state:
            yield state

    @contextlib.contextmanager
    def locked_state(self) -> Iterator[State]:
        """The database while no other job may work on the dataset.

        Raises:
            BusyError: another job is running. UserError: as `state`.
        """
        with locked(self.state_folder, self.root), self.state() as state:
            yield state

    @contextlib.contextmanager
    def reading(self) -> Iterator[StateReader]:
        """A look into the database beside a running job; everything is empty where there is none."""
        with contextlib.closing(StateReader(self.state_file)) as reader:
            yield reader
