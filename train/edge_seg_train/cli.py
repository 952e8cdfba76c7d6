"""`edge-seg train`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import TrainingError

if TYPE_CHECKING:
    from edge_seg.run_folder import RunConfig


class DecoderName(StrEnum):
    """The decoders to choose from."""

    separable = "separable"
    transpose = "transpose"


class InputRangeName(StrEnum):
    """What the first layer scales pixels to."""

    signed = "-1,1"
    unit = "0,1"


def train(
    data: Annotated[Path, typer.Option(help="Data set folder.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Run folder to make.", show_default=False)],
    size: Annotated[str, typer.Option(help="Network input: one side, or WIDTHxHEIGHT; multiples of 32.")] = "128",
    alpha: Annotated[float, typer.Option(help="Width of the encoder: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4.")] = 1.0,
    decoder: Annotated[
        DecoderName, typer.Option(help="separable: fast. transpose: the published tutorial network.")
    ] = DecoderName.separable,
    epochs: Annotated[int, typer.Option(min=1)] = 40,
    batch_size: Annotated[int, typer.Option(min=1)] = 16,
    learning_rate: Annotated[float, typer.Option(help="Highest rate; warm-up, then cosine decay.")] = 1e-3,
    dropout: Annotated[float, typer.Option(min=0, max=0.9, help="Share dropped in the decoder, e.g. 0.5.")] = 0.0,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune/--freeze", help="Train the encoder too, or keep it as it is.")
    ] = True,
    encoder_weights: Annotated[
        str, typer.Option(help="imagenet (downloads once), none, or a .weights.h5 file.")
    ] = "imagenet",
    input_range: Annotated[InputRangeName, typer.Option(help="[-1,1] suits ImageNet weights.")] = InputRangeName.signed,
    augment: Annotated[bool, typer.Option(help="Vary geometry and colour of the training pictures.")] = True,
    mixed_precision: Annotated[bool, typer.Option(help="float16 computation, for GPUs that gain from it.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train a U-Net on a data set folder.

    Example:  edge-seg train --data pets --out runs/pets --size 128 --epochs 40

    The run folder holds the best weights, history.csv, curves, sample predictions of every epoch and
    report.html. Ctrl-C ends the run with the best weights kept.
    """
    from edge_seg_train.tensorflow_setup import prepare_tensorflow

    width, height = _parse_size(size)
    config = _config(
        data=data,
        width=width,
        height=height,
        alpha=alpha,
        decoder=decoder.value,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        dropout=dropout,
        fine_tune=fine_tune,
        encoder_weights=encoder_weights,
        input_range=input_range.value,
        augment=augment,
        mixed_precision=mixed_precision,
        seed=seed,
    )
    prepare_tensorflow()
    from edge_seg_train.live_table import run_with_progress

    run_with_progress(config, out)


def _parse_size(text: str) -> tuple[int, int]:
    sides = text.lower().split("x")
    if not 1 <= len(sides) <= 2 or not all(side.isdecimal() for side in sides):
        raise TrainingError(f"--size '{text}' is no size; write one side like 128, or WIDTHxHEIGHT like 256x192")
    return int(sides[0]), int(sides[-1])


def _config(**options: object) -> "RunConfig":
    from pydantic import ValidationError

    from edge_seg.run_folder import RunConfig

    try:
        return RunConfig.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        key = "--size" if name in ("width", "height") else f"--{name.replace('_', '-')}"
        raise TrainingError(f"{key}: {first['msg'].removeprefix('Value error, ')}") from None
