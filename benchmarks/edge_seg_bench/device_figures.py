"""The device's speed and memory figures, each beside its target: the JSON schema and its Markdown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from edge_seg_bench.recording import Machine, Recorded
from edge_seg_bench.rendering import markdown_table
from edge_seg_bench.statistics import median_absolute_deviation, median_interval

Bound = Literal["≤", "<", "≥"]


class Target(BaseModel):
    """What a figure is held against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bound: Bound
    value: float

    def is_met(self, value: float) -> bool:
        """Tell whether `value` keeps to the bound."""
        if self.bound == "≥":
            return value >= self.value
        return value <= self.value if self.bound == "≤" else value < self.value


class Figure(BaseModel):
    """One measured figure: the median of its samples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    unit: str
    value: float
    low: float | None
    high: float | None
    """Ends of the bootstrap 95 % interval of the median."""
    mad: float | None
    samples: tuple[float, ...]
    target: Target
    met: bool
    detail: str = ""


class DeviceReport(Recorded):
    """The file that `python -m edge_seg_bench.device --out` writes."""

    model: str
    figures: tuple[Figure, ...]
    failures: tuple[str, ...]
    """One sentence for each figure that could not be measured."""


def figure_of_samples(name: str, unit: str, samples: Sequence[float], target: Target, detail: str = "") -> Figure:
    """Make a figure of independent samples: their median, its interval and their MAD."""
    values = np.asarray(samples, dtype=np.float64)
    low, high = median_interval(values) if values.size > 1 else (None, None)
    median = float(np.median(values))
    return Figure(
        name=name,
        unit=unit,
        value=median,
        low=low,
        high=high,
        mad=median_absolute_deviation(values) if values.size > 1 else None,
        samples=tuple(float(value) for value in values),
        target=target,
        met=target.is_met(median),
        detail=detail,
    )


def make_report(machine: Machine, model: str, figures: Sequence[Figure], failures: Sequence[str]) -> DeviceReport:
    """Date and sign the figures."""
    return DeviceReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=machine,
        model=model,
        figures=tuple(figures),
        failures=tuple(failures),
    )


def report_markdown(report: DeviceReport, machine_line: str) -> str:
    """Return the report as Markdown; `machine_line` is one sentence on the machine."""
    titles = ("figure", "measured", "95% interval", "MAD", "target", "met", "how")
    table = markdown_table(titles, [_cells(figure) for figure in report.figures], left=1)
    signature = f"edge-seg {report.edge_seg_version}, model {report.model}, {report.created}."
    failures = [f"- {failure}" for failure in report.failures]
    lines = [
        "# Speed and memory of the device",
        "",
        f"{machine_line}.  ",
        signature,
        "",
        *table,
        "",
        *failures,
    ]
    return "\n".join(lines).rstrip() + "\n"


def verdict(figure: Figure) -> str:
    """Return "met" or "NOT met", and whether the interval leaves room for the other answer."""
    word = "met" if figure.met else "NOT met"
    ends = [end for end in (figure.low, figure.high) if end is not None]
    crosses = any(figure.target.is_met(end) != figure.met for end in ends)
    return f"{word} (interval crosses)" if crosses else word


def _cells(figure: Figure) -> tuple[str, ...]:
    interval = "–" if figure.low is None else f"{figure.low:.3g} – {figure.high:.3g}"
    return (
        figure.name,
        f"{figure.value:.3g} {figure.unit}".strip(),
        interval,
        "–" if figure.mad is None else f"{figure.mad:.2g}",
        f"{figure.target.bound} {figure.target.value:g} {figure.unit}".strip(),
        verdict(figure),
        figure.detail,
    )
