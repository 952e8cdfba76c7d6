"""What is counted of a frame, and that it fails when it grows: tables, and the shipped models on emulated cores."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from edge_seg.errors import BenchmarkError, ModelError
from edge_seg.runtimes import TensorSpec, load_engine
from edge_seg.shipped import default_model, shipped_models
from edge_seg_bench.arm64.cores import CORES
from edge_seg_bench.arm64.growth import (
    change_lines,
    changes,
    check_complete,
    check_growth,
    version_lines,
)
from edge_seg_bench.arm64.parts import PARTS, Part
from edge_seg_bench.arm64.programs import QEMU
from edge_seg_bench.arm64.report import (
    RECORDED,
    InstructionCount,
    InstructionReport,
    make_report,
    markdown,
    millions,
    read_report,
    write_report,
)
from edge_seg_bench.arm64.works import Subject, make_work
from edge_seg_bench.assembly import display_names

PROJECT = Path(__file__).parents[1]
RECORD = PROJECT / RECORDED
A53, A72, A76 = CORES
VERSIONS = {"python": "3.11", "numpy": "2.4.6"}


def counted(model: str, part: Part, instructions: int, core: str = "cortex-a72") -> InstructionCount:
    runs = (instructions, instructions, 2 * instructions)
    return InstructionCount(
        model=model, precision="int8", size_bytes=1, core=core, part=part, runtime_version="2.3.0", runs=runs
    )


def report(*counts: InstructionCount, libraries: dict[str, str] = VERSIONS) -> InstructionReport:
    return make_report("7.2.22", "litert", libraries, counts)


def one_change(recorded: int, now: int) -> tuple[InstructionReport, InstructionReport]:
    same = counted("pets", "invoke", 47_000_000)
    return report(counted("pets", "segment", recorded), same), report(counted("pets", "segment", now), same)


@pytest.mark.parametrize(("now", "fails"), [(103_100, True), (102_900, False), (100_000, False)])
def test_growth_beyond_three_percent_fails(now: int, fails: bool) -> None:
    found = changes(*one_change(100_000, now))
    if not fails:
        check_growth(found, 0.03)
        return
    with pytest.raises(BenchmarkError, match=r"^1 of 2 counts grew by more than 3%; .*record .*arm64 --out bench"):
        check_growth(found, 0.03)


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        (
            15_038_000,
            [
                "pets, segment, Cortex-A72: 15.0 M instructions, 3.14% more than the 14.6 M recorded",
                "1 counts within 3% of those recorded; furthest off: "
                "pets, invoke, Cortex-A72: 47.0 M instructions, 0.00% more than the 47.0 M recorded",
            ],
        ),
        (
            14_288_400,
            [
                "2 counts within 3% of those recorded; furthest off: "
                "pets, segment, Cortex-A72: 14.3 M instructions, 2.00% fewer than the 14.6 M recorded"
            ],
        ),
        (
            7_290_000,
            [
                "pets, segment, Cortex-A72: 7.29 M instructions, 50.00% fewer than the 14.6 M recorded; "
                "record again to keep it so",
                "1 counts within 3% of those recorded; furthest off: "
                "pets, invoke, Cortex-A72: 47.0 M instructions, 0.00% more than the 47.0 M recorded",
            ],
        ),
    ],
    ids=["grown", "alike", "shrunk"],
)
def test_each_large_change_is_a_line(now: int, lines: list[str]) -> None:
    assert change_lines(changes(*one_change(14_580_000, now)), 0.03) == lines


def test_shrinking_does_not_fail() -> None:
    check_growth(changes(*one_change(100_000, 10)), 0.03)


def test_other_versions_are_said() -> None:
    recorded = report(counted("pets", "invoke", 1))
    assert version_lines(recorded, recorded) == []
    now = report(counted("pets", "invoke", 1), libraries={"python": "3.11", "numpy": "2.5.0", "x": "1"})
    assert version_lines(recorded, now) == [
        "numpy was 2.4.6 when that was recorded, and is 2.5.0",
        "x was absent when that was recorded, and is 1",
    ]


@pytest.mark.parametrize(
    ("models", "sentence"),
    [
        (["pets", "trash", "fire"], "has not all counts of fire, trash; record again: python -m edge_seg_bench.arm64"),
        ([], "has counts of pets that are over; record again"),
    ],
)
def test_a_record_of_other_models_is_a_sentence(models: list[str], sentence: str) -> None:
    recorded = report(counted("pets", "invoke", 1), counted("pets", "segment", 1))
    check_complete(recorded, ["pets"], [A72], ["invoke", "segment"])
    with pytest.raises(BenchmarkError, match=sentence):
        check_complete(recorded, models, [A72], ["invoke", "segment"])


@pytest.mark.parametrize(
    ("instructions", "text"),
    [(1_299_650_000, "1,299.7 M"), (14_580_000, "14.6 M"), (3_151_000, "3.15 M"), (104_858, "0.105 M")],
)
def test_millions(instructions: int, text: str) -> None:
    assert millions(instructions) == text


def test_a_report_survives_its_file(tmp_path: Path) -> None:
    written = report(counted("pets", "invoke", 7), counted("pets", "event", 9))
    write_report(tmp_path / "arm64.json", written)
    assert read_report(tmp_path / "arm64.json") == written
    assert (tmp_path / "arm64.md").read_text() == markdown(written)


def test_a_file_of_before_there_were_parts_counts_the_network() -> None:
    old = read_report(PROJECT / "benchmarks/results/graph_study/arm64.json")
    assert {count.part for count in old.counts} == {"invoke"}


@pytest.mark.parametrize("runs", [[], [0, 0, 0]])
def test_a_file_that_counted_nothing_is_refused(tmp_path: Path, runs: list[int]) -> None:
    data = report(counted("pets", "invoke", 1)).model_dump(mode="json")
    data["counts"][0]["runs"] = runs
    path = tmp_path / "arm64.json"
    path.write_text(json.dumps(data))
    with pytest.raises(BenchmarkError, match="no benchmark result of schema 1"):
        read_report(path)


def test_the_record_is_of_what_ships_and_gives_no_times() -> None:
    recorded = read_report(RECORD)
    check_complete(recorded, display_names(shipped_models()), CORES, PARTS)
    text = RECORD.with_suffix(".md").read_text()
    assert text == markdown(recorded)
    assert not re.search(r"\d\s*(ms|s|fps)\b", text)


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("model", shipped_models(), ids=lambda path: path.stem)
def test_each_part_works_on_what_all_classes_win_in(model: Path, tmp_path: Path, closing: ExitStack) -> None:
    subject = Subject(load_engine(model), model, tmp_path, closing)
    assert make_work("invoke", subject)() is None
    shares = make_work("segment", subject)()
    assert isinstance(shares, dict)
    assert min(shares.values()) > 0.01
    painted = make_work("overlay", subject)()
    assert isinstance(painted, np.ndarray)
    assert painted.shape == (480, 640, 3)


def test_the_event_is_always_the_same(tmp_path: Path, closing: ExitStack) -> None:
    for _ in range(2):
        event = make_work("event", Subject(load_engine(default_model()), default_model(), tmp_path, closing))
        event()
    first, second = (tmp_path / "events.jsonl").read_text().splitlines()
    assert first == second
    assert json.loads(first)["frame"] == 1234


def test_around_the_network_nothing_of_the_network_is_counted(tmp_path: Path, closing: ExitStack) -> None:
    engine = load_engine(default_model())
    engine.invoke = fail  # pyright: ignore[reportAttributeAccessIssue]
    for part in ("segment", "overlay", "event"):
        make_work(part, Subject(engine, default_model(), tmp_path, closing))()


def fail() -> None:
    raise AssertionError("the network ran")


class Foreign:
    """An engine with somebody else's model: 16×16 pixels in, 16×16 pixels out."""

    def __init__(self, input_type: type, output_type: type, channels: int) -> None:
        self.inputs = (TensorSpec("image", (1, 16, 16, 3), np.dtype(input_type), 0.0, 0),)
        self.outputs = (TensorSpec("answer", (1, 16, 16, channels), np.dtype(output_type), 0.0, 0),)
        self.tensors, self.operations = (), ()

    def set_input(self, tensor: np.ndarray) -> None: ...

    def invoke(self) -> None: ...

    def output(self, index: int = 0) -> np.ndarray:
        return np.zeros(self.outputs[index].shape, self.outputs[index].dtype)


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        (Foreign(np.float32, np.float32, 3), "takes float32 and does not say which range"),
        (Foreign(np.uint8, np.int32, 1), "class ids and no scores"),
    ],
    ids=["an unknown range", "class ids"],
)
def test_a_foreign_model_is_counted_without_what_is_around_it(
    engine: Foreign, reason: str, tmp_path: Path, closing: ExitStack
) -> None:
    model = tmp_path / "foreign.tflite"
    model.touch()
    subject = Subject(engine, model, tmp_path, closing)
    assert make_work("invoke", subject)() is None
    with pytest.raises(ModelError, match=f"foreign.tflite: .*{reason}.*; count its network alone with --part invoke"):
        make_work("segment", subject)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        (
            ("absent.json",),
            1,
            "absent.json: No such file or directory; `python -m edge_seg_bench.arm64 --out absent.json`",
        ),
        ((str(RECORD), "--fail-on", "3"), 2, "--fail-on takes a percentage such as 5%, not '3'"),
    ],
)
def test_a_check_that_cannot_begin_is_one_sentence(arguments: tuple[str, ...], exit_code: int, sentence: str) -> None:
    done = run_check(*arguments)
    assert done.returncode == exit_code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.arm64
@pytest.mark.timeout(1800)  # a machine that has no userland yet builds one
@pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"needs {QEMU}: apt-get install qemu-user")
def test_the_shipped_models_and_the_code_around_them_have_not_grown() -> None:
    done = run_check(str(RECORD))
    assert done.returncode == 0, done.stdout + done.stderr


def run_check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_seg_bench.arm64.check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
