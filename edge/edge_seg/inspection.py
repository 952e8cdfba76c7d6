"""What a model file is: tensors, precision, labels, operations, and how much the delegate takes over."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.model_info import ModelInfo, read_labels, read_model_info
from edge_seg.runtimes import DEFAULT_RUNTIME, Engine, Operation, TensorSpec, load_engine

DELEGATE = "DELEGATE"
_INTEGER_BYTES = ("int8", "uint8")


@dataclass(frozen=True)
class DelegateCoverage:
    """How much of the graph a delegate (XNNPACK) runs; the rest falls back to built-in kernels."""

    nodes: int
    """Nodes of the file."""
    delegated: int
    """Nodes of the file that partitions replaced."""
    partitions: int
    left_out: dict[str, int]
    """Nodes that no partition took, by operation name."""

    @property
    def share(self) -> float:
        """Share of nodes delegated, 0 to 1."""
        return self.delegated / self.nodes if self.nodes else 0.0


@dataclass(frozen=True)
class Inspection:
    """Everything `edge-seg inspect` says of a model."""

    path: Path
    size_bytes: int
    precision: str
    """As the file says, or read off the types of weights and activations."""
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    labels: tuple[str, ...]
    operations: dict[str, int]
    """Nodes of the file by operation name, most frequent first."""
    coverage: DelegateCoverage
    info: ModelInfo | None


def inspect_model(path: Path, *, runtime: str = DEFAULT_RUNTIME) -> Inspection:
    """Look into a .tflite file, whether or not it is a segmentation model.

    Raises:
        ModelError: no such file, not a TFLite model, or one that the runtime cannot load.
        MissingExtraError: the runtime is not installed.
    """
    engine = load_engine(path, runtime=runtime)
    info = read_model_info(path)
    nodes, _ = split_nodes(engine.operations)
    return Inspection(
        path=path,
        size_bytes=path.stat().st_size,
        precision=info.precision if info else guess_precision(engine),
        inputs=engine.inputs,
        outputs=engine.outputs,
        labels=tuple(item.name for item in info.classes) if info else read_labels(path),
        operations=dict(Counter(node.name for node in nodes).most_common()),
        coverage=delegate_coverage(engine.operations),
        info=info,
    )


def split_nodes(operations: Sequence[Operation]) -> tuple[Sequence[Operation], Sequence[Operation]]:
    """Divide a runtime's list into the file's own nodes and the delegate nodes it appended."""
    count = len(operations)
    while count and operations[count - 1].name == DELEGATE:
        count -= 1
    return operations[:count], operations[count:]


def delegate_coverage(operations: Sequence[Operation]) -> DelegateCoverage:
    """Work out which nodes each partition replaced: those between its outputs and its inputs."""
    nodes, partitions = split_nodes(operations)
    producer = {tensor: index for index, node in enumerate(nodes) for tensor in node.outputs}
    replaced: set[int] = set()
    for partition in partitions:
        replaced |= _replaced_by(partition, nodes, producer)
    left = Counter(node.name for index, node in enumerate(nodes) if index not in replaced)
    return DelegateCoverage(len(nodes), len(replaced), len(partitions), dict(left.most_common()))


def _replaced_by(partition: Operation, nodes: Sequence[Operation], producer: dict[int, int]) -> set[int]:
    inputs, replaced = set(partition.inputs), set[int]()
    waiting = list(partition.outputs)
    while waiting:
        tensor = waiting.pop()
        index = producer.get(tensor)
        if tensor in inputs or index is None or index in replaced:
            continue
        replaced.add(index)
        waiting.extend(nodes[index].inputs)
    return replaced


def guess_precision(engine: Engine) -> str:
    """Read float32, float16, dynamic or int8 off the types of activations and weights."""
    nodes, _ = split_nodes(engine.operations)
    tensors = engine.tensors
    produced = {tensor for node in nodes for tensor in node.outputs}
    read = {tensor for node in nodes for tensor in node.inputs if tensor >= 0}
    activations = Counter(tensors[index].dtype.name for node in nodes for index in node.outputs)
    weights = {tensors[index].dtype.name for index in read - produced if tensors[index] not in engine.inputs}
    whole = sum(activations[name] for name in _INTEGER_BYTES)
    if whole > activations["float32"]:
        return "int8"
    if weights & set(_INTEGER_BYTES):
        return "dynamic"
    return "float16" if "float16" in weights else "float32"
