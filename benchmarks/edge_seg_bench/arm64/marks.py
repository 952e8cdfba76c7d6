"""What the emulated program and the plugin instruction_counter.c agree on."""

import re

MARK = 0x65736567  # the first argument of prctl(2); no option of Linux
BEGIN, END = 0, 1

_LINE = re.compile(r"mark (\d+) (\d+)", re.ASCII)


def instructions_between(log: str) -> tuple[int, ...]:
    """Return the instructions from each BEGIN to the END after it, from the plugin's lines in QEMU's log."""
    marks = [(int(found[1]), int(found[2])) for found in map(_LINE.fullmatch, log.splitlines()) if found]
    return tuple(count for label, count in marks if label == END)
