"""From one float32 graph to every precision, by litert-quantizer."""

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence

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
        return _full_integer(float_model, images, rewriting)
    rewritten = rewrite(float_model, rewriting)
    if precision == "float32":
        return rewritten
    chosen = {"float16": _float16_recipe, "dynamic": recipe.dynamic_wi8_afp32}[precision]()
    with _quiet():
        return bytes(quantizer.Quantizer(bytearray(rewritten), chosen).quantize().quantized_model or b"")


def _full_integer(float_model: bytes, images: Sequence[RgbImage], rewriting: RewriteChoice) -> bytes:
    if not images:
        raise ConversionError("int8 needs calibration images and there are none; give a data set with --data")
    core, scaling = without_input_scaling(float_model)
    activations = measure(core, [_scaled(image, scaling) for image in images])
    model = with_uint8_input(full_integer_core(core, activations, rewriting, scaling.ends))
    _check_input(model, scaling)
    return model


def full_integer_core(
    core: bytes, activations: Activations, rewriting: RewriteChoice, input_range: Range | None = None
) -> bytes:
    """Quantise weights and activations of a float32 graph to int8.

    Args:
        core: the graph, its input the scaled image.
        activations: what `measure` gave for it.
        rewriting: what to do with transposed convolutions.
        input_range: what the input covers whatever the pictures show; as measured when not given.
    """
    core, activations = equalise(core, activations)
    core = rewrite(biases.with_room(core, activations), rewriting)
    ranges = tensor_ranges(core, activations)
    if input_range:
        ranges[_input_tensor_name(core)] = input_range
    with _quiet():
        engine = quantizer.Quantizer(bytearray(core), recipe.static_wi8_ai8())
        quantised = bytes(engine.quantize(_as_statistics(ranges)).quantized_model or b"")
    return without_float_detours(biases.corrected(quantised, core, activations))


def _scaled(image: RgbImage, scaling: InputScaling) -> NDArray[np.float32]:
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
