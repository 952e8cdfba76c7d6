"""Which files an output has written over the months, the oldest first."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from edge_seg.files import remove_empty
from edge_seg.sinks.names import is_frame, is_timed
from edge_seg.sinks.rotation import frames_of, is_stamped, journal_of, stamp_of

_DAY, _HOUR = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\d\d")


@dataclass(frozen=True, order=True)
class OwnFile:
    """A file that this program named; the older, the smaller."""

    stamp: str
    path: Path = field(compare=False)

    def remove(self) -> None:
        """Remove it with its journal and the frames that it annotates, and folders that this leaves empty."""
        frames = frames_of(self.path)
        for path in (self.path, journal_of(self.path), *filter(is_frame, frames.glob("*.jpg"))):
            with suppress(OSError):
                path.unlink()
        hours = self.path.parents[:2] if is_timed(self.path) else ()
        remove_empty([frames, *hours])


def own_files(output: Path) -> Iterator[OwnFile]:
    """Yield the files of an output but for its newest, the oldest first; read the folders as they are needed.

    Args:
        output: a file that others were rotated from, or a folder of frames.
    """
    older = _frames(output) if output.is_dir() else _rotated(output)
    return _all_but_last(older)


def _rotated(file: Path) -> Iterator[OwnFile]:
    names = (path for path in file.parent.glob(f"{escape(file.stem)}_*{escape(file.suffix)}"))
    own = (path for path in names if is_stamped(file, path.name) and not path.is_symlink())
    return iter(sorted(OwnFile(stamp_of(path), path) for path in own))


def _frames(folder: Path) -> Iterator[OwnFile]:
    for day in sorted(path for path in folder.iterdir() if _DAY.fullmatch(path.name)):
        for hour in sorted(path for path in day.iterdir() if _HOUR.fullmatch(path.name)):
            yield from sorted(OwnFile(stamp_of(path), path) for path in hour.iterdir() if is_timed(path))


def _all_but_last(files: Iterator[OwnFile]) -> Iterator[OwnFile]:
    held = next(files, None)
    for file in files:
        if held is not None:
            yield held
        held = file
