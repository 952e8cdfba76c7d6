"""What a results file says of models beyond latency, and the notes where that is not to be had."""

import json

import pytest
from typer.testing import CliRunner

from edge_seg.shipped import default_model
from edge_seg_bench import model_study
from edge_seg_bench.cli import bench
from edge_seg_bench.model_study import with_profiles, with_work
from edge_seg_bench.results import Board, Peak, Results
from edge_seg_bench.work import count_work
from test_bench_results import board, model, row

PEAK = Peak(precision="int8", threads=1, macs_per_s=1e9, bytes_per_s=1e9, cache_bytes_per_s=1e9)


def shipped_and_absent() -> Board:
    """A model that was measured, one that was and is gone, and one that failed and must not be loaded again."""
    models = (
        model("pets", "int8", path=str(default_model())),
        model("absent", "int8"),
        model("failed", "int8", path=str(default_model())),
    )
    rows = (row("pets", None, runtime="tflite_runtime"), row("pets", 2.0), row("absent", 2.0), row("failed", None))
    return board(rows=rows, models=models)


def test_work_and_its_absence() -> None:
    pets, absent, failed = with_work(shipped_and_absent()).models
    assert (pets.work, pets.notes) == (count_work(default_model()), ())
    assert absent.work is None
    assert "/models/absent.tflite: no such model file" in absent.notes[0]
    assert (failed.work, failed.notes) == (None, ())


def test_profile_and_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_study, "measure_peaks", lambda *_arguments: (PEAK,))
    studied = with_profiles(shipped_and_absent())
    pets, absent, failed = studied.models
    assert studied.peaks == (PEAK,)
    assert pets.profile is not None
    assert pets.profile.total_ms > 0
    assert absent.profile is None
    assert "/models/absent.tflite: no such model file" in absent.notes[0]
    assert (failed.profile, failed.notes) == (None, ())


def test_bench_counts_work() -> None:
    arguments = [str(default_model()), "--runs", "6", "--seconds", "0", "--warmup", "0", "--json"]
    told = CliRunner().invoke(bench, arguments)
    assert told.exit_code == 0, told.output
    found = Results.model_validate(json.loads(told.stdout)).boards[0]
    assert found.models[0].work == count_work(default_model())
    assert (found.models[0].profile, found.peaks) == (None, ())
