"""Spans of time as people write them on a command line."""

import re

from edge_seg.errors import EdgeSegError

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> float:
    """Read "500ms", "60s", "5m", "1h" or "2d" as seconds; a bare number is seconds.

    Raises:
        EdgeSegError: anything else, or not above zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)\s*(ms|s|m|min|h|d)?", text.strip().lower())
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if seconds <= 0:
        raise EdgeSegError(f"'{text}' is no span of time above zero; write one like 500ms, 60s, 5m or 1h")
    return seconds
