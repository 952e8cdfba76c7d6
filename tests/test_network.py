"""The U-Net against the published tutorial, and what any configuration must keep."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import keras
import numpy as np

from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig
from edge_seg_train.network import build_unet


def config(**options) -> RunConfig:
    return RunConfig(data=Path("unused"), encoder_weights="none", **options)


def test_transpose_decoder_is_the_published_network() -> None:
    # tensorflow.org/tutorials/images/segmentation prints these two counts for its model.summary().
    model = build_unet(config(width=128, height=128, decoder="transpose", fine_tune=False), 3)
    assert model.count_params() == 6_504_227
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 4_660_323


def test_transpose_decoder_layer_by_layer() -> None:
    model = build_unet(config(width=128, height=128, decoder="transpose", dropout=0.5), 3)
    for level, filters in enumerate((512, 256, 128, 64), start=1):
        layer = model.get_layer(f"up_{level}")
        assert (layer.filters, layer.kernel_size, layer.strides, layer.use_bias) == (filters, (3, 3), (2, 2), False)
        assert isinstance(layer.kernel_initializer, keras.initializers.RandomNormal)
        assert layer.kernel_initializer.stddev == 0.02
        assert model.get_layer(f"up_{level}_dropout").rate == 0.5
    assert isinstance(model.get_layer("classify"), keras.layers.Conv2DTranspose)


def test_encoder_is_cut_at_the_published_layers() -> None:
    encoder = build_unet(config(width=128, height=128), 3).get_layer("encoder")
    assert [output.shape[1:] for output in encoder.outputs] == [
        (64, 64, 96),
        (32, 32, 144),
        (16, 16, 192),
        (8, 8, 576),
        (4, 4, 320),
    ]


@pytest.mark.parametrize("decoder", ["separable", "transpose"])
@pytest.mark.parametrize(("height", "width", "alpha"), [(96, 96, 0.35), (96, 160, 1.0), (512, 96, 0.5)])
def test_scores_have_the_size_of_the_input(decoder: str, height: int, width: int, alpha: float) -> None:
    model = build_unet(config(width=width, height=height, alpha=alpha, decoder=decoder), 4)
    assert model.input.dtype == "uint8"
    assert model.output.shape == (None, height, width, 4)
    assert model.output.dtype == "float32"


@pytest.mark.parametrize(("input_range", "low", "high"), [("-1,1", -1.0, 1.0), ("0,1", 0.0, 1.0)])
def test_scaling_is_the_first_layer(input_range: str, low: float, high: float) -> None:
    scaling = build_unet(config(width=96, height=96, alpha=0.35, input_range=input_range), 2).get_layer("scaling")
    assert np.allclose(scaling(np.array([0, 255], np.uint8)), [low, high], atol=1e-6)


def test_frozen_encoder_has_no_trainable_weights() -> None:
    model = build_unet(config(width=96, height=96, alpha=0.35, fine_tune=False), 2)
    assert not model.get_layer("encoder").trainable_weights


def test_unknown_encoder_file_is_one_sentence(tmp_path: Path) -> None:
    missing = RunConfig(data=Path("unused"), encoder_weights=str(tmp_path / "none.weights.h5"))
    with pytest.raises(TrainingError, match="no such file; give imagenet, none"):
        build_unet(missing, 2)


@pytest.mark.shared
@pytest.mark.parametrize(("alpha", "name"), [(1.0, "1.0"), (0.35, "0.35")])
def test_local_encoder_weights_load(shared_dir: Path, alpha: float, name: str) -> None:
    path = shared_dir / "weights" / f"mobilenet_v2_{name}_224_no_top.weights.h5"
    options = {"data": Path("unused"), "alpha": alpha, "width": 96, "height": 96}
    model = build_unet(RunConfig(**options, encoder_weights=str(path)), 2)
    random = build_unet(RunConfig(**options, encoder_weights="none"), 2)
    loaded, drawn = (net.get_layer("encoder").get_weights()[0] for net in (model, random))
    assert not np.allclose(loaded, drawn)


@pytest.mark.shared
def test_encoder_weights_of_another_alpha_are_refused(shared_dir: Path) -> None:
    path = shared_dir / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5"
    with pytest.raises(TrainingError, match="check --alpha"):
        build_unet(RunConfig(data=Path("unused"), alpha=1.0, encoder_weights=str(path)), 2)


def test_a_download_that_was_cut_short_is_one_sentence(tmp_path: Path) -> None:
    weights = tmp_path / "models" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
    weights.parent.mkdir()
    weights.write_bytes(b"\x89HDF\r\n")
    code = (
        "from edge_seg_train.tensorflow_setup import prepare_tensorflow; prepare_tensorflow();"
        "from edge_seg_train.network import _imagenet_weights; _imagenet_weights(0.35)"
    )
    environment = {**os.environ, "KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "TrainingError: the ImageNet encoder weights cannot be read" in done.stderr
    assert "remove mobilenet_v2_weights_*" in done.stderr
