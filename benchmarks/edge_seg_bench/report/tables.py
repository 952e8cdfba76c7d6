"""The tables of a page: what is written in each cell, and which cells warn."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_seg_bench.peak import moved_bytes, peak_for, share_of_peak
from edge_seg_bench.recording import Machine
from edge_seg_bench.rendering import all_columns, settings_sentence
from edge_seg_bench.results import Accuracy, Board, Conditions, Measurement, Model, Profile, Row, Work, measured_rows
from edge_seg_bench.wording import NONE, ms, thread_words


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a bar of `share` (0 to 1) behind it, and whether it warns."""

    text: str
    share: float | None = None
    warns: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose first `text_columns` are text and the others numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    text_columns: int


def rows_table(board: Board) -> Table:
    """Return all rows with all columns of results.md."""
    columns = all_columns(board)
    texts = zip(*(column.texts for column in columns), strict=True)
    rows = tuple(_row_cells(row, cells) for row, cells in zip(board.rows, texts, strict=True))
    return Table(tuple(column.title for column in columns), rows, 3)


def operations_table(profile: Profile) -> Table:
    """Return the operations that take longest, with a bar for each one's share."""
    rows = tuple(
        (
            Cell(each.name),
            Cell(each.kind),
            Cell(each.delegate or "own kernel"),
            Cell(ms(each.ms)),
            _share_cell(each.share),
        )
        for each in profile.operations
    )
    return Table(("operation", "kind", "run by", "ms", "share of the time"), rows, 3)


def work_table(board: Board) -> Table | None:
    """Return what each measured row has to do and how near it comes to its roof; None when no work was counted."""
    rows = [_work_cells(board, row, work) for row in measured_rows(board) if (work := board.model_of(row).work)]
    headings = ("model", "runtime", "M MACs", "MB weights", "MB activations", "GMAC/s", "GB/s", "of the roof")
    return Table((*headings, "roof", "× memory"), tuple(rows), 2) if rows else None


def peaks_table(board: Board) -> Table | None:
    """Return the roofs; None when none was measured."""
    rows = tuple(
        (
            Cell(peak.precision),
            Cell(f"{peak.threads}"),
            Cell(f"{peak.macs_per_s / 1e9:.1f}"),
            Cell(f"{peak.cache_bytes_per_s / 1e9:.1f}"),
            Cell(f"{peak.bytes_per_s / 1e9:.1f}"),
        )
        for peak in board.peaks
    )
    return (
        Table(("precision", "threads", "GMAC/s at most", "GB/s of the caches", "GB/s of the memory"), rows, 1)
        if rows
        else None
    )


def accuracy_table(models: Sequence[Model]) -> Table | None:
    """Return the mIoU of each model that was evaluated, and the IoU of each class; None when none was."""
    told = [(model.name, model.accuracy) for model in models if model.accuracy]
    classes = tuple(dict.fromkeys(name for _, accuracy in told for name in accuracy.iou))
    rows = tuple((Cell(name), *_accuracy_cells(accuracy, classes)) for name, accuracy in told)
    headings = ("model", "data", "pictures", "mIoU", "same class as float", *classes)
    return Table(headings, rows, 2) if rows else None


def conditions_table(board: Board) -> Table:
    """Return what the board was like before and after each row; what was throttled warns."""
    headings = ("model", "runtime", "load", "°C", "MHz", "throttled blocks", "held back by", "mJ an inference")
    rows = [(row, row.measurement) for row in board.rows if row.measurement]
    return Table(headings, tuple(_condition_cells(row, measured) for row, measured in rows), 2)


def machine_rows(board: Board) -> list[tuple[str, str]]:
    """Return the name and the value of all that describes the machine and how it was measured."""
    machine = board.machine
    told = [
        ("board", machine.board),
        ("processor", f"{machine.cpu_model}, {machine.cores} cores, {machine.architecture}"),
        ("clock governor", machine.cpu_governor),
        ("memory", _memory(machine)),
        ("system", ", ".join(filter(None, (machine.os, machine.kernel and f"kernel {machine.kernel}")))),
        ("host", machine.host),
        ("Python", machine.python),
        ("edge-seg", board.edge_seg_version),
        ("measured", board.created),
        ("how", settings_sentence(board)),
    ]
    return [(name, value) for name, value in told if value]


def _row_cells(row: Row, texts: Sequence[str]) -> tuple[Cell, ...]:
    warns = row.error is not None or bool(row.measurement and row.measurement.throttled_blocks)
    return tuple(Cell(text, warns=warns) for text in texts)


def _work_cells(board: Board, row: Row, work: Work) -> tuple[Cell, ...]:
    assert row.measurement is not None
    latency_ms = row.measurement.latency.p50_ms
    peak = peak_for(board.peaks, board.model_of(row).precision, row.threads)
    reached, seconds = share_of_peak(work, latency_ms, peak) if peak else None, latency_ms / 1e3
    return (
        *_row_names(row),
        Cell(f"{work.macs / 1e6:,.1f}"),
        Cell(f"{work.weight_bytes / 1e6:.2f}"),
        Cell(f"{work.activation_bytes / 1e6:.2f}"),
        Cell(f"{work.macs / seconds / 1e9:.1f}"),
        Cell(f"{moved_bytes(work) / seconds / 1e9:.1f}"),
        _share_cell(reached.share) if reached else Cell(NONE),
        Cell(reached.bound if reached else NONE),
        Cell(f"{reached.memory_share:.2f}" if reached else NONE),
    )


def _accuracy_cells(accuracy: Accuracy, classes: Sequence[str]) -> tuple[Cell, ...]:
    agreement = accuracy.agreement
    return (
        Cell(f"{accuracy.data}, {accuracy.split}"),
        Cell(str(accuracy.images)),
        Cell(f"{accuracy.miou:.4f}"),
        Cell(NONE if agreement is None else f"{100 * agreement:.2f}%"),
        *(Cell(_number(accuracy.iou.get(name), "{:.3f}")) for name in classes),
    )


def _condition_cells(row: Row, measured: Measurement) -> tuple[Cell, ...]:
    before, after, throttled = measured.before, measured.after, measured.throttled_blocks
    return (
        *_row_names(row),
        Cell(_change(before.load_average, after.load_average, "{:.1f}")),
        Cell(_change(before.temperature_c, after.temperature_c, "{:.0f}"), warns=throttled > 0),
        Cell(_change(before.clock_mhz, after.clock_mhz, "{:,.0f}"), warns=throttled > 0),
        Cell(f"{throttled} of {len(measured.blocks_ms)}", warns=throttled > 0),
        Cell(_throttling_words(after), warns=bool(after.throttling)),
        Cell(_number(measured.energy_mj, "{:.3g}")),
    )


def _row_names(row: Row) -> tuple[Cell, Cell]:
    return Cell(row.model), Cell(f"{row.runtime}, {thread_words(row.threads)}")


def _throttling_words(conditions: Conditions) -> str:
    if conditions.throttling is None:
        return "not known"
    return ", ".join(conditions.throttling) or "nothing"


def _change(before: float | None, after: float | None, form: str) -> str:
    """Return e.g. "45 → 61", or one number when both are written alike."""
    first, last = _number(before, form), _number(after, form)
    return first if first == last else f"{first} → {last}"


def _number(value: float | None, form: str) -> str:
    return NONE if value is None else form.format(value)


def _share_cell(share: float) -> Cell:
    return Cell(f"{100 * share:.1f}%", share=min(1.0, share))


def _memory(machine: Machine) -> str | None:
    return None if machine.memory_bytes is None else f"{machine.memory_bytes / 2**30:.1f} GiB"
