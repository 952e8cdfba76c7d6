"""The device's model against the tutorial's network: same runtime, own processes, interleaved."""

from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.assembly import assemble
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import Candidate, measure_candidates
from edge_seg_bench.results import Board, Settings

_SETTINGS = Settings(
    runtimes=("litert",),
    threads=(1,),
    runs=100,
    seconds=3.0,
    warmup_seconds=2.0,
    limit_seconds=20.0,
    rounds=12,
    seed=0,
)


def compare_models(reference: Path, model: Path) -> Board:
    """Measure both; the one comparison is reference over model.

    Raises:
        BenchmarkError: one of them could not be measured.
    """
    candidates = [Candidate(path, "litert") for path in (reference, model)]
    board = assemble(measure_candidates(candidates, _SETTINGS), _SETTINGS, describe_machine())
    for row in board.rows:
        if row.error is not None:
            raise BenchmarkError(f"{row.model}: {row.error}")
    if board.comparisons[0].reference != board.rows[0].key:
        raise BenchmarkError(f"{model}: a float32 model; compare the tutorial's network with the int8 one")
    return board
