"""JSON lines: what was seen, one flat object per frame.

time            ISO 8601, UTC, when the frame was captured
frame           the frame's index in its source
name            the frame's name
width, height   pixels
age_ms          from capture to result, of cameras and streams only
preprocess_ms, invoke_ms, postprocess_ms
share_<class>   share of the picture's area, 0 to 1, one key per class; spaces become underscores
"""

import errno
import json
import os
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from edge_seg.files import make_folder, remove_empty
from edge_seg.result import Result
from edge_seg.sinks.faults import check_output, sink_error


class EventsSink:
    """Appends to a .jsonl file, line by line; a line is flushed before the next frame is looked at."""

    needs_main_thread = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        check_output(path, path.parent)

    def write(self, result: Result) -> None:
        """Append one line; a line that does not fit on the disk is taken back."""
        line = (json.dumps(event(result), ensure_ascii=False) + "\n").encode()
        try:
            if self._file is None:
                self._file = self._begin(line)
            else:
                _append(self._file, line)
        except OSError as error:
            raise sink_error(self._path, error) from None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _begin(self, line: bytes) -> FileIO:
        """Open the file and append its first line; a file that cannot hold even that is removed again."""
        made, is_new = make_folder(self._path.parent), not self._path.exists()
        # Unbuffered: a line is one write, so a full disk is told at once and close has nothing to say.
        file = self._path.open("ab", buffering=0)
        try:
            _append(file, line)
        except OSError:
            file.close()
            if is_new:
                self._path.unlink()
                remove_empty(made)
            raise
        return file


def _append(file: FileIO, line: bytes) -> None:
    written = file.write(line)
    if written != len(line):
        file.truncate(file.tell() - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def event(result: Result) -> dict[str, str | int | float]:
    """Return one frame's flat record; see this module's docstring for the keys."""
    frame, segmentation = result.frame, result.segmentation
    height, width = segmentation.class_map.shape
    return {
        "time": datetime.fromtimestamp(frame.captured_at, UTC).isoformat(timespec="milliseconds"),
        "frame": frame.index,
        "name": frame.name,
        "width": width,
        "height": height,
        **({"age_ms": round(result.age_ms, 1)} if result.age_ms > 0 else {}),
        "preprocess_ms": round(segmentation.preprocess_ms, 3),
        "invoke_ms": round(segmentation.invoke_ms, 3),
        "postprocess_ms": round(segmentation.postprocess_ms, 3),
        **{f"share_{name.replace(' ', '_')}": round(share, 5) for name, share in segmentation.area_share.items()},
    }
