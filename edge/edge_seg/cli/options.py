"""Options that several device commands share, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import ModelError
from edge_seg.runtimes import MOST_THREADS, RUNTIMES

if TYPE_CHECKING:
    from edge_seg.loading import Loading
    from edge_seg.segmenter import Segmenter

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="A .tflite file, or a name that `edge-seg models` lists; pets when left out."),
]
ThreadsOption = Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="CPU threads for inference.")]
RuntimeOption = Annotated[str, typer.Option(help=f"Inference runtime: {' or '.join(RUNTIMES)}.")]
LabelsOption = Annotated[
    Path | None, typer.Option(help="Text file with one class name per line, for a model without names.")
]
InputRangeOption = Annotated[
    str | None,
    typer.Option("--input-range", help="Range a float model was trained on: -1,1  0,1  or  0,255."),
]
OpacityOption = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the class colours in overlays.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def load_segmenter(
    model: Path | None,
    *,
    runtime: str,
    threads: int,
    labels: Path | None = None,
    input_range: str | None = None,
) -> "Segmenter":
    """Load the model that a command line names, or the shipped one."""
    from edge_seg.shipped import find_model

    path = find_model(model)
    return read_loading(runtime=runtime, threads=threads, labels=labels, input_range=input_range).load(path)


def read_loading(*, runtime: str, threads: int, labels: Path | None, input_range: str | None) -> "Loading":
    """Return how a command line wants models loaded.

    Raises:
        ModelError: the list of labels cannot be read.
    """
    from edge_seg.loading import Loading

    names = read_label_file(labels) if labels else None
    return Loading(runtime=runtime, threads=threads, labels=names, input_range=input_range)


def read_label_file(path: Path) -> tuple[str, ...]:
    """Read class names, one per line.

    Raises:
        ModelError: no such file, not text, or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as a list of class names ({error}); give a text file") from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise ModelError(f"{path}: holds no class name; write one per line")
    return names
