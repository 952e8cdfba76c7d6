"""The results of int8_study and graph_study as Markdown: what docs/int8.md shows.

`python -m edge_seg_convert.int8_tables benchmarks/results/int8_study.json benchmarks/results/graph_study`
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_seg_convert.int8_study import ALL_STEPS, COUNTS, STANDARD_COUNT, Trial


def steps_table(trials: Sequence[Trial]) -> str:
    """Tabulate the ways to int8: a run a column, points of mIoU against Keras and share of pixels alike."""
    runs = _distinct(trial.run for trial in trials)
    ways = _distinct(trial.steps for trial in trials if trial.steps != "all")
    return _table(["int8 by", *runs], [[way, *(_cell(_of_way(trials, run, way)) for run in runs)] for way in ways])


def calibration_table(trials: Sequence[Trial]) -> str:
    """Tabulate calibration sets: the median of three seeds."""
    runs = _distinct(trial.run for trial in trials)
    rows = [
        [f"{count}, {choice}", *(_cell(_of_set(trials, run, choice, count)) for run in runs)]
        for count in COUNTS
        for choice in ("cover", "random")
    ]
    return _table(["pictures", *runs], rows)


def seconds_table(trials: Sequence[Trial]) -> str:
    """Tabulate the seconds that calibrating and quantising took."""
    runs = _distinct(trial.run for trial in trials)
    ways = {"litert-quantizer, all steps": ALL_STEPS, "TensorFlow's converter": "TensorFlow's converter"}
    rows = [
        [title, *(f"{trial.seconds:.1f} s" for run in runs for trial in _of_way(trials, run, way))]
        for title, way in ways.items()
    ]
    return _table([f"{STANDARD_COUNT} pictures", *runs], rows)


def forms_table(folder: Path) -> str:
    """Tabulate the forms of graph_study: what they give, take on x86 and on emulated ARM cores.

    Args:
        folder: holds `*_accuracy.json`, results.json of `edge-seg bench`, arm64.json of edge_seg_bench.arm64.
    """
    accuracy = {
        path.name.removesuffix("_accuracy.json"): _read(path) for path in sorted(folder.glob("*_accuracy.json"))
    }
    medians = {row["name"]: row["measurement"]["latency"]["p50_ms"] for row in _read(folder / "results.json")["rows"]}
    millions = {
        (count["model"], count["core"]): statistics.median(count["runs"]) / 1e6
        for count in _read(folder / "arm64.json")["counts"]
    }
    rows = [
        [
            run,
            form.replace("_", " "),
            f"{figures['size_bytes'] / 1e6:.2f} MB",
            f"{round(-figures['drop_points'], 2) + 0.0:+.2f} · {100 * figures['agreement']:.2f} %",
            f"{medians[f'{run}_{form}']:.2f} ms",
            *(f"{millions[f'{run}_{form}', core]:.1f}" for core in ("cortex-a72", "cortex-a76")),
        ]
        for run, forms in accuracy.items()
        for form, figures in forms.items()
        if f"{run}_{form}" in medians
    ]
    return _table(["network", "form", "size", "vs Keras", "x86", "A72, M instr.", "A76, M instr."], rows)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _of_way(trials: Sequence[Trial], run: str, way: str) -> list[Trial]:
    return [trial for trial in trials if (trial.run, trial.steps) == (run, way)]


def _of_set(trials: Sequence[Trial], run: str, choice: str, count: int) -> list[Trial]:
    """Return the trials of one size and choice; the study wrote them in this order, seed after seed."""
    of_choice = [trial for trial in trials if (trial.run, trial.steps, trial.choice) == (run, "all", choice)]
    seeds = len(of_choice) // len(COUNTS)
    first = COUNTS.index(count) * seeds
    return of_choice[first : first + seeds]


def _cell(trials: Sequence[Trial]) -> str:
    drop = statistics.median(trial.drop_points for trial in trials)
    agreement = statistics.median(trial.agreement for trial in trials)
    return f"{round(-drop, 2) + 0.0:+.2f} · {100 * agreement:.2f} %"


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(
    study: Annotated[Path, typer.Argument(help="What int8_study wrote.")],
    forms: Annotated[Path, typer.Argument(help="Folder of graph_study's results.")],
) -> None:
    """Print all tables."""
    trials = [Trial(**trial) for trial in _read(study)]
    for table in (steps_table(trials), calibration_table(trials), seconds_table(trials), forms_table(forms)):
        typer.echo(table)


if __name__ == "__main__":
    typer.run(main)
