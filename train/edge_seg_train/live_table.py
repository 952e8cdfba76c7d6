"""A training run on the terminal: the last epochs and bars while it goes, the result at the end."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from edge_seg.cli.reporting import EXIT_INTERRUPTED
from edge_seg.dataset.manifest import read_manifest
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.distribution import is_chief
from edge_seg_train.going_on import begin_or_go_on, check_same_settings
from edge_seg_train.history import Epoch, best_epoch, duration, step_time
from edge_seg_train.run_status import is_finished
from edge_seg_train.run_view import RunView
from edge_seg_train.tensorflow_setup import device_name
from edge_seg_train.training import Run, resume, start


def run_with_progress(config: RunConfig, out: Path) -> None:
    """Train, drawing progress; exit with 130 when interrupted."""
    with TerminalProgress(Console(stderr=True)) as progress:
        run = start(config, out, progress)
    _print_end(run)


def resume_with_progress(out: Path, moved: Mapping[str, Any]) -> None:
    """Go on with a run, drawing progress; exit with 130 when interrupted."""
    with TerminalProgress(Console(stderr=True)) as progress:
        run = resume(out, progress, moved)
    _print_end(run)


def go_on_with_progress(config: RunConfig, out: Path) -> None:
    """Begin the run `out`, or go on with it; say so where it is finished already."""
    if is_finished(RunFolder(out)):
        check_same_settings(RunFolder(out), config)
        Console(stderr=True).print(f"{out}: is finished already", soft_wrap=True, highlight=False)
        return
    with TerminalProgress(Console(stderr=True)) as progress:
        run = begin_or_go_on(config, out, progress)
    _print_end(run)


class TerminalProgress:
    """Draws a run with rich; without a terminal it prints a line for every epoch."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> "TerminalProgress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._view.is_over = True
            self._live.stop()

    def begin(self, config: RunConfig, steps_per_epoch: int, done: Sequence[Epoch]) -> None:
        """Say what begins, and start to draw it."""
        names = read_manifest(config.data).class_names
        self._view = RunView(names, config.epochs, steps_per_epoch, time.monotonic, config.patience, list(done))
        gone_on = f", going on after epoch {len(done)}" if done else ""
        amount = f"{counted(config.epochs, 'epoch')} of {counted(steps_per_epoch, 'step')}"
        self._console.print(f"training on {device_name()}: {amount}{gone_on}", soft_wrap=True)
        if self._console.is_interactive:
            self._live = Live(self._view, console=self._console, vertical_overflow="crop")
            self._live.start()

    def step(self, loss: float) -> None:
        """Advance by one batch."""
        self._view.advance(loss)

    def epoch(self, epoch: Epoch, is_best: bool) -> None:
        """Show the epoch: as a row where there is a terminal, else as a line."""
        self._view.add(epoch)
        if self._live is None:
            self._console.print(epoch_line(epoch, self._view.planned_epochs, is_best=is_best), highlight=False)


def counted(count: int, noun: str) -> str:
    """Return "1 epoch" or "2 epochs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def epoch_line(epoch: Epoch, planned_epochs: int, *, is_best: bool) -> str:
    """Tell what one epoch gave in one line, with rich's markup."""
    remark = "  [green]best so far[/]" if is_best else ""
    return (
        f"epoch {epoch.number:3d}/{planned_epochs}  loss {epoch.loss:.3f}  val loss {epoch.val_loss:.3f}  "
        f"[bold]mIoU {epoch.scores.miou:.4f}[/]  {epoch.seconds:.1f} s{remark}"
    )


def _print_end(run: Run) -> None:
    if run.epochs and is_chief(run.config.strategy):
        _print_result(Console(), run)
    elif not run.epochs and not run.folder.path.exists():
        Console(stderr=True).print(
            f"interrupted before the first epoch was done, so {run.out} was not kept", soft_wrap=True
        )
    if run.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _print_result(console: Console, run: Run) -> None:
    table = Table(show_header=False, box=None)
    for label, value in summary_rows(run.epochs, run.folder.read_manifest().class_names):
        table.add_row(label, value)
    console.print(table)
    path = run.folder.path
    if run.interrupted:
        console.print(f"interrupted: all that is done is kept\nresume   edge-seg train --resume {path}", soft_wrap=True)
    if run.stopped_early:
        console.print(f"ended early: {run.config.patience} epochs brought nothing better", soft_wrap=True)
    console.print(f"report   {run.folder.report_path}\nnext     edge-seg convert {path} --out models", soft_wrap=True)


def summary_rows(epochs: Sequence[Epoch], class_names: Sequence[str]) -> list[tuple[str, str]]:
    """Say the best epoch, and where the time went, in a few labelled figures."""
    best = best_epoch(epochs)
    rows = [("best epoch", f"{best.number} of {len(epochs)}"), ("validation mIoU", f"{best.scores.miou:.4f}")]
    rows += [(f"IoU {name}", f"{value:.4f}") for name, value in zip(class_names, best.scores.iou, strict=True)]
    step = step_time(epochs)
    return [
        *rows,
        ("pixel accuracy", f"{best.scores.pixel_accuracy:.4f}"),
        ("time", duration(sum(epoch.seconds for epoch in epochs))),
        *([("one step", str(step))] if step else []),
    ]
