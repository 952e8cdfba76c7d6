"""The result as Markdown: a table for each network, and what is to be said below it."""

from collections.abc import Sequence

from edge_seg_bench.arm64.cores import find_core
from edge_seg_bench.conversion.instructions import CORES
from edge_seg_bench.conversion.result import ConversionReport, NetworkResult, Row, Timing
from edge_seg_bench.machine import busy_note
from edge_seg_bench.peers.answers import BROKEN_BELOW
from edge_seg_bench.peers.peer_worker import PEERS
from edge_seg_bench.rendering import machine_sentence, markdown_table
from edge_seg_bench.wording import NONE, latency_words, ratio_words, thread_words

_RUNTIMES = {"litert": "LiteRT", **PEERS}
_DECODERS = {
    "separable": "separable decoder (the default)",
    "transpose": "decoder of transposed convolutions (the tutorial's)",
}


def markdown(report: ConversionReport) -> str:
    """Return conversion.md."""
    lines = ["# What conversion brings", ""]
    for network in report.networks:
        lines += [f"## {network_title(network)}", "", *network_table(network, report), ""]
        lines += [f"- {sentence}" for sentence in sentences(network)] + [""]
    lines += [f"{sentence}  " for sentence in how_measured(report)]
    return "\n".join(lines).rstrip() + "\n"


def network_title(network: NetworkResult) -> str:
    """Return e.g. "pets-128, separable decoder (the default), 128×128"."""
    decoder = _DECODERS.get(network.decoder or "", network.decoder)
    size = "×".join(map(str, network.input_shape[1:3]))
    return ", ".join(filter(None, (network.name, decoder, size)))


def network_table(network: NetworkResult, report: ConversionReport) -> list[str]:
    """Return the lines of a network's table."""
    threads = [sampling.threads for sampling in report.samplings]
    titles = [
        "model",
        "runtime",
        "size MB",
        "mIoU",
        "agreement with float",
        *(f"ms, {thread_words(count)}" for count in threads),
        *(f"{find_core(core).title} M instr." for core in CORES),
    ]
    return markdown_table(titles, [_cells(row, threads) for row in network.rows])


def sentences(network: NetworkResult) -> list[str]:
    """Return what the table shows, whether the peers compute the same, and each note and failure."""
    said = [sentence for row in network.rows if (sentence := ratio_sentence(row)) is not None]
    said += [_agreement_sentence(row, row.agreement_with_litert) for row in network.rows]
    said += [f"{_row_words(row)}: {note}." for row in network.rows for note in row.notes]
    said.append(_doubt_sentence(network))
    said += [f"{_row_words(row)}: not measured: {row.error}." for row in network.rows if row.error is not None]
    return [sentence for sentence in said if sentence]


def ratio_sentence(row: Row) -> str | None:
    """Say how long our int8 takes beside OpenVINO on the stock int8; None for other rows."""
    if (row.conversion, row.precision) != ("edge-seg", "int8"):
        return None
    ratios = [
        f"{ratio_words(timing.time_of_reference, '{:.2f}'.format)} with {thread_words(timing.threads)}"
        for timing in row.timings
        if timing.time_of_reference is not None
    ]
    if not ratios:
        return None
    return f"{_row_words(row)} takes, of the time of OpenVINO on the stock int8 conversion: {', '.join(ratios)}."


def how_measured(report: ConversionReport) -> list[str]:
    """Return lines on columns, peers, sampling, machine and versions."""
    busy = busy_note(report.machine)
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    sampling = report.samplings[0]
    lines = [
        "Milliseconds: median ± median absolute deviation of one inference, input already in place; at least "
        f"{sampling.runs} runs and {sampling.seconds:g} s a row (at most {sampling.limit_seconds:g} s), an own process "
        f"each, all rows of a table in {sampling.rounds} shuffled, interleaved rounds.",
        "Ratios: of medians, with their 95% bootstrap interval. mIoU and agreement: as the model file says, "
        "on the validation split. Instructions: one frame at one thread, counted on emulated cores.",
        *_settings_lines(report),
        f"{machine_sentence(report.machine)}; {versions}; {report.created}.",
    ]
    return lines if busy is None else [*lines, f"{busy[0].upper()}{busy[1:]}"]


def _cells(row: Row, threads: Sequence[int]) -> list[str]:
    timings = {timing.threads: timing for timing in row.timings}
    return [
        _model_words(row),
        _RUNTIMES[row.runtime],
        f"{row.size_bytes / 1e6:.2f}",
        NONE if row.miou is None else f"{row.miou:.4f}",
        _percent(row.agreement_with_float),
        *(_latency(timings.get(count)) for count in threads),
        *(_millions(row.arm_instructions.get(core)) for core in CORES),
    ]


def _model_words(row: Row) -> str:
    return f"{row.precision}, {'edge-seg' if row.conversion == 'edge-seg' else 'stock conversion'}"


def _row_words(row: Row) -> str:
    return f"{_model_words(row)}, in {_RUNTIMES[row.runtime]}"


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.2%}"


def _latency(timing: Timing | None) -> str:
    return NONE if timing is None else latency_words(timing.latency)


def _millions(instructions: int | None) -> str:
    return NONE if instructions is None else f"{instructions / 1e6:,.1f}"


def _agreement_sentence(row: Row, share: float | None) -> str:
    if share is None:
        return ""
    sentence = f"{_row_words(row)} gives {share:.2%} of a photograph's pixels the class that LiteRT gives"
    return f"{sentence}." if share >= BROKEN_BELOW else f"**{sentence}: too few for the same computation.**"


def _doubt_sentence(network: NetworkResult) -> str:
    """Name the timings that the measurement itself doubts; the JSON file says why."""
    doubtful = [
        f"{_row_words(row)} ({thread_words(timing.threads)})"
        for row in network.rows
        for timing in row.timings
        if timing.notes
    ]
    return f"Not stable after the warm-up, or stopped early: {'; '.join(doubtful)}." if doubtful else ""


def _settings_lines(report: ConversionReport) -> list[str]:
    """Return a line for each peer: what it was set to, at the first number of threads."""
    told: dict[str, dict[str, str]] = {}
    for network in report.networks:
        for row in network.rows:
            if row.runtime in PEERS and row.timings:
                told.setdefault(row.runtime, row.timings[0].runtime_settings)
    return [
        f"{PEERS[runtime]}: {', '.join(f'{name} {value}' for name, value in settings.items())}."
        for runtime, settings in told.items()
    ]
