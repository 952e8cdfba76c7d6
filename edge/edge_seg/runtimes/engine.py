"""The interface every runtime adapter gives, and the interpreter both present runtimes share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[Any]


@dataclass(frozen=True)
class TensorSpec:
    """Shape, dtype and affine quantisation of a model's input or output: real = (q − zero_point) × scale.

    `scale` is 0.0 for a tensor that is not quantised.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class Operation:
    """One node of the graph, delegate nodes included: its name and its tensors' indices."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Engine(Protocol):
    """A loaded model. Not thread-safe: one thread runs it."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The model's inputs."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The model's outputs."""
        ...

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """All tensors, weights included; an Operation's indices count in this list."""
        ...

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All nodes: those of the file, then one DELEGATE node per delegated partition."""
        ...

    def set_input(self, tensor: Tensor) -> None:
        """Copy `tensor` into the first input; its shape and dtype are those of inputs[0]."""
        ...

    def invoke(self) -> None:
        """Run the graph."""
        ...

    def output(self, index: int = 0) -> Tensor:
        """Copy one output out."""
        ...


class InterpreterEngine:
    """An Engine around TFLite's `Interpreter` class, which litert and tflite_runtime both have."""

    def __init__(self, interpreter_class: Any, resolver: Any, path: Path, threads: int, delegate: bool) -> None:
        interpreter = interpreter_class(
            model_path=str(path),
            num_threads=threads,
            experimental_op_resolver_type=resolver.AUTO if delegate else resolver.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
        if not (interpreter.get_input_details() and interpreter.get_output_details()):
            raise ValueError("the graph lacks an input or an output")
        self._interpreter = interpreter
        self.inputs = tuple(_spec(detail) for detail in interpreter.get_input_details())
        self.outputs = tuple(_spec(detail) for detail in interpreter.get_output_details())
        self._input_index: int = interpreter.get_input_details()[0]["index"]
        self._output_indices: list[int] = [detail["index"] for detail in interpreter.get_output_details()]
        self.invoke = interpreter.invoke

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """All tensors, weights included, by index."""
        details = sorted(self._interpreter.get_tensor_details(), key=lambda detail: detail["index"])
        return tuple(_spec(detail) for detail in details)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All nodes, from the interpreter's own (private) list: no public call gives them."""
        return tuple(
            Operation(
                detail["op_name"],
                tuple(int(index) for index in detail["inputs"]),
                tuple(int(index) for index in detail["outputs"]),
            )
            for detail in self._interpreter._get_ops_details()
        )

    def set_input(self, tensor: Tensor) -> None:
        """Copy `tensor` into the first input."""
        self._interpreter.set_tensor(self._input_index, tensor)

    def output(self, index: int = 0) -> Tensor:
        """Copy one output out."""
        return self._interpreter.get_tensor(self._output_indices[index])


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(size) for size in detail["shape"])
    return TensorSpec(detail["name"], shape, np.dtype(detail["dtype"]), float(scale), int(zero_point))
