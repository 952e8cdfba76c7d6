"""Results as text: the cells of the table, Markdown and sentences."""

import re
from collections.abc import Sequence, Set

from edge_seg_bench.board_names import board_names
from edge_seg_bench.columns import Column
from edge_seg_bench.machine import busy_note
from edge_seg_bench.model_tables import accuracy_columns, accuracy_sentence, stage_columns, stage_sentence
from edge_seg_bench.recording import Machine
from edge_seg_bench.results import Board, Comparison, Measurement, Model, Results, Row, RowKey, reference_row
from edge_seg_bench.wording import NONE, ms, thread_words

LATENCY_HEADERS = ("p50 ms", "MAD", "p90", "p99", "runs")
COST_HEADERS = ("load ms", "first ms", "peak RSS MB", "delegate")
THROTTLED_MARK = "*"
_NAMED_OPERATIONS = 4
_RECORDED_METRIC = "miou"
_TAG_BEGIN = re.compile(r"<(?=[A-Za-z/!?])")


def name_columns(board: Board) -> list[Column]:
    """Return the model names, their precisions, and the runtime with its threads."""
    return [
        Column("model", tuple(row.model for row in board.rows)),
        Column("precision", tuple(board.model_of(row).precision for row in board.rows)),
        Column("runtime", tuple(f"{row.runtime}, {thread_words(row.threads)}" for row in board.rows)),
    ]


def latency_columns(board: Board) -> list[Column]:
    """Return median, spread, tail and number of runs; the median of a throttled row is marked."""
    return _columns(LATENCY_HEADERS, [_latency_texts(row) for row in board.rows])


def ratio_columns(board: Board) -> list[Column]:
    """Return the speed-up over the reference row, and over the fewest threads where there are several."""
    reference = reference_row(board)
    columns = [Column("speed-up", _ratio_texts(board, board.comparisons, {reference.key} if reference else set()))]
    if board.scalings:
        firsts = {scaling.reference for scaling in board.scalings}
        columns.append(Column("by threads", _ratio_texts(board, board.scalings, firsts)))
    return columns


def cost_columns(board: Board) -> list[Column]:
    """Return start-up, memory, delegate use and, where the board has a meter, energy."""
    columns = _columns(COST_HEADERS, [_cost_texts(row) for row in board.rows])
    energies_mj = [row.measurement.energy_mj if row.measurement else None for row in board.rows]
    if any(energy_mj is not None for energy_mj in energies_mj):
        columns.append(Column("mJ", tuple(NONE if mj is None else f"{mj:.3g}" for mj in energies_mj)))
    return columns


def model_columns(models: Sequence[Model]) -> list[Column]:
    """Return the sizes of models and, when one of their files carries it, the mIoU in the file."""
    sizes = (NONE if model.size_bytes is None else f"{model.size_bytes / 1e6:.2f}" for model in models)
    metrics = [model.recorded_metrics.get(_RECORDED_METRIC) for model in models]
    columns = [Column("size MB", tuple(sizes))]
    if any(metric is not None for metric in metrics):
        columns.append(Column("mIoU in file", tuple(NONE if one is None else f"{one:.3f}" for one in metrics)))
    return columns


def all_columns(board: Board) -> list[Column]:
    """Return the columns of the table of all rows."""
    models = [board.model_of(row) for row in board.rows]
    by_row = [*latency_columns(board), *ratio_columns(board), *cost_columns(board)]
    return [*name_columns(board), *by_row, *model_columns(models), *accuracy_columns(models)]


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
        + f", {_threads_words(settings.threads)}; at least {settings.runs} runs and {settings.seconds:g} s a row "
        f"(at most {settings.limit_seconds:g} s), own process each, in {settings.rounds} interleaved rounds"
    )


def _threads_words(counts: Sequence[int]) -> str:
    *others, last = [str(count) for count in counts]
    return f"{', '.join(others)} and {last} threads" if others else thread_words(counts[0])


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
    """Return one sentence for what is true of the whole board, for each note and for each failure."""
    said = [sentence for sentence in (busy_note(board.machine), _crowded_note(board)) if sentence]
    said += [f"{model.name}: {note}" for model in board.models for note in model.notes]
    said += [f"{_rows_words(rows, board)}: {note}" for note, rows in _rows_by_note(board).items()]
    return said + [f"{row_words(row)}: not measured: {row.error}" for row in board.rows if row.error is not None]


def row_words(row: Row | RowKey) -> str:
    """Return what a row is called in a sentence."""
    return f"{row.model} ({row.runtime}, {thread_words(row.threads)})"


def _rows_words(rows: Sequence[Row], board: Board) -> str:
    return "every row" if len(rows) == len(board.rows) > 1 else ", ".join(row_words(row) for row in rows)


def _rows_by_note(board: Board) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in board.rows:
        for note in _row_notes(row):
            found.setdefault(note, []).append(row)
    return found


def _crowded_note(board: Board) -> str | None:
    cores = board.machine.cores
    crowded = [count for count in board.settings.threads if count > cores]
    if not crowded:
        return None
    return f"{_threads_words(crowded)} are more than the machine's cores, of which this process may use {cores}"


def interval_sentence(board: Board) -> str | None:
    """Return what the speed-up column means, or None when nothing was compared."""
    if not board.comparisons:
        return None
    first = board.comparisons[0]
    return (
        f"speed-up: ratio of the medians of {row_words(first.reference)} and the row, with its bootstrap "
        f"{first.speedup.confidence:.0%} interval; “no difference” when that covers 1"
    )


def scaling_sentence(board: Board) -> str | None:
    """Return what the thread column means, or None without one."""
    return "by threads: the same ratio against the row's own model at the fewest threads" if board.scalings else None


def conditions_sentence(board: Board) -> str | None:
    """Return what temperature and clock were between the blocks, and the meter of energy; None when none is known."""
    seen = [
        condition
        for row in board.rows
        if row.measurement
        for condition in (row.measurement.before, row.measurement.after)
    ]
    parts = (
        _range_words("temperature", [one.temperature_c for one in seen], "°C"),
        _range_words("clock", [one.clock_mhz for one in seen], "MHz"),
        f"mJ: energy of one inference by {board.energy_meter}" if board.energy_meter else None,
    )
    return "; ".join(part for part in parts if part) or None


def _range_words(what: str, values: Sequence[float | None], unit: str) -> str | None:
    known = [f"{value:.0f}" for value in sorted(value for value in values if value is not None)]
    if not known:
        return None
    return f"{what} {known[0] if known[0] == known[-1] else f'{known[0]} to {known[-1]}'} {unit} between the blocks"


def board_sentences(board: Board) -> list[str]:
    """Return what a reader must know of a board's columns and rows."""
    known = (
        interval_sentence(board),
        scaling_sentence(board),
        accuracy_sentence(board),
        stage_sentence(board),
        conditions_sentence(board),
        *notes(board),
    )
    return [sentence for sentence in known if sentence]


def markdown(results: Results) -> str:
    """Return results.md."""
    lines = ["# Benchmark"]
    for name, board in zip(board_names(results.boards), results.boards, strict=True):
        lines += ["", *([f"## {name}", ""] if len(results.boards) > 1 else []), *_board_lines(board)]
    return "\n".join(lines).rstrip() + "\n"


def _board_lines(board: Board) -> list[str]:
    columns = all_columns(board)
    return [
        f"{machine_sentence(board.machine)}.  ",
        f"{settings_sentence(board)}.  ",
        f"edge-seg {board.edge_seg_version}, {board.created}.",
        "",
        *_column_lines(columns, left=3),
        *_column_lines([column for columns in stage_columns(board) for column in columns], left=1),
        *(f"- {_without_tags(sentence)}" for sentence in board_sentences(board)),
    ]


def _column_lines(columns: Sequence[Column], *, left: int) -> list[str]:
    """Return the lines of a table and an empty one; nothing for no columns."""
    if not columns:
        return []
    rows = list(zip(*(column.texts for column in columns), strict=True))
    return [*markdown_table([column.title for column in columns], rows, left=left), ""]


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 2) -> list[str]:
    """Return the lines of a table whose first `left` columns are text and the others numbers."""
    rule = [":--" if column < left else "--:" for column in range(len(titles))]
    return [_markdown_row(row) for row in (titles, rule, *rows)]


def _markdown_row(texts: Sequence[str]) -> str:
    escaped = (_without_tags(text).replace("|", "\\|") for text in texts)
    return f"| {' | '.join(escaped)} |"


def _without_tags(text: str) -> str:
    """Return text in which no name is taken for HTML."""
    return _TAG_BEGIN.sub("&lt;", text)


def _columns(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Column]:
    return [Column(title, tuple(row[index] for row in rows)) for index, title in enumerate(titles)]


def _latency_texts(row: Row) -> tuple[str, ...]:
    if row.measurement is None:
        return ("failed", *[NONE] * (len(LATENCY_HEADERS) - 1))
    latency = row.measurement.latency
    mark = THROTTLED_MARK if row.measurement.throttled_blocks else ""
    tail = (ms(value) for value in (latency.mad_ms, latency.p90_ms, latency.p99_ms))
    return (ms(latency.p50_ms) + mark, *tail, str(latency.runs))


def _cost_texts(row: Row) -> tuple[str, ...]:
    measured = row.measurement
    if measured is None:
        return (NONE,) * len(COST_HEADERS)
    memory = f"{measured.peak_rss_bytes / 1e6:.0f}"
    return (ms(measured.load_ms), ms(measured.first_inference_ms), memory, _delegate_words(measured))


def _delegate_words(measured: Measurement) -> str:
    use = measured.delegate
    if use is None:
        return NONE
    share = use.delegated_nodes / use.total_nodes if use.total_nodes else 0.0
    return f"{share:.0%} in {use.partitions}"


def _row_notes(row: Row) -> tuple[str, ...]:
    return (*row.notes, *_throttling_notes(row), *_delegate_notes(row))


def _throttling_notes(row: Row) -> tuple[str, ...]:
    if row.measurement is None or row.measurement.throttled_blocks == 0:
        return ()
    throttled, blocks = row.measurement.throttled_blocks, len(row.measurement.blocks_ms)
    return (f"{THROTTLED_MARK} the board was throttled in {throttled} of {blocks} blocks",)


def _delegate_notes(row: Row) -> tuple[str, ...]:
    """Name the operations the delegate left out, when they are more than a tenth of the graph."""
    use = row.measurement.delegate if row.measurement else None
    if use is None or use.delegated_nodes > 0.9 * use.total_nodes:
        return ()
    left = ", ".join(f"{count} {name}" for name, count in list(use.left_out.items())[:_NAMED_OPERATIONS])
    return (f"the delegate left out {use.total_nodes - use.delegated_nodes} of {use.total_nodes} nodes: {left}",)


def _ratio_texts(board: Board, comparisons: Sequence[Comparison], references: Set[RowKey]) -> tuple[str, ...]:
    """Return one text per row: how it compares, or that others are compared with it."""
    words = {comparison.row: speedup_words(comparison) for comparison in comparisons}
    return tuple("reference" if row.key in references else words.get(row.key, NONE) for row in board.rows)
