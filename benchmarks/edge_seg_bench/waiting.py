"""Waiting for what happens elsewhere."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], timeout_s: float) -> float | None:
    """Return after how many seconds a condition came true; None when it did not in time."""
    started = time.monotonic()
    while time.monotonic() - started < timeout_s:
        if condition():
            return time.monotonic() - started
        time.sleep(0.1)
    return None
