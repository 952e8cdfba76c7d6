"""The quickstart's HTML report: every step's command, picture and figures on one self-contained page."""

import base64
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from edge_seg.dataset import Dataset
from edge_seg.files import write_text
from edge_seg.quickstart.road import Places, Step
from edge_seg.run_folder import RunFolder

_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}
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
    environment = jinja2.Environment(loader=jinja2.PackageLoader("edge_seg.quickstart"), autoescape=True)
    page = environment.get_template("report.html").render(
        finished=finished,
        total_seconds=sum(item.seconds for item in finished),
        manifest=Dataset.open(places.data).manifest,
        sheet=_embedded(places.sheet),
        curves=_embedded(run.curves_path),
        samples=_embedded(run.sample_path(int(best["epoch"]))),
        network=_embedded(run.network_path),
        best=best,
        conversion=json.loads((places.models / "conversion.json").read_text(encoding="utf-8")),
        overlays=[_embedded(path) for path in _validation_overlays(places)],
        photograph=_embedded(places.photograph),
        photograph_overlay=_embedded(_only_file(places.photograph_overlays)),
        latency=_embedded(places.bench / "latency.png"),
        int8_model=places.model("int8"),
    )
    write_text(places.report, page)


def _embedded(path: Path) -> str:
    return f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


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
