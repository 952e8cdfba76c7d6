"""What a run measured, epoch by epoch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from pathlib import Path
from statistics import median

from edge_seg.errors import TrainingError
from edge_seg.files import write_text
from edge_seg.metrics import Scores

_BEFORE_CLASSES = ("epoch", "loss", "val_loss", "val_miou", "val_pixel_accuracy")
_AFTER_CLASSES = ("learning_rate", "seconds", "waiting_seconds", "computing_seconds", "steps")


@dataclass(frozen=True)
class Epoch:
    """One epoch: losses at network resolution, scores at full image resolution on the validation split.

    Attributes:
        number: counted from 1.
        loss: what was minimised, mean over the training pictures.
        val_loss: cross-entropy in nats per pixel.
        scores: of the averaged weights.
        learning_rate: of the decoder, at the end of the epoch.
        seconds: with validation.
        waiting_seconds: of these, what the steps waited for their batches.
        computing_seconds: of these, what the steps computed; NaN where an older version did not measure it.
        steps: batches of the epoch; 0 where it is not known.
    """

    number: int
    loss: float
    val_loss: float
    scores: Scores
    learning_rate: float
    seconds: float
    waiting_seconds: float
    computing_seconds: float = nan
    steps: int = 0

    def worst_classes(self, most: int) -> list[int]:
        """Return the ids of the `most` classes of the lowest IoU, in their order; absent ones count as the best."""
        iou = self.scores.iou
        return sorted(sorted(range(len(iou)), key=lambda index: inf if isnan(iou[index]) else iou[index])[:most])


def write_history(path: Path, epochs: Sequence[Epoch], class_names: Sequence[str]) -> None:
    """Write history.csv, one line per epoch."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(_header(class_names))
    table.writerows(_line(epoch) for epoch in epochs)
    write_text(path, buffer.getvalue())


def as_written(epoch: Epoch) -> Epoch:
    """Round an epoch to what history.csv holds, so that a run that is resumed compares the same figures."""
    header = _header([str(index) for index in range(len(epoch.scores.iou))])
    return _epoch(dict(zip(header, _line(epoch), strict=True)), header)


def _header(class_names: Sequence[str]) -> list[str]:
    return [*_BEFORE_CLASSES, *(f"val_iou_{name}" for name in class_names), *_AFTER_CLASSES]


def _line(epoch: Epoch) -> list[str]:
    measured = [epoch.loss, epoch.val_loss, epoch.scores.miou, epoch.scores.pixel_accuracy, *epoch.scores.iou]
    formatted = [f"{value:.6f}" for value in measured]
    parts = (epoch.seconds, epoch.waiting_seconds, epoch.computing_seconds)
    seconds = [f"{value:.2f}" for value in parts]
    return [str(epoch.number), *formatted, f"{epoch.learning_rate:.3g}", *seconds, str(epoch.steps)]


def read_history(path: Path) -> list[Epoch]:
    """Read history.csv as `write_history` wrote it.

    Raises:
        TrainingError: absent, or not such a table.
    """
    try:
        header, *lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        return [_epoch(dict(zip(header, line, strict=True)), header) for line in lines]
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{path}: cannot be read as the history of a run ({error}); train again") from None


def _epoch(line: dict[str, str], header: Sequence[str]) -> Epoch:
    iou = tuple(float(line[name]) for name in header if name.startswith("val_iou_"))
    return Epoch(
        number=int(line["epoch"]),
        loss=float(line["loss"]),
        val_loss=float(line["val_loss"]),
        scores=Scores(iou, float(line["val_pixel_accuracy"])),
        learning_rate=float(line["learning_rate"]),
        seconds=float(line["seconds"]),
        waiting_seconds=float(line.get("waiting_seconds", "nan")),
        computing_seconds=float(line.get("computing_seconds", "nan")),
        steps=int(line.get("steps", "0")),
    )


def stopped_early(epochs: Sequence[Epoch], patience: int) -> bool:
    """Tell whether `patience` epochs have passed without a better one; never with a patience of 0."""
    return bool(patience and epochs) and epochs[-1].number - best_epoch(epochs).number >= patience


def is_over(epochs: Sequence[Epoch], planned_epochs: int, patience: int) -> bool:
    """Tell whether a run with these epochs behind it has none left to do."""
    return len(epochs) >= planned_epochs or stopped_early(epochs, patience)


def best_epoch(epochs: Sequence[Epoch]) -> Epoch:
    """Return the epoch with the highest validation mIoU."""
    return max(epochs, key=lambda epoch: epoch.scores.miou)


@dataclass(frozen=True)
class StepTime:
    """What one step of a run took, median over its epochs: the first, which builds the graph, hardly counts."""

    waiting_ms: float
    computing_ms: float

    def __str__(self) -> str:
        return f"{self.waiting_ms:.1f} ms waiting for pictures, {self.computing_ms:.0f} ms computing"


def step_time(epochs: Sequence[Epoch]) -> StepTime | None:
    """Divide the time of a step; None for a run that did not measure it."""
    measured = [epoch for epoch in epochs if epoch.steps and not isnan(epoch.computing_seconds)]
    if not measured:
        return None
    return StepTime(
        waiting_ms=median(1000 * epoch.waiting_seconds / epoch.steps for epoch in measured),
        computing_ms=median(1000 * epoch.computing_seconds / epoch.steps for epoch in measured),
    )


def duration(seconds: float) -> str:
    """Write seconds as people say them: 8.4 s, 42 s, 3 min 05 s, 2 h 10 min."""
    whole = round(seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
