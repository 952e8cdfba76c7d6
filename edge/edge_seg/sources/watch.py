"""A folder that is watched for new images.

It is looked at twice a second: notifications of the kernel do not tell what other machines write
into a network folder. A file is taken once its size and time stamp have stood still for a second
and it decodes; one that still does not after ten seconds is given up as damaged.
"""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import ImageError, SourceError
from edge_seg.images import read_image
from edge_seg.sources.frame import Frame
from edge_seg.sources.images import is_image_name

_LOOK_EVERY_S = 0.5
_SETTLED_AFTER_S = 1.0
_GIVEN_UP_AFTER_S = 10.0
_COARSEST_CLOCK_S = 3.0
_LIST_AT_LEAST_EVERY_S = 30.0


@dataclass
class _Candidate:
    """A file that was not taken yet, as it was when it was last seen to change."""

    size_bytes: int
    modified_ns: int
    since_s: float
    error: ImageError | None = None

    def settled(self, now_s: float) -> bool:
        """Whether it is time to read the file, or to give it up."""
        return now_s - self.since_s >= (_GIVEN_UP_AFTER_S if self.error else _SETTLED_AFTER_S)


class WatchedFolder:
    """The images that are in a folder, by name, and then each new one.

    Hidden files and what is no regular file, such as sub-folders and pipes, are left out.

    A file is known by its name and taken once, until it is deleted and made anew. The iteration may
    be ended from any thread.
    """

    live = False
    frame_count = None
    fps = None

    def __init__(
        self, folder: Path, on_bad_image: Callable[[SourceError], None], report: Callable[[str], None]
    ) -> None:
        self.name = folder.resolve().name or "folder"
        self._folder, self._on_bad_image, self._report = folder, on_bad_image, report
        self._listing = _Listing(folder)
        self._taken: set[str] = set()
        self._candidates: dict[str, _Candidate] = {}
        self._index = 0
        self._absent = False
        self._closed = threading.Event()
        self._waiting: Callable[[str], None] = lambda _: None

    def while_waiting(self, listener: Callable[[str], None]) -> None:
        """Have `listener` told that new images are waited for."""
        self._waiting = listener

    def __iter__(self) -> Iterator[Frame]:
        self._look(first=True)
        yield from self._frames(sorted(self._settled()))
        while not self._closed.wait(_LOOK_EVERY_S):
            self._waiting(f"waiting for images in {self._folder}")
            self._look()
            yield from self._frames(self._settled())

    def interrupt(self) -> None:
        """End the iteration, from any thread."""
        self._closed.set()

    def close(self) -> None:
        """End the iteration; no file stays open."""
        self._closed.set()

    def _look(self, *, first: bool = False) -> None:
        """Bring the candidates up to date."""
        now_s = time.monotonic()
        try:
            names = self._listing.names(now_s)
        except OSError as error:
            self._tell_absent(error)
            return
        self._tell_present()
        self._taken &= names
        for name in names - self._taken:
            self._update(name, now_s, first=first)
        for name in self._candidates.keys() - names:
            del self._candidates[name]

    def _update(self, name: str, now_s: float, *, first: bool) -> None:
        try:
            status = (self._folder / name).stat()
        except OSError:
            self._candidates.pop(name, None)
            return
        if not stat.S_ISREG(status.st_mode):
            return
        known = self._candidates.get(name)
        if known is None or (known.size_bytes, known.modified_ns) != (status.st_size, status.st_mtime_ns):
            # What was there before us and was not touched lately need not be watched for a second.
            old = first and time.time() - status.st_mtime > _COARSEST_CLOCK_S
            since_s = now_s - _SETTLED_AFTER_S if old else now_s
            self._candidates[name] = _Candidate(status.st_size, status.st_mtime_ns, since_s)

    def _settled(self) -> list[str]:
        now_s = time.monotonic()
        settled = [(known.modified_ns, name) for name, known in self._candidates.items() if known.settled(now_s)]
        return [name for _, name in sorted(settled)]

    def _frames(self, names: list[str]) -> Iterator[Frame]:
        for name in names:
            if self._closed.is_set():
                return
            frame = self._frame(name)
            if frame is not None:
                yield frame

    def _frame(self, name: str) -> Frame | None:
        path, candidate = self._folder / name, self._candidates[name]
        try:
            image = read_image(path)
        except ImageError as error:
            self._refuse(name, candidate, error)
            return None
        self._take(name)
        self._index += 1
        return Frame(image, self._index - 1, candidate.modified_ns / 1e9, name)

    def _refuse(self, name: str, candidate: _Candidate, error: ImageError) -> None:
        """Give a file that cannot be decoded time to become whole, once."""
        if not (self._folder / name).exists():
            del self._candidates[name]
        elif candidate.error is None:
            candidate.error = error
        else:
            self._take(name)
            self._on_bad_image(SourceError(str(error)))

    def _take(self, name: str) -> None:
        self._taken.add(name)
        del self._candidates[name]

    def _tell_absent(self, error: OSError) -> None:
        if not self._absent:
            self._report(f"{self._folder}: cannot be read ({error.strerror}); waiting for it")
        self._absent = True

    def _tell_present(self) -> None:
        if self._absent:
            self._report(f"{self._folder}: can be read again")
        self._absent = False


class _Listing:
    """The names of a folder's images; a folder whose time stamp stands still is not listed over and over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: frozenset[str] = frozenset()
        self._modified_ns = -1
        self._changed_s = self._listed_s = float("-inf")

    def names(self, now_s: float) -> Set[str]:
        """Return the names.

        Raises:
            OSError: the folder is not there.
        """
        modified_ns = self._folder.stat().st_mtime_ns
        if modified_ns != self._modified_ns:
            self._modified_ns, self._changed_s = modified_ns, now_s
        # Time stamps of some file systems are 2 s coarse.
        if now_s - self._changed_s < _COARSEST_CLOCK_S or now_s - self._listed_s > _LIST_AT_LEAST_EVERY_S:
            with os.scandir(self._folder) as entries:
                self._names = frozenset(entry.name for entry in entries if is_image_name(entry.name))
            self._listed_s = now_s
        return self._names
