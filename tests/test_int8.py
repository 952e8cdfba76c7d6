"""What is done to a graph before and after the quantizer, on small graphs: each step alone, then all."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg.errors import ConversionError
from edge_seg_convert import biases, graph
from edge_seg_convert.activations import measure
from edge_seg_convert.detours import without_float_detours
from edge_seg_convert.equalisation import CEILING, equalise
from edge_seg_convert.graph_ends import InputScaling
from edge_seg_convert.polyphase import rewrite
from edge_seg_convert.quantisation import Calibrated, calibrate_core, integer_core
from edge_seg_convert.ranges import tensor_ranges
from small_graphs import LINEAR, OP, RELU, RELU6, SmallGraph, operations, run

SIZE = (6, 8)
BYTES = InputScaling(1, 0)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def images(count: int = 5, channels: int = 4) -> list[np.ndarray]:
    return [np.clip(numbers(1, *SIZE, channels, seed=seed) + 0.5, 0, 2) for seed in range(count)]


# Activations


def test_extremes_and_mean_of_every_activation() -> None:
    small = SmallGraph(*SIZE, 4)
    weights, bias = numbers(3, 1, 1, 4), numbers(3, seed=1)
    output = small.convolution(small.image, weights, bias)
    model, seen = small.finished(output), images(3)
    made = [image[0] @ weights[:, 0, 0].T + bias for image in seen]
    activations = measure(model, seen)
    assert set(activations) == {small.name(small.image), small.name(output)}
    found = activations[small.name(output)]
    assert np.allclose(found.mean[0], np.mean(made, axis=0), atol=1e-5)
    assert np.allclose(found.low, np.min(made, axis=(0, 1, 2)), atol=1e-5)
    assert np.allclose(found.high, np.max(made, axis=(0, 1, 2)), atol=1e-5)
    assert found.ends == (min(0, float(found.low.min())), max(0, float(found.high.max())))


# Equalisation


def uneven(activation: int, first_kind: str) -> tuple[SmallGraph, bytes]:
    """Two convolutions, the channels between them of very different size."""
    small = SmallGraph(*SIZE, 4)
    gains = np.array([0.01, 1, 0.2, 0.002], np.float32)
    if first_kind == "depthwise":
        first = small.depthwise(small.image, numbers(1, 3, 3, 4) * gains, numbers(4) * gains, activation)
    else:
        first = small.convolution(
            small.image, numbers(4, 1, 1, 4) * gains[:, None, None, None], numbers(4) * gains, activation
        )
    joined = small.joined(first, small.image)
    last = small.convolution(joined, numbers(5, 3, 3, 8), numbers(5, seed=2))
    return small, small.finished(last)


@pytest.mark.parametrize("first_kind", ["convolution", "depthwise"])
@pytest.mark.parametrize("activation", [LINEAR, RELU, RELU6], ids=["linear", "relu", "relu6"])
def test_equalised_graph_gives_the_same_and_is_more_even(activation: int, first_kind: str, tmp_path: Path) -> None:
    _, model = uneven(activation, first_kind)
    before = measure(model, images())
    equalised, now = equalise(model, before)
    for image in images():
        expected = run(model, image, tmp_path)
        assert np.allclose(run(equalised, image, tmp_path), expected, atol=1e-4 * np.abs(expected).max())
    name = next(name for name in before if name.startswith("activation") and before[name].low.shape == (4,))

    def spread(activations: dict) -> float:
        largest = np.maximum(-activations[name].low, activations[name].high)
        return float(largest.max() / largest[largest > 0].min())

    assert spread(now) < 0.2 * spread(before)
    measured = measure(equalised, images())
    for key, activation_now in now.items():
        assert np.allclose(measured[key].high, activation_now.high, rtol=1e-3, atol=1e-4), key
        assert np.allclose(measured[key].mean, activation_now.mean, rtol=1e-3, atol=1e-4), key


@pytest.mark.parametrize(("activation", "is_scaled"), [(LINEAR, True), (RELU, True), (RELU6, False)])
def test_a_pool_is_passed_unless_it_cuts_off(activation: int, is_scaled: bool, tmp_path: Path) -> None:
    small = SmallGraph(*SIZE, 4)
    first = small.convolution(small.image, numbers(4, 1, 1, 4) * 3, numbers(4))
    model = small.finished(small.convolution(small.pooled(first, activation), numbers(2, 1, 1, 4), numbers(2)))
    before = measure(model, images())
    equalised, now = equalise(model, before)
    assert (not np.array_equal(now[small.name(first)].high, before[small.name(first)].high)) is is_scaled
    for image in images():
        expected = run(model, image, tmp_path)
        assert np.allclose(run(equalised, image, tmp_path), expected, atol=1e-4 * np.abs(expected).max())


def test_relu6_channels_are_never_lowered() -> None:
    small = SmallGraph(*SIZE, 4)
    first = small.convolution(small.image, numbers(4, 1, 1, 4) * 30, numbers(4), RELU6)
    last = small.convolution(first, numbers(2, 1, 1, 4), numbers(2))
    model = small.finished(last)
    _, now = equalise(model, measure(model, images()))
    assert now[small.name(first)].high.max() == pytest.approx(CEILING)


def test_what_is_read_by_more_than_convolutions_is_left_alone() -> None:
    small = SmallGraph(*SIZE, 4)
    first = small.convolution(small.image, numbers(4, 1, 1, 4) * 0.01, numbers(4) * 0.01, RELU)
    summed = small.added(first, small.image)
    model = small.finished(small.joined(summed, small.convolution(first, numbers(2, 1, 1, 4), numbers(2))))
    before = measure(model, images())
    equalised, now = equalise(model, before)
    assert np.array_equal(now[small.name(first)].high, before[small.name(first)].high)
    assert operations(equalised) == operations(model)


# Ranges


def test_tensors_that_values_are_moved_between_share_a_range() -> None:
    small = SmallGraph(*SIZE, 4)
    first = small.convolution(small.image, numbers(4, 1, 1, 4), numbers(4), RELU)
    other = small.convolution(small.image, numbers(4, 1, 1, 4, seed=3) * 9, numbers(4), RELU)
    joined = small.joined(first, other)
    last = small.transposed(joined, numbers(8, 3, 3, 8), numbers(8), 2)
    model = small.finished(last)
    activations = measure(model, images())
    ranges = tensor_ranges(rewrite(model, "on"), activations)
    assert ranges[small.name(first)] == ranges[small.name(other)] == ranges[small.name(joined)]
    assert ranges[small.name(first)][1] == max(activations[small.name(i)].ends[1] for i in (first, other))
    phases = {name: ends for name, ends in ranges.items() if "phase" in name and "convolution" in name}
    assert len(phases) == 4
    assert set(phases.values()) == {ranges[small.name(last)]}
    assert ranges[small.name(small.image)] == activations[small.name(small.image)].ends


# Biases


def test_a_bias_beside_dead_weights_survives(tmp_path: Path) -> None:
    """litert-quantizer alone wraps such a bias to a large negative number; this is what with_room is for."""
    weights = numbers(4, 1, 1, 4)
    weights[2] *= 1e-10
    small = SmallGraph(*SIZE, 4)
    bias = np.array([0.1, 0.2, 0.7, -0.3], np.float32)
    model = small.finished(small.convolution(small.image, weights, bias, RELU))
    activations = measure(model, images())
    roomy = biases.with_room(model, activations)
    quantised = integer_core(calibrate_core(model, BYTES, images(), "auto"))
    engine_output = run(quantised, quantise_input(quantised, images()[0]), tmp_path)
    scale, zero_point = output_quantisation(quantised)
    assert np.allclose((engine_output[0, ..., 2].astype(float) - zero_point) * scale, 0.7, atol=scale)
    assert np.allclose(run(roomy, images()[0], tmp_path), run(model, images()[0], tmp_path), atol=1e-4)


def quantise_input(model: bytes, image: np.ndarray) -> np.ndarray:
    parsed = graph.parse(model)
    quantization = parsed.subgraphs[0].tensors[parsed.subgraphs[0].inputs[0]].quantization
    return np.clip(np.rint(image / quantization.scale[0]) + quantization.zeroPoint[0], -128, 127).astype(np.int8)


def output_quantisation(model: bytes) -> tuple[float, int]:
    parsed = graph.parse(model)
    quantization = parsed.subgraphs[0].tensors[parsed.subgraphs[0].outputs[0]].quantization
    return float(quantization.scale[0]), int(quantization.zeroPoint[0])


def dequantised_output(model: bytes, image: np.ndarray, folder: Path) -> np.ndarray:
    scale, zero_point = output_quantisation(model)
    return (run(model, quantise_input(model, image), folder).astype(np.float64) - zero_point) * scale


@pytest.mark.parametrize("kind", ["convolution", "depthwise", "transposed"])
@pytest.mark.parametrize("rewriting", ["on", "off"])
def test_bias_correction_takes_the_mean_error_out(kind: str, rewriting: str, tmp_path: Path) -> None:
    """A large weight beside small ones: rounding the small ones shifts every pixel the same way."""
    rng = np.random.default_rng(3)
    small, channels = SmallGraph(*SIZE, 16), 16
    weights = (rng.uniform(0.2, 0.4, (channels, 3, 3, 16)) / 127).astype(np.float32)
    weights[:, 1, 1, 0] = 1.0
    bias = np.zeros(channels, np.float32)
    if kind == "convolution":
        output = small.convolution(small.image, weights, bias)
    elif kind == "depthwise":
        shared = weights[:1, :, :, :].copy()
        shared[0, 1, 1, :] = 1.0
        output = small.depthwise(small.image, shared, bias)
    else:
        output = small.transposed(small.image, weights, bias, 2)
    model = small.finished(output)
    seen = [np.abs(numbers(1, *SIZE, 16, seed=seed)) for seed in range(6)]
    calibrated = calibrate_core(model, BYTES, seen, rewriting)
    quantised = integer_core(calibrated)

    def mean_error(candidate: bytes) -> float:
        errors = [dequantised_output(candidate, image, tmp_path) - run(model, image, tmp_path) for image in seen]
        return float(np.abs(np.mean(errors, axis=(0, 1, 2, 3))).max())

    step = output_quantisation(quantised)[0]
    assert mean_error(quantised) < 0.45 * step  # an output is rounded to a step; its mean over a picture is much nearer
    uncorrected = without_correction(calibrated)
    assert mean_error(uncorrected) > 2 * mean_error(quantised)


def without_correction(calibrated: Calibrated) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(biases, "corrected", lambda quantised, *_: quantised)
        return integer_core(calibrated)


# All together


def test_no_conversion_between_scales_is_left_inside() -> None:
    small = SmallGraph(*SIZE, 4)
    first = small.convolution(small.image, numbers(8, 3, 3, 4), numbers(8), RELU6)
    up = small.transposed(first, numbers(8, 3, 3, 8) * 3, numbers(8), 2)
    model = small.finished(small.transposed(up, numbers(3, 3, 3, 8), numbers(3), 2))
    quantised = integer_core(calibrate_core(model, BYTES, images(), "on"))
    assert not {"QUANTIZE", "DEQUANTIZE", "TRANSPOSE_CONV"} & set(operations(quantised))
    assert operations(quantised).count("DEPTH_TO_SPACE") == 2


@pytest.mark.parametrize(("second_scale", "stays"), [(0.1, False), (0.2, True)])
def test_a_detour_is_taken_out_between_equal_scales_alone(second_scale: float, stays: bool) -> None:
    small = SmallGraph(*SIZE, 4)
    edited = graph.parse(small.finished(small.image))
    main = edited.subgraphs[0]

    def int8(name: str, shape: tuple[int, ...], scale: float) -> int:
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [scale], [0]
        return graph.add_tensor(edited, name, shape, schema.TensorType.INT8, quantization=quantization)

    options = schema.DepthToSpaceOptionsT()
    options.blockSize = 2
    large = (1, 2 * SIZE[0], 2 * SIZE[1], 1)
    source, target = int8("source", (1, *SIZE, 4), 0.1), int8("target", large, second_scale)
    moved = graph.add_tensor(edited, "moved", large, schema.TensorType.FLOAT32)
    main.operators = [
        graph.make_operation(edited, OP.DEQUANTIZE, [small.image], [source]),
        graph.make_operation(edited, OP.DEPTH_TO_SPACE, [moved], [small.image], options),
        graph.make_operation(edited, OP.QUANTIZE, [target], [moved]),
    ]
    main.inputs, main.outputs, edited.signatureDefs = [source], [target], []
    left = operations(without_float_detours(graph.serialise(edited)))
    assert left == (["DEQUANTIZE", "DEPTH_TO_SPACE", "QUANTIZE"] if stays else ["DEPTH_TO_SPACE"])


@pytest.mark.parametrize(("dilation", "stride", "out"), [(1, 1, 8), (2, 1, 8), (18, 1, 8), (1, 2, 4), (3, 2, 4)])
def test_taps_see_what_a_convolution_sees(dilation: int, stride: int, out: int) -> None:
    """Against a plain sum over positions, padding left out."""
    size, kernel = 8, 3
    padding = max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - size) // 2
    values = np.arange(size)
    for tap in range(kernel):
        seen = [stride * n + dilation * tap - padding for n in range(out)]
        expected = [position for position in seen if 0 <= position < size]
        assert list(values[biases.Direct(size, out, kernel, stride, dilation).seen_by(tap)]) == expected


def test_same_input_same_bytes() -> None:
    _, model = uneven(RELU6, "depthwise")
    first, again = (integer_core(calibrate_core(model, BYTES, images(), "auto")) for _ in range(2))
    assert first == again


def test_int8_without_images_is_refused() -> None:
    from edge_seg_convert.quantisation import quantise

    with pytest.raises(ConversionError, match="there are none"):
        quantise(b"", "int8", [], "auto")
