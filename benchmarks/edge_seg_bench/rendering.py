"""Results as text: the cells of the table, Markdown and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_seg_bench.machine import busy_note
from edge_seg_bench.measurement import thread_words
from edge_seg_bench.recording import Machine
from edge_seg_bench.results import Board, Comparison, Measurement, Results, Row, RowKey, reference_row

LATENCY_HEADERS = ("p50 ms", "MAD", "p90", "p99", "runs")
COST_HEADERS = ("size MB", "load ms", "first ms", "peak RSS MB", "delegate")
_NONE = "–"
_NAMED_OPERATIONS = 4
_RECORDED_METRIC = "miou"


@dataclass(frozen=True)
class Column:
    """A column of the table: its title and one text per model."""

    title: str
    texts: tuple[str, ...]


def name_columns(board: Board) -> list[Column]:
    """Return the model names, their precisions, and the runtime with its threads."""
    return [
        Column("model", tuple(row.model for row in board.rows)),
        Column("precision", tuple(board.model_of(row).precision for row in board.rows)),
        Column("runtime", tuple(f"{row.runtime}, {thread_words(row.threads)}" for row in board.rows)),
    ]


def latency_columns(board: Board) -> list[Column]:
    """Return median, spread, tail and the speed-up over the reference."""
    columns = _columns(LATENCY_HEADERS, [_latency_texts(row) for row in board.rows])
    return [*columns, Column("speed-up", _speedups(board))]


def cost_columns(board: Board) -> list[Column]:
    """Return size, start-up, memory and delegate use, and the recorded mIoU when a model file carries one."""
    columns = _columns(COST_HEADERS, [_cost_texts(board, row) for row in board.rows])
    metrics = [board.model_of(row).recorded_metrics.get(_RECORDED_METRIC) for row in board.rows]
    if any(metric is not None for metric in metrics):
        texts = tuple(_NONE if metric is None else f"{metric:.3f}" for metric in metrics)
        columns.append(Column("mIoU in file", texts))
    return columns


def ms(value: float) -> str:
    """Format milliseconds with three significant digits and no exponent."""
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}"


def speedup_words(comparison: Comparison) -> str:
    """Return e.g. "2.1× faster [2.0, 2.2]", "30× slower [28, 31]" or "no difference [0.97, 1.03]"."""
    speedup = comparison.speedup
    turned = speedup.ratio < 1 and comparison.verdict != "no difference"
    factor = 1 / speedup.ratio if turned else speedup.ratio
    words = f"{factor:.3g}× {'slower' if turned else 'faster'}"
    if speedup.low is None or speedup.high is None:
        return f"{words} ({comparison.verdict} for an interval)"
    low, high = (1 / speedup.high, 1 / speedup.low) if turned else (speedup.low, speedup.high)
    return f"{'no difference' if comparison.verdict == 'no difference' else words} [{low:.3g}, {high:.3g}]"


def settings_sentence(board: Board) -> str:
    """Return one line on how it was measured."""
    settings = board.settings
    versions = {row.runtime: row.measurement.runtime_version for row in board.rows if row.measurement}
    return (
        ", ".join(f"{runtime} {versions.get(runtime, '')}".strip() for runtime in settings.runtimes)
        + f"; at least {settings.runs} runs and {settings.seconds:g} s a row (at most "
        f"{settings.limit_seconds:g} s), own process each, in {settings.rounds} interleaved rounds"
    )


def machine_sentence(machine: Machine) -> str:
    """Return one line on the machine."""
    board = f"{machine.board}, " if machine.board else ""
    governor = f", governor {machine.cpu_governor}" if machine.cpu_governor else ""
    return (
        f"{board}{machine.cpu_model} ({machine.architecture}, {machine.cores} cores{governor}), "
        f"{machine.os}, Python {machine.python}"
    )


def machine_words(machine: Machine) -> str:
    """Return the few words that fit over a plot."""
    board = f"{machine.board}, " if machine.board else ""
    return f"{board}{machine.cpu_model}, {machine.cores} cores, {machine.architecture}"


def notes(board: Board) -> list[str]:
    """Return one sentence for a busy machine, for each note and for each failure."""
    busy = busy_note(board.machine)
    said = [] if busy is None else [busy]
    said += [f"{model.name}: {note}" for model in board.models for note in model.notes]
    said += [f"{row_words(row)}: {note}" for row in board.rows for note in (*row.notes, *_delegate_notes(row))]
    return said + [f"{row_words(row)}: not measured: {row.error}" for row in board.rows if row.error is not None]


def row_words(row: Row | RowKey) -> str:
    """Return what a row is called in a sentence."""
    return f"{row.model} ({row.runtime}, {thread_words(row.threads)})"


def interval_sentence(board: Board) -> str | None:
    """Return what the speed-up column means, or None when nothing was compared."""
    if not board.comparisons:
        return None
    first = board.comparisons[0]
    return (
        f"speed-up: ratio of the medians of {row_words(first.reference)} and the row, with its bootstrap "
        f"{first.speedup.confidence:.0%} interval; “no difference” when that covers 1"
    )


def markdown(results: Results) -> str:
    """Return results.md."""
    lines = ["# Benchmark"]
    for board in results.boards:
        lines += ["", *_board_lines(board)]
    return "\n".join(lines).rstrip() + "\n"


def _board_lines(board: Board) -> list[str]:
    columns = [*name_columns(board), *latency_columns(board), *cost_columns(board)]
    rows = list(zip(*(column.texts for column in columns), strict=True))
    sentences = [sentence for sentence in (interval_sentence(board), *notes(board)) if sentence]
    return [
        f"{machine_sentence(board.machine)}.  ",
        f"{settings_sentence(board)}.  ",
        f"edge-seg {board.edge_seg_version}, {board.created}.",
        "",
        *markdown_table([column.title for column in columns], rows, left=3),
        "",
        *(f"- {sentence}" for sentence in sentences),
    ]


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 2) -> list[str]:
    """Return the lines of a table whose first `left` columns are text and the others numbers."""
    rule = [":--" if column < left else "--:" for column in range(len(titles))]
    return [_markdown_row(row) for row in (titles, rule, *rows)]


def _markdown_row(texts: Sequence[str]) -> str:
    escaped = (text.replace("|", "\\|") for text in texts)
    return f"| {' | '.join(escaped)} |"


def _columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    return [Column(title, tuple(row[index] for row in rows)) for index, title in enumerate(titles)]


def _latency_texts(row: Row) -> tuple[str, ...]:
    if row.measurement is None:
        return ("failed", *[_NONE] * (len(LATENCY_HEADERS) - 1))
    latency = row.measurement.latency
    values = (latency.p50_ms, latency.mad_ms, latency.p90_ms, latency.p99_ms)
    return (*(ms(value) for value in values), str(latency.runs))


def _cost_texts(board: Board, row: Row) -> tuple[str, ...]:
    size_bytes = board.model_of(row).size_bytes
    size = _NONE if size_bytes is None else f"{size_bytes / 1e6:.2f}"
    measured = row.measurement
    if measured is None:
        return (size, *[_NONE] * (len(COST_HEADERS) - 1))
    memory = f"{measured.peak_rss_bytes / 1e6:.0f}"
    return (size, ms(measured.load_ms), ms(measured.first_inference_ms), memory, _delegate_words(measured))


def _delegate_words(measured: Measurement) -> str:
    use = measured.delegate
    if use is None:
        return _NONE
    share = use.delegated_nodes / use.total_nodes if use.total_nodes else 0.0
    return f"{share:.0%} in {use.partitions}"


def _delegate_notes(row: Row) -> tuple[str, ...]:
    """Name the operations the delegate left out, when they are more than a tenth of the graph."""
    use = row.measurement.delegate if row.measurement else None
    if use is None or use.delegated_nodes > 0.9 * use.total_nodes:
        return ()
    left = ", ".join(f"{count} {name}" for name, count in list(use.left_out.items())[:_NAMED_OPERATIONS])
    return (f"the delegate left out {use.total_nodes - use.delegated_nodes} of {use.total_nodes} nodes: {left}",)


def _speedups(board: Board) -> tuple[str, ...]:
    """Return one text per row; comparisons are in the order of the measured rows, without the reference."""
    comparisons = iter(board.comparisons)
    reference = reference_row(board)
    texts: list[str] = []
    for row in board.rows:
        if row is reference:
            texts.append("reference")
        else:
            texts.append(_NONE if row.measurement is None else speedup_words(next(comparisons)))
    return tuple(texts)
