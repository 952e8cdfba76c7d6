"""The step that needs tf2onnx, in a process of its own: float32 .tflite in, ONNX out.

tf2onnx imports TensorFlow, whatever it reads.
"""

import sys
from pathlib import Path
from typing import Any

from edge_seg.model_info import INFO_FILE, ModelInfo
from edge_seg_convert.child_process import run_module

LABELS_KEY = "labels"
"""Key of the class names in metadata_props: one a line, in the order of the scores."""


def export(float_model: Path, info: ModelInfo, out: Path) -> None:
    """Write the ONNX model `out` of a float32 .tflite with scores: uint8 RGB [1, height, width, 3] in.

    Out goes `info.output`: scores [1, height, width, classes] float32, or classes [1, height, width] int32.
    Its metadata_props are the class names (`labels`) and the model's own description (`edge_seg.json`).

    Raises:
        ConversionError: tf2onnx cannot convert the graph.
    """
    description = out.with_suffix(".json")
    description.write_text(info.model_dump_json(indent=2), encoding="utf-8")
    run_module(__name__, float_model, description, out, failure=f"{info.name}: tf2onnx could not convert it to ONNX")


def _main(float_model: Path, description: Path, out: Path) -> None:
    import onnx
    import tf2onnx

    info = ModelInfo.model_validate_json(description.read_text(encoding="utf-8"))
    model, _ = tf2onnx.convert.from_tflite(str(float_model))
    _rename(model.graph, model.graph.input[0], "image")
    _rename(model.graph, model.graph.output[0], "scores")
    if info.output == "classes":
        _append_argmax(model.graph, info)
    model.graph.name = info.name
    labels = "\n".join(item.name for item in info.classes)
    onnx.helper.set_model_props(model, {LABELS_KEY: labels, INFO_FILE: info.model_dump_json()})
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        sys.exit(f"its result is no valid ONNX ({str(error).splitlines()[0]})")
    out.write_bytes(model.SerializeToString())


def _append_argmax(graph: Any, info: ModelInfo) -> None:
    """Make the output int32 class ids, as in a .tflite; tf2onnx leaves TFLite's ARG_MAX with two inputs."""
    import onnx

    shape = (1, info.input_height, info.input_width)
    best = onnx.helper.make_node("ArgMax", ["scores"], ["best"], axis=3, keepdims=0)
    cast = onnx.helper.make_node("Cast", ["best"], ["classes"], to=onnx.TensorProto.INT32)
    graph.node.extend([best, cast])
    graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("classes", onnx.TensorProto.INT32, shape))


def _rename(graph: Any, value: Any, name: str) -> None:
    """Give an input or output of the graph another name, wherever it is used."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name if each == value.name else each for each in names]
    value.name = name


if __name__ == "__main__":
    _main(*map(Path, sys.argv[1:]))
