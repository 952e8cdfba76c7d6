"""Letting the inference thread go first.

With fewer cores than busy threads the scheduler takes inference off its core whenever a frame arrives, a result is
finished or a line is written. On two cores that cost a tenth of the frame rate. The other threads wait for
inference anyway, so that they lose nothing by stepping back.
"""

import os
import sys
import threading
from contextlib import suppress

STEPS_BACK = 6
"""In units of nice(1). On two cores 0, 3, 6 and 10 cost 1.17, 1.16, 1.09 and 1.10 times the bare model; beside another
program that wants a whole core, 3 is a tenth better than 6 and 10."""

_LOWEST = 19


def step_back() -> None:
    """Lower the calling thread's priority; does nothing but on Linux, where nice(1) is of threads.

    A sandbox that forbids it loses that tenth and nothing else.
    """
    if sys.platform.startswith("linux"):
        thread = threading.get_native_id()
        with suppress(PermissionError):
            nice = os.getpriority(os.PRIO_PROCESS, thread) + STEPS_BACK
            os.setpriority(os.PRIO_PROCESS, thread, min(nice, _LOWEST))
