"""Statistics of latency samples: pure functions of arrays.

Latency is skewed and drifts, so everything rests on medians. A comparison is a ratio of medians with a
percentile bootstrap interval (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13).
Samples of one block resemble each other more than samples of different blocks: whole blocks are drawn first,
then samples within each (the two-stage bootstrap of Davison & Hinkley 1997, section 3.8). Models measured in
the same rounds draw the same rounds, so that a drift both have seen cancels out.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

Samples = NDArray[np.float64]
Blocks = Sequence[Samples]
Verdict = Literal["faster", "slower", "no difference", "too few runs"]

MIN_RUNS_FOR_INTERVAL = 5


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class LatencySummary:
    """Milliseconds of `runs` invocations; `mad_ms` is their median absolute deviation, unscaled."""

    runs: int
    min_ms: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    mad_ms: float


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RatioInterval:
    """A ratio of medians and its bootstrap interval; low and high are None with too few runs."""

    ratio: float
    low: float | None
    high: float | None
    confidence: float = 0.95

    @property
    def verdict(self) -> Verdict:
        """What the ratio says of its denominator: "faster" when the whole interval is above 1."""
        if self.low is None or self.high is None:
            return "too few runs"
        if self.low > 1:
            return "faster"
        return "slower" if self.high < 1 else "no difference"


def median_absolute_deviation(samples: Samples) -> float:
    """Return the median of |x − median(x)|, unscaled."""
    return float(np.median(np.abs(samples - np.median(samples))))


def summarise(samples_ms: Samples) -> LatencySummary:
    """Summarise one or more samples; percentiles interpolate linearly.

    Raises:
        ValueError: no sample.
    """
    if samples_ms.size == 0:
        raise ValueError("a summary needs one sample or more")
    p50, p90, p99 = (float(value) for value in np.percentile(samples_ms, (50, 90, 99)))
    return LatencySummary(
        runs=samples_ms.size,
        min_ms=float(samples_ms.min()),
        mean_ms=float(samples_ms.mean()),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        mad_ms=median_absolute_deviation(samples_ms),
    )


def ratio_of_medians(
    numerator: Blocks, denominator: Blocks, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> RatioInterval:
    """Return median(numerator) / median(denominator) with its bootstrap interval.

    Args:
        numerator: samples in blocks, one block per round.
        denominator: the same; with as many blocks as the numerator, blocks of the same index are one round.
        resamples: bootstrap replicates.
        confidence: share of replicates inside the interval.
        seed: of the random generator; the same samples give the same interval.
    """
    ratio = float(np.median(np.concatenate(numerator)) / np.median(np.concatenate(denominator)))
    if min(_runs(numerator), _runs(denominator)) < MIN_RUNS_FOR_INTERVAL:
        return RatioInterval(ratio, None, None, confidence)
    generator = np.random.default_rng(seed)
    replicates = [_replicate(numerator, denominator, generator) for _ in range(resamples)]
    tail = 50 * (1 - confidence)
    low, high = np.percentile(replicates, (tail, 100 - tail))
    return RatioInterval(ratio, float(low), float(high), confidence)


def median_interval(
    samples: Samples, *, resamples: int = 4000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median of independent samples."""
    drawn = np.random.default_rng(seed).choice(samples, size=(resamples, samples.size))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(np.median(drawn, axis=1), (tail, 100 - tail))
    return float(low), float(high)


def is_stable(window_medians: Sequence[float], *, tolerance: float = 0.03, windows: int = 3) -> bool:
    """Tell whether the last `windows` medians lie within `tolerance`, a share of the smallest."""
    last = window_medians[-windows:]
    return len(last) == windows and max(last) <= min(last) * (1 + tolerance)


def _replicate(numerator: Blocks, denominator: Blocks, generator: np.random.Generator) -> float:
    rounds = generator.integers(len(numerator), size=len(numerator))
    paired = len(numerator) == len(denominator)
    others = rounds if paired else generator.integers(len(denominator), size=len(denominator))
    return _median_of_draw(numerator, rounds, generator) / _median_of_draw(denominator, others, generator)


def _median_of_draw(blocks: Blocks, rounds: NDArray[np.int64], generator: np.random.Generator) -> float:
    drawn = [_draw(blocks[int(index)], generator) for index in rounds]
    return float(np.median(np.concatenate(drawn)))


def _draw(samples: Samples, generator: np.random.Generator) -> Samples:
    return samples[generator.integers(samples.size, size=samples.size)]


def _runs(blocks: Blocks) -> int:
    return sum(block.size for block in blocks)
