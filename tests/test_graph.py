"""Edits of a graph leave its function as it was."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg import DatasetWriter
from edge_seg.classes import make_classes
from edge_seg.run_config import RunConfig
from edge_seg.runtimes import Engine, load_engine
from edge_seg_convert import graph, graph_ends, keras_export
from edge_seg_convert.layers import layers_of
from edge_seg_train.tensorflow_setup import prepare_tensorflow

CASES = [("-1,1", "separable"), ("0,1", "transpose")]


@pytest.fixture(scope="module", params=CASES, ids=["signed", "unit"])
def float_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A float32 .tflite of a network with random weights, through the real export."""
    prepare_tensorflow()
    from edge_seg_train.network import build_unet

    input_range, decoder = request.param
    root = tmp_path_factory.mktemp("graph")
    rng = np.random.default_rng(0)
    with DatasetWriter(root / "data", name="noise", classes=make_classes(["background", "thing"])) as writer:
        for index in range(4):
            picture, mask = rng.integers(0, 256, (40, 50, 3), np.uint8), rng.integers(0, 2, (40, 50), np.uint8)
            writer.add_array(f"{index}.png", picture, mask)
    size = {"width": 96, "height": 96, "alpha": 0.35}
    config = RunConfig(data=root / "data", encoder_weights="none", input_range=input_range, decoder=decoder, **size)
    build_unet(config, 2).save(root / "best.keras")
    (root / "out").mkdir()
    keras_export.export(keras_export.Request(str(root / "best.keras")), root / "out")
    return (root / "out" / keras_export.FLOAT_MODEL_FILE).read_bytes()


def run(model: bytes, tensor: np.ndarray, folder: Path) -> np.ndarray:
    path = folder / "model.tflite"
    path.write_bytes(model)
    engine: Engine = load_engine(path)
    engine.set_input(tensor)
    engine.invoke()
    return engine.output()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (1, 96, 96, 3), np.uint8)


def test_scaling_that_is_cut_off_is_returned(float_model: bytes, image: np.ndarray, tmp_path: Path) -> None:
    """The converter folds a scaling without offset into the first convolution: then bytes are the real numbers."""
    core, scaling = graph_ends.without_input_scaling(float_model)
    scaled = image.astype(np.float32) * np.float32(scaling.scale) + np.float32(scaling.offset)
    whole = run(float_model, image, tmp_path)
    assert np.allclose(run(core, scaled, tmp_path), whole, rtol=1e-3, atol=1e-3 * np.abs(whole).max())


def test_layers_have_their_names_in_keras(float_model: bytes) -> None:
    core, _ = graph_ends.without_input_scaling(float_model)
    layers = layers_of(core)
    names = [layer.name for layer in layers]
    assert len(set(names)) == len(names)
    assert {"Conv1", "expanded_conv_depthwise", "block_1_depthwise", "block_2_add", "block_16_project"} <= set(names)
    assert {"up_1", "up_4", "join_4", "classify"} <= set(names)
    assert not [name for name in names if name.endswith(("_bn", "_BN", "_relu", "_pad", ":0"))]
    (first, *_, last) = layers
    assert (first.name, first.operation, first.readers) == ("Conv1", "CONV_2D", {1})
    assert last.readers == set()


def test_class_map_output_is_the_argmax(float_model: bytes, image: np.ndarray, tmp_path: Path) -> None:
    class_map = run(graph_ends.with_class_map_output(float_model), image, tmp_path)
    assert class_map.dtype == np.int32
    assert np.array_equal(class_map, run(float_model, image, tmp_path).argmax(axis=-1))


def test_a_graph_is_parsed_and_written_unchanged(float_model: bytes, image: np.ndarray, tmp_path: Path) -> None:
    again = graph.serialise(graph.parse(float_model))
    assert np.array_equal(run(again, image, tmp_path), run(float_model, image, tmp_path))
