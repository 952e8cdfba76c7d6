import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_seg.errors import MissingExtraError, ModelError
from edge_seg.runtimes import RUNTIMES, load_engine
from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg.shipped import default_model
from edge_seg_convert import graph
from small_graphs import SmallGraph


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "no such model file"),
        (b"", "not a TFLite model"),
        (b"PK\x03\x04 a zip file", "not a TFLite model"),
        (b"\x1c\x00\x00\x00TFL3", "cannot load it"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(500), "cannot load it"),
    ],
)
def test_what_is_no_model_is_one_sentence(tmp_path: Path, capfd, content: bytes | None, says: str) -> None:
    path = tmp_path / "m.tflite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_engine(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [({"runtime": "onnx"}, "litert"), ({"threads": 0}, "1 or more"), ({"threads": 9999}, "at most 256")],
)
def test_wrong_settings_are_named(tmp_path: Path, kwargs, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        load_engine(tmp_path / "m.tflite", **kwargs)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_runtime_that_is_not_installed_names_the_extra(tmp_path: Path, runtime: str) -> None:
    module = {"litert": "ai_edge_litert"}.get(runtime, runtime)
    if importlib.util.find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    (tmp_path / "m.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3")
    with pytest.raises(MissingExtraError, match="pip install 'edge-seg"):
        load_engine(tmp_path / "m.tflite", runtime=runtime)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_model_is_one_sentence(tmp_path: Path, share: float) -> None:
    whole = default_model().read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"cut\.tflite"):
        load_engine(tmp_path / "cut.tflite")


def no_input(graph: SmallGraph) -> None:
    graph.model.subgraphs[0].inputs = []


def no_output(graph: SmallGraph) -> None:
    graph.model.subgraphs[0].outputs = []


def test_a_graph_without_ends_is_one_sentence(tmp_path: Path) -> None:
    for damage in (no_input, no_output):
        small = SmallGraph(4, 4, 3)
        small.finished(small.added(small.image, small.image))
        damage(small)
        (tmp_path / "m.tflite").write_bytes(graph.serialise(small.model))
        with pytest.raises(ModelError, match=r"cannot load it \(the graph lacks an input or an output\)"):
            load_engine(tmp_path / "m.tflite")


def test_a_model_larger_than_memory_is_one_sentence(tmp_path: Path) -> None:
    small = SmallGraph(2**16, 2**16, 3)
    (tmp_path / "m.tflite").write_bytes(small.finished(small.added(small.image, small.image)))
    with pytest.raises(ModelError, match=r"cannot load it \(it does not say why\)"):
        load_engine(tmp_path / "m.tflite")


def test_the_shipped_model_loads_without_a_word_and_keeps_the_contract(capfd) -> None:
    engine = load_engine(default_model())
    assert capfd.readouterr().err == ""
    (model_input,), (output,) = engine.inputs, engine.outputs
    assert model_input.dtype == np.uint8
    assert output.shape[0] == 1
    engine.set_input(np.zeros(model_input.shape, np.uint8))
    engine.invoke()
    assert engine.output().shape == output.shape
    assert len(engine.tensors) > len(engine.operations)


def test_without_the_delegate_no_node_is_delegated() -> None:
    names = [operation.name for operation in load_engine(default_model(), delegate=False).operations]
    assert "DELEGATE" not in names


def test_quiet_stderr_hides_c_and_passes_exceptions(capfd) -> None:
    def load() -> None:
        with quiet_stderr():
            os.write(2, b"from C\n")
            raise ValueError("through")

    with pytest.raises(ValueError, match="through"):
        load()
    sys.stderr.write("after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_is_told_while_another_thread_keeps_c_quiet_is_not_lost() -> None:
    code = """
import threading
from edge_seg.cli.live_status import tell
from edge_seg.runtimes.quiet import quiet_stderr

teller = threading.Thread(target=tell, args=("a model came",))
with quiet_stderr():
    teller.start()
    teller.join(0.2)
teller.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "a model came\n"
