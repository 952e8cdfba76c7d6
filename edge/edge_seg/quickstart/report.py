"""The quickstart's HTML report: every step's command, picture and figures on one self-contained page."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_seg.dataset import Dataset
from edge_seg.files import write_text
from edge_seg.pages import embedded_file, render
from edge_seg.quickstart.road import Places, Step
from edge_seg.run_folder import RunFolder

OVERLAY_COUNT = 6


@dataclass(frozen=True)
class FinishedStep:
    """A step and how long it took."""

    step: Step
    seconds: float


def write_report(places: Places, finished: Sequence[FinishedStep]) -> None:
    """Write report.html from the files the steps left behind."""
    run = RunFolder(places.run)
    best = _best_epoch(run.history_path)
    page = render(
        "quickstart.html",
        finished=finished,
        total_seconds=sum(item.seconds for item in finished),
        manifest=Dataset.open(places.data).manifest,
        sheet=embedded_file(places.sheet),
        curves=embedded_file(run.curves_path),
        samples=embedded_file(run.sample_path(int(best["epoch"]))),
        network=embedded_file(run.network_path),
        best=best,
        conversion=json.loads((places.models / "conversion.json").read_text(encoding="utf-8")),
        overlays=[embedded_file(path) for path in _validation_overlays(places)],
        photograph=embedded_file(places.photograph),
        photograph_overlay=embedded_file(_only_file(places.photograph_overlays)),
        latency=embedded_file(places.bench / "latency.png"),
        int8_model=places.model("int8"),
    )
    write_text(places.report, page)


def _best_epoch(history: Path) -> dict[str, Any]:
    with history.open(encoding="utf-8", newline="") as file:
        return max(csv.DictReader(file), key=lambda row: float(row["val_miou"]))


def _validation_overlays(places: Places) -> list[Path]:
    """Return overlays of pictures the model never trained on."""
    stems = {Path(sample.name).stem for sample in Dataset.open(places.data).samples("val")}
    return [path for path in sorted(places.overlays.iterdir()) if path.stem in stems][:OVERLAY_COUNT]


def _only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path
