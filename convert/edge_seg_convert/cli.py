"""`edge-seg convert`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import ConversionError
from edge_seg.extras import require_extra

if TYPE_CHECKING:
    from edge_seg_convert.results import ConversionResult, Converted


class PrecisionName(StrEnum):
    """The precisions to choose from."""

    float32 = "float32"
    float16 = "float16"
    dynamic = "dynamic"
    int8 = "int8"


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
    output: Annotated[
        OutputName, typer.Option(help="scores: smoothest edges. classes: class ids from inside the graph.")
    ] = OutputName.scores,
    calibration_images: Annotated[int, typer.Option(min=1, help="Training pictures that int8 is calibrated on.")] = 100,
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
        bool, typer.Option("--force", help="Write models that lose more than 3 points of mIoU too.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Convert a training run to .tflite and verify every model on the validation split.

    Example:  edge-seg convert runs/pets --out models --precision float32 --precision int8

    Every model takes raw uint8 RGB. A model that loses more than 1 point of mIoU at full image resolution
    warns; one that loses more than 3 is not written unless forced. When int8 loses, --debug says where,
    and --target-drop 0.2 keeps the layers that hurt in float.
    """
    require_extra("convert", purpose="conversion")
    from edge_seg.run_folder import RunFolder
    from edge_seg_convert.conversion import PRECISIONS, convert_run
    from edge_seg_convert.terminal import TerminalProgress, print_result

    with TerminalProgress() as progress:
        result = convert_run(
            RunFolder(run),
            out,
            progress,
            precisions=tuple(item.value for item in precision) if precision else PRECISIONS,
            data=data,
            output=output.value,
            calibration_count=calibration_images,
            force=force,
            debug=debug,
            target_drop=None if target_drop is None else target_drop / 100,
        )
    print_result(result, run, as_json=json)
    _raise_for_missed_target(result, target_drop)
    _raise_for_held_back(result)


def _raise_for_held_back(result: "ConversionResult") -> None:
    lost = [_loss_words(model) for model in result.held_back]
    if lost:
        raise ConversionError(
            f"not written, because too much was lost: {', '.join(lost)}; calibrate on more or other pictures "
            "(--calibration-images), see what hurts with --debug, keep it in float with --target-drop 1, or write it "
            "all the same with --force"
        )


def _raise_for_missed_target(result: "ConversionResult", target_drop: float | None) -> None:
    for model in result.held_back:
        if model.misses_target:
            count = len(model.mixed.float_layers) if model.mixed else 0
            raise ConversionError(
                f"{model.precision} not written: it still loses {model.drop * 100:.2f} points of mIoU, more than the "
                f"{target_drop:g} wanted, with {count} layers in float; allow more with --target-drop, take float16, "
                "or write the best one found with --force"
            )


def _loss_words(model: "Converted") -> str:
    return f"{model.precision} ({model.drop * 100:.1f} points of mIoU below Keras)"
