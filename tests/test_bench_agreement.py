"""Our latency and that of litert-benchmark, the command that ai-edge-litert brings, agree within 5 %.

Both time the same kernels, each in a process of its own. What differs: we time `Interpreter.invoke()`, it times
`CompiledModel.run_by_name()`, which also binds the buffers of inputs and outputs; neither times the copy of an input
or of an output. Both are told the number of threads (its default is 1, as ours), both have warmed up, and neither keeps
XNNPACK's packed weights in a file. It tells its median in hundredths of a millisecond.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from edge_seg.shipped import default_model, shipped_model
from edge_seg_bench.messages import Block, BlockDone, Load, Loaded
from edge_seg_bench.statistics import median_interval
from edge_seg_bench.worker_process import WorkerProcess

pytest.importorskip("ai_edge_litert.tools.benchmark_litert_model", reason="needs ai-edge-litert")
pytestmark = pytest.mark.timeout(900)

LOW, HIGH = 0.95, 1.05
FEWEST_ROUNDS, MOST_ROUNDS = 6, 24
RUNS, WARMUP_RUNS = 150, 20
TIMEOUT_S = 120.0

Verdict = Literal["agree", "differ", "undecided"]


@dataclass(frozen=True)
class Agreement:
    """Our median over theirs, of one round each."""

    ratios: tuple[float, ...]

    @property
    def interval(self) -> tuple[float, float]:
        """The bootstrap interval of the median ratio."""
        return median_interval(np.asarray(self.ratios))

    @property
    def verdict(self) -> Verdict:
        """Whether the whole interval lies within 5 %, or outside, or neither."""
        low, high = self.interval
        if low >= LOW and high <= HIGH:
            return "agree"
        return "differ" if high < LOW or low > HIGH else "undecided"

    def __str__(self) -> str:
        low, high = self.interval
        middle = float(np.median(self.ratios))
        return f"ours / theirs {middle:.3f}, interval {low:.3f} to {high:.3f}, {len(self.ratios)} rounds"


def our_median_ms(model: Path, threads: int) -> float:
    with WorkerProcess() as worker:
        worker.ask(Load(str(model), "litert", threads), Loaded, timeout_s=TIMEOUT_S)
        block = Block(RUNS, seconds=0, limit_s=TIMEOUT_S / 2, discard=WARMUP_RUNS)
        return float(np.median(worker.ask(block, BlockDone, timeout_s=TIMEOUT_S).latencies_ms))


def their_median_ms(model: Path, threads: int, folder: Path) -> float:
    result = folder / "result.json"
    options = (f"--num_runs={RUNS}", f"--warmup_runs={WARMUP_RUNS}", f"--num_threads={threads}")
    command = [str(Path(sys.executable).with_name("litert-benchmark")), f"--model={model}", *options]
    subprocess.run([*command, f"--result_json={result}"], check=True, capture_output=True, timeout=TIMEOUT_S)
    return float(json.loads(result.read_text())["latency"]["median_ms"])


def compare(ours: tuple[Path, int], theirs: tuple[Path, int], folder: Path) -> Agreement:
    """Measure in turn, each first in every second round, until the answer is clear or the rounds are up."""
    ratios: list[float] = []
    agreement = Agreement((1.0,))
    while len(ratios) < FEWEST_ROUNDS or (agreement.verdict == "undecided" and len(ratios) < MOST_ROUNDS):
        if len(ratios) % 2:
            their_ms = their_median_ms(*theirs, folder)
            our_ms = our_median_ms(*ours)
        else:
            our_ms = our_median_ms(*ours)
            their_ms = their_median_ms(*theirs, folder)
        ratios.append(our_ms / their_ms)
        agreement = Agreement(tuple(ratios))
    return agreement


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ([0.99, 1.0, 1.01, 1.02, 0.98, 1.0], "agree"),
        ([1.08, 1.07, 1.09, 1.08, 1.06, 1.08], "differ"),
        ([0.9, 0.91, 0.92, 0.9, 0.91, 0.9], "differ"),
        ([0.8, 1.3, 1.0, 0.9, 1.2, 1.0], "undecided"),
    ],
)
def test_verdict(ratios: Sequence[float], verdict: Verdict) -> None:
    assert Agreement(tuple(ratios)).verdict == verdict


def test_agrees_with_litert_benchmark(tmp_path: Path) -> None:
    agreement = compare((default_model(), 1), (default_model(), 1), tmp_path)
    if agreement.verdict == "undecided":
        pytest.skip(f"this machine is too noisy to tell: {agreement}")
    assert agreement.verdict == "agree", agreement


def test_it_would_notice_another_model(tmp_path: Path) -> None:
    agreement = compare((default_model(), 1), (shipped_model("pets-fast"), 1), tmp_path)
    assert agreement.verdict == "differ", agreement
