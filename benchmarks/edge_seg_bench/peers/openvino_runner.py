"""A .tflite model in OpenVINO, on the processor, set for latency.

https://docs.openvino.ai/2025/openvino-workflow/running-inference/optimize-inference/high-level-performance-hints.html
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.runtimes import TensorSpec
from edge_seg.runtimes.engine import Tensor

_REPORTED = (
    "PERFORMANCE_HINT",
    "INFERENCE_NUM_THREADS",
    "NUM_STREAMS",
    "INFERENCE_PRECISION_HINT",
    "EXECUTION_MODE_HINT",
    "ENABLE_CPU_PINNING",
    "ENABLE_HYPER_THREADING",
)


def load(path: Path, threads: int) -> "OpenVinoRunner":
    """Compile a model for the CPU; everything but the hint and the threads is OpenVINO's default."""
    openvino: Any = import_module("openvino")
    told = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    return OpenVinoRunner(openvino.Core().compile_model(str(path), "CPU", told))


class OpenVinoRunner:
    """A compiled model and one inference request, whose input lies in memory of ours."""

    def __init__(self, compiled: Any) -> None:
        port = compiled.input(0)
        self.inputs = (TensorSpec("input", tuple(port.shape), np.dtype(port.element_type.to_dtype()), 0.0, 0),)
        self.settings = {name: _words(compiled.get_property(name)) for name in _REPORTED}
        self._request = compiled.create_infer_request()
        self._input = self._request.get_input_tensor(0).data

    def set_input(self, tensor: Tensor) -> None:
        """Copy `tensor` into the request."""
        self._input[:] = tensor

    def invoke(self) -> None:
        """Run the graph; the outputs stay where they are."""
        self._request.infer(share_outputs=True)

    def output(self) -> Tensor:
        """Copy the first output out."""
        return np.array(self._request.get_output_tensor(0).data)


def _words(value: object) -> str:
    """Return e.g. "bfloat16" for what prints as <Type: 'bfloat16'>, and "PERFORMANCE" for ExecutionMode.PERFORMANCE."""
    return str(value).removeprefix("<Type: '").removesuffix("'>").rpartition(".")[2]
