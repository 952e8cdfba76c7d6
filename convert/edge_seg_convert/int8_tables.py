"""The trials of int8_study as Markdown: what docs/int8.md shows."""

import statistics
from collections.abc import Iterable, Sequence

from edge_seg_convert.int8_study import COUNTS, STANDARD_COUNT, Trial


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
    ways = {"litert-quantizer, all steps": "equalised by 0.5 (all)", "TensorFlow's converter": "TensorFlow's converter"}
    rows = [
        [title, *(f"{trial.seconds:.1f} s" for run in runs for trial in _of_way(trials, run, way))]
        for title, way in ways.items()
    ]
    return _table([f"{STANDARD_COUNT} pictures", *runs], rows)


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
