"""Workers and the interleaved measurement: with fakes that misbehave, and end to end on the shipped model."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

from edge_seg.errors import BenchmarkError, ModelError
from edge_seg.runtimes import DEFAULT_RUNTIME, TensorSpec
from edge_seg.shipped import default_model
from edge_seg_bench.assembly import assemble, blocks_of
from edge_seg_bench.conditions import Watch
from edge_seg_bench.inputs import random_input
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import Candidate, ModelRun, check_memory, measure_candidates, steps_of
from edge_seg_bench.messages import Block, BlockDone, Finish, Finished, Load, Loaded
from edge_seg_bench.model_files import model_files
from edge_seg_bench.rendering import markdown
from edge_seg_bench.results import Board, Results, Settings
from edge_seg_bench.serving import measure_block, serve
from edge_seg_bench.statistics import ratio_of_medians
from edge_seg_bench.worker import TfliteBackend
from edge_seg_bench.worker_process import WorkerProcess
from fake_firmware import install_vcgencmd

QUICK = Settings(
    runtimes=(DEFAULT_RUNTIME,),
    threads=(1,),
    runs=6,
    seconds=0,
    warmup_seconds=0.01,
    limit_seconds=5,
    rounds=3,
    seed=0,
)

# A worker without a model: `latency_ms` a run; what a test changes is in the template's places.
# Every block is written into one file of all workers, so that a test sees their order and a fake can drift with it.
FAKE = """
import json, os, sys, time
from pathlib import Path
log = Path(__file__).with_name("blocks.log")
blocks = 0
for line in sys.stdin:
    ((kind, fields),) = json.loads(line).items()
    if kind == "Load":
        reply = {loaded}
    elif kind == "Block":
        blocks += 1
        with log.open("a") as lines:
            lines.write({name!r} + "\\n")
        {on_block}
        runs = min(fields["runs"], int(fields["limit_s"] * 1000 / {latency_ms}))
        reply = {{"latencies_ms": [{latency_ms}] * max(1, runs)}}
    else:
        reply = {finished}
    print(json.dumps(reply), flush=True)
"""
FINISHED = Finished(1000, "int8", nodes=10, delegated=9, partitions=1, left_out={"ARG_MAX": 1})
LOADED = Loaded("1.0", 1.0, 2.0, 3.0, [1, 8, 8, 3], "uint8")


@pytest.fixture
def fake_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], WorkerProcess]]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(name: str, *, on_block: str = "pass", latency_ms: float | str = 2.0) -> Callable[[], WorkerProcess]:
        texts = {"loaded": asdict(LOADED), "finished": asdict(FINISHED), "on_block": on_block}
        code = FAKE.format(name=name, latency_ms=latency_ms, **texts)
        (tmp_path / f"{name}.py").write_text(code)
        return lambda: WorkerProcess(name)

    return make


@pytest.fixture
def model() -> Path:
    try:
        return default_model()
    except ModelError as error:
        pytest.skip(str(error))


def measured(
    workers: list[Callable[[], WorkerProcess]],
    settings: Settings = QUICK,
    *,
    watch: Watch | None = None,
    patience_s: float = 60.0,
) -> Board:
    starts = iter(workers)
    candidates = [Candidate(Path(f"model{index}.tflite"), DEFAULT_RUNTIME) for index in range(len(workers))]

    def start_next(_candidate: Candidate) -> WorkerProcess:
        return next(starts)()

    runs = measure_candidates(candidates, settings, start_worker=start_next, watch=watch, patience_s=patience_s)
    return assemble(runs, settings, describe_machine())


def test_fake_workers_are_measured_in_equal_rounds(
    fake_worker: Callable[..., Callable[[], WorkerProcess]],
) -> None:
    board = measured([fake_worker("slow", latency_ms=4.0), fake_worker("fast", latency_ms=2.0)])
    assert [row.error for row in board.rows] == [None, None]
    assert [len(row.measurement.blocks_ms) for row in board.rows if row.measurement] == [3, 3]
    assert [row.measurement.latency.runs for row in board.rows if row.measurement] == [6, 6]
    assert board.comparisons[0].speedup.ratio == 2.0
    assert [model.precision for model in board.models] == ["int8", "int8"]


def test_the_workers_take_turns_in_every_round(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], tmp_path: Path
) -> None:
    settings = QUICK.model_copy(update={"runs": 24, "rounds": 12, "warmup_seconds": 0})
    measured([fake_worker(name) for name in "abc"], settings)
    order = (tmp_path / "blocks.log").read_text().split()
    rounds = [order[start : start + 3] for start in range(0, len(order), 3)]
    assert [sorted(turns) for turns in rounds] == [["a", "b", "c"]] * 12
    assert {turns[0] for turns in rounds} == {"a", "b", "c"}


DRIFT_MS = "2 + 0.05 * len(log.read_text().split())"


def test_a_drift_that_all_see_is_no_difference(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], tmp_path: Path
) -> None:
    settings = QUICK.model_copy(update={"runs": 60, "rounds": 12, "warmup_seconds": 0})
    workers = [fake_worker("first", latency_ms=DRIFT_MS), fake_worker("second", latency_ms=DRIFT_MS)]
    (together,) = measured(workers, settings).comparisons
    assert together.verdict == "no difference"

    (tmp_path / "blocks.log").unlink()
    one_after_the_other = [blocks_of(measured([worker], settings).rows[0]) for worker in workers]
    assert ratio_of_medians(*one_after_the_other).verdict == "slower"


def test_waiting_workers_take_no_processor_time(model: Path) -> None:
    with WorkerProcess() as worker:
        worker.ask(Load(str(model), DEFAULT_RUNTIME, 2), Loaded, timeout_s=120)
        worker.ask(Block(20, 0, 60, 0), BlockDone, timeout_s=120)
        time.sleep(0.1)
        before_ns = processor_time_ns(worker.pid)
        time.sleep(0.4)
        assert processor_time_ns(worker.pid) - before_ns < 20e6


def processor_time_ns(pid: int) -> int:
    """Return the processor time of all threads of a process (/proc/PID/task/TID/schedstat)."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir())


def test_workers_that_do_not_fit_into_memory_are_refused_before_measuring(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], tmp_path: Path
) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemAvailable:  4000 kB\n")
    workers = [fake_worker("one"), fake_worker("two")]
    with pytest.raises(BenchmarkError, match=r"2 rows do not fit into memory side by side: 1 of them leave 4 MB, and"):
        measured(workers, watch=Watch(tmp_path))
    assert not (tmp_path / "blocks.log").exists()
    assert measured(workers[:1], watch=Watch(tmp_path)).rows[0].error is None


@pytest.mark.parametrize(("available_mb", "fits"), [(None, True), (240, True), (239, False)])
def test_a_worker_needs_what_the_biggest_took_and_a_fifth(available_mb: int | None, fits: bool) -> None:
    with WorkerProcess() as worker:
        biggest, other, failed = (
            ModelRun(Candidate(Path("m.tflite"), DEFAULT_RUNTIME), worker, loaded_bytes=size, error=error)
            for size, error in ((200_000_000, None), (50_000_000, None), (900_000_000, "it ended"))
        )
        with nullcontext() if fits else pytest.raises(BenchmarkError, match="2 of them leave 239 MB"):
            check_memory(available_mb and available_mb * 10**6, [biggest, other, failed], wanted=3)


def test_energy_is_shared_out_among_all_runs_of_a_block(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 6 J a block, counted by the processor: two runs that are kept, and the one before them that is not."""
    monkeypatch.setenv("PATH", str(tmp_path))
    counter = write_counter(tmp_path)
    counts = f"Path({str(counter)!r}).write_text(str(int(Path({str(counter)!r}).read_text()) + 6_000_000))"
    settings = QUICK.model_copy(update={"warmup_seconds": 0})
    (row,) = measured([fake_worker("warm", on_block=counts)], settings, watch=Watch(tmp_path)).rows
    assert row.measurement is not None
    assert row.measurement.energy_mj == pytest.approx(2000)


def test_the_energy_of_a_block_begins_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reading the board takes before, here 100 J, is not counted."""
    monkeypatch.setenv("PATH", str(tmp_path))
    counter = write_counter(tmp_path)
    taken_uj = iter([100_000_000])

    def firmware() -> str:
        counter.write_text(str(int(counter.read_text()) + next(taken_uj, 0)))
        return "throttled=0x0"

    with Watch(tmp_path, firmware).block() as seen:
        pass
    assert seen.energy_j == pytest.approx(0)


def write_counter(root: Path) -> Path:
    package = root / "sys/class/powercap/intel-rapl:0"
    package.mkdir(parents=True)
    for name, text in {"name": "package-0", "energy_uj": "5000000", "max_energy_range_uj": "262143328850"}.items():
        (package / name).write_text(text)
    return package / "energy_uj"


def test_a_board_with_a_meter_and_a_firmware_that_throttles(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rail = "VDD_CORE_A current(7)=2.00000000A\nVDD_CORE_V volt(15)=1.50000000V\n"
    install_vcgencmd(tmp_path / "firmware", monkeypatch, pmic_read_adc=rail, get_throttled="throttled=0x0\n")
    throttled = tmp_path / "firmware/get_throttled"
    throttles = f"blocks == 2 and Path({str(throttled)!r}).write_text('throttled=0x50000')"
    watch = Watch(tmp_path)
    settings = QUICK.model_copy(update={"warmup_seconds": 0})
    board = measured([fake_worker("hot", on_block=f"{throttles}; time.sleep(0.4)")], settings, watch=watch)
    measurement = board.rows[0].measurement
    assert measurement is not None
    assert measurement.throttled_blocks == 1
    assert measurement.before.throttling == ()
    assert measurement.after.throttling == ("under-voltage since boot", "throttled since boot")
    # A block of 0.4 s or more at 3 W, of two runs and the one that is thrown away.
    assert measurement.energy_mj is not None
    assert measurement.energy_mj >= 0.4 * 3.0 * 1e3 / 3
    assert "* the board was throttled in 1 of 3 blocks" in markdown(Results(boards=(board,)))


@pytest.mark.parametrize(
    ("on_block", "sentence"),
    [
        ("sys.exit('boom')", "exit code 1: boom"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV (often: a damaged model; convert it again): nothing on stderr"),
        ("os.kill(os.getpid(), 9)", "SIGKILL (often: out of memory"),
        ("print(json.dumps({{'error': 'no such kernel'}}), flush=True); continue", "no such kernel"),
        ("sys.exit('late') if blocks > 2 else None", "exit code 1: late"),
    ],
)
def test_a_worker_that_fails_is_a_sentence_and_the_others_report(
    fake_worker: Callable[..., Callable[[], WorkerProcess]], on_block: str, sentence: str
) -> None:
    bad, good = measured([fake_worker("bad", on_block=on_block.format()), fake_worker("good")]).rows
    assert sentence in (bad.error or "")
    assert bad.measurement is None
    assert good.error is None
    assert good.measurement is not None


def test_a_worker_that_hangs_is_stopped(fake_worker: Callable[..., Callable[[], WorkerProcess]]) -> None:
    with fake_worker("hang", on_block="time.sleep(600)")() as worker:
        worker.ask(Load("m", "litert", 1), Loaded, timeout_s=60)
        with pytest.raises(BenchmarkError, match="no answer within 0 s"):
            worker.ask(Block(1, 0, 1, 0), BlockDone, timeout_s=0.05)
        with pytest.raises(BenchmarkError, match="SIGKILL"):
            worker.ask(Finish(), Finished, timeout_s=1)


def test_a_model_without_an_answer_in_time_does_not_stop_the_others(
    fake_worker: Callable[..., Callable[[], WorkerProcess]],
) -> None:
    workers = [fake_worker("hang", on_block="blocks > 1 and time.sleep(600)"), fake_worker("good")]
    settings = QUICK.model_copy(update={"warmup_seconds": 0, "limit_seconds": 0.3})
    bad, good = measured(workers, settings, patience_s=3.0).rows
    assert bad.error == "its process gave no answer within 3 s and was stopped"
    assert good.measurement is not None


def test_a_long_block_is_waited_for(fake_worker: Callable[..., Callable[[], WorkerProcess]]) -> None:
    settings = QUICK.model_copy(update={"warmup_seconds": 0, "limit_seconds": 90.0})
    (row,) = measured([fake_worker("long", on_block="blocks == 1 and time.sleep(2.5)")], settings, patience_s=2.0).rows
    assert row.error is None


def test_a_slow_model_stops_at_the_limit_and_says_so(
    fake_worker: Callable[..., Callable[[], WorkerProcess]],
) -> None:
    (row,) = measured([fake_worker("slow", latency_ms=2000.0)]).rows
    assert row.measurement is not None
    assert row.measurement.latency.runs == 3
    assert any("stopped at the limit of 5 s, after 3 of 6 runs" in note for note in row.notes)


def test_progress_is_counted_for_every_step(fake_worker: Callable[..., Callable[[], WorkerProcess]]) -> None:
    steps: list[str] = []
    candidates = [Candidate(Path("a.tflite"), DEFAULT_RUNTIME), Candidate(Path("b.tflite"), DEFAULT_RUNTIME, threads=2)]
    start = fake_worker("steps")
    measure_candidates(candidates, QUICK, steps.append, start_worker=lambda _module: start())
    assert len(steps) == steps_of(len(candidates), QUICK)


@pytest.mark.parametrize(
    ("block", "runs", "calls"),
    [
        (Block(runs=5, seconds=0, limit_s=60, discard=0), 5, 5),
        (Block(runs=5, seconds=0, limit_s=60, discard=2), 5, 7),
        (Block(runs=5, seconds=0, limit_s=0, discard=0), 1, 1),
        (Block(runs=0, seconds=0, limit_s=60, discard=0), 1, 1),
    ],
)
def test_a_block_runs_as_often_as_it_says(block: Block, runs: int, calls: int) -> None:
    counted: list[None] = []
    latencies_ms = measure_block(lambda: counted.append(None), block)
    assert (len(latencies_ms), len(counted)) == (runs, calls)
    assert all(latency_ms >= 0 for latency_ms in latencies_ms)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "float32", "float16"])
def test_random_input_fits_the_model_and_repeats(dtype: str) -> None:
    spec = TensorSpec("input", (1, 16, 16, 3), np.dtype(dtype), 0.0, 0)
    tensor = random_input(spec)
    assert (tensor.shape, tensor.dtype) == (spec.shape, spec.dtype)
    assert len(np.unique(tensor)) > 100
    np.testing.assert_array_equal(tensor, random_input(spec))


def test_worker_answers_a_broken_model_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "not.tflite").write_bytes(b"something else")
    request = {"Load": asdict(Load(str(tmp_path / "not.tflite"), DEFAULT_RUNTIME, 1))}
    replies = io.StringIO()
    serve(io.StringIO(json.dumps(request) + "\n"), replies, TfliteBackend())
    assert "not a TFLite model" in json.loads(replies.getvalue())["error"]


def bench(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = "from edge_seg.cli import main; main()"
    command = [sys.executable, "-c", code, "bench", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=240)


QUICK_OPTIONS = ("--runs", "6", "--seconds", "0.05", "--warmup", "0.05", "--no-stages")


def test_bench_writes_what_it_measured(model: Path, tmp_path: Path) -> None:
    done = bench(
        model, *QUICK_OPTIONS, "--threads", "1", "--threads", "2", "--out", tmp_path / "out", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    printed = Results.model_validate_json(done.stdout)
    assert printed == Results.model_validate_json((tmp_path / "out" / "results.json").read_text())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "latency.png",
        "report.html",
        "results.csv",
        "results.json",
        "results.md",
    ]
    (board,) = printed.boards
    (described,) = board.models
    assert (described.size_bytes, described.precision) == (model.stat().st_size, "int8")
    assert [row.threads for row in board.rows] == [1, 2]
    first = board.rows[0]
    assert first.measurement is not None
    assert first.measurement.input_dtype == "uint8"
    assert first.measurement.latency.runs >= 6
    assert first.measurement.delegate is not None
    assert first.measurement.delegate.delegated_nodes > 0
    assert len(board.comparisons) == 1


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_bench_that_is_asked_to_end_leaves_nothing(model: Path, tmp_path: Path, asked: signal.Signals) -> None:
    code = "from edge_seg.cli import main; main()"
    command = [sys.executable, "-c", code, "bench", str(model), "--warmup", "0", "--seconds", "60", "--limit", "60",
               "--out", str(tmp_path / "out")]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        main = psutil.Process(running.pid)
        while not any("edge_seg_bench.worker" in child.cmdline() for child in main.children()):
            time.sleep(0.05)
        workers = main.children()
        running.send_signal(asked)
        assert running.communicate(timeout=60)[1] == "interrupted\n"
    assert running.returncode == 130
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    assert not (tmp_path / "out").exists()


def test_bench_reports_the_good_rows_and_fails_for_the_bad(model: Path, tmp_path: Path) -> None:
    done = bench(model, "none.tflite", *QUICK_OPTIONS, cwd=tmp_path)
    assert done.returncode == 1
    assert "none (litert, 1 thread): not measured: none.tflite: no such model file" in done.stdout
    assert done.stderr.startswith("edge-seg: 1 of 2 rows not measured; none: none.tflite: no such model file")
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_stands_for_its_models_by_name(tmp_path: Path) -> None:
    for name in ("b.tflite", "a.tflite", "conversion.json", "other/c.tflite"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = [tmp_path / "a.tflite", tmp_path / "b.tflite"]
    assert model_files([tmp_path]) == files
    assert model_files([tmp_path / "b.tflite", tmp_path, Path("none.tflite")]) == [*files[::-1], Path("none.tflite")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BenchmarkError, match=r"empty: this folder holds no \.tflite file; `edge-seg convert`"):
        model_files([tmp_path / "empty"])


@pytest.mark.parametrize("name", [b"new\nline.tflite", b"red\x1b[31m.tflite", b"not-utf8\xff.tflite"])
def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).touch()
    with pytest.raises(BenchmarkError, match=r"this name cannot be printed; rename it"):
        model_files([tmp_path])


def test_a_file_that_may_not_be_read_is_said_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "locked.tflite").touch(0)
    if os.access(tmp_path / "locked.tflite", os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(PermissionError, match=r"locked\.tflite"):
        model_files([tmp_path])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--runtime", "tensorrt"), "tensorrt"),
        (("--limit", "1"), "--limit 1 is below --seconds 3"),
        (("--limit", "inf"), "--limit"),
        (("--warmup", "1e300"), "--warmup"),
        (("--threads", "0"), "--threads"),
        (("--threads", "many"), "or all, not 'many'"),
    ],
)
def test_wrong_usage_is_two(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = bench("x.tflite", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_help_loads_no_heavy_module() -> None:
    code = (
        "import sys, edge_seg_bench.cli;"
        "heavy = {'numpy', 'cv2', 'matplotlib', 'ai_edge_litert', 'pydantic'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
