"""How figures are written, wherever they stand: milliseconds, threads, ratios with their intervals."""

from collections.abc import Callable

from edge_seg_bench.statistics import LatencySummary, RatioInterval

NONE = "–"
"""What stands where there is nothing to say."""


def ms(value: float) -> str:
    """Format milliseconds with three significant digits and no exponent."""
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}"


def latency_words(latency: LatencySummary) -> str:
    """Return the median and the median absolute deviation, e.g. "4.00 ± 0.12", in milliseconds."""
    return f"{ms(latency.p50_ms)} ± {ms(latency.mad_ms)}"


def thread_words(threads: int) -> str:
    """Return "1 thread" or e.g. "2 threads"."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def ratio_words(ratio: RatioInterval, words: Callable[[float], str], unit: str = "") -> str:
    """Return e.g. "2.1 × [2.0, 2.2]", or "2.1 ×" without an interval; `words` writes a number, `unit` follows it."""
    told = f"{words(ratio.ratio)}{unit}"
    return told if ratio.low is None or ratio.high is None else f"{told} [{words(ratio.low)}, {words(ratio.high)}]"
