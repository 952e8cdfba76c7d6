"""`edge-seg convert`."""

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import InputRangeOption, JsonOption, LabelsOption
from edge_seg.errors import ConversionError
from edge_seg.extras import require_extra

if TYPE_CHECKING:
    from edge_seg_convert.results import ConversionResult


class PrecisionName(StrEnum):
    """The precisions to choose from."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"


class FormatName(StrEnum):
    """The file formats to choose from."""

    tflite = "tflite"
    onnx = "onnx"


class OutputName(StrEnum):
    """What the model gives."""

    scores = "scores"
    classes = "classes"


class RewriteName(StrEnum):
    """What to do with transposed convolutions."""

    auto = "auto"
    on = "on"
    off = "off"


class QuantizerName(StrEnum):
    """Who makes int8."""

    litert = "litert"
    tensorflow = "tensorflow"


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="Run folder that `edge-seg train` made; or a .keras file or SavedModel folder, with --labels.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the models.", show_default=False)],
    precision: Annotated[
        list[PrecisionName] | None,
        typer.Option(help="May be given several times; all four when not given.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data set folder; the run's own when not given.", show_default=False)
    ] = None,
    to: Annotated[
        list[FormatName] | None,
        typer.Option(
            help="May be given several times; tflite when not given. onnx: float32, for ONNX Runtime.",
            show_default=False,
        ),
    ] = None,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    output: Annotated[
        OutputName, typer.Option(help="scores: smoothest edges. classes: class ids from inside the graph.")
    ] = OutputName.scores,
    rewrite: Annotated[
        RewriteName,
        typer.Option(
            help="Transposed convolutions as faster ones of the same result. auto: those that can be. on: or refuse."
        ),
    ] = RewriteName.auto,
    quantizer: Annotated[
        QuantizerName, typer.Option(help="Who makes int8: litert-quantizer, or TensorFlow's converter.")
    ] = QuantizerName.litert,
    calibration_images: Annotated[int, typer.Option(min=1, help="Training pictures that int8 is calibrated on.")] = 50,
    debug: Annotated[
        bool, typer.Option("--debug", help="Name the layers that int8 hurts: a table, a plot and a JSON file.")
    ] = False,
    target_drop: Annotated[
        float | None,
        typer.Option(
            min=0, help="Keep as few layers of int8 in float as bring its loss down to this many points of mIoU."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write models that lose too much or are far too slow, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Convert a trained network to .tflite, or ONNX, and verify every model on the validation split.

    Example:  edge-seg convert runs/pets --out models

    Example:  edge-seg convert mine.keras --labels names.txt --input-range 0,1 --data data/fire --out models

    Every model takes raw uint8 RGB. A model that loses more than 1 point of mIoU at full image resolution
    warns; one that loses more than 3 is not written unless forced. When int8 loses, --debug says where,
    and --target-drop 0.2 keeps the layers that hurt in float.
    """
    if target_drop is not None and not math.isfinite(target_drop):
        raise typer.BadParameter(f"is {target_drop}; give points of mIoU such as 0.2", param_hint="--target-drop")
    formats = set(to or [FormatName.tflite])
    if precision and FormatName.tflite not in formats:
        raise typer.BadParameter("is about .tflite files; add --to tflite", param_hint="--precision")
    require_extra("convert", purpose="conversion")
    if FormatName.onnx in formats:
        require_extra("onnx", purpose="conversion to ONNX")
    from edge_seg.cli.options import read_label_file
    from edge_seg.model_spec import parse_input_range
    from edge_seg_convert import conversion
    from edge_seg_convert.sources import open_source
    from edge_seg_convert.terminal import TerminalProgress, print_result

    opened = open_source(
        source,
        data=data,
        labels=read_label_file(labels) if labels else None,
        input_range=parse_input_range(input_range) if input_range else None,
    )
    by_default = conversion.default_precisions(opened) if FormatName.tflite in formats else ()
    options = conversion.Options(
        precisions=[item.value for item in precision] if precision else by_default,
        output=output.value,
        rewriting=rewrite.value,
        quantizer=quantizer.value,
        calibration_count=calibration_images,
        force=force,
        debug=debug,
        target_drop=None if target_drop is None else target_drop / 100,
        to_onnx=FormatName.onnx in formats,
    )
    with TerminalProgress() as progress:
        result = conversion.convert(opened, out, progress, options)
    print_result(result, as_json=as_json)
    _raise_for_held_back(result)


def _raise_for_held_back(result: "ConversionResult") -> None:
    reasons = [f"{model.precision} {model.obstacle}" for model in result.held_back]
    if reasons:
        raise ConversionError(f"not written: {'; '.join(reasons)}; or write it all the same with --force")
