"""A training run on the terminal: a bar for the epoch, one line per finished epoch, the result at the end."""

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from edge_seg.cli.reporting import EXIT_INTERRUPTED
from edge_seg.dataset import Dataset
from edge_seg.run_folder import RunConfig
from edge_seg_train.history import Epoch
from edge_seg_train.tensorflow_setup import device_name
from edge_seg_train.training import Run, summary_rows, train


def run_with_progress(config: RunConfig, out: Path) -> None:
    """Train, drawing progress; exit with 130 when interrupted."""
    console = Console(stderr=True)
    class_names = Dataset.open(config.data).manifest.class_names
    with TerminalProgress(console) as progress:
        run = train(config, out, progress)
    if not run.epochs:
        console.print(f"interrupted before the first epoch was done, so {out} was not kept", soft_wrap=True)
    else:
        _print_result(Console(), run, class_names)
    if run.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


class TerminalProgress:
    """Draws a run with rich; without a terminal it prints the epoch lines alone."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._epochs = 0

    def __enter__(self) -> "TerminalProgress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """Set up the bars."""
        self._epochs = epochs
        self._console.print(f"training on {device_name()}: {epochs} epochs of {steps_per_epoch} steps")
        self._run = self._bars.add_task("all", total=epochs * steps_per_epoch, loss="–")
        self._epoch = self._bars.add_task("epoch 1", total=steps_per_epoch, loss="–")

    def step(self, loss: float) -> None:
        """Advance by one batch."""
        for task in (self._run, self._epoch):
            self._bars.update(task, advance=1, loss=f"{loss:.3f}")

    def epoch(self, epoch: Epoch, is_best: bool) -> None:
        """Print the epoch's line and start the next bar."""
        remark = "  [green]best so far[/]" if is_best else ""
        self._console.print(
            f"epoch {epoch.number:3d}/{self._epochs}  loss {epoch.loss:.3f}  val loss {epoch.val_loss:.3f}  "
            f"[bold]mIoU {epoch.scores.miou:.4f}[/]  {epoch.seconds:.1f} s{remark}",
            highlight=False,
        )
        self._bars.reset(self._epoch, description=f"epoch {epoch.number + 1}", loss="–")


def _print_result(console: Console, run: Run, class_names: tuple[str, ...]) -> None:
    table = Table(show_header=False, box=None)
    for label, value in summary_rows(run.epochs, class_names):
        table.add_row(label, value)
    console.print(table)
    folder = run.folder
    if run.interrupted:
        console.print("interrupted: the best epoch so far is kept")
    console.print(f"report   {folder.report_path}\nnext     edge-seg convert {folder.path} --out models")
