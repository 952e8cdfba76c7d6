"""How images go into a model and what comes out of it, read off its tensors.

Our own models take raw RGB bytes and give scores. Models from elsewhere differ in dtype, scaling,
layout and output; each difference is either resolved here, once, at load, or refused in a sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import ModelError
from edge_seg.images import RgbImage
from edge_seg.runtimes import TensorSpec

InputRange = tuple[float, float]
"""The real numbers that the bytes 0 and 255 stand for."""

KNOWN_RANGES: dict[str, InputRange] = {"-1,1": (-1.0, 1.0), "0,1": (0.0, 1.0), "0,255": (0.0, 255.0)}

_RANGE_CURE = "run, camera and eval take it with  --input-range -1,1  or 0,1  or 0,255, whichever it was trained with"


@dataclass(frozen=True)
class InputFormat:
    """Turns RGB bytes at network size into the input tensor, by one look-up table."""

    height: int
    width: int
    channels_first: bool
    table: NDArray[Any] | None
    """[256], the input's value for every byte; None when the input takes the bytes themselves."""

    def encode(self, image: RgbImage) -> NDArray[Any]:
        """Turn [height, width, 3] uint8 RGB into the input tensor, [1, ...]."""
        values = image if self.table is None else np.asarray(cv2.LUT(image, self.table))
        return np.ascontiguousarray(values.transpose(2, 0, 1) if self.channels_first else values)[np.newaxis]


@dataclass(frozen=True)
class OutputFormat:
    """What the output tensor holds, and how to bring it to [height, width, channels]."""

    kind: Literal["scores", "probability", "classes"]
    height: int
    width: int
    channels: int
    channels_first: bool
    threshold: float = 0.5
    """For a probability: the stored value that stands for 0.5."""

    def decode(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Bring the output tensor to [height, width, channels], without copying."""
        if self.channels_first:
            return tensor.reshape(self.channels, self.height, self.width).transpose(1, 2, 0)
        return tensor.reshape(self.height, self.width, self.channels)


def parse_input_range(text: str) -> InputRange:
    """Read "-1,1", "0,1" or "0,255".

    Raises:
        ModelError: anything else.
    """
    try:
        return KNOWN_RANGES[text.replace(" ", "")]
    except KeyError:
        raise ModelError(f"input range '{text}' is not known; write one of -1,1  0,1  0,255") from None


def input_format(specs: Sequence[TensorSpec], input_range: InputRange | None, *, raw_bytes: bool) -> InputFormat:
    """Read the input's layout and scaling.

    Args:
        specs: the model's inputs.
        input_range: what the user says a float input expects.
        raw_bytes: the model says (edge_seg.json) that its scaling is inside the graph.

    Raises:
        ModelError: the input is not one RGB image, or nothing says how bytes become its numbers.
    """
    if len(specs) != 1:
        raise ModelError(f"has {len(specs)} inputs ({_names(specs)}); only models with one image input can run")
    (spec,) = specs
    height, width, channels_first = _image_layout(spec)
    # A model that scales inside takes the bytes, whatever scale and zero point its uint8 input has.
    table = None if raw_bytes and spec.dtype == np.uint8 else _input_table(spec, input_range)
    return InputFormat(height, width, channels_first, table)


def output_format(specs: Sequence[TensorSpec], model_input: InputFormat) -> OutputFormat:
    """Read the output's layout and meaning.

    Raises:
        ModelError: more than one output, or one that is neither scores nor a class map.
    """
    if len(specs) != 1:
        raise ModelError(
            f"has {len(specs)} outputs ({_names(specs)}); only models with one output, class scores or "
            "a class map, can run: export it with the segmentation output alone"
        )
    (spec,) = specs
    height, width, channels, channels_first = _output_layout(spec, model_input)
    if channels > 1:
        if spec.dtype.name not in ("float32", "int8", "uint8"):
            raise ModelError(f"gives scores as {spec.dtype}; convert it with float32, int8 or uint8 outputs")
        return OutputFormat("scores", height, width, channels, channels_first)
    if spec.dtype.kind in "iu" and spec.scale == 0:
        return OutputFormat("classes", height, width, 1, channels_first)
    return OutputFormat("probability", height, width, 1, channels_first, _probability_threshold(spec))


def _image_layout(spec: TensorSpec) -> tuple[int, int, bool]:
    """Return (height, width, channels first) of an image input."""
    shape = _written(spec.shape)
    if len(spec.shape) != 4:
        raise ModelError(f"takes an input of shape {shape}, not an image; an image input is [1, height, width, 3]")
    batch, first, second, last = spec.shape
    if batch != 1:
        raise ModelError(f"takes {batch} images at once (input {shape}); export it with batch size 1")
    if min(first, second) == 1 and last == 3:
        raise ModelError(f"leaves its input size open (input {shape}); export it with a fixed height and width")
    if last == 3:
        return first, second, False
    if first == 3:
        return second, last, True
    if 1 in (first, last):
        raise ModelError(f"takes a grey image (input {shape}); only RGB inputs can run: export it with 3 channels")
    raise ModelError(f"takes an input of shape {shape}, not an RGB image; an image input is [1, height, width, 3]")


def _input_table(spec: TensorSpec, input_range: InputRange | None) -> NDArray[Any] | None:
    if spec.dtype == np.float32:
        if input_range is None:
            raise ModelError(f"takes float32 and does not say which range; {_RANGE_CURE}")
        return _spread(input_range).astype(np.float32)
    if spec.dtype == np.uint8 and input_range is None:
        return None
    if spec.dtype.name in ("int8", "uint8"):
        return _quantised_table(spec, input_range)
    raise ModelError(f"takes {spec.dtype}; only uint8, int8 and float32 inputs can run: convert it again")


def _quantised_table(spec: TensorSpec, input_range: InputRange | None) -> NDArray[Any]:
    """Quantise the real numbers that bytes stand for: q = round(real / scale) + zero point."""
    if spec.scale == 0:
        raise ModelError(f"takes {spec.dtype} without a scale; convert it again with quantisation parameters")
    limits = np.iinfo(spec.dtype)
    lowest, highest = ((limit - spec.zero_point) * spec.scale for limit in (limits.min, limits.max))
    real = _spread(input_range or _known_range(lowest, highest))
    quantised = np.rint(real / spec.scale) + spec.zero_point
    return np.clip(quantised, limits.min, limits.max).astype(spec.dtype)


def _known_range(lowest: float, highest: float) -> InputRange:
    """Return the usual range that a quantised input covers, ends within 3 % of its width."""
    for low, high in KNOWN_RANGES.values():
        if max(abs(lowest - low), abs(highest - high)) <= 0.03 * (high - low):
            return low, high
    raise ModelError(f"takes numbers from {lowest:.3g} to {highest:.3g}, no usual range of pixels; {_RANGE_CURE}")


def _spread(limits: InputRange) -> NDArray[np.float64]:
    return np.linspace(limits[0], limits[1], 256)


def _output_layout(spec: TensorSpec, model_input: InputFormat) -> tuple[int, int, int, bool]:
    """Return (height, width, channels, channels first)."""
    if spec.shape[:1] != (1,):
        raise ModelError(f"gives an output of shape {_written(spec.shape)}; export it with batch size 1")
    sizes, pixels = spec.shape[1:], model_input.height * model_input.width
    if len(sizes) in (1, 2) and sizes[0] == pixels:
        return model_input.height, model_input.width, (*sizes, 1)[1], False
    if len(sizes) == 2 and _is_map(sizes, model_input):
        return sizes[0], sizes[1], 1, False
    if len(sizes) == 3:
        return _volume_layout(spec, model_input)
    raise ModelError(
        f"gives an output of shape {_written(spec.shape)}, which is no map of the image; "
        "a segmentation model gives [1, height, width, classes] or a class map [1, height, width]"
    )


def _volume_layout(spec: TensorSpec, model_input: InputFormat) -> tuple[int, int, int, bool]:
    """Tell [h, w, classes] from [classes, h, w] by which pair has the input's proportions."""
    first, second, last = spec.shape[1:]
    channels_last_fits = _is_map((first, second), model_input)
    channels_first_fits = _is_map((second, last), model_input)
    if channels_first_fits and (model_input.channels_first or not channels_last_fits):
        return second, last, first, True
    if channels_last_fits:
        return first, second, last, False
    raise ModelError(
        f"gives an output of shape {_written(spec.shape)}, of other proportions than its "
        f"{model_input.height}×{model_input.width} input; it is no segmentation model this program knows"
    )


def _is_map(sizes: Sequence[int], model_input: InputFormat) -> bool:
    """True when (height, width) has the input's proportions, rounding of strides allowed."""
    height, width = sizes
    if min(height, width) < 2:
        return False
    return abs(height / model_input.height - width / model_input.width) < 1.0 / min(
        model_input.height, model_input.width
    )


def _probability_threshold(spec: TensorSpec) -> float:
    """Return the stored value of probability 0.5; one channel of logits cannot be told from its numbers."""
    if spec.dtype == np.float32:
        return 0.5
    if spec.dtype.name not in ("int8", "uint8"):
        raise ModelError(f"gives one channel of {spec.dtype}; convert it with a float32, int8 or uint8 output")
    highest = (np.iinfo(spec.dtype).max - spec.zero_point) * spec.scale
    if not 0.9 <= highest <= 1.1:
        raise ModelError(
            f"gives one channel that reaches {highest:.3g}, so it is no probability; "
            "export it with a sigmoid at its end"
        )
    return 0.5 / spec.scale + spec.zero_point


def _names(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(spec.name for spec in specs)


def _written(shape: Sequence[int]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]"
