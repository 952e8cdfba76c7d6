"""What a run looks like on a terminal: the last epochs as a table, and below it how far the run is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median_low
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from edge_seg_train.history import Epoch, best_epoch, is_over

MOST_ROWS = 12
_LINES_BESIDE_ROWS = 8  # headings, space and bars, and the lines that were there before
_MOST_CLASSES = 3
_WIDEST_BARS = 100
_ETA_EPOCHS = 3


@dataclass(frozen=True)
class EpochColumn:
    """One column of the table of epochs."""

    heading: str
    cell: Callable[[Epoch], str]
    width: int
    justify: Literal["left", "right"] = "right"


@dataclass
class RunView:
    """A run under way; rich draws it as it is at that moment.

    Attributes:
        class_names: in the order of their ids.
        planned_epochs: how many epochs the run is to have at most.
        steps_per_epoch: batches of one epoch.
        clock: tells steady time in seconds.
        patience: the run ends after so many epochs without a better one; 0 for never.
        epochs: those that are done.
        step: batches done of the epoch under way.
        loss: its mean loss so far; None before the first batch.
        is_over: the bars are left out.
    """

    class_names: Sequence[str]
    planned_epochs: int
    steps_per_epoch: int
    clock: Callable[[], float]
    patience: int = 0
    epochs: list[Epoch] = field(default_factory=list)
    step: int = 0
    loss: float | None = None
    is_over: bool = False

    def __post_init__(self) -> None:
        self._epoch_began = self.clock()

    def advance(self, loss: float) -> None:
        """One batch is done."""
        self.step, self.loss = self.step + 1, loss

    def add(self, epoch: Epoch) -> None:
        """One epoch is validated, and the next begins."""
        self.epochs.append(epoch)
        self.step, self.loss, self._epoch_began = 0, None, self.clock()

    @property
    def is_learned(self) -> bool:
        """True when no epoch is left to do, and the report is being written."""
        return is_over(self.epochs, self.planned_epochs, self.patience)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.epochs:
            rows = min(MOST_ROWS, max(1, options.size.height - _LINES_BESIDE_ROWS))
            yield epoch_table(self.epochs, self.class_names, rows, options.max_width)
        if not self.is_over:
            yield ""
            yield "writing the report" if self.is_learned else self._bars(options.max_width)

    def _bars(self, width: int) -> Table:
        done, steps, spent = len(self.epochs), self.steps_per_epoch, self.clock() - self._epoch_began
        seconds = [epoch.seconds for epoch in self.epochs]
        left = remaining_seconds(seconds, spent, self.step / steps, self.planned_epochs)
        loss = "" if self.loss is None else f"loss {self.loss:.3f}"
        best = f"best {best_epoch(self.epochs).scores.miou:.3f}" if self.epochs else ""
        bars = Table.grid(padding=(0, 2, 0, 0), expand=True)
        for heading in ("doing", "bar", "steps", "score", "time"):
            is_bar = heading == "bar"
            bars.add_column(
                ratio=1 if is_bar else None, justify="right" if heading == "steps" else "left", no_wrap=True
            )
        doing = f"epoch {done + 1}" if self.step < steps else "validating"
        bars.add_row(doing, ProgressBar(steps, self.step), f"{self.step}/{steps}", loss, clock_time(spent))
        total, elapsed = self.planned_epochs * steps, sum(seconds) + spent
        times = clock_time(elapsed) if left is None else f"{clock_time(elapsed)}, {clock_time(left)} left"
        now = done * steps + self.step
        bars.add_row("whole run", ProgressBar(total, now), f"{now}/{total}", best, times)
        bars.width = min(width, _WIDEST_BARS)
        return bars


def epoch_table(epochs: Sequence[Epoch], class_names: Sequence[str], most_rows: int, width: int) -> Table:
    """Draw the last epochs in as many columns as `width` has room for; the best is marked."""
    best = best_epoch(epochs)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    columns = epoch_columns(best, class_names, width)
    for column in columns:
        table.add_column(escape(column.heading), justify=column.justify, vertical="bottom", no_wrap=True)
    table.add_column(no_wrap=True)
    for epoch in shown_epochs(epochs, most_rows):
        cells = [escape(column.cell(epoch)) for column in columns]
        table.add_row(*cells, "best" if epoch is best else "", style="green" if epoch is best else None)
    return table


def shown_epochs(epochs: Sequence[Epoch], most: int) -> list[Epoch]:
    """Return the last `most` epochs, or fewer and the best before them."""
    best, last = best_epoch(epochs), list(epochs[-most:])
    return last if best in last or most == 1 else [best, *last[1:]]


def epoch_columns(best: Epoch, class_names: Sequence[str], width: int) -> list[EpochColumn]:
    """Choose columns for a terminal of `width` characters.

    Where there is room the classes of the lowest IoU in the epoch `best` have columns, else one tells the worst
    class of each epoch; on narrow terminals the least needed are left out.
    """
    number = EpochColumn("epoch", lambda epoch: str(epoch.number), 5)
    miou = EpochColumn("mIoU", lambda epoch: f"{epoch.scores.miou:.4f}", 6)
    loss = EpochColumn("loss", lambda epoch: f"{epoch.loss:.3f}", 6)
    val_loss = EpochColumn("val loss", lambda epoch: f"{epoch.val_loss:.3f}", 8)
    rate = EpochColumn("rate", lambda epoch: f"{epoch.learning_rate:.1e}", 7)
    seconds = EpochColumn("seconds", lambda epoch: f"{epoch.seconds:.1f}", 7)
    worst = EpochColumn("worst class", lambda epoch: worst_class(epoch, class_names), 17, "left")
    classes = [class_column(index, class_names[index]) for index in best.worst_classes(_MOST_CLASSES)]
    choices = (
        [number, loss, val_loss, miou, *classes, rate, seconds],
        [number, loss, val_loss, miou, worst, rate, seconds],
        [number, loss, val_loss, miou, rate, seconds],
        [number, loss, miou, seconds],
    )
    return next((columns for columns in choices if _width(columns) <= width), [number, miou])


def class_column(index: int, name: str) -> EpochColumn:
    """Make the column of one class's IoU."""
    return EpochColumn(f"IoU\n{name}", lambda epoch: f"{epoch.scores.iou[index]:.4f}", max(6, len(name)))


def worst_class(epoch: Epoch, class_names: Sequence[str], longest_name: int = 10) -> str:
    """Name the class of the lowest IoU, as "border 0.5228"."""
    (index,) = epoch.worst_classes(1)
    name = class_names[index]
    cut = name if len(name) <= longest_name else f"{name[: longest_name - 1]}~"
    return f"{epoch.scores.iou[index]:.4f} {cut}"


def remaining_seconds(
    epoch_seconds: Sequence[float], spent: float, share_done: float, planned_epochs: int
) -> float | None:
    """Estimate how long a run takes to its end; None while nothing is known.

    Args:
        epoch_seconds: of the epochs that are done, with validation.
        spent: seconds since the epoch under way began.
        share_done: of its steps, 0 to 1.
        planned_epochs: of the whole run.
    """
    if epoch_seconds:
        each = median_low(epoch_seconds[-_ETA_EPOCHS:])  # the first takes longer: TensorFlow builds its graphs
        return each * (planned_epochs - len(epoch_seconds)) - min(spent, each)
    return spent / share_done * planned_epochs - spent if share_done else None


def clock_time(seconds: float) -> str:
    """Return a duration as "1:02:03", or "2:03" below an hour."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _width(columns: Sequence[EpochColumn]) -> int:
    mark = len("best")
    return sum(column.width + 2 for column in columns) + mark
