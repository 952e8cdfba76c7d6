"""From one float32 graph to every precision, by litert-quantizer."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from litert_quantizer import qtyping, quantizer, recipe, recipe_manager
from litert_quantizer.algorithm_manager import AlgorithmName
from numpy.typing import NDArray

from edge_seg.errors import ConversionError
from edge_seg.images import RgbImage
from edge_seg.model_info import Precision
from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg_convert import biases, graph
from edge_seg_convert.activations import Activations, measure
from edge_seg_convert.detours import without_float_detours
from edge_seg_convert.equalisation import equalise
from edge_seg_convert.graph_ends import InputScaling, input_quantisation, with_uint8_input, without_input_scaling
from edge_seg_convert.polyphase import RewriteChoice, rewrite
from edge_seg_convert.ranges import Range, tensor_ranges


def quantise(
    float_model: bytes, precision: Precision, images: Sequence[RgbImage], rewriting: RewriteChoice = "auto"
) -> bytes:
    """Convert a float32 graph with uint8 input to `precision`.

    Args:
        float_model: the float32 .tflite: uint8 image in, scaling inside.
        precision: what to make of it.
        images: calibration images [height, width, 3] uint8 at network size; used by int8 alone.
        rewriting: what to do with transposed convolutions.

    Raises:
        ConversionError: int8 without calibration images.
    """
    if precision == "int8":
        return integer_model(calibrate(float_model, images, rewriting))
    rewritten = rewrite(float_model, rewriting)
    if precision == "float32":
        return rewritten
    chosen = {"float16": _float16_recipe, "dynamic": recipe.dynamic_wi8_afp32}[precision]()
    with _quiet():
        return _quantised(quantizer.Quantizer(bytearray(rewritten), chosen))


@dataclass(frozen=True)
class Calibrated:
    """A float graph ready for int8, and what its tensors are on the calibration images."""

    core: bytes
    """float32 .tflite without its input scaling: equalised, rewritten, with room for int32 biases."""
    scaling: InputScaling
    activations: Activations
    ranges: Mapping[str, Range]
    """By tensor name."""


def calibrate(float_model: bytes, images: Sequence[RgbImage], rewriting: RewriteChoice) -> Calibrated:
    """Measure a float32 graph with uint8 input on images and make it easy to quantise.

    Args:
        float_model: uint8 image in, scaling inside.
        images: [height, width, 3] uint8 at network size.
        rewriting: what to do with transposed convolutions.

    Raises:
        ConversionError: there are no images, or the graph does not begin with its scaling.
    """
    if not images:
        raise ConversionError("int8 needs calibration images and there are none; give a data set with --data")
    core, scaling = without_input_scaling(float_model)
    calibrated = calibrate_core(core, scaling, [scaled(image, scaling) for image in images], rewriting)
    return with_whole_input(calibrated)


def with_whole_input(calibrated: Calibrated) -> Calibrated:
    """Give the input the range of all 256 bytes, whatever the pictures show."""
    ends = calibrated.scaling.ends
    return replace(calibrated, ranges={**calibrated.ranges, _input_tensor_name(calibrated.core): ends})


def calibrate_core(
    core: bytes, scaling: InputScaling, inputs: Sequence[NDArray[np.float32]], rewriting: RewriteChoice
) -> Calibrated:
    """Do the same for a graph without its scaling; `inputs` are scaled images [1, height, width, 3] float32."""
    equalised, activations = equalise(core, measure(core, inputs))
    prepared = rewrite(biases.with_room(equalised, activations), rewriting)
    return Calibrated(prepared, scaling, activations, tensor_ranges(prepared, activations))


def integer_model(calibrated: Calibrated, float_scopes: Sequence[str] = ()) -> bytes:
    """Quantise to int8, with uint8 input; it stays 8 bits wide even if the first operation is in float."""
    model = with_uint8_input(integer_core(calibrated, float_scopes))
    _check_input(model, calibrated.scaling)
    return model


def integer_core(calibrated: Calibrated, float_scopes: Sequence[str] = (), weight_bits: int = 8) -> bytes:
    """Quantise weights and activations to int8, of all operations but those with the scopes of `float_scopes`.

    An operation's scope is litert-quantizer's name of it (see layers.Layer). The quantizer puts QUANTIZE and
    DEQUANTIZE where int8 and float meet.
    """
    quantised = rounded_core(calibrated, float_scopes, weight_bits)
    return without_float_detours(biases.corrected(quantised, calibrated.core, calibrated.activations))


def rounded_core(calibrated: Calibrated, float_scopes: Sequence[str] = (), weight_bits: int = 8) -> bytes:
    """Do the same as litert-quantizer does it, its errors uncorrected."""
    with _quiet():
        engine = quantizer.Quantizer(bytearray(calibrated.core), _static_recipe(weight_bits))
        for scope in float_scopes:
            engine.update_quantization_recipe(
                regex=f"^{re.escape(scope)}$",
                operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
                algorithm_key=AlgorithmName.NO_QUANTIZE,
            )
        return _quantised(engine, calibrated)


def _quantised(engine: quantizer.Quantizer, calibrated: Calibrated | None = None) -> bytes:
    try:
        ranges = _as_statistics(calibrated.ranges) if calibrated else None
        return bytes(engine.quantize(ranges).quantized_model or b"")
    except (ValueError, RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConversionError(
            f"litert-quantizer cannot quantise it ({reason}); try --quantizer tensorflow for int8, or choose what to "
            "make with --precision"
        ) from None


def scaled(image: RgbImage, scaling: InputScaling) -> NDArray[np.float32]:
    """Turn an image [height, width, 3] uint8 into the core's input [1, height, width, 3] float32."""
    return (image.astype(np.float32) * np.float32(scaling.scale) + np.float32(scaling.offset))[None]


def _as_statistics(ranges: Mapping[str, Range]) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Write ranges as litert-quantizer reads them."""
    return {
        name: {"min": np.full((1, 1, 1, 1), low, np.float32), "max": np.full((1, 1, 1, 1), high, np.float32)}
        for name, (low, high) in ranges.items()
    }


def _check_input(model: bytes, scaling: InputScaling) -> None:
    """Raw bytes are right only if the input's quantisation equals the scaling, to half a step of zero point."""
    scale, zero_point = input_quantisation(model)
    expected_zero_point = -scaling.offset / scaling.scale
    if abs(scale / scaling.scale - 1) > 1e-3 or abs(zero_point - expected_zero_point) > 0.51:
        raise ConversionError(
            f"the int8 input has scale {scale:.6f} and zero point {zero_point}, which raw bytes do not have "
            f"({scaling.scale:.6f} and {expected_zero_point:.1f}); report this with the model"
        )


def _input_tensor_name(model: bytes) -> str:
    subgraph = graph.parse(model).subgraphs[0]
    return subgraph.tensors[subgraph.inputs[0]].name.decode()


def _static_recipe(weight_bits: int) -> qtyping.ModelQuantizationRecipe:
    """int8 activations; weights of `weight_bits` in convolutions, but for depthwise ones, whose kernels are 8-bit."""
    manager = recipe_manager.RecipeManager()
    manager.load_quantization_recipe(recipe.static_wi8_ai8())
    if weight_bits != 8:
        manager.add_static_config(
            regex=".*",
            operation_name=qtyping.TFLOperationName.CONV_2D,
            activation_num_bits=8,
            weight_num_bits=weight_bits,
            weight_granularity=qtyping.QuantGranularity.CHANNELWISE,
        )
    return manager.get_quantization_recipe()


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
