"""Statistics of latency samples: known values, and intervals that say what they should."""

from dataclasses import astuple

import numpy as np
import pytest

from edge_seg_bench.statistics import (
    Samples,
    interval_of_block_median,
    is_stable,
    median_absolute_deviation,
    median_interval,
    ratio_of_independent_medians,
    ratio_of_medians,
    summarise,
)


def latencies(runs: int, *, centre: float = 4.0, seed: int = 0) -> Samples:
    return centre * np.random.default_rng(seed).lognormal(0, 0.1, runs)


def blocks(samples: Samples, rounds: int = 10) -> list[Samples]:
    return list(np.array_split(samples, rounds))


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([3.0], (3, 3, 3, 3, 3, 0)),
        ([1.0, 2.0, 3.0, 4.0, 5.0], (1, 3, 3, 4.6, 4.96, 1)),
        ([5.0, 1.0, 4.0, 2.0, 3.0], (1, 3, 3, 4.6, 4.96, 1)),
        ([1.0, 1.0, 1.0, 101.0], (1, 26, 1, 71, 98, 0)),
    ],
)
def test_summary_of_known_samples(samples: list[float], expected: tuple[float, ...]) -> None:
    """Expected: min, mean, p50, p90, p99, MAD."""
    runs, *values = astuple(summarise(np.array(samples)))
    assert runs == len(samples)
    assert values == pytest.approx(expected)


def test_summary_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one sample"):
        summarise(np.array([]))


def test_mad_ignores_one_wild_sample() -> None:
    assert median_absolute_deviation(np.array([1.0, 2.0, 3.0, 4.0, 1e6])) == 1.0


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "no difference"), (2.0, "faster"), (0.5, "slower"), (1.2, "faster")]
)
def test_ratio_of_scaled_samples_is_the_factor(factor: float, verdict: str) -> None:
    reference, other = latencies(400, seed=1) * factor, latencies(400, seed=2)
    ratio = ratio_of_medians(blocks(reference), blocks(other), resamples=500)
    assert ratio.ratio == pytest.approx(factor, rel=0.05)
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low <= factor <= ratio.high
    assert ratio.verdict == verdict


def test_identical_samples_cover_one() -> None:
    same = blocks(latencies(200))
    ratio = ratio_of_medians(same, same, resamples=300)
    assert ratio.ratio == 1.0
    assert ratio.verdict == "no difference"


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = blocks(latencies(100, seed=1)), blocks(latencies(100, seed=2))
    assert ratio_of_medians(first, second, resamples=200, seed=7) == ratio_of_medians(
        first, second, resamples=200, seed=7
    )


def test_drift_that_both_models_share_does_not_widen_the_interval() -> None:
    """Halfway through, the machine becomes three times slower; paired rounds see it in both models."""
    drift = [1.0, 1.1, 1.3, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0]
    reference = [2 * slow * block for slow, block in zip(drift, blocks(latencies(400, seed=1)), strict=True)]
    other = [slow * block for slow, block in zip(drift, blocks(latencies(400, seed=2)), strict=True)]
    paired = ratio_of_medians(reference, other, resamples=500)
    unpaired = ratio_of_medians(reference, [*other[:-1], *np.array_split(other[-1], 2)], resamples=500)
    assert width(paired) < 0.5 * width(unpaired)


def test_two_sessions_share_no_rounds() -> None:
    drift = [1.0, 1.1, 1.3, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0]
    reference = [2 * slow * block for slow, block in zip(drift, blocks(latencies(400, seed=1)), strict=True)]
    other = [slow * block for slow, block in zip(drift, blocks(latencies(400, seed=2)), strict=True)]
    paired = ratio_of_medians(reference, other, resamples=500)
    independent = ratio_of_independent_medians(reference, other, resamples=500)
    assert independent.ratio == paired.ratio
    assert width(paired) < 0.5 * width(independent)


@pytest.mark.parametrize("sizes", [(5, 5, 5), (1, 9, 3), (1, 1, 200)])
def test_blocks_may_differ_in_size(sizes: tuple[int, ...]) -> None:
    assert interval_of_block_median([np.full(size, 3.0) for size in sizes]) == (3.0, 3.0)


def test_a_short_block_weighs_as_much_as_it_holds() -> None:
    """One draw in four holds the short block alone."""
    assert interval_of_block_median([np.full(1, 1.0), np.full(99, 9.0)], confidence=0.4) == (9.0, 9.0)


def test_draws_in_parts_are_of_the_same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    some = blocks(latencies(200))
    whole = interval_of_block_median(some)
    monkeypatch.setattr("edge_seg_bench.statistics._MOST_DRAWN_AT_ONCE", 1000)
    assert interval_of_block_median(some) == pytest.approx(whole, rel=0.02)


def width(ratio: object) -> float:
    return ratio.high - ratio.low  # type: ignore[attr-defined]


def test_samples_within_a_block_are_not_independent_evidence() -> None:
    """Four blocks of 100 equal samples are four observations, not 400: the interval stays wide."""
    reference = [np.full(100, value) for value in (1.0, 2.0, 3.0, 4.0)]
    other = [np.full(100, value) for value in (4.0, 3.0, 2.0, 1.0)]
    assert ratio_of_medians(reference, other, resamples=500).verdict == "no difference"
    assert width(ratio_of_medians(reference, other, resamples=500)) > 1


@pytest.mark.parametrize(("first", "second"), [(1, 50), (50, 4), (2, 2)])
def test_too_few_runs_give_a_ratio_without_interval(first: int, second: int) -> None:
    ratio = ratio_of_medians([latencies(first)], [latencies(second)])
    assert (ratio.low, ratio.high, ratio.verdict) == (None, None, "too few runs")


def test_interval_of_a_median_covers_it() -> None:
    low, high = median_interval(np.array([1.0, 1.1, 1.2, 1.3, 9.0]))
    assert low <= 1.2 <= high
    assert median_interval(np.full(5, 2.0)) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("medians", "stable"),
    [
        ([], False),
        ([4.0, 4.0], False),
        ([4.0, 4.0, 4.1], True),
        ([4.0, 4.0, 4.2], False),
        ([9.0, 4.1, 4.0, 4.05], True),
        ([4.0, 4.0, 4.0, 9.0], False),
    ],
)
def test_warm_up_is_over_when_the_last_windows_agree(medians: list[float], stable: bool) -> None:
    assert is_stable(medians) is stable
