"""The U-Net: a MobileNetV2 encoder cut at five depths, and one of two decoders.

`transpose` is the network of TensorFlow's segmentation tutorial, layer by layer
(https://www.tensorflow.org/tutorials/images/segmentation, pix2pix's upsample blocks).
`separable` is ours: bilinear upsampling, skips projected by 1×1 convolutions, separable convolutions;
ten times cheaper on a CPU and at least as accurate.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from keras import layers

from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig

# MobileNetV2 (Sandler et al. 2018): the last activation before each of the five downsamplings.
SKIP_LAYERS = (
    "block_1_expand_relu",  # 1/2
    "block_3_expand_relu",  # 1/4
    "block_6_expand_relu",  # 1/8
    "block_13_expand_relu",  # 1/16
)
BOTTLENECK_LAYER = "block_16_project"  # 1/32

TRANSPOSE_FILTERS = (512, 256, 128, 64)
SEPARABLE_FILTERS = (96, 48, 24, 16)

# With its published momentum of 0.999 an encoder needs thousands of steps before its moving statistics follow its
# weights; own data sets have hundreds. Keras freezes the statistics of layers that are not trainable by itself.
BATCH_NORM_MOMENTUM = 0.95


def build_unet(config: RunConfig, class_count: int, *, synchronised: bool = False) -> keras.Model:
    """Build the network: uint8 RGB [n, height, width, 3] in, float32 logits [n, height, width, classes] out.

    Scaling is the first layer, so no caller can get it wrong. `synchronised` lets BatchNorm see the batch of all
    devices together.

    Raises:
        TrainingError: encoder weights that cannot be found, fetched or loaded.
    """
    image = keras.Input((config.height, config.width, 3), dtype="uint8", name="image")
    encoder = build_encoder(config)
    features = encoder(input_scaling(config)(image))
    decode = {"separable": _separable_decoder, "transpose": _transpose_decoder}[config.decoder]
    logits = decode(features, class_count, config.dropout)
    # Mixed precision computes in float16; losses and exports want float32.
    output = layers.Activation("linear", dtype="float32", name="logits")(logits)
    model = keras.Model(image, output, name="unet")
    for layer in (*encoder.layers, *model.layers):
        if isinstance(layer, layers.BatchNormalization):
            layer.synchronized = synchronised
    return model


def input_scaling(config: RunConfig) -> keras.layers.Layer:
    """Make the layer that maps bytes to the range the encoder expects."""
    scale, offset = {"-1,1": (1 / 127.5, -1.0), "0,1": (1 / 255, 0.0)}[config.input_range]
    return layers.Rescaling(scale, offset, name="scaling")


def build_encoder(config: RunConfig) -> keras.Model:
    """Build MobileNetV2 with five outputs, from 1/2 to 1/32 of the resolution, shallow to deep."""
    shape = (config.height, config.width, 3)
    backbone = keras.applications.MobileNetV2(input_shape=shape, alpha=config.alpha, include_top=False, weights=None)
    _load_weights(backbone, config)
    batch_norms = [layer for layer in backbone.layers if isinstance(layer, layers.BatchNormalization)]
    for layer in batch_norms:
        layer.momentum = BATCH_NORM_MOMENTUM
    outputs = [backbone.get_layer(name).output for name in (*SKIP_LAYERS, BOTTLENECK_LAYER)]
    encoder = keras.Model(backbone.input, outputs, name="encoder")
    encoder.trainable = config.fine_tune
    if config.freeze_norm:
        for layer in batch_norms:
            layer.trainable = False
    return encoder


def _load_weights(backbone: keras.Model, config: RunConfig) -> None:
    if config.encoder_weights == "none":
        return
    if config.encoder_weights == "imagenet":
        backbone.set_weights(_imagenet_weights(config.alpha))
        return
    path = Path(config.encoder_weights)
    if not path.is_file():
        raise TrainingError(
            f"encoder weights '{path}': no such file; give imagenet, none, or a .weights.h5 file of MobileNetV2"
        )
    try:
        with warnings.catch_warnings():
            # Keras warns and goes on with random weights where a file lacks some.
            warnings.simplefilter("error", UserWarning)
            backbone.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = str(error).split("\n")[0]
        raise TrainingError(
            f"{path}: not the weights of MobileNetV2 without its top at alpha {config.alpha} ({reason}); check --alpha"
        ) from None


def _imagenet_weights(alpha: float) -> list[Any]:
    try:
        published = keras.applications.MobileNetV2((224, 224, 3), alpha=alpha, include_top=False, weights="imagenet")
    except OSError as error:
        # A download that was killed leaves a file that Keras takes for whole.
        raise TrainingError(
            f"the ImageNet encoder weights cannot be read ({error}); remove mobilenet_v2_weights_* from "
            "~/.keras/models and try again"
        ) from None
    except Exception as error:
        # keras.utils.get_file raises a bare Exception when the download fails.
        if "URL fetch failure" not in str(error):
            raise
        raise TrainingError(
            "the ImageNet encoder weights could not be downloaded; connect this machine once, give a local file "
            "with --encoder-weights FILE, or start from random weights with --encoder-weights none"
        ) from None
    return published.get_weights()


def _separable_decoder(features: Sequence[Any], class_count: int, dropout: float) -> Any:
    *skips, x = features
    for level, (filters, skip) in enumerate(zip(SEPARABLE_FILTERS, reversed(skips), strict=True), start=1):
        x = layers.UpSampling2D(2, interpolation="bilinear", name=f"up_{level}")(x)
        projection = layers.Conv2D(filters, 1, use_bias=False, name=f"skip_{level}")
        x = layers.Concatenate(name=f"join_{level}")([x, _normalised(projection, skip, 0.0)])
        convolution = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=f"decode_{level}")
        x = _normalised(convolution, x, dropout)
    x = layers.Conv2D(class_count, 1, name="classify")(x)
    return layers.UpSampling2D(2, interpolation="bilinear", name="up_to_input")(x)


def _transpose_decoder(features: Sequence[Any], class_count: int, dropout: float) -> Any:
    *skips, x = features
    for level, (filters, skip) in enumerate(zip(TRANSPOSE_FILTERS, reversed(skips), strict=True), start=1):
        x = _normalised(_transposed_convolution(filters, f"up_{level}"), x, dropout)
        x = layers.Concatenate(name=f"join_{level}")([x, skip])
    return layers.Conv2DTranspose(class_count, 3, strides=2, padding="same", name="classify")(x)


def _transposed_convolution(filters: int, name: str) -> keras.layers.Layer:
    initializer = keras.initializers.RandomNormal(0.0, 0.02)
    return layers.Conv2DTranspose(
        filters, 3, strides=2, padding="same", kernel_initializer=initializer, use_bias=False, name=name
    )


def _normalised(convolution: keras.layers.Layer, x: Any, dropout: float) -> Any:
    x = layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, name=f"{convolution.name}_bn")(convolution(x))
    if dropout:
        x = layers.Dropout(dropout, name=f"{convolution.name}_dropout")(x)
    return layers.ReLU(name=f"{convolution.name}_relu")(x)
