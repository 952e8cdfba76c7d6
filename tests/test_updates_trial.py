"""The parts of an update that need no camera: what is too slow, what the first frames say, and the trial's process."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from device_fixtures import FakeEngine, spec
from edge_seg.errors import UpdateError
from edge_seg.loading import Loading
from edge_seg.runtimes import DEFAULT_RUNTIME
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.updates.probation import FrameProbation
from edge_seg.updates.slowest import Slowest, limit_ms, parse_slowest
from edge_seg.updates.trial import TrialReport, TrialTask, run_trial
from edge_seg.updates.trial_process import examine, misfit
from untrustworthy_models import crashing
from update_fixtures import GOLDEN
from updating_camera import FAST, golden, loaded, path_of


@pytest.mark.parametrize(
    ("text", "ms", "times"),
    [("1.5x", None, 1.5), ("2 x", None, 2.0), ("3×", None, 3.0), ("50ms", 50.0, None), ("0.2s", 200.0, None)],
)
def test_how_slow_a_model_may_be_is_written_as(text: str, ms: float | None, times: float | None) -> None:
    assert parse_slowest(text) == Slowest(text, ms, times)
    assert str(parse_slowest(text)) == text


@pytest.mark.parametrize("text", ["50", "0x", "x", "-1ms", "1h", "fast", ""])
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UpdateError, match=r"50ms.*1\.5x"):
        parse_slowest(text)


@pytest.mark.parametrize(
    ("slowest", "manifest_ms", "before_ms", "limit"),
    [
        (None, None, 20.0, None),
        (None, 40.0, 20.0, 40.0),
        (Slowest("1.5x", times=1.5), None, 20.0, 30.0),
        (Slowest("1.5x", times=1.5), 25.0, 20.0, 25.0),
        (Slowest("1.5x", times=1.5), None, None, None),
        (Slowest("50ms", ms=50.0), 80.0, None, 50.0),
    ],
)
def test_the_tightest_limit_counts(slowest, manifest_ms, before_ms, limit) -> None:
    assert limit_ms(slowest, manifest_ms, before_ms) == limit


def test_what_a_trial_measured_is_carried_over_to_the_camera() -> None:
    report = TrialReport(agreement=1.0, candidate_ms=60.0, running_ms=40.0)
    assert report.expected_ms(camera_ms=20.0) == 30.0
    assert report.expected_ms(camera_ms=None) == 60.0
    assert TrialReport(candidate_ms=60.0).expected_ms(camera_ms=20.0) == 60.0


def answered(probation: FrameProbation, *latencies_ms: float) -> None:
    for latency_ms in latencies_ms:
        probation.answered(Segmentation(np.zeros((2, 2), np.uint8), (), 0.0, latency_ms, 0.0))


def test_a_model_is_kept_after_so_many_frames() -> None:
    probation = FrameProbation(frames=60, limit_ms=50.0)
    answered(probation, *[20.0] * 59)
    assert not probation.decided.is_set()
    answered(probation, 20.0)
    assert probation.decided.is_set()
    assert probation.reason is None


@pytest.mark.parametrize(
    ("fast", "slow", "kept"), [(100, 0, True), (30, 70, True), (11, 89, True), (9, 91, False), (0, 100, False)]
)
def test_some_slow_frames_are_the_systems_doing_and_nearly_all_the_models(fast: int, slow: int, kept: bool) -> None:
    probation = FrameProbation(frames=100, limit_ms=50.0)
    answered(probation, *[20.0] * fast, *[60.0] * slow)
    assert probation.decided.is_set()
    assert probation.reason == (None if kept else "it takes 60.0 ms in the camera, and 50.0 ms are allowed")


def test_the_first_decision_holds() -> None:
    probation = FrameProbation(frames=500)
    probation.failed(RuntimeError("Node 3\nfailed"))
    answered(probation, *[20.0] * 600)
    assert probation.reason == "it failed on a frame (Node 3 failed)"


def test_a_trial_stands_back_for_the_camera(tmp_path: Path) -> None:
    code = (
        "import os, resource, signal\n"
        "from pathlib import Path\n"
        "from edge_seg.updates.trial_process import _bound_memory, _stand_back\n"
        "_stand_back(100)\n"
        "import numpy as np\n"
        "from edge_seg.doctor.kernel_files import memory_bytes\n"
        "_bound_memory()\n"
        "available = memory_bytes('MemAvailable')\n"
        "np.empty(available // 4, np.uint8)\n"
        "try:\n"
        "    np.empty(available * 3 // 4, np.uint8)\n"
        "except MemoryError:\n"
        "    print('bounded')\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0), Path('/proc/self/oom_score_adj').read_text().strip())\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), 0 < signal.alarm(0) <= 101)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    niceness = max(10, os.getpriority(os.PRIO_PROCESS, 0))
    assert done.stdout.splitlines() == ["bounded", f"{niceness} 1000", "(0, 0) True"]


def task(model: Path) -> TrialTask:
    loading = Loading(runtime=DEFAULT_RUNTIME)
    return TrialTask(candidate=model, running=None, classes=("a", "b"), golden=GOLDEN, loading=loading)


def test_a_trial_ends_with_the_camera(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(crashing())
    stop = threading.Event()
    stop.set()
    assert run_trial(task(tmp_path / "model.tflite"), stop) is None


@pytest.mark.parametrize(
    ("script", "limit_s", "words"),
    [
        ("kill -SEGV $$", 20.0, "its trial ended with SIGSEGV (often: a damaged model, or one that needs more memory"),
        ("kill -KILL $$", 20.0, "its trial ended with SIGKILL (often"),
        ("kill -40 $$", 20.0, "its trial ended with signal 40 (often"),
        ("exit 3", 20.0, "its trial ended with exit code 3"),
        ("exec sleep 60", 0.3, "its trial did not end within 0 s"),
    ],
)
def test_how_a_trial_ended_is_told(
    script: str, limit_s: float, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.tflite").write_bytes(b"")
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    report = run_trial(task(tmp_path / "model.tflite"), threading.Event(), limit_s=limit_s)
    assert report is not None
    assert f"{report.refusal}".startswith(words)


def test_a_process_that_cannot_be_started_says_nothing_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    with pytest.raises(UpdateError, match="cannot be started"):
        run_trial(task(tmp_path / "model.tflite"), threading.Event())


def test_nothing_of_the_working_folder_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pydantic.py").write_text("raise SystemExit(3)")
    (tmp_path / "model.tflite").write_bytes(b"no model")
    monkeypatch.chdir(tmp_path)
    report = run_trial(task(tmp_path / "model.tflite"), threading.Event())
    assert report is not None
    assert "not a TFLite model" in f"{report.refusal}"


def test_a_file_that_vanished_says_nothing_of_the_model(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match=r"model\.tflite: is gone"):
        run_trial(task(tmp_path / "model.tflite"), threading.Event())


def test_a_damaged_file_of_the_model_that_runs_says_nothing_of_the_new_one(tmp_path: Path) -> None:
    (tmp_path / "running.tflite").write_bytes(b"no model")
    names = tuple(item.name for item in loaded(FAST).classes)
    asked = task(path_of(FAST)).model_copy(
        update={"running": tmp_path / "running.tflite", "classes": names, "golden": golden(FAST)}
    )
    report = examine(asked)
    assert report.refusal is None
    assert report.candidate_ms > 0
    assert report.running_ms is None


@pytest.mark.parametrize(("needs_scores", "words"), [(False, None), (True, "--smooth and --collect need scores")])
def test_class_ids_are_refused_where_scores_are_needed(needs_scores: bool, words: str | None, tmp_path: Path) -> None:
    engine = FakeEngine([spec((1, 8, 8, 3))], [spec((1, 8, 8, 1), "uint8")], lambda image: image[..., 0] // 255)
    ids = Segmenter(engine, name="ids", labels=("a", "b"))
    found = misfit(ids, task(tmp_path).model_copy(update={"needs_scores": needs_scores}))
    assert found is None if words is None else words in f"{found}"
