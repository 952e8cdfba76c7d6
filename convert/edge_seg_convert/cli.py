"""`edge-seg convert`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import ConversionError
from edge_seg.extras import require_extra

if TYPE_CHECKING:
    from edge_seg_convert.conversion import ConversionResult, Converted


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


def convert(
    run: Annotated[Path, typer.Argument(help="Run folder that `edge-seg train` made.", show_default=False)],
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
    output: Annotated[
        OutputName, typer.Option(help="scores: smoothest edges. classes: class ids from inside the graph.")
    ] = OutputName.scores,
    calibration_images: Annotated[int, typer.Option(min=1, help="Training pictures that int8 is calibrated on.")] = 100,
    force: Annotated[
        bool, typer.Option("--force", help="Write models that lose more than 3 points of mIoU too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Convert a training run to .tflite, or ONNX, and verify every model on the validation split.

    Example:  edge-seg convert runs/pets --out models --precision float32 --precision int8

    Every model takes raw uint8 RGB. A model that loses more than 1 point of mIoU at full image resolution
    warns; one that loses more than 3 is not written unless forced.
    """
    formats = set(to or [FormatName.tflite])
    if precision and FormatName.tflite not in formats:
        raise typer.BadParameter("is about .tflite files; add --to tflite", param_hint="--precision")
    require_extra("convert", purpose="conversion")
    if FormatName.onnx in formats:
        require_extra("onnx", purpose="conversion to ONNX")
    from edge_seg.run_folder import RunFolder
    from edge_seg_convert.conversion import PRECISIONS, convert_run
    from edge_seg_convert.terminal import TerminalProgress, print_result

    by_default = PRECISIONS if FormatName.tflite in formats else ()
    with TerminalProgress() as progress:
        result = convert_run(
            RunFolder(run),
            out,
            progress,
            precisions=tuple(item.value for item in precision) if precision else by_default,
            data=data,
            output=output.value,
            calibration_count=calibration_images,
            force=force,
            to_onnx=FormatName.onnx in formats,
        )
    print_result(result, run, as_json=json)
    _raise_for_held_back(result)


def _raise_for_held_back(result: "ConversionResult") -> None:
    lost = [_loss_words(model) for model in result.held_back]
    if lost:
        raise ConversionError(
            f"not written, because too much was lost: {', '.join(lost)}; calibrate on more or other pictures "
            "(--calibration-images), or write it all the same with --force"
        )


def _loss_words(model: "Converted") -> str:
    return f"{model.precision} ({model.drop * 100:.1f} points of mIoU below Keras)"
