"""report.html of a run: figures and pictures on one self-contained page."""

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2

from edge_seg.dataset import Manifest
from edge_seg.files import write_text
from edge_seg.run_folder import RunConfig, RunFolder
from edge_seg_train.history import Epoch, best_epoch


def write_report(folder: RunFolder, epochs: Sequence[Epoch], config: RunConfig, manifest: Manifest) -> None:
    """Write report.html from what the run measured."""
    best = best_epoch(epochs)
    environment = jinja2.Environment(loader=jinja2.PackageLoader("edge_seg_train"), autoescape=True)
    page = environment.get_template("run_report.html").render(
        name=folder.path.name,
        manifest=manifest,
        best=best,
        epochs=epochs,
        config=config.model_dump(mode="json"),
        iou=list(zip(manifest.classes, best.scores.iou, strict=True)),
        curves=_embedded(folder.curves_path),
        network=_embedded(folder.network_path),
        samples=_embedded(folder.sample_path(best.number)),
    )
    write_text(folder.report_path, page)


def _embedded(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
