"""`edge-seg train`: begin a run, or go on with one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from edge_seg.cli.quitting import interrupt, quit_on_sigterm
from edge_seg.errors import TrainingError
from edge_seg_train.cli import options
from edge_seg_train.cli.options import resolved_config
from edge_seg_train.run_status import MAY_MOVE

_NOT_FIELDS = ("context", "out", "config", "resume", "go_on")


def train_network(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Data set folder.", show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder to make.", show_default=False)] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Recipe: a TOML file of these options; what is given here as well wins.", show_default=False),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Run folder to go on with, to the same result; --data says where the data set is now.",
            show_default=False,
        ),
    ] = None,
    go_on: Annotated[
        bool | None,
        typer.Option(
            "--go-on",
            help="Go on with --out where it has been begun with these options: for schedulers, which repeat a command.",
            show_default=False,
        ),
    ] = None,
    size: options.Size = None,
    alpha: options.Alpha = None,
    decoder: options.DecoderName = None,
    input_range: options.InputRangeName = None,
    dropout: options.Dropout = None,
    encoder_weights: options.EncoderWeights = None,
    start_from: options.StartFrom = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = None,
    learning_rate: options.LearningRate = None,
    encoder_rate: options.EncoderRate = None,
    weight_decay: options.WeightDecay = None,
    fine_tune: options.FineTune = None,
    frozen_epochs: options.FrozenEpochs = None,
    freeze_norm: options.FreezeNorm = None,
    augment: options.Augment = None,
    loss: options.LossName = None,
    class_weights: options.ClassWeightsName = None,
    average: options.Average = None,
    teacher: options.TeacherRun = None,
    teacher_weight: options.TeacherWeight = None,
    patience: options.Patience = None,
    seed: options.Seed = None,
    cache: options.Cache = None,
    strategy: options.Strategy = None,
    mixed_precision: options.MixedPrecision = None,
    jit: options.Jit = None,
) -> None:
    """Train a U-Net on a data set folder.

    The run folder holds the best weights, history.csv, curves, sample predictions of every epoch,
    TensorBoard logs and report.html. Ctrl-C ends the run with all that is done kept; --resume goes on.

    Example:  edge-seg train --data pets --out runs/pets --size 128 --epochs 40

    Example:  edge-seg train --resume runs/pets
    """
    given: dict[str, Any] = {name: value for name, value in context.params.items() if name not in _NOT_FIELDS}
    command = context.invoked_subcommand
    if command is not None:
        _check_none(
            given | {"out": out, "config": config, "resume": resume, "go_on": go_on},
            f"options of {command} stand after its name",
        )
        return
    if resume is not None:
        moved = {name: given.pop(name) for name in MAY_MOVE}
        _check_none(
            given | {"out": out, "config": config, "go_on": go_on},
            "--resume goes on as the run began; only --data, --cache and --strategy may change",
        )
        changes = {name: value for name, value in moved.items() if value is not None}
        _run(lambda terminal: terminal.resume_with_progress(resume, changes))
        return
    if out is None:
        raise TrainingError("no run folder to make; name it with --out, such as --out runs/first")
    settings, folder = resolved_config(config, given), out
    if go_on:
        _run(lambda terminal: terminal.go_on_with_progress(settings, folder))
    else:
        _run(lambda terminal: terminal.run_with_progress(settings, folder))


def _check_none(given: dict[str, Any], reason: str) -> None:
    others = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if others:
        raise TrainingError(f"{reason}; leave out {', '.join(others)}")


def _run(action: Any) -> None:
    from edge_seg_train.tensorflow_setup import prepare_tensorflow

    with quit_on_sigterm(interrupt):
        prepare_tensorflow()
        from edge_seg_train import live_table

        action(live_table)
