"""`edge-seg bench measure`, which is also plain `edge-seg bench MODEL...`."""

import os
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.quitting import interrupt, quit_on_sigterm
from edge_seg.errors import BenchmarkError
from edge_seg.extras import missing_module, require_extra
from edge_seg.files import check_can_write

if TYPE_CHECKING:
    from edge_seg_bench.results import Board, Results, Settings

_MOST_RUNS = 1_000_000
_LONGEST_S = 86_400
"""A day."""


def measure(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="Files, shipped names, or folders of .tflite files, measured side by side.",
        ),
    ],
    *,
    runtime: Annotated[
        list[str], typer.Option(help="litert or tflite_runtime; give it again for each further one.")
    ] = ["litert"],  # noqa: B006 - typer copies it
    threads: Annotated[
        list[str],
        typer.Option(metavar="N|all", help="CPU threads of each inference; give it again for each further number."),
    ] = ["1"],  # noqa: B006
    runs: Annotated[int, typer.Option(min=1, max=_MOST_RUNS, help="Measured runs of each model, at least.")] = 50,
    seconds: Annotated[
        float, typer.Option(min=0, max=_LONGEST_S, help="Measured seconds of each model, at least.")
    ] = 3.0,
    warmup: Annotated[
        float, typer.Option(min=0, max=_LONGEST_S, help="Seconds of warm-up, at most; it ends when latency is stable.")
    ] = 2.0,
    limit: Annotated[
        float, typer.Option(min=0.1, max=_LONGEST_S, help="Seconds after which a slow model stops short of --runs.")
    ] = 20.0,
    stages: Annotated[
        bool, typer.Option(help="Measure the stages from a picture file to an overlay file, too.")
    ] = True,
    data: Annotated[
        Path | None,
        typer.Option(help="Data set folder to score the models on; the stages take its pictures.", show_default=False),
    ] = None,
    split: Annotated[str, typer.Option(help="Of --data: train, val or test.")] = "val",
    max_pictures: Annotated[
        int | None,
        typer.Option(min=1, help="Of --data: so many pictures at equal distances in the split.", show_default="all"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results.json, report.html, results.md, results.csv and latency.png.", show_default=False
        ),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Also time each operation, and measure this machine's peak.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON on stdout.")] = False,
) -> None:
    """Measure latency, memory, size and accuracy of .tflite models.

    Each model runs in its own process for each runtime and number of threads, on random input. Blocks of runs
    alternate between all of them, so that a machine that gets warmer or busier does so for all alike.

    Example:  edge-seg bench pets pets-fast

    Example:  edge-seg bench models/fire --threads 1 --threads all --out results
    """
    if limit < seconds:
        raise typer.BadParameter(f"--limit {limit:g} is below --seconds {seconds:g}; give the same or more")
    if out is not None:
        require_extra("report", purpose="report.html of --out")
        check_can_write(out)
    runtimes = _checked_runtimes(runtime)
    counts = _thread_counts(threads)
    from edge_seg_bench.model_files import model_files

    files = model_files(models)
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
    from edge_seg_bench.accuracy import list_pictures
    from edge_seg_bench.cli.stages_and_accuracy import add_accuracy, add_stages, check_scored

    pictures = list_pictures(data, split, max_pictures) if data else None
    with quit_on_sigterm(interrupt):
        board = _measure(files, settings)
        board = _profiled(board) if profile else board
        board = add_stages(board, pictures) if stages else board
        board = add_accuracy(board, pictures) if pictures else board
    _deliver(Results(boards=(board,)), out, as_json)
    _fail_for(board)
    if pictures:
        check_scored(board)


def _checked_runtimes(names: list[str]) -> tuple[str, ...]:
    from edge_seg.runtimes import RUNTIMES

    for name in names:
        if name not in RUNTIMES:
            raise typer.BadParameter(f"no runtime is called '{name}'; choose one of {', '.join(RUNTIMES)}")
    if all(missing_module(_extra(name)) for name in names):
        require_extra(_extra(names[0]), purpose=f"--runtime {names[0]}")
    return tuple(dict.fromkeys(names))


def _extra(runtime: str) -> str:
    return runtime.replace("_", "-")


def _thread_counts(texts: list[str]) -> tuple[int, ...]:
    """Read numbers of threads; "all" is one for each core this process may use."""
    counts = [len(os.sched_getaffinity(0)) if text == "all" else _thread_count(text) for text in texts]
    return tuple(dict.fromkeys(counts))


def _thread_count(text: str) -> int:
    from edge_seg.runtimes import MOST_THREADS

    if not (text.isdecimal() and 1 <= int(text) <= MOST_THREADS):
        raise typer.BadParameter(f"--threads takes a number from 1 to {MOST_THREADS}, or all, not '{text}'")
    return int(text)


def _measure(models: list[Path], settings: "Settings") -> "Board":
    from edge_seg_bench.assembly import assemble
    from edge_seg_bench.cli.steps import shown_steps
    from edge_seg_bench.conditions import Watch
    from edge_seg_bench.machine import describe_machine
    from edge_seg_bench.measurement import Candidate, measure_candidates, steps_of
    from edge_seg_bench.model_study import with_work

    machine, watch = describe_machine(), Watch()
    candidates = [
        Candidate(model, runtime, threads)
        for model, runtime, threads in product(models, settings.runtimes, settings.threads)
    ]
    with shown_steps(steps_of(len(candidates), settings)) as on_step:
        runs = measure_candidates(candidates, settings, on_step, watch=watch)
    return with_work(assemble(runs, settings, machine, energy_meter=watch.meter.name if watch.meter else None))


def _profiled(board: "Board") -> "Board":
    from edge_seg_bench.cli.steps import shown_steps
    from edge_seg_bench.model_study import profile_steps, with_profiles

    with shown_steps(profile_steps(board)) as on_step:
        return with_profiles(board, on_step)


def _deliver(results: "Results", out: Path | None, as_json: bool) -> None:
    """Write and show what was measured; a full disk must not cost it."""
    try:
        written = _write(out, results) if out is not None else ""
    finally:
        _show(results, as_json)
    if written and not as_json:
        typer.echo(written)


def _write(folder: Path, results: "Results") -> str:
    """Write results.json and its reports; return what was written where."""
    from edge_seg_bench.report.files import write_with_reports, written_words

    return written_words(folder, write_with_reports(folder, results))


def _show(results: "Results", as_json: bool) -> None:
    if as_json:
        typer.echo(results.model_dump_json(indent=1))
        return
    from rich.console import Console

    from edge_seg_bench.terminal import print_board

    console = Console()
    print_board(console, results.boards[0])


def _fail_for(board: "Board") -> None:
    failed = [row for row in board.rows if row.error is not None]
    if failed:
        counted = f"{len(failed)} of {len(board.rows)} rows not measured"
        raise BenchmarkError(f"{counted}; {failed[0].model}: {failed[0].error}")
