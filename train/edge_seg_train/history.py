"""What a run measured, epoch by epoch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.files import write_text
from edge_seg.metrics import Scores


@dataclass(frozen=True)
class Epoch:
    """One epoch: losses at network resolution, scores at full image resolution on the validation split."""

    number: int
    loss: float
    val_loss: float
    scores: Scores
    learning_rate: float
    seconds: float


def write_history(path: Path, epochs: Sequence[Epoch], class_names: Sequence[str]) -> None:
    """Write history.csv, one line per epoch."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(
        ["epoch", "loss", "val_loss", "val_miou", "val_pixel_accuracy"]
        + [f"val_iou_{name}" for name in class_names]
        + ["learning_rate", "seconds"]
    )
    for epoch in epochs:
        measured = [epoch.loss, epoch.val_loss, epoch.scores.miou, epoch.scores.pixel_accuracy, *epoch.scores.iou]
        formatted = [f"{value:.5f}" for value in measured]
        table.writerow([epoch.number, *formatted, f"{epoch.learning_rate:.3g}", f"{epoch.seconds:.1f}"])
    write_text(path, buffer.getvalue())


def best_epoch(epochs: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the highest validation mIoU."""
    return max(epochs, key=lambda epoch: epoch.scores.miou)
