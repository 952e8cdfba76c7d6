"""A conversion on the terminal: stages while it runs, a table at the end."""

import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from edge_seg.run_folder import RunFolder
from edge_seg_convert.conversion import WARNING_DROP, ConversionResult, Converted, summary


class TerminalProgress:
    """One line per stage, with a bar where steps can be counted."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> "TerminalProgress":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._finish_stage()
        self._bars.stop()

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a line."""
        self._finish_stage()
        self._task = self._bars.add_task(name, total=total)

    def advance(self) -> None:
        """Move the bar by one."""
        if self._task is not None:
            self._bars.advance(self._task)

    def _finish_stage(self) -> None:
        if self._task is not None:
            self._bars.update(self._task, total=1, completed=1)


def print_result(result: ConversionResult, run: Path, *, as_json: bool) -> None:
    """Print the table (or JSON on stdout), then warnings on stderr and what to type next."""
    console = Console()
    if as_json:
        console.print_json(json.dumps(summary(result, RunFolder(run).read_manifest().class_names)))
    else:
        if result.models:
            console.print(_table(result))
        if result.onnx:
            console.print(result.onnx.sentence, soft_wrap=True)
    _print_warnings(result)
    written = [model for model in result.models if model.path]
    if written and not as_json:
        console.print(f"next  edge-seg run photos --model {written[-1].path} --out overlays", soft_wrap=True)


def _table(result: ConversionResult) -> Table:
    table = Table(title=f"Keras: mIoU {result.keras.scores.miou:.4f} at full image resolution", title_justify="left")
    for heading in ("precision", "size", "mIoU", "vs Keras", "agreement", "file"):
        table.add_column(heading, justify="left" if heading in ("precision", "file") else "right", overflow="fold")
    for model in result.models:
        table.add_row(
            model.precision,
            f"{model.size_bytes / 1e6:.2f} MB",
            f"{model.verified.scores.miou:.4f}",
            f"{-100 * model.drop:+.2f} pt",
            f"{100 * model.verified.agreement:.2f} %",
            model.path.name if model.path else "[red]not written[/]",
        )
    return table


def _print_warnings(result: ConversionResult) -> None:
    console = Console(stderr=True)
    for model in result.models:
        for sentence in _warnings(model):
            console.print(f"[yellow]warning[/] {model.precision}: {sentence}", soft_wrap=True)


def _warnings(model: Converted) -> list[str]:
    sentences: list[str] = []
    if model.drop > WARNING_DROP:
        sentences.append(f"loses {model.drop * 100:.1f} points of mIoU against Keras; try more --calibration-images")
    if model.verified.is_slow:
        sentences.append(
            "runs on slow reference kernels (over 0.4 s a frame: transposed convolutions lack a dynamic one), "
            f"so it was verified on {model.verified.pictures} pictures only; prefer int8"
        )
    return sentences
