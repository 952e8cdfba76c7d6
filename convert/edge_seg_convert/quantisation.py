"""From one float32 graph to every precision, by litert-quantizer."""

import contextlib
import io
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from litert_quantizer import qtyping, quantizer, recipe, recipe_manager
from litert_quantizer.algorithm_manager import AlgorithmName

from edge_seg.errors import ConversionError
from edge_seg.images import RgbImage
from edge_seg.model_info import Precision
from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg_convert import graph


def quantise(float_model: bytes, precision: Precision, images: Sequence[RgbImage]) -> bytes:
    """Convert a float32 graph with uint8 input to `precision`.

    Args:
        float_model: the float32 .tflite: uint8 image in, scaling inside.
        precision: what to make of it.
        images: calibration images [height, width, 3] uint8 at network size; used by int8 alone.

    Raises:
        ConversionError: int8 without calibration images.
    """
    if precision == "float32":
        return float_model
    if precision == "int8":
        return _full_integer(float_model, images)
    chosen = {"float16": _float16_recipe, "dynamic": recipe.dynamic_wi8_afp32}[precision]()
    with _quiet():
        return bytes(quantizer.Quantizer(bytearray(float_model), chosen).quantize().quantized_model or b"")


def _full_integer(float_model: bytes, images: Sequence[RgbImage]) -> bytes:
    return integer_model(calibrate(float_model, images))


@dataclass(frozen=True)
class Calibrated:
    """A float graph and the range of each of its tensors on the calibration images."""

    core: bytes
    """The float32 .tflite without its input scaling: scaled float images go in."""
    scaling: graph.InputScaling
    ranges: dict[str, Any]


def calibrate(float_model: bytes, images: Sequence[RgbImage]) -> Calibrated:
    """Measure the range of every tensor of a float32 graph with uint8 input.

    Raises:
        ConversionError: there are no images, or the graph does not begin with its scaling.
    """
    if not images:
        raise ConversionError("int8 needs calibration images and there are none; give a data set with --data")
    core, scaling = graph.without_input_scaling(float_model)
    with _quiet():
        engine = quantizer.Quantizer(bytearray(core), recipe.static_wi8_ai8())
        name = _input_name(core)
        samples = [{name: scaled(image, scaling)} for image in images]
        ranges = engine.calibrate({"serving_default": samples}, num_threads=os.cpu_count() or 1)
    ranges[_input_tensor_name(core)].update(_whole_range(scaling))
    return Calibrated(core, scaling, ranges)


def integer_model(calibrated: Calibrated, float_scopes: Sequence[str] = ()) -> bytes:
    """Quantise to int8, with uint8 input, all operations but those with the scopes of `float_scopes`.

    An operation's scope is litert-quantizer's name of it (see layers.Layer). The quantizer puts QUANTIZE and
    DEQUANTIZE where int8 and float meet; the input stays 8 bits wide even if the first operation is in float.
    """
    with _quiet():
        engine = quantizer.Quantizer(bytearray(calibrated.core), recipe.static_wi8_ai8())
        for scope in float_scopes:
            engine.update_quantization_recipe(
                regex=f"^{re.escape(scope)}$",
                operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
                algorithm_key=AlgorithmName.NO_QUANTIZE,
            )
        quantised = bytes(engine.quantize(calibrated.ranges).quantized_model or b"")
    model = graph.with_uint8_input(quantised)
    _check_input(model, calibrated.scaling)
    return model


def scaled(image: RgbImage, scaling: graph.InputScaling) -> np.ndarray:
    """Turn an image [height, width, 3] uint8 into the core's input [1, height, width, 3] float32."""
    return (image.astype(np.float32) * np.float32(scaling.scale) + np.float32(scaling.offset))[None]


def _whole_range(scaling: graph.InputScaling) -> dict[str, np.ndarray]:
    """Range of the input whatever the pictures show: all 256 bytes."""
    ends = scaling.offset, 255 * scaling.scale + scaling.offset
    low, high = (np.full((1, 1, 1, 1), end, np.float32) for end in ends)
    return {"min": low, "max": high}


def _check_input(model: bytes, scaling: graph.InputScaling) -> None:
    """Raw bytes are right only if the input's quantisation equals the scaling, to half a step of zero point."""
    scale, zero_point = graph.input_quantisation(model)
    expected_zero_point = -scaling.offset / scaling.scale
    if abs(scale / scaling.scale - 1) > 1e-3 or abs(zero_point - expected_zero_point) > 0.51:
        raise ConversionError(
            f"the int8 input has scale {scale:.6f} and zero point {zero_point}, which raw bytes do not have "
            f"({scaling.scale:.6f} and {expected_zero_point:.1f}); report this with the model"
        )


def _input_name(model: bytes) -> str:
    (signature,) = graph.parse(model).signatureDefs
    return signature.inputs[0].name.decode()


def _input_tensor_name(model: bytes) -> str:
    subgraph = graph.parse(model).subgraphs[0]
    return subgraph.tensors[subgraph.inputs[0]].name.decode()


def _float16_recipe() -> qtyping.ModelQuantizationRecipe:
    manager = recipe_manager.RecipeManager()
    manager.add_weight_only_config(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        num_bits=16,
        algorithm_key=AlgorithmName.FLOAT_CASTING,
    )
    return manager.get_quantization_recipe()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's reports and progress bars from the user."""
    with (
        quiet_stderr(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
