"""An .onnx model in ONNX Runtime, on the processor, with all graph optimisations.

https://onnxruntime.ai/docs/performance/tune-performance/threading.html
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.runtimes import TensorSpec
from edge_seg.runtimes.engine import Tensor

_PROVIDER = "CPUExecutionProvider"
_CHANNELS = 3
_DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32"}


def load(path: Path, threads: int) -> "OnnxRuntimeRunner":
    """Open a session; everything but the threads, the provider and the optimisations is ONNX Runtime's default."""
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=[_PROVIDER])
    return OnnxRuntimeRunner(session, threads)


class OnnxRuntimeRunner:
    """A session with its input bound, so that a run copies nothing.

    The input is [1, height, width, 3] uint8 to the outside; what the file wants else is made of it by set_input.
    """

    def __init__(self, session: Any, threads: int) -> None:
        self._session, port = session, session.get_inputs()[0]
        self._dtype = np.dtype(_DTYPES[port.type])
        self._channels_first = port.shape[1] == _CHANNELS
        shape = tuple(port.shape[index] for index in ((0, 2, 3, 1) if self._channels_first else range(4)))
        self.inputs = (TensorSpec(port.name, shape, np.dtype(np.uint8), 0.0, 0),)
        self.settings = {
            "providers": ", ".join(session.get_providers()),
            "intra_op_num_threads": str(threads),
            "graph_optimization_level": "ORT_ENABLE_ALL",
        }
        self._binding = session.io_binding()
        self._binding.bind_output(session.get_outputs()[0].name, "cpu")

    def set_input(self, tensor: Tensor) -> None:
        """Bind `tensor`, in the layout and dtype of the file."""
        ordered = tensor.transpose(0, 3, 1, 2) if self._channels_first else tensor
        self._bound = np.ascontiguousarray(ordered, self._dtype)
        self._binding.bind_cpu_input(self.inputs[0].name, self._bound)

    def invoke(self) -> None:
        """Run the graph; the outputs stay where they are."""
        self._session.run_with_iobinding(self._binding)

    def output(self) -> Tensor:
        """Copy the first output out."""
        return self._binding.copy_outputs_to_cpu()[0]
