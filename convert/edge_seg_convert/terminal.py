"""A conversion on the terminal: stages while it runs, a table at the end."""

import json

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from edge_seg_convert.layer_report import float_layers_table, float_layers_words, layers_table
from edge_seg_convert.obstacles import WARNING_DROP
from edge_seg_convert.results import ConversionResult, Converted, summary

_INPUT_CONVERSIONS = {"CAST", "QUANTIZE"}
"""From raw bytes to the graph's own type, once a frame; XNNPACK has neither."""

LOW_AGREEMENT = 0.95
"""A trained network's int8 agrees with it on 98 to 99.9 % of the pixels."""

NOTICEABLE_SLOWDOWN = 1.15
"""Below this a shared machine's noise may be all there is."""


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


def print_result(result: ConversionResult, *, as_json: bool) -> None:
    """Print the table (or JSON on stdout), then warnings on stderr and what to type next."""
    console = Console()
    if as_json:
        console.print_json(json.dumps(summary(result)))
    else:
        if result.models:
            console.print(_table(result))
        if result.onnx:
            console.print(result.onnx.sentence, soft_wrap=True)
        _print_layers(console, result)
    _print_remarks(result)
    written = [model for model in result.models if model.path]
    if written and not as_json:
        console.print(f"written  {', '.join(str(model.path) for model in written)}", soft_wrap=True)
        console.print(f"next     edge-seg run photos --model {written[-1].path} --out overlays", soft_wrap=True)


def _table(result: ConversionResult) -> Table:
    keras = f"Keras: mIoU {result.keras.scores.miou:.4f} at full image resolution" if result.keras else "not verified"
    table = Table(title=keras, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("precision")
    for heading in ("size", "mIoU", "vs Keras", "same pixels", "latency", "vs float32"):
        table.add_column(heading, justify="right")
    for model in result.models:
        table.add_row(
            model.precision if model.path else f"[red]{model.precision}[/]",
            f"{model.size_bytes / 1e6:.2f} MB",
            *_accuracy(model),
            f"{model.latency_ms:,.2f} ms",
            _speed(model.slowdown),
        )
    table.caption = "latency: median on this machine, one thread, all models in turns"
    table.caption_justify = "left"
    return table


def _accuracy(model: Converted) -> tuple[str, str, str]:
    if model.verified is None:
        return "–", "–", "–"
    scores, agreement = model.verified.scores, model.verified.agreement
    return f"{scores.miou:.4f}", f"{round(-100 * model.drop, 2) + 0.0:+.2f} pt", f"{100 * agreement:.2f} %"


def _speed(slowdown: float) -> str:
    """Say how a model's latency compares; red where it is slower beyond noise."""
    if slowdown > NOTICEABLE_SLOWDOWN:
        return f"[red]{slowdown:.1f} × slower[/]"
    return f"{1 / slowdown:.1f} × faster" if slowdown < 1 / NOTICEABLE_SLOWDOWN else "the same"


def _print_layers(console: Console, result: ConversionResult) -> None:
    if result.layers:
        console.print(layers_table(result.layers))
    for model in result.models:
        if model.mixed and model.mixed.float_layers:
            console.print(float_layers_words(model.mixed), soft_wrap=True)
            console.print(float_layers_table(model.mixed))
        elif model.target_drop is not None and not model.misses_target:
            console.print(f"int8 is within {100 * model.target_drop:g} points of Keras with every layer in int8")


def _print_remarks(result: ConversionResult) -> None:
    console = Console(stderr=True)
    for model in result.models:
        for sentence in _warnings(model):
            console.print(f"[yellow]warning[/] {model.precision}: {sentence}", soft_wrap=True)
        if model.precision == "float16":
            console.print("note float16: halves the file, not the time; runtimes compute it in float32", soft_wrap=True)


def _warnings(model: Converted) -> list[str]:
    sentences: list[str] = []
    if model.drop > WARNING_DROP:
        sentences.append(
            f"loses {model.drop * 100:.1f} points of mIoU against Keras; try more --calibration-images"
            f"{', or see where with --debug' if model.precision == 'int8' else ''}"
        )
    if model.verified and model.verified.agreement < LOW_AGREEMENT:
        sentences.append(f"gives Keras's class to {100 * model.verified.agreement:.1f} % of the pixels only")
    if model.slowdown > NOTICEABLE_SLOWDOWN and model.precision != "float32":
        sentences.append(f"is {model.slowdown:.1f} times slower than float32 on this machine; measure on your device")
    if model.coverage.partitions != 1 or set(model.coverage.left_out) - _INPUT_CONVERSIONS:
        left_out = ", ".join(f"{count} {name}" for name, count in model.coverage.left_out.items())
        sentences.append(
            f"XNNPACK runs {model.coverage.delegated} of its {model.coverage.nodes} nodes in "
            f"{model.coverage.partitions} partitions; slower kernels run {left_out or 'none'}"
        )
    if model.verified and model.verified.is_slow:
        sentences.append(f"was verified on {model.verified.pictures} pictures only, because a frame takes over 0.4 s")
    return sentences
