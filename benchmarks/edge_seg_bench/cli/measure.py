"""`edge-seg bench measure`, which is also plain `edge-seg bench MODEL...`."""

import os
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import BenchmarkError
from edge_seg.extras import require_extra
from edge_seg.files import check_can_write

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from edge_seg_bench.rendering import Column
    from edge_seg_bench.results import Board, Results, Settings

_WIDE_CONSOLE = 140
_MOST_THREADS = 256
_TEXT_COLUMNS = 3


def measure(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help="Files, or shipped names, measured side by side.")
    ],
    *,
    runtime: Annotated[
        list[str], typer.Option(help="litert or tflite_runtime; give it again for each further one.")
    ] = ["litert"],  # noqa: B006 - typer copies it
    threads: Annotated[
        list[str],
        typer.Option(metavar="N|all", help="CPU threads of each inference; give it again for each further number."),
    ] = ["1"],  # noqa: B006
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of each model, at least.")] = 50,
    seconds: Annotated[float, typer.Option(min=0, help="Measured seconds of each model, at least.")] = 3.0,
    warmup: Annotated[
        float, typer.Option(min=0, help="Seconds of warm-up, at most; it ends when latency is stable.")
    ] = 2.0,
    limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which a slow model stops short of --runs.")
    ] = 20.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results.json, results.md and latency.png.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
) -> None:
    """Measure latency, memory and size of .tflite models.

    Each model runs in its own process, on random input. Blocks of runs alternate between the models,
    so that a machine that gets warmer or busier does so for all of them.

    Example:  edge-seg bench pets pets-fast

    Example:  edge-seg bench models/fire_float32.tflite models/fire_int8.tflite --out results
    """
    if limit < seconds:
        raise typer.BadParameter(f"--limit {limit:g} is below --seconds {seconds:g}; give the same or more")
    if out is not None:
        require_extra("report", purpose="latency.png of --out")
        check_can_write(out)
    runtimes = _checked_runtimes(runtime)
    counts = _thread_counts(threads)
    from edge_seg.shipped import find_model
    from edge_seg_bench.results import Results, Settings, rounds_for

    settings = Settings(
        runtimes=runtimes,
        threads=counts,
        runs=runs,
        seconds=seconds,
        warmup_seconds=warmup,
        limit_seconds=limit,
        rounds=rounds_for(runs),
    )
    results = Results(boards=(_measure(list(dict.fromkeys(find_model(model) for model in models)), settings),))
    if out is not None:
        _write(out, results)
    _show(results, out, as_json)
    _fail_for(results)


def _checked_runtimes(names: list[str]) -> tuple[str, ...]:
    from edge_seg.runtimes import RUNTIMES

    for name in names:
        if name not in RUNTIMES:
            raise typer.BadParameter(f"no runtime is called '{name}'; choose one of {', '.join(RUNTIMES)}")
    return tuple(dict.fromkeys(names))


def _thread_counts(texts: list[str]) -> tuple[int, ...]:
    """Read numbers of threads; "all" is one for each core this process may use."""
    counts = [len(os.sched_getaffinity(0)) if text == "all" else _thread_count(text) for text in texts]
    return tuple(dict.fromkeys(counts))


def _thread_count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_THREADS):
        raise typer.BadParameter(f"--threads takes a number from 1 to {_MOST_THREADS}, or all, not '{text}'")
    return int(text)


def _measure(models: list[Path], settings: "Settings") -> "Board":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from edge_seg_bench.assembly import assemble
    from edge_seg_bench.machine import describe_machine
    from edge_seg_bench.measurement import Candidate, measure_candidates, steps_of

    machine = describe_machine()
    candidates = [
        Candidate(model, runtime, threads)
        for model, runtime, threads in product(models, settings.runtimes, settings.threads)
    ]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=steps_of(candidates, settings))
        runs = measure_candidates(candidates, settings, lambda name: progress.update(task, description=name, advance=1))
    return assemble(runs, settings, machine)


def _write(folder: Path, results: "Results") -> None:
    from edge_seg.files import write_text
    from edge_seg_bench.plotting import plot_latency
    from edge_seg_bench.rendering import markdown
    from edge_seg_bench.results import measured_rows, write_results

    write_results(folder / "results.json", results)
    write_text(folder / "results.md", markdown(results))
    board = results.boards[0]
    if measured_rows(board):
        plot_latency(folder / "latency.png", board)


def _show(results: "Results", out: Path | None, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    console = Console()
    _print_table(console, results.boards[0])
    if out is not None:
        console.print(f"Written to {out}: results.json, results.md, latency.png", soft_wrap=True)


def _print_table(console: "Console", board: "Board") -> None:
    from rich.text import Text

    from edge_seg_bench import rendering

    names = rendering.name_columns(board)
    latency, cost = rendering.latency_columns(board), rendering.cost_columns(board)
    for columns in [[*latency, *cost]] if console.width >= _WIDE_CONSOLE else [latency, cost]:
        console.print(_table([*names, *columns]))
        console.print()
    sentences = (
        rendering.machine_sentence(board.machine),
        rendering.settings_sentence(board),
        rendering.interval_sentence(board),
        *rendering.notes(board),
    )
    for sentence in filter(None, sentences):
        console.print(Text(sentence, style="dim"), soft_wrap=True)


def _table(columns: "list[Column]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        folding = index == 0 or column.title == "speed-up"
        justify = "left" if index < _TEXT_COLUMNS else "right"
        table.add_column(column.title, justify=justify, overflow="fold", no_wrap=not folding)
    for texts in zip(*(column.texts for column in columns), strict=True):
        table.add_row(*(Text(text) for text in texts))
    return table


def _fail_for(results: "Results") -> None:
    rows = results.boards[0].rows
    failed = [row for row in rows if row.error is not None]
    if failed:
        counted = f"{len(failed)} of {len(rows)} rows not measured"
        raise BenchmarkError(f"{counted}; {failed[0].model}: {failed[0].error}")
