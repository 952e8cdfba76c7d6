"""The result as Markdown: the bars, a table of models, a table of runtimes, and what is to be said below them."""

from collections.abc import Iterable, Sequence

from edge_seg_bench.peers.answers import BROKEN_BELOW
from edge_seg_bench.peers.bars import coral_entry
from edge_seg_bench.peers.contestants import LITERT, STOCK_TUTORIAL, TFLITE_RUNTIME, TUTORIAL
from edge_seg_bench.peers.peer_worker import PEERS
from edge_seg_bench.peers.result import Bar, Entry, PeersReport
from edge_seg_bench.rendering import machine_sentence, markdown_table, notes
from edge_seg_bench.results import Row, RowKey
from edge_seg_bench.wording import NONE, latency_words, ms, ratio_words, thread_words

_RUNTIMES = {LITERT: "LiteRT", TFLITE_RUNTIME: "tflite_runtime", **PEERS}
_MET = {True: "met", False: "**missed**", None: "**not measured**"}


def markdown(report: PeersReport) -> str:
    """Return peers.md."""
    lines = ["# Beside other people's models and runtimes", "", *bar_lines(report.bars), ""]
    lines += ["## Models", "", *model_table(report), ""]
    if runtimes := runtime_table(report):
        lines += ["## The same weights in other runtimes", "", *runtimes, ""]
    lines += [f"- {sentence}" for sentence in sentences(report)] + [""]
    lines += [f"{sentence}  " for sentence in how_measured(report)]
    return "\n".join(lines).rstrip() + "\n"


def bar_lines(bars: Iterable[Bar]) -> list[str]:
    """Return a line for each bar: what was asked, whether it is met, and what was seen."""
    return [f"- {bar.asked[0].upper()}{bar.asked[1:]}: {_bar_words(bar)}." for bar in bars]


def model_table(report: PeersReport) -> list[str]:
    """Return the lines of the table of models, all in LiteRT."""
    threads = report.board.settings.threads
    titles = ["model", "made for", "precision", "input", "size MB", "pet IoU", "mIoU"]
    titles += [f"ms, {thread_words(count)}" for count in threads]
    titles += ["× Coral's speed", "× the tutorial's", "× the stock tutorial's"]
    entries = [entry for entry in report.entries if entry.group != "weights"]
    return markdown_table(titles, [_model_cells(report, entry, threads) for entry in entries], left=4)


def runtime_table(report: PeersReport) -> list[str]:
    """Return the lines of the table of runtimes, none when no weights were given."""
    keys = [
        key
        for entry in report.entries
        if entry.group == "weights"
        for key in dict.fromkeys((row.model, row.runtime) for row in report.board.rows if row.model == entry.model)
    ]
    if not keys:
        return []
    threads = report.board.settings.threads
    titles = ["weights", "runtime", "same class as LiteRT", *(f"ms, {thread_words(count)}" for count in threads)]
    titles += [f"× LiteRT's speed, {thread_words(count)}" for count in threads]
    return markdown_table(titles, [_runtime_cells(report, model, runtime, threads) for model, runtime in keys])


def sentences(report: PeersReport) -> list[str]:
    """Return what makes a figure doubtful, what a delegate left out, and each failure."""
    said = [
        f"{entry.title} was made for {entry.description.made_for}, not for pets: its pet IoU shows what that costs."
        for entry in report.entries
        if entry.description and not entry.description.knows_pets
    ]
    said += [
        f"**{entry.title} does not name this data set with this split: it may have learned these pictures.**"
        for entry in report.entries
        if entry.group == "shipped" and entry.pets and not entry.pets.unseen
    ]
    said += [
        f"**{item.row.model} in {_RUNTIMES[item.row.runtime]} gives {item.share:.2%} of the pixels of the first "
        "pictures the class that LiteRT gives: too few for the same computation.**"
        for item in report.agreements
        if item.share < BROKEN_BELOW and item.row.threads == report.board.settings.threads[0]
    ]
    said += [f"{entry.title}: no pet IoU: {entry.error}." for entry in report.entries if entry.error is not None]
    return said + notes(report.board)


def how_measured(report: PeersReport) -> list[str]:
    """Return lines on the figures, the models' origin, the runtimes and the machine."""
    settings = report.board.settings
    return [
        f"Pet IoU: pet against background on {report.pictures} pictures (split {report.split} of {report.data}) at "
        "their full size, border left out, every model through its own preprocessing, in LiteRT. mIoU: over all "
        "classes of the data set.",
        "Milliseconds: median ± median absolute deviation of one inference, input already in place; at least "
        f"{settings.runs} runs and {settings.seconds:g} s a row (at most {settings.limit_seconds:g} s), an own process "
        f"each, all rows in {settings.rounds} shuffled, interleaved rounds.",
        "× speed: ratio of median times with its 95% bootstrap interval"
        f"{', on ' + thread_words(settings.threads[0]) if len(settings.threads) > 1 else ''}. "
        f"The tutorial's: {TUTORIAL}; the stock tutorial's: {STOCK_TUTORIAL}.",
        *_settings_lines(report),
        f"{machine_sentence(report.board.machine)}; edge-seg {report.board.edge_seg_version}, {_versions(report)}; "
        f"{report.board.created}.",
    ]


def _bar_words(bar: Bar) -> str:
    return _MET[bar.met] if bar.met is None else f"{_MET[bar.met]} ({bar.seen})"


def _model_cells(report: PeersReport, entry: Entry, threads: Sequence[int]) -> list[str]:
    rows = [report.row(entry, LITERT, count) for count in threads]
    size_bytes = report.model(entry).size_bytes
    references = (coral_entry(report), report.titled(TUTORIAL), report.titled(STOCK_TUTORIAL))
    return [
        entry.title,
        entry.made_for,
        report.model(entry).precision,
        _input_words(rows[0]),
        NONE if size_bytes is None else f"{size_bytes / 1e6:.2f}",
        NONE if entry.pets is None else f"{entry.pets.iou:.3f}{_mark(entry)}",
        NONE if entry.pets is None or entry.pets.miou is None else f"{entry.pets.miou:.3f}",
        *(_latency(row) for row in rows),
        *(_speedup(report, rows[0], reference) for reference in references),
    ]


def _runtime_cells(report: PeersReport, model: str, runtime: str, threads: Sequence[int]) -> list[str]:
    rows = {row.key: row for row in report.board.rows}
    shares = {item.row: f"{item.share:.2%}" for item in report.agreements}
    ratios = {item.row: ratio_words(item.speedup, ms) for item in report.comparisons}
    keys, absent = [RowKey(model, runtime, count) for count in threads], "itself" if runtime == LITERT else NONE
    return [
        model,
        _RUNTIMES[runtime],
        shares.get(keys[0], absent),
        *(_latency(rows.get(key)) for key in keys),
        *(ratios.get(key, absent) for key in keys),
    ]


def _input_words(row: Row | None) -> str:
    """Return e.g. "128×128 uint8"."""
    if row is None or row.measurement is None:
        return NONE
    _, height, width, _ = row.measurement.input_shape
    return f"{height}×{width} {row.measurement.input_dtype}"


def _mark(entry: Entry) -> str:
    return " (not made for pets)" if entry.description and not entry.description.knows_pets else ""


def _latency(row: Row | None) -> str:
    if row is None or row.measurement is None:
        return NONE
    return latency_words(row.measurement.latency)


def _speedup(report: PeersReport, row: Row | None, reference: Entry | None) -> str:
    if row is None or reference is None:
        return NONE
    if row.model == reference.model:
        return "itself"
    comparison = report.comparison(row.key, RowKey(reference.model, LITERT, row.threads))
    return NONE if comparison is None else ratio_words(comparison.speedup, ms)


def _settings_lines(report: PeersReport) -> list[str]:
    """Return a line for each peer: what it was set to, at the first number of threads it ran with."""
    told: dict[str, dict[str, str]] = {}
    for row in report.board.rows:
        if row.runtime in PEERS and row.measurement is not None:
            told.setdefault(row.runtime, row.measurement.runtime_settings)
    return [
        f"{PEERS[runtime]}: {', '.join(f'{name} {value}' for name, value in settings.items())}."
        for runtime, settings in told.items()
    ]


def _versions(report: PeersReport) -> str:
    told = {row.runtime: row.measurement.runtime_version for row in report.board.rows if row.measurement is not None}
    return ", ".join(f"{_RUNTIMES[runtime]} {version}" for runtime, version in told.items())
