"""The table of conversions: which files are measured, the peers' worker, and what is said of the result."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edge_seg.errors import BenchmarkError, ModelError
from edge_seg.extras import EXTRAS
from edge_seg.images import write_image
from edge_seg.runtimes import TensorSpec
from edge_seg.shipped import default_model
from edge_seg_bench.arm64.report import InstructionCount, make_report
from edge_seg_bench.conversion.answers import Answers, compare_answers
from edge_seg_bench.conversion.folders import PRECISIONS, Contender, Network, pair, pair_folders
from edge_seg_bench.conversion.instructions import CORES, add_counts, can_be_counted
from edge_seg_bench.conversion.measuring import assemble_network
from edge_seg_bench.conversion.result import ConversionReport, Row, ThreadSampling, read_report
from edge_seg_bench.conversion.table import markdown, network_table, sentences
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.measurement import Candidate, ModelRun
from edge_seg_bench.messages import Block, Classify, Finish, Finished, Load, Loaded, Request
from edge_seg_bench.peers.answers import answer, share_of_same
from edge_seg_bench.peers.onnxruntime_runner import OnnxRuntimeRunner
from edge_seg_bench.peers.peer_worker import PEERS, PeerBackend
from edge_seg_bench.serving import class_ids, serve
from edge_seg_bench.worker_process import WorkerProcess

ONE, TWO = (
    ThreadSampling(threads=threads, runs=40, seconds=1, warmup_seconds=1, limit_seconds=9, rounds=2, seed=0)
    for threads in (1, 2)
)


def convert_into(folder: Path, names: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"0123TFL3" + bytes(100))
    return folder


def ours(folder: Path, run: str = "pets") -> Path:
    return convert_into(folder / "ours", [f"{run}_{precision}.tflite" for precision in PRECISIONS])


def stock(folder: Path, run: str = "pets") -> Path:
    return convert_into(folder / "stock", [f"{run}_float32.tflite", f"{run}_int8.tflite", f"{run}.onnx"])


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    folder = tmp_path_factory.mktemp("models")
    return pair(ours(folder), stock(folder))


def test_a_pair_of_folders_is_nine_rows_and_one_reference(network: Network) -> None:
    rows = [(item.conversion, item.runtime, item.precision) for item in network.contenders]
    assert rows == [
        *(("edge-seg", "litert", precision) for precision in ("float32", "float16", "dynamic", "int8")),
        ("stock", "litert", "float32"),
        ("stock", "litert", "int8"),
        ("stock", "openvino", "float32"),
        ("stock", "openvino", "int8"),
        ("stock", "onnxruntime", "float32"),
    ]
    assert [item.is_reference for item in network.contenders].index(True) == 7
    assert {item.runtime for item in network.contenders if item.candidate(1).worker.endswith("peer_worker")} == set(
        PEERS
    )


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [
        ("ours/pets_dynamic.tflite", r"pets_dynamic\.tflite: no such file; type  edge-seg convert RUN --out FOLDER$"),
        ("ours/pets_int8.tflite", r"ours: holds int8 models of 0 runs \(none\)"),
        ("stock/pets_float32.tflite", r"pets_float32\.tflite: no such file; .*--quantizer tensorflow"),
        ("stock/pets.onnx", r"pets\.onnx: no such file; .*--to onnx"),
    ],
)
def test_a_file_that_is_absent_is_named_with_the_command_that_makes_it(
    tmp_path: Path, removed: str, sentence: str
) -> None:
    folder, stock_folder = ours(tmp_path), stock(tmp_path)
    (tmp_path / removed).unlink()
    with pytest.raises(BenchmarkError, match=sentence):
        pair(folder, stock_folder)


def test_folders_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"the run 'pets' and .* of 'fire'; give both in the same order"):
        pair(ours(tmp_path), stock(tmp_path, "fire"))
    with pytest.raises(BenchmarkError, match=r"2 folders and 1 stock folders"):
        pair_folders([tmp_path, tmp_path], [tmp_path])
    convert_into(tmp_path / "ours", ["fire_int8.tflite"])
    with pytest.raises(BenchmarkError, match=r"holds int8 models of 2 runs \(fire, pets\)"):
        pair(tmp_path / "ours", stock(tmp_path))


class BrightnessRunner:
    """A network of two classes, bright and dark, and the shape of its answer."""

    def __init__(self, to_output: Any) -> None:
        self.inputs = (TensorSpec("image", (1, 8, 12, 3), np.dtype(np.uint8), 0.0, 0),)
        self.settings = {"threads": "1"}
        self._to_output = to_output
        self._image = np.zeros((1, 8, 12, 3), np.uint8)

    def set_input(self, tensor: np.ndarray) -> None:
        assert (tensor.shape, tensor.dtype) == (self.inputs[0].shape, self.inputs[0].dtype)
        self._image = tensor

    def invoke(self) -> None:
        brightness = self._image.mean(axis=-1, keepdims=True)
        self._scores = np.concatenate([brightness, 255 - brightness], axis=-1)

    def output(self) -> np.ndarray:
        return self._to_output(self._scores)


class BrightnessBackend(PeerBackend):
    """The peers' backend with a runtime that needs no package."""

    def __init__(self, to_output: Any = lambda scores: scores) -> None:
        self._to_output = to_output

    def import_runtime(self, runtime: str) -> str:
        return "1.2.3"

    def load(self, request: Load) -> BrightnessRunner:
        return BrightnessRunner(self._to_output)


def answers_to(backend: PeerBackend, *requests: Request) -> list[dict[str, Any]]:
    lines = "".join(json.dumps({type(request).__name__: asdict(request)}) + "\n" for request in requests)
    replies = io.StringIO()
    serve(io.StringIO(lines), replies, backend)
    return [json.loads(line) for line in replies.getvalue().splitlines()]


LOAD = Load("model.onnx", "onnxruntime", 1)


def test_a_peer_speaks_the_workers_protocol() -> None:
    block = Block(runs=3, seconds=0, limit_s=60, discard=1)
    loaded, done, classified, finished = answers_to(BrightnessBackend(), LOAD, block, Classify(), Finish())
    assert Loaded(**loaded).settings == {"threads": "1"}
    assert (loaded["runtime_version"], loaded["input_shape"], loaded["input_dtype"]) == (
        "1.2.3",
        [1, 8, 12, 3],
        "uint8",
    )
    assert len(done["latencies_ms"]) == 3
    assert np.shape(classified["class_ids"]) == (8, 12)
    assert {0, 1} == set(np.ravel(classified["class_ids"]))
    assert Finished(**finished).peak_rss_bytes > 1e6


def test_a_picture_file_is_segmented_at_the_networks_size(tmp_path: Path) -> None:
    half = np.zeros((64, 96, 3), np.uint8)
    half[:, :48] = 255
    write_image(tmp_path / "half.png", half)
    _, classified = answers_to(BrightnessBackend(), LOAD, Classify(str(tmp_path / "half.png")))
    np.testing.assert_array_equal(classified["class_ids"], [[0] * 6 + [1] * 6] * 8)
    _, none = answers_to(BrightnessBackend(), LOAD, Classify(str(tmp_path / "none.png")))
    assert "none.png" in none["error"]


def test_the_layout_of_the_answer_does_not_matter_and_no_answer_is_a_sentence() -> None:
    _, last = answers_to(BrightnessBackend(), LOAD, Classify())
    _, first = answers_to(BrightnessBackend(lambda scores: scores.transpose(0, 3, 1, 2)), LOAD, Classify())
    assert first == last
    _, none = answers_to(BrightnessBackend(lambda scores: scores[..., 0]), LOAD, Classify())
    assert none["error"].startswith("an output of shape [1, 8, 12] is no class scores of 8×12 pixels; ")


def test_class_ids_are_of_the_highest_score() -> None:
    scores = np.zeros((1, 1, 2, 3), np.int8)
    scores[0, 0, 1, 2] = 5
    np.testing.assert_array_equal(class_ids(scores, 1, 2), [[0, 2]])


@pytest.mark.parametrize(
    ("runtime", "sentence"),
    [
        ("tensorrt", "no peer is called 'tensorrt'; choose one of openvino, onnxruntime"),
        *((name, rf"'{name}', which is not installed: type  pip install 'edge-seg\[peers\]'") for name in PEERS),
    ],
)
def test_a_peer_that_is_not_there_is_a_sentence(runtime: str, sentence: str) -> None:
    if find_spec(runtime) is not None:
        pytest.skip(f"{runtime} is installed")
    (reply,) = answers_to(PeerBackend(), Load("model.onnx", runtime, 1))
    with pytest.raises(ModelError, match=sentence):
        raise ModelError(reply["error"])


@pytest.mark.parametrize("runtime", PEERS)
def test_a_file_that_a_peer_cannot_read_is_a_sentence(tmp_path: Path, runtime: str) -> None:
    pytest.importorskip(runtime, reason="needs edge-seg[peers]")
    model = tmp_path / "broken.onnx"
    model.write_bytes(b"broken")
    with pytest.raises(BenchmarkError, match=rf"broken\.onnx: {PEERS[runtime]} cannot load it \("):
        answer(Contender("stock", runtime, "float32", model).candidate(1))


def test_openvino_answers_as_litert_does(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="needs edge-seg[peers]")
    pytest.importorskip("ai_edge_litert", reason="needs edge-seg[litert]")
    from edge_seg_convert import graph

    model = graph.parse(default_model().read_bytes())
    for code in model.operatorCodes:  # OpenVINO reads the older of the schema's two fields
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    path = tmp_path / "model.tflite"
    path.write_bytes(graph.serialise(model))
    contenders = [Contender("stock", runtime, "int8", path) for runtime in ("litert", "openvino")]
    answers = compare_answers(contenders, answer)
    assert answers.errors == {}
    assert answers.agreements[contenders[1]] > 0.93  # it rounds otherwise


class FakePort:
    """An ONNX input or output."""

    def __init__(self, name: str, shape: list[int], kind: str) -> None:
        self.name, self.shape, self.type = name, shape, kind


class FakeSession:
    """An ONNX session that answers what it was given."""

    def __init__(self, shape: list[int], kind: str) -> None:
        self._port = FakePort("image", shape, kind)
        self.bound: Any = None

    def get_inputs(self) -> list[FakePort]:
        return [self._port]

    get_outputs = get_inputs

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]

    def io_binding(self) -> "FakeSession":
        return self

    def bind_output(self, name: str, device: str) -> None:
        pass

    def bind_cpu_input(self, name: str, tensor: np.ndarray) -> None:
        self.bound = tensor

    def run_with_iobinding(self, binding: object) -> None:
        pass

    def copy_outputs_to_cpu(self) -> list[np.ndarray]:
        return [self.bound]


@pytest.mark.parametrize(
    ("shape", "kind", "dtype"),
    [
        ([1, 4, 6, 3], "tensor(uint8)", np.uint8),
        ([1, 3, 4, 6], "tensor(uint8)", np.uint8),
        ([1, 3, 4, 6], "tensor(float)", np.float32),
    ],
)
def test_onnx_runtime_gets_the_same_bytes_in_the_layout_of_its_file(
    shape: list[int], kind: str, dtype: type[np.generic]
) -> None:
    runner = OnnxRuntimeRunner(FakeSession(shape, kind), threads=1)
    assert (runner.inputs[0].shape, runner.inputs[0].dtype) == ((1, 4, 6, 3), np.uint8)
    picture = np.arange(72, dtype=np.uint8).reshape(1, 4, 6, 3)
    runner.set_input(picture)
    runner.invoke()
    given = runner.output()
    assert (list(given.shape), given.dtype) == (shape, dtype)
    np.testing.assert_array_equal(given, picture if shape[-1] == 3 else picture.transpose(0, 3, 1, 2))


def test_peers_are_held_against_litert_of_the_same_precision(network: Network) -> None:
    maps = {
        "litert": np.array([[0, 1], [2, 1]], np.uint8),
        "openvino": np.array([[0, 1], [2, 2]], np.uint8),
    }

    def answer_of(candidate: Candidate) -> np.ndarray:
        if candidate.runtime not in maps:
            raise BenchmarkError("no such kernel")
        assert "stock" in candidate.model.parts
        return maps[candidate.runtime]

    answers = compare_answers(network.contenders, answer_of)
    assert list(answers.agreements.values()) == [0.75, 0.75]
    assert list(answers.errors.values()) == ["no such kernel"]
    assert share_of_same(maps["litert"], np.zeros((1, 1), np.uint8)) == 0


MEDIANS_MS = (20.0, 20.0, 50.0, 4.0, 30.0, 12.0, 15.0, 10.0, 25.0)


def run_of(contender: Contender, median_ms: float, *, error: str | None = None) -> ModelRun:
    samples = median_ms * np.tile(np.linspace(0.98, 1.02, 11), (2, 1))
    return ModelRun(
        contender.candidate(1),
        cast(WorkerProcess, None),
        loaded=Loaded("1.0", 1, 2, 3, [1, 128, 128, 3], "uint8", {"threads": "1"}),
        warmup_runs=7,
        blocks_ms=[] if error else samples.tolist(),
        finished=None if error else Finished(1000, "int8", nodes=1, delegated=1, partitions=1, left_out={}),
        error=error,
    )


def report_of(network: Network, failing: Mapping[int, str] | None = None) -> ConversionReport:
    runs = [
        [
            run_of(item, median_ms / threads, error=(failing or {}).get(index))
            for index, (item, median_ms) in enumerate(zip(network.contenders, MEDIANS_MS, strict=True))
        ]
        for threads in (1, 2)
    ]
    runs[1][0].notes.append("not stable")
    answers = Answers({item: 0.99 for item in network.contenders if item.runtime in PEERS})
    return ConversionReport(
        created="2026-01-01T00:00:00+00:00",
        versions={"edge-seg": "0.1.0", "openvino": "2026.4.1"},
        machine=describe_machine(),
        samplings=(ONE, TWO),
        networks=(assemble_network(network, (ONE, TWO), runs, answers),),
    )


@pytest.fixture(scope="module")
def report(network: Network) -> ConversionReport:
    return report_of(network)


def test_rows_are_compared_with_openvino_on_the_stock_int8_conversion(report: ConversionReport) -> None:
    rows = report.networks[0].rows
    assert [timing.threads for timing in rows[3].timings] == [1, 2]
    for timing in rows[3].timings:
        assert timing.time_of_reference is not None
        assert timing.time_of_reference.ratio == pytest.approx(0.4)
    assert [row.runtime for row in rows if row.timings[0].time_of_reference is None] == ["openvino"]
    assert rows[7].agreement_with_litert == 0.99


def test_the_table_has_a_line_for_each_row_and_the_ratio_below(report: ConversionReport) -> None:
    (result,) = report.networks
    row = result.rows[3].model_copy(
        update={
            "miou": 0.7042,
            "agreement_with_float": 0.98951,
            "arm_instructions": {"cortex-a72": 41_240_000, "cortex-a76": 20_060_000},
        }
    )
    result = result.model_copy(update={"rows": (*result.rows[:3], row, *result.rows[4:])})
    lines = network_table(result, report)
    assert len(lines) == 2 + len(MEDIANS_MS)
    cells = [cell.strip() for cell in lines[5].strip("| ").split(" | ")]
    assert cells[:5] == ["int8, edge-seg", "LiteRT", "0.00", "0.7042", "98.95%"]
    assert [cell.partition(" ± ")[0] for cell in cells[5:7]] == ["4.00", "2.00"]
    assert cells[7:] == ["41.2", "20.1"]
    said = sentences(result)
    assert said[0].startswith(
        "int8, edge-seg, in LiteRT takes, of the time of OpenVINO on the stock int8 conversion: 0.40 [0."
    )
    assert said[0].endswith("] with 2 threads.")
    assert "float32, edge-seg, in LiteRT (2 threads)." in said[-1]


@pytest.mark.parametrize(("agreement", "broken"), [(1.0, False), (0.97, False), (0.93, True)])
def test_a_graph_that_computes_something_else_is_marked(
    report: ConversionReport, agreement: float, broken: bool
) -> None:
    (result,) = report.networks
    rows = [
        row if row.agreement_with_litert is None else row.model_copy(update={"agreement_with_litert": agreement})
        for row in result.rows
    ]
    said = sentences(result.model_copy(update={"rows": rows}))
    assert any("too few for the same computation" in sentence for sentence in said) == broken
    assert sum(f"gives {agreement:.2%} of a photograph's pixels" in sentence for sentence in said) == 3


def test_a_row_that_failed_says_why_and_the_others_stand(network: Network) -> None:
    text = markdown(report_of(network, failing={2: "no such kernel"}))
    assert "| dynamic, edge-seg | LiteRT | 0.00 | – | – | – | – | – | – |" in text
    assert "- dynamic, edge-seg, in LiteRT: not measured: no such kernel." in text
    assert "0.40 [" in text


def test_without_the_reference_nothing_is_compared(network: Network) -> None:
    report = report_of(network, failing={7: "cannot load it"})
    timings = [timing for row in report.networks[0].rows for timing in row.timings]
    assert timings
    assert all(timing.time_of_reference is None for timing in timings)
    assert "takes, of the time of" not in markdown(report)


def test_the_file_is_read_back_and_another_one_is_refused(report: ConversionReport, tmp_path: Path) -> None:
    path = tmp_path / "conversion.json"
    path.write_text(report.model_dump_json())
    assert read_report(path) == report
    path.write_text("{}")
    with pytest.raises(BenchmarkError, match="names no schema_version"):
        read_report(path)
    with pytest.raises(BenchmarkError, match="No such file"):
        read_report(tmp_path / "none.json")


def test_instructions_are_counted_of_rows_that_litert_runs_in_time(network: Network, report: ConversionReport) -> None:
    rows = report.networks[0].rows

    def slow(row: Row) -> Row:
        timing = row.timings[0]
        latency = timing.latency.__class__(**{**asdict(timing.latency), "p50_ms": 1100.0})
        return row.model_copy(update={"timings": (timing.model_copy(update={"latency": latency}),)})

    counted = [can_be_counted(item, row) for item, row in zip(network.contenders, rows, strict=True)]
    assert counted == [True] * 6 + [False] * 3
    assert not can_be_counted(network.contenders[2], slow(rows[2]))
    assert not can_be_counted(network.contenders[0], rows[0].model_copy(update={"error": "no such kernel"}))


def test_counts_go_to_their_rows_and_a_slow_row_says_why_it_has_none(
    network: Network, report: ConversionReport
) -> None:
    models = [item.model for item in network.contenders[:6] if item.precision != "dynamic"]
    counts = [
        InstructionCount(
            model=model.stem, precision="int8", size_bytes=1, core=core, runtime_version="1", runs=(number, number)
        )
        for model, thousand in zip(models, range(1000, 6000, 1000), strict=True)
        for core, number in zip(CORES, (thousand, thousand + 1), strict=True)
    ]
    counted = add_counts([network], report, models, make_report("7.2.22", "litert", {}, counts))
    (result,) = counted.networks
    assert [list(row.arm_instructions.values()) for row in result.rows] == [
        [1000, 1001],
        [2000, 2001],
        [],
        [3000, 3001],
        [4000, 4001],
        [5000, 5001],
        *([[]] * 3),
    ]
    assert result.rows[2].notes == ("instructions not counted: a frame takes more than 1 s",)
    assert counted.versions["QEMU"] == "7.2.22"


def test_the_command_names_the_extra_where_it_is_absent(tmp_path: Path) -> None:
    if all(find_spec(module) for module in EXTRAS["peers"]):
        pytest.skip("the peers are installed")
    command = [sys.executable, "-m", "edge_seg_bench.conversion", str(ours(tmp_path)), "--stock", str(stock(tmp_path))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 1
    assert "pip install 'edge-seg[peers]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "conversion.json").exists()
