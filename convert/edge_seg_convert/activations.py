"""What the activations of a float graph are on the calibration images."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter  # pyright: ignore
from numpy.typing import NDArray

from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg_convert import graph

_PARTS = 2
"""The images are summed in this many parts, side by side; the same on every machine, as float sums must be."""


@dataclass(frozen=True)
class Activation:
    """One tensor over all calibration images."""

    low: NDArray[np.float32]
    """[channels] float32, the smallest value of each channel."""
    high: NDArray[np.float32]
    """[channels] float32, the largest."""
    mean: NDArray[np.float32]
    """float32 of the tensor's shape, the mean over the images."""

    @property
    def ends(self) -> tuple[float, float]:
        """Range of the whole tensor, zero included, as TFLite's quantisation wants it."""
        return min(float(self.low.min()), 0.0), max(float(self.high.max()), 0.0)

    def times(self, gain: NDArray[np.float32]) -> "Activation":
        """Scale each channel by its positive gain [channels]."""
        return Activation(self.low * gain, self.high * gain, self.mean * gain)


Activations = Mapping[str, Activation]
"""By tensor name."""


def measure(model: bytes, inputs: Sequence[NDArray[np.float32]]) -> dict[str, Activation]:
    """Run a float graph on every input and sum its activations up.

    Every activation becomes an output of the graph, so that XNNPACK runs it at full speed all the same
    (keeping tensors alive without outputs needs the reference kernels, several times slower).

    Args:
        model: a float32 .tflite with one image input.
        inputs: [1, height, width, channels] float32 each; at least one.
    """
    opened, activations = _with_all_outputs(model)
    shares = [inputs[start::_PARTS] for start in range(min(_PARTS, len(inputs)))]
    with ThreadPoolExecutor(len(shares)) as pool:
        parts = list(pool.map(lambda share: _measure_part(opened, activations, share), shares))
    return {name: _merged([part[name] for part in parts], len(inputs)) for name in activations.values()}


def _with_all_outputs(model: bytes) -> tuple[bytes, dict[int, str]]:
    """Return the graph with every activation as an output, and their names by index, input first."""
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    made = [int(index) for operation in main.operators for index in operation.outputs]
    outputs = [index for index in made if main.tensors[index].type == schema.TensorType.FLOAT32]
    main.outputs = outputs
    edited.signatureDefs = []
    return graph.serialise(edited), {index: graph.tensor_name(edited, index) for index in (*main.inputs, *outputs)}


def _measure_part(
    model: bytes, activations: Mapping[int, str], inputs: Iterable[NDArray[np.float32]]
) -> dict[str, Activation]:
    """Sum up one share of the images; `mean` holds sums here."""
    with quiet_stderr():
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    input_index = next(iter(activations))
    parts: dict[str, Activation] = {}
    for values in inputs:
        interpreter.set_tensor(input_index, values)
        interpreter.invoke()
        for index, name in activations.items():
            _add(parts, name, interpreter.get_tensor(index))
    return parts


def _add(parts: dict[str, Activation], name: str, values: NDArray[np.float32]) -> None:
    by_channel = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    low, high = by_channel.min(axis=0), by_channel.max(axis=0)
    if name in parts:
        known = parts[name]
        np.add(known.mean, values, out=known.mean)
        np.minimum(known.low, low, out=known.low)
        np.maximum(known.high, high, out=known.high)
    else:
        parts[name] = Activation(low, high, values.copy())


def _merged(parts: Sequence[Activation], images: int) -> Activation:
    low = np.min([part.low for part in parts], axis=0)
    high = np.max([part.high for part in parts], axis=0)
    return Activation(low, high, np.sum([part.mean for part in parts], axis=0) / np.float32(images))
