"""What files of single frames are called.

A frame of a picture file or of a video goes by its name. A camera counts from 0 in every run and
never ends: its frames are named after their time, in a folder for each hour.

    overlays/photo.jpg
    overlays/2026-11-25/11/camera0_20261125T110500.123Z.jpg
"""

import re
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path

from edge_seg.sinks.faults import check_output
from edge_seg.sinks.rotation import time_stamp
from edge_seg.sources.frame import Frame

_COUNTED = re.compile(r".+_\d{6,}")
_OWN = re.compile(r".+_(\d{4})(\d\d)(\d\d)T(\d\d)\d{4}\.\d{3}Z(_\d+)?\.(jpg|png)")
_REMEMBERED = 200


class FrameNames:
    """Names the files of one folder; two frames of one stem (a.jpg, a.png) keep their suffix apart."""

    def __init__(self, folder: Path, suffix: str, *, live: bool) -> None:
        """Name files of `folder`, with `suffix`, of the frames of a camera or of files."""
        self._folder, self._suffix, self._live = folder, suffix, live
        self._given: OrderedDict[str, None] = OrderedDict()
        check_output(folder, folder)

    def path_of(self, frame: Frame) -> Path:
        """Return where the frame's file goes."""
        folder = self._folder / hour_folder(frame.captured_at) if self._is_timed(frame) else self._folder
        return folder / f"{self.stem_of(frame)}{self._suffix}"

    def stem_of(self, frame: Frame) -> str:
        """Return what the frame's file is called, without folder and suffix."""
        if self._is_timed(frame):
            return self._once(timed_name(frame.name.rpartition("_")[0], frame.captured_at), frame)
        return self._once(Path(frame.name).stem, frame)

    def _is_timed(self, frame: Frame) -> bool:
        return self._live and _COUNTED.fullmatch(frame.name) is not None

    def _once(self, stem: str, frame: Frame) -> str:
        """Tell frames of one stem apart. Names come sorted or in time, so that the latest are enough to remember."""
        if stem in self._given:
            stem = f"{stem}_{frame.index}" if self._live else Path(frame.name).name.replace(".", "_")
        self._given[stem] = None
        if len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return stem


def timed_name(source: str, captured_at: float) -> str:
    """Return the name of a camera's frame: the camera's, and the time to the millisecond in UTC."""
    return f"{source}_{time_stamp(captured_at, milliseconds=True)}"


def hour_folder(captured_at: float) -> Path:
    """Return the folder of an hour: 2026-11-25/11, in UTC."""
    return Path(f"{datetime.fromtimestamp(captured_at, UTC):%Y-%m-%d/%H}")


def is_frame(path: Path) -> bool:
    """True for a picture that `FrameNames` named after a camera's or a video's frame."""
    return bool(_OWN.fullmatch(path.name) or _COUNTED.fullmatch(path.stem))


def is_timed(path: Path) -> bool:
    """True for a file that `FrameNames` named after its time, in the folder of that hour."""
    match = _OWN.fullmatch(path.name)
    return match is not None and path.parent.parts[-2:] == (f"{match[1]}-{match[2]}-{match[3]}", match[4])
