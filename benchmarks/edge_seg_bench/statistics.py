"""Statistics of latency samples: pure functions of arrays.

Latency is skewed and drifts, so everything rests on medians. A comparison is a ratio of medians with a
percentile bootstrap interval (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13).
Samples of one block resemble each other more than samples of different blocks: whole blocks are drawn first,
then samples within each (the two-stage bootstrap of Davison & Hinkley 1997, section 3.8). Models measured in
the same rounds draw the same rounds, so that a drift both have seen cancels out; measurements of two sessions
share no rounds, and each draws its own.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

Samples = NDArray[np.float64]
Blocks = Sequence[Samples]
Rounds = NDArray[np.int64]
RoundsOfBoth = Callable[[Blocks, Blocks, int, np.random.Generator], tuple[Rounds, Rounds]]
Verdict = Literal["faster", "slower", "no difference", "too few runs"]

MIN_RUNS_FOR_INTERVAL = 5
_MOST_DRAWN_AT_ONCE = 1_000_000


@dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class LatencySummary:
    """Milliseconds of `runs` invocations; `mad_ms` is their median absolute deviation, unscaled."""

    runs: int
    min_ms: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    mad_ms: float


@dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
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
    draw_rounds = _shared_rounds if len(numerator) == len(denominator) else _own_rounds
    return _ratio_interval(numerator, denominator, draw_rounds, resamples, confidence, seed)


def ratio_of_independent_medians(
    numerator: Blocks, denominator: Blocks, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> RatioInterval:
    """Return the same of two sessions, whose blocks were not measured in the same rounds."""
    return _ratio_interval(numerator, denominator, _own_rounds, resamples, confidence, seed)


def interval_of_block_median(
    blocks: Blocks, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return the two-stage bootstrap interval of the median of samples in blocks, in the samples' unit."""
    generator = np.random.default_rng(seed)
    medians = _medians_of_draws(blocks, _draw_rounds(blocks, resamples, generator), generator)
    return _percentile_interval(medians, confidence)


def median_interval(
    samples: Samples, *, resamples: int = 4000, confidence: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the median of independent samples."""
    drawn = np.random.default_rng(seed).choice(samples, size=(resamples, samples.size))
    return _percentile_interval(np.median(drawn, axis=1), confidence)


def is_stable(window_medians: Sequence[float], *, tolerance: float = 0.03, windows: int = 3) -> bool:
    """Tell whether the last `windows` medians lie within `tolerance`, a share of the smallest."""
    last = window_medians[-windows:]
    return len(last) == windows and max(last) <= min(last) * (1 + tolerance)


def _ratio_interval(
    numerator: Blocks, denominator: Blocks, draw_rounds: RoundsOfBoth, resamples: int, confidence: float, seed: int
) -> RatioInterval:
    ratio = float(np.median(np.concatenate(numerator)) / np.median(np.concatenate(denominator)))
    if min(_runs(numerator), _runs(denominator)) < MIN_RUNS_FOR_INTERVAL:
        return RatioInterval(ratio, None, None, confidence)
    generator = np.random.default_rng(seed)
    rounds, others = draw_rounds(numerator, denominator, resamples, generator)
    medians = _medians_of_draws(numerator, rounds, generator)
    replicates = medians / _medians_of_draws(denominator, others, generator)
    return RatioInterval(ratio, *_percentile_interval(replicates, confidence), confidence)


def _percentile_interval(replicates: Samples, confidence: float) -> tuple[float, float]:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(replicates, (tail, 100 - tail))
    return float(low), float(high)


def _shared_rounds(
    numerator: Blocks, denominator: Blocks, resamples: int, generator: np.random.Generator
) -> tuple[Rounds, Rounds]:
    rounds = _draw_rounds(numerator, resamples, generator)
    return rounds, rounds


def _own_rounds(
    numerator: Blocks, denominator: Blocks, resamples: int, generator: np.random.Generator
) -> tuple[Rounds, Rounds]:
    return _draw_rounds(numerator, resamples, generator), _draw_rounds(denominator, resamples, generator)


def _draw_rounds(blocks: Blocks, resamples: int, generator: np.random.Generator) -> Rounds:
    """Return block indices, int64 [resamples, blocks]."""
    return generator.integers(len(blocks), size=(resamples, len(blocks)))


def _medians_of_draws(blocks: Blocks, rounds: Rounds, generator: np.random.Generator) -> Samples:
    """Return the median, [resamples], of as many samples drawn from each of the blocks as it holds."""
    longest = max(block.size for block in blocks)
    at_once = max(1, _MOST_DRAWN_AT_ONCE // (longest * len(blocks)))
    parts = range(0, len(rounds), at_once)
    return np.concatenate([_medians_at_once(blocks, rounds[start : start + at_once], generator) for start in parts])


def _medians_at_once(blocks: Blocks, rounds: Rounds, generator: np.random.Generator) -> Samples:
    """Do so in one array; blocks that are shorter than the longest are filled with NaN, which is sorted last."""
    sizes = np.array([block.size for block in blocks])
    longest = int(sizes.max())
    padded = np.full((len(blocks), longest), np.nan)
    for row, block in zip(padded, blocks, strict=True):
        row[: block.size] = block
    drawn_sizes = sizes[rounds][..., None]
    places = (generator.random((*rounds.shape, longest)) * drawn_sizes).astype(np.int64)
    drawn = padded[rounds[..., None], places]
    drawn[np.arange(longest) >= drawn_sizes] = np.nan
    ordered = np.sort(drawn.reshape(len(rounds), -1), axis=1)
    counts = drawn_sizes.sum(axis=(1, 2))
    every = np.arange(len(rounds))
    return (ordered[every, (counts - 1) // 2] + ordered[every, counts // 2]) / 2


def _runs(blocks: Blocks) -> int:
    return sum(block.size for block in blocks)
