"""The device's model against the tutorial's network: same runtime, own processes, interleaved."""

from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.assembly import assemble
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import measure_models
from edge_seg_bench.results import Results, Settings

_SETTINGS = Settings(
    runtime="litert",
    threads=1,
    runs=100,
    seconds=3.0,
    warmup_seconds=2.0,
    limit_seconds=20.0,
    rounds=12,
    seed=0,
)


def compare_models(reference: Path, model: Path) -> Results:
    """Measure both; the one comparison is reference over model.

    Raises:
        BenchmarkError: one of them could not be measured.
    """
    results = assemble(measure_models([reference, model], _SETTINGS), _SETTINGS, describe_machine())
    for row in results.rows:
        if row.error is not None:
            raise BenchmarkError(f"{row.name}: {row.error}")
    if results.comparisons[0].reference != results.rows[0].name:
        raise BenchmarkError(f"{model}: a float32 model; compare the tutorial's network with the int8 one")
    return results
