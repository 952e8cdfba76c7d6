"""Roofs: the share of a peak worked out by hand, copies, and the shipped graphs."""

from pathlib import Path

import numpy as np
import pytest

from edge_seg.errors import BenchmarkError
from edge_seg.runtimes import load_engine
from edge_seg_bench import bandwidth
from edge_seg_bench.inputs import random_input
from edge_seg_bench.peak import measure_peaks, peak_for, share_of_peak
from edge_seg_bench.peak_graphs import PRECISIONS, build, peak_graph
from edge_seg_bench.results import Peak, Sampling, Work
from edge_seg_bench.work import count_work

SHORT = Sampling(runs=4, seconds=0.0, warmup_seconds=0.0, limit_seconds=5.0, rounds=2)


def peak(precision: str = "int8", threads: int = 1, gigamacs: float = 100) -> Peak:
    return Peak(
        precision=precision, threads=threads, macs_per_s=gigamacs * 1e9, bytes_per_s=10e9, cache_bytes_per_s=50e9
    )


@pytest.mark.parametrize(
    ("work", "latency_ms", "share", "bound", "memory_share"),
    [
        # 100 M at 100 G/s take 1 ms, 5 MB at 50 GB/s take 0.1 ms.
        ((100e6, 2e6, 3e6), 4.0, 0.25, "arithmetic", 0.125),
        # 1 M take 0.01 ms, 5 MB take 0.1 ms.
        ((1e6, 2e6, 3e6), 0.2, 0.5, "cache", 2.5),
        ((0, 0, 5e6), 0.1, 1.0, "cache", 5.0),
    ],
    ids=["arithmetic", "bytes", "no products"],
)
def test_share_of_peak(
    work: tuple[float, float, float], latency_ms: float, share: float, bound: str, memory_share: float
) -> None:
    macs, weights, activations = (int(value) for value in work)
    counted = Work(macs=macs, weight_bytes=weights, activation_bytes=activations)
    told = share_of_peak(counted, latency_ms, peak())
    assert (told.share, told.memory_share) == pytest.approx((share, memory_share))
    assert told.bound == bound


def test_peak_for_a_precision() -> None:
    peaks = [peak("float32", 1), peak("int8", 1), peak("int8", 2)]
    assert peak_for(peaks, "float16", 1) is peaks[0]
    assert peak_for(peaks, "dynamic", 1) is peaks[1]
    assert peak_for(peaks, "int8", 2) is peaks[2]
    assert peak_for(peaks, "float32", 2) is None
    assert peak_for(peaks, "unknown", 1) is None


@pytest.mark.parametrize("precision", PRECISIONS)
def test_shipped_graphs_are_what_the_module_makes(precision: str) -> None:
    assert peak_graph(precision).read_bytes() == build(precision)
    assert count_work(peak_graph(precision)).macs == 8 * 16 * 16 * 256 * 256


@pytest.mark.parametrize("precision", PRECISIONS)
def test_shipped_graphs_stay_finite_and_are_delegated(precision: str) -> None:
    engine = load_engine(peak_graph(precision))
    engine.set_input(random_input(engine.inputs[0]))
    engine.invoke()
    values = engine.output()
    assert np.isfinite(values).all()
    assert values.any()
    assert [operation.name for operation in engine.operations] == ["CONV_2D"] * 8 + ["DELEGATE"]


def test_measured_peaks() -> None:
    peaks = measure_peaks("litert", (1,), sampling=SHORT)
    assert [(item.precision, item.threads) for item in peaks] == [("float32", 1), ("int8", 1)]
    assert all(min(item.macs_per_s, item.bytes_per_s, item.cache_bytes_per_s) > 1e6 for item in peaks)


def test_a_peak_that_cannot_be_measured_says_why() -> None:
    with pytest.raises(BenchmarkError, match=r"no peak of float32\.tflite, litert, 999 threads: threads must be"):
        measure_peaks("litert", (999,), sampling=SHORT)


@pytest.mark.parametrize(
    ("cache_mib", "memory_mib", "array_mib"), [(0, 4096, 32), (2, 4096, 32), (32, 4096, 128), (32, 512, 64)]
)
def test_memory_arrays_are_beyond_the_cache_and_within_the_memory(
    cache_mib: int, memory_mib: int, array_mib: int
) -> None:
    mib = 1024**2
    assert bandwidth.memory_array_bytes(cache_mib * mib, memory_mib * mib) == array_mib * mib


def test_last_cache(tmp_path: Path) -> None:
    assert bandwidth.last_cache_bytes(tmp_path) == 0
    for index, size in enumerate(["48K", "1024K", "32M"]):
        folder = tmp_path / f"sys/devices/system/cpu/cpu0/cache/index{index}"
        folder.mkdir(parents=True)
        (folder / "size").write_text(f"{size}\n")
    assert bandwidth.last_cache_bytes(tmp_path) == 32 * 1024**2


def test_copies_count_what_is_read_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr(bandwidth, "perf_counter", lambda: float(next(ticks)))  # a copy takes one second
    assert bandwidth.copy_bytes_per_s(1000, threads=1) == 2 * 1000
