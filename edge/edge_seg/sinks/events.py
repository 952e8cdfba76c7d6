"""JSON lines: what was seen, one flat object per frame.

time            ISO 8601, UTC, when the frame was captured
frame           the frame's index in its source
name            the frame's name
width, height   pixels
preprocess_ms, invoke_ms, postprocess_ms
share_<class>   share of the picture's area, 0 to 1, one key per class; spaces become underscores
"""

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from edge_seg.segmenter import Segmentation
from edge_seg.sinks.faults import sink_error
from edge_seg.sources.frame import Frame


class EventsSink:
    """Appends to a .jsonl file, line by line; a line is flushed before the next frame is looked at."""

    needs_main_thread = False

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a line is one write, so a full disk is told at once and close has nothing to say.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise sink_error(path, error) from None

    def write(self, frame: Frame, segmentation: Segmentation) -> None:
        """Append one line; a line that does not fit on the disk is taken back."""
        line = (json.dumps(event(frame, segmentation), ensure_ascii=False) + "\n").encode()
        try:
            written = self._file.write(line)
            if written != len(line):
                self._file.truncate(self._file.tell() - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise sink_error(self._path, error) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def event(frame: Frame, segmentation: Segmentation) -> dict[str, str | int | float]:
    """Return one frame's flat record; see this module's docstring for the keys."""
    height, width = segmentation.class_map.shape
    return {
        "time": datetime.fromtimestamp(frame.captured_at, UTC).isoformat(timespec="milliseconds"),
        "frame": frame.index,
        "name": frame.name,
        "width": width,
        "height": height,
        "preprocess_ms": round(segmentation.preprocess_ms, 3),
        "invoke_ms": round(segmentation.invoke_ms, 3),
        "postprocess_ms": round(segmentation.postprocess_ms, 3),
        **{f"share_{name.replace(' ', '_')}": round(share, 5) for name, share in segmentation.area_share.items()},
    }
