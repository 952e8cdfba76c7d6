"""`edge-seg eval`: mIoU at full image resolution."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_seg.cli.options import (
    InputRangeOption,
    JsonOption,
    LabelsOption,
    RuntimeOption,
    ThreadsOption,
    load_segmenter,
)
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from edge_seg.dataset import Dataset
    from edge_seg.evaluate import Evaluation
    from edge_seg.segmenter import Segmenter

WORST_COUNT = 8


def evaluate(
    model: Annotated[Path, typer.Argument(help="A .tflite file, or a shipped name, with the classes of the data set.")],
    *,
    data: Annotated[Path, typer.Option(help="A data set folder.")],
    split: Annotated[str, typer.Option(help="train, val or test.")] = "val",
    threads: ThreadsOption = 1,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    worst: Annotated[
        Path | None,
        typer.Option(help=f"Picture to write: the {WORST_COUNT} photographs of the lowest mIoU, truth and answer."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure mIoU, IoU per class and pixel accuracy at full image resolution.

    Example:  edge-seg eval pets --data data/pets --worst worst.jpg
    """
    from edge_seg.dataset import Dataset

    if worst is not None:
        _check_can_write_picture(worst)
    segmenter = load_segmenter(model, runtime=runtime, threads=threads, labels=labels, input_range=input_range)
    dataset = Dataset.open(data)
    evaluation = _evaluate_with_progress(segmenter, dataset, split)
    if worst is not None:
        _write_worst(worst, segmenter, dataset, evaluation)
    if as_json:
        typer.echo(json.dumps({"model": str(model), "data": str(data), "split": split, **_as_dict(evaluation)}))
    else:
        _show(evaluation)
        if worst is not None:
            typer.echo(f"the pictures of the lowest mIoU are in {worst}")


def _check_can_write_picture(path: Path) -> None:
    from edge_seg.files import check_can_write
    from edge_seg.images import check_image_suffix

    check_image_suffix(path)
    check_can_write(path.parent)


def _write_worst(path: Path, segmenter: "Segmenter", dataset: "Dataset", evaluation: "Evaluation") -> None:
    from edge_seg.failures import failure_sheet
    from edge_seg.images import write_image

    write_image(path, failure_sheet(segmenter, dataset, evaluation.worst(WORST_COUNT)))


def _evaluate_with_progress(segmenter: "Segmenter", dataset: "Dataset", split: str) -> "Evaluation":
    from rich.console import Console
    from rich.progress import Progress

    from edge_seg.evaluate import evaluate as evaluate_model

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"{segmenter.name} on {split}", total=None)
        return evaluate_model(
            segmenter, dataset, split, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _as_dict(evaluation: "Evaluation") -> dict[str, Any]:
    return {
        "images": evaluation.images,
        "miou": round(evaluation.scores.miou, 5),
        "pixel_accuracy": round(evaluation.scores.pixel_accuracy, 5),
        "iou": {name: None if math.isnan(iou) else round(iou, 5) for name, iou in evaluation.iou_by_class.items()},
        "latency_p50_ms": round(evaluation.latency_p50_ms, 3),
        "invoke_p50_ms": round(evaluation.invoke_p50_ms, 3),
        "worst": {picture.sample.name: round(picture.scores.miou, 5) for picture in evaluation.worst(WORST_COUNT)},
    }


def _show(evaluation: "Evaluation") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("class", "IoU")
    for name, iou in evaluation.iou_by_class.items():
        table.add_row(name, "absent" if math.isnan(iou) else f"{iou:.4f}")
    table.add_section()
    table.add_row("mean", f"{evaluation.scores.miou:.4f}")
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print(
        f"{evaluation.images} images, pixel accuracy {evaluation.scores.pixel_accuracy:.4f}, "
        f"{evaluation.latency_p50_ms:.1f} ms per image (model {evaluation.invoke_p50_ms:.1f} ms), medians"
    )
