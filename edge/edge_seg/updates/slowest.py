"""How slow a new model may be: so many milliseconds, or so many times the model that runs."""

import re
from dataclasses import dataclass

from edge_seg.durations import parse_duration
from edge_seg.errors import EdgeSegError, UpdateError


@dataclass(frozen=True)
class Slowest:
    """What a user allows; spelled as it is typed."""

    text: str
    ms: float | None = None
    times: float | None = None
    """Of the time that the model before takes."""

    def __str__(self) -> str:
        return self.text


def parse_slowest(text: str) -> Slowest:
    """Read "1.5x" or "50ms".

    Raises:
        UpdateError: anything else, or not above zero.
    """
    word = text.strip().lower()
    times = re.fullmatch(r"(\d+(?:\.\d+)?)\s*[x×]", word)
    if times and float(times[1]) > 0:
        return Slowest(text, times=float(times[1]))
    try:
        if not word.endswith("s"):  # a bare number could be either
            raise EdgeSegError
        return Slowest(text, ms=parse_duration(word) * 1000)
    except EdgeSegError:
        raise UpdateError(
            f"'{text}' does not say how slow a model may be; write milliseconds, as in 50ms, or a multiple of the "
            "model that runs, as in 1.5x"
        ) from None


def limit_ms(slowest: Slowest | None, manifest_ms: float | None, before_ms: float | None) -> float | None:
    """Return the milliseconds that one inference may take; None where nothing limits it.

    Args:
        slowest: what the user allows.
        manifest_ms: what the model's manifest promises.
        before_ms: what the model before takes in the same place; None where there is none.
    """
    limits = [manifest_ms]
    if slowest is not None:
        limits.append(slowest.ms)
        limits.append(slowest.times * before_ms if slowest.times and before_ms else None)
    return min((limit for limit in limits if limit is not None), default=None)
