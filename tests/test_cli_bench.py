"""`edge-seg bench` with wrong and with half wrong input, through the command line."""

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from edge_seg.cli.app import build_app
from edge_seg.errors import ModelError
from edge_seg.shipped import default_model
from edge_seg_bench.results import Results
from small_graphs import SmallGraph

without_tflite_runtime = pytest.mark.skipif(find_spec("tflite_runtime") is not None, reason="it is installed here")
QUICK = ("--runs", "6", "--seconds", "0.02", "--warmup", "0.02", "--no-stages")


def bench(*words: str | Path) -> Result:
    return CliRunner().invoke(build_app("bench"), ["bench", *map(str, words)])


def test_no_words_at_all_are_answered_with_help() -> None:
    result = bench()
    assert "measure" in result.output
    assert "edge-seg bench models/" in result.output


def test_no_model_is_wrong_usage() -> None:
    result = bench("measure")
    assert result.exit_code == 2
    assert "MODEL" in result.stderr


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    result = bench(tmp_path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"edge-seg: {tmp_path}: this folder holds no .tflite file; `edge-seg convert` writes them into its --out "
        "folder\n"
    )


def test_an_out_folder_that_cannot_be_written_is_said_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = bench("none.tflite", "--out", tmp_path / "file" / "results")
    assert result.exit_code == 1
    assert "file: Not a directory" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@without_tflite_runtime
def test_a_runtime_that_is_not_installed_is_refused_before_measuring() -> None:
    result = bench("none.tflite", "--runtime", "tflite_runtime")
    assert result.exit_code == 1
    assert "pip install 'edge-seg[tflite-runtime]'" in result.stderr
    assert "not measured" not in result.stderr


@without_tflite_runtime
def test_the_rows_that_can_run_report_beside_those_that_cannot(tmp_path: Path) -> None:
    for name in ("a/pets.tflite", "b/pets.tflite"):
        (tmp_path / name).parent.mkdir()
        shutil.copyfile(shipped(), tmp_path / name)
    (tmp_path / "text.tflite").write_text("not a model")
    result = bench(tmp_path / "a", tmp_path / "b", tmp_path, "--runtime", "litert", "--runtime", "tflite_runtime",
                   *QUICK, "--threads", "64", "--out", tmp_path / "out")  # fmt: skip
    assert result.exit_code == 1
    assert result.stderr.startswith("edge-seg: 4 of 6 rows not measured; a/pets: ")
    (board,) = Results.model_validate_json((tmp_path / "out/results.json").read_text()).boards
    assert [row.key[:2] for row in board.rows if row.measurement] == [("a/pets", "litert"), ("b/pets", "litert")]
    errors = [row.error for row in board.rows if row.error]
    assert sum("pip install 'edge-seg[tflite-runtime]'" in error for error in errors) == 2
    assert sum("not a TFLite model" in error for error in errors) == 2
    assert "64 threads are more than the machine's cores" in result.stdout
    assert json.loads((tmp_path / "out/results.json").read_text())["boards"][0]["energy_meter"] == board.energy_meter


def test_what_was_measured_is_shown_although_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    result = bench(shipped(), *QUICK, "--out", tmp_path)
    assert result.exit_code == 1
    assert "results.json: Is a directory" in result.stderr
    assert "p50 ms" in result.stdout


def test_a_model_that_ends_the_process_that_loads_it_leaves_the_others(tmp_path: Path) -> None:
    small = SmallGraph(8, 8, 3)
    weights = np.zeros((4, 3, 3, 3), np.float32)
    output = small.convolution(small.image, weights, np.zeros(4, np.float32))
    small.model.subgraphs[0].operators[0].inputs[1] = -1
    (tmp_path / "crash.tflite").write_bytes(small.finished(output))
    result = bench(tmp_path / "crash.tflite", shipped(), *QUICK, "--out", tmp_path / "out")
    assert result.exit_code == 1
    # It reads memory that is not its own: mostly the kernel ends it, now and then it finds an absurd size there.
    ending = r"its process ended with SIGSEGV \(often: a damaged model|\S+: litert cannot load it \(std::bad_alloc\)"
    assert re.search(f"1 of 2 rows not measured; crash: ({ending})", result.stderr)
    (board,) = Results.model_validate_json((tmp_path / "out/results.json").read_text()).boards
    assert [model.work is not None for model in board.models] == [False, True]


def shipped() -> Path:
    try:
        return default_model()
    except ModelError as error:
        pytest.skip(str(error))
