"""What was seen, one record per frame, as JSON lines or as CSV.

time            ISO 8601, UTC, when the frame was captured
frame           the frame's index in its source
name            the frame's name
width, height   pixels
age_ms          from capture to result, of cameras and streams only
preprocess_ms, invoke_ms, postprocess_ms
share_<class>   share of the picture's area, 0 to 1, one key per class; spaces become underscores
"""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from edge_seg.classes import SegmentationClass
from edge_seg.result import Result

_BEFORE_SHARES = ("time", "frame", "name", "width", "height", "age_ms", "preprocess_ms", "invoke_ms", "postprocess_ms")


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
        **{_share_of(name): round(share, 5) for name, share in segmentation.area_share.items()},
    }


def columns(classes: Sequence[SegmentationClass]) -> tuple[str, ...]:
    """Return the keys that a record may have, in order."""
    return (*_BEFORE_SHARES, *(_share_of(item.name) for item in classes))


def cells(result: Result, names: Sequence[str]) -> list[str | int | float]:
    """Return one frame's record as a row under `names`; what it does not have is an empty cell."""
    record = event(result)
    return [record.get(name, "") for name in names]


def json_line(result: Result) -> bytes:
    """Return one frame's record as a line of JSON."""
    return (json.dumps(event(result), ensure_ascii=False) + "\n").encode()


def csv_line(values: Sequence[object]) -> bytes:
    """Return one line of CSV (RFC 4180, with a plain line feed)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()


def _share_of(class_name: str) -> str:
    return f"share_{class_name.replace(' ', '_')}"
