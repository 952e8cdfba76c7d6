"""Other forms of an int8 graph: `python -m edge_seg_convert.graph_study RUN --out FOLDER`.

Writes each form as a .tflite, and RUN_accuracy.json with what it gives on the validation split. What they cost is
measured by `edge-seg bench FOLDER/*.tflite` and `python -m edge_seg_bench.arm64 FOLDER/*.tflite --part invoke`; the results are in
benchmarks/results/graph_study, what follows from them in docs/int8.md.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from ai_edge_litert import schema_py_generated as schema

from edge_seg.dataset import Dataset
from edge_seg.files import write_bytes, write_text
from edge_seg_convert import graph
from edge_seg_convert.calibration import calibration_set
from edge_seg_convert.graph_ends import with_class_map_output, with_uint8_input
from edge_seg_convert.keras_export import FLOAT_MODEL_FILE, MASKS_FOLDER, Request, export
from edge_seg_convert.polyphase import FEWEST_CHANNELS_APART, rewrite
from edge_seg_convert.quantisation import Calibrated, calibrate, integer_core, integer_model, with_whole_input
from edge_seg_convert.ranges import tensor_ranges
from edge_seg_convert.sources import Source, open_source
from edge_seg_convert.verification import verify

IMAGES = 50
ALL_TOGETHER = 1 << 20
"""More output channels than any layer has."""


def forms(calibrated: Calibrated) -> Mapping[str, Callable[[], bytes]]:
    """Return how to make each form, by name; `calibrated` is not rewritten."""
    apart = _rewritten(calibrated)
    return {
        "transposed": lambda: integer_model(calibrated),
        "phases_apart": lambda: integer_model(apart),
        "phases_together": lambda: integer_model(_rewritten(calibrated, fewest_apart=ALL_TOGETHER)),
        "weights_of_4_bits": lambda: with_uint8_input(integer_core(apart, weight_bits=4)),
        "class_map_inside": lambda: with_class_map_output(integer_model(apart)),
        "scores_of_half_size": lambda: _without_last_resize(integer_model(apart)),
    }


def _rewritten(calibrated: Calibrated, fewest_apart: int = FEWEST_CHANNELS_APART) -> Calibrated:
    core = rewrite(calibrated.core, "auto", fewest_apart)
    return with_whole_input(replace(calibrated, core=core, ranges=tensor_ranges(core, calibrated.activations)))


def _without_last_resize(model: bytes) -> bytes:
    """Leave the last doubling to the runner, which upsamples to the picture's size anyway."""
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    last = main.operators[-1]
    if graph.operation_code(edited, last) != schema.BuiltinOperator.RESIZE_BILINEAR:
        return model
    main.operators, main.outputs = main.operators[:-1], [last.inputs[0]]
    for signature in edited.signatureDefs or []:
        signature.outputs[0].tensorIndex = last.inputs[0]
    graph.drop_unused(edited)
    return graph.serialise(edited)


def study(source: Source, dataset: Dataset, out: Path) -> None:
    """Write every form of a network and what it gives."""
    with tempfile.TemporaryDirectory(prefix="edge-seg-") as name:
        work = Path(name)
        exported = export(Request(str(source.model), str(dataset.folder)), work)
        chosen = calibration_set(dataset, IMAGES, exported.height, exported.width, source.seed)
        images = [item.image for item in chosen]
        calibrated = calibrate((work / FLOAT_MODEL_FILE).read_bytes(), images, "off")
        accuracy: dict[str, dict[str, float]] = {}
        for form, make in forms(calibrated).items():
            path = out / f"{source.name}_{form}.tflite"
            write_bytes(path, make())
            _, verified = verify({"int8": path}, dataset, work / MASKS_FOLDER, lambda: None)
            accuracy[form] = {
                "drop_points": round(100 * verified["int8"].drop, 3),
                "agreement": round(verified["int8"].agreement, 5),
                "size_bytes": path.stat().st_size,
            }
    write_text(out / f"{source.name}_accuracy.json", json.dumps(accuracy, indent=1) + "\n")


def main(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the forms.")],
    data: Annotated[Path | None, typer.Option(help="Data set folder; the run's own when not given.")] = None,
) -> None:
    """Write other forms of a run's int8 graph."""
    source = open_source(run, data=data, labels=None, input_range=None)
    assert source.dataset is not None
    study(source, source.dataset, out)


if __name__ == "__main__":
    typer.run(main)
