"""The range that each tensor of an int8 graph is given."""

from collections.abc import Mapping

from ai_edge_litert import schema_py_generated as schema

from edge_seg_convert import graph
from edge_seg_convert.activations import Activation

Range = tuple[float, float]

_OP = schema.BuiltinOperator
_MOVING = (_OP.CONCATENATION, _OP.DEPTH_TO_SPACE, _OP.MAX_POOL_2D, _OP.PAD, _OP.RESIZE_BILINEAR)
"""Operations that move values about: in TFLite, what goes in and what comes out have one scale."""


def tensor_ranges(model: bytes, activations: Mapping[str, Activation]) -> dict[str, Range]:
    """Give every tensor the range that was measured, and one range to all that values are moved between.

    A tensor joined to another of a different scale would have to be rounded a second time, by a QUANTIZE operation
    in the middle of the graph.

    Args:
        model: a float32 graph, rewritten or not.
        activations: what `measure` gave for it before the rewriting.
    """
    parsed = graph.parse(model)
    groups = _Groups()
    for operation in parsed.subgraphs[0].operators:
        if graph.operation_code(parsed, operation) in _MOVING:
            for index in operation.inputs:
                if not graph.is_constant(parsed, int(index)):
                    groups.join(int(index), int(operation.outputs[0]))
    names = [graph.tensor_name(parsed, index) for index in range(len(parsed.subgraphs[0].tensors))]
    shared: dict[int, Range] = {}
    for index, name in enumerate(names):
        if name in activations:
            low, high = activations[name].ends
            known_low, known_high = shared.get(groups.of(index), (low, high))
            shared[groups.of(index)] = min(low, known_low), max(high, known_high)
    return {name: shared[groups.of(index)] for index, name in enumerate(names) if groups.of(index) in shared}


class _Groups:
    """Disjoint sets of tensor indices."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def of(self, index: int) -> int:
        while index in self._parents:
            index = self._parents[index]
        return index

    def join(self, one: int, other: int) -> None:
        if self.of(one) != self.of(other):
            self._parents[self.of(one)] = self.of(other)
