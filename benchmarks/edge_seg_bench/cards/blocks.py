"""The blocks of figures in a card: recorded results in, lines of Markdown out."""

from collections.abc import Callable, Mapping, Sequence

from edge_seg_bench.arm64.report import report_sentence, report_table
from edge_seg_bench.cards.accuracy import Conversion, Reached
from edge_seg_bench.cards.evidence import Evidence
from edge_seg_bench.rendering import machine_sentence, markdown_table
from edge_seg_bench.results import Board, Row
from edge_seg_bench.wording import NONE, ms

Block = Callable[[Evidence], Sequence[str]]

NOT_RECORDED = "Not recorded yet."
_TOLD_OF_TRAINING = ("epochs", "batch_size", "learning_rate", "loss", "encoder_weights", "seed")
_HASH_DIGITS = 16


def facts(evidence: Evidence) -> Sequence[str]:
    """Say what the file is, how the network was trained, and on what."""
    if evidence.conversion is None:
        return [NOT_RECORDED]
    network, int8, subject = evidence.conversion.network, evidence.conversion.of("int8"), evidence.subject
    data, training = network.data, network.training
    told = ", ".join(f"{name.replace('_', ' ')} {training[name]}" for name in _TOLD_OF_TRAINING if name in training)
    rows = [
        ("file", f"{megabytes(int8)} MB, int8; " + ("ships in the package" if subject.ships else "does not ship")),
        (
            "input",
            f"uint8 RGB, {network.input_width}×{network.input_height}, raw bytes, the picture stretched to it",
        ),
        ("output", f"int8 {network.output} of {', '.join(f'`{item.name}`' for item in network.classes)}"),
        ("network", f"U-Net, MobileNetV2 encoder of alpha {training['alpha']}, {training['decoder']} decoder"),
        ("training", f"recipe `{subject.recipe}`: {told}"),
        ("data", f"{data.name}: {data.source or 'source not stated'}"),
        ("licence of the data", data.licence or "none stated"),
        ("split", f"{data.train_images} pictures to train, {data.val_images} to validate"),
        ("SHA-256 of the data", f"`{data.sha256[:_HASH_DIGITS]}…`: description, split, pictures and masks"),
        ("SHA-256 of the Keras file", f"`{network.source.split()[-1][:_HASH_DIGITS]}…`"),
        ("made with", ", ".join(f"{name} {number}" for name, number in network.versions.items())),
    ]
    return markdown_table(["model", f"`{subject.name}`"], rows)


def sizes(evidence: Evidence) -> Sequence[str]:
    """Hold the sizes of a model against each other: what each costs, and what it reaches."""
    recorded = [(size, size.conversion) for size in evidence.sizes if size.conversion]
    if not recorded:
        return [NOT_RECORDED]
    rows = [_size_cells(size, conversion) for size, conversion in recorded]
    return markdown_table(["model", "input", "MB", "mIoU", "median ms, 1 thread"], rows)


def _size_cells(evidence: Evidence, conversion: Conversion) -> list[str]:
    network, int8 = conversion.network, conversion.of("int8")
    return [
        f"`{evidence.subject.name}`",
        f"{network.input_width}×{network.input_height}",
        megabytes(int8),
        f"{int8.miou:.4f}",
        one_thread_ms(evidence),
    ]


def one_thread_ms(evidence: Evidence) -> str:
    """Return the median of one inference on one thread of the first machine that was measured."""
    boards = evidence.latency.boards[:1] if evidence.latency else ()
    medians = (
        ms(row.measurement.latency.p50_ms)
        for board in boards
        for row in _rows(board, evidence.subject.measured_name)
        if row.measurement and row.threads == 1
    )
    return next(medians, NONE)


def accuracy(evidence: Evidence) -> Sequence[str]:
    """Say what each precision reached."""
    conversion = evidence.conversion
    if conversion is None:
        return [NOT_RECORDED]
    names = [item.name for item in conversion.network.classes]
    titles = ["precision", "MB", "mIoU", *names, "pixel accuracy", "same pixels as float"]
    rows = [_accuracy_cells(model, names) for model in conversion.models]
    return [
        f"On the {conversion.of('int8').pictures} validation pictures, at full image resolution; IoU per class.",
        "",
        *markdown_table(titles, rows, left=1),
    ]


def _accuracy_cells(model: Reached, names: Sequence[str]) -> list[str]:
    ious = [model.iou(name) for name in names]
    return [
        model.precision,
        megabytes(model),
        f"{model.miou:.4f}",
        *(NONE if iou is None else f"{iou:.4f}" for iou in ious),
        f"{model.pixel_accuracy:.4f}",
        f"{model.agreement_with_keras:.2%}",
    ]


def latency(evidence: Evidence) -> Sequence[str]:
    """Say how long one inference of the int8 model takes, on every machine that was measured."""
    boards = evidence.latency.boards if evidence.latency else ()
    rows = [cells for board in boards for cells in _latency_cells(board, evidence.subject.measured_name)]
    if not rows:
        return [NOT_RECORDED]
    titles = ["machine", "runtime", "threads", "median ms", "MAD", "runs"]
    return ["Time of one `invoke()`, without capture, resizing and drawing.", "", *markdown_table(titles, rows)]


def _latency_cells(board: Board, name: str) -> list[list[str]]:
    return [
        [
            machine_sentence(board.machine),
            f"{row.runtime} {row.measurement.runtime_version}",
            str(row.threads),
            ms(row.measurement.latency.p50_ms),
            ms(row.measurement.latency.mad_ms),
            str(row.measurement.latency.runs),
        ]
        for row in _rows(board, name)
        if row.measurement
    ]


def _rows(board: Board, name: str) -> list[Row]:
    return [row for row in board.rows if row.model == name]


def instructions(evidence: Evidence) -> Sequence[str]:
    """Say what a frame costs on the cores of Raspberry Pi boards, which no machine under it changes."""
    report = evidence.instructions
    counts = tuple(count for count in report.counts if count.model == evidence.subject.measured_name) if report else ()
    if report is None or not counts:
        return [NOT_RECORDED]
    ours = report.model_copy(update={"counts": counts})
    return [report_sentence(ours), "", *report_table(ours)]


BLOCKS: Mapping[str, Block] = {
    "facts": facts,
    "sizes": sizes,
    "accuracy": accuracy,
    "latency": latency,
    "instructions": instructions,
}


def megabytes(model: Reached) -> str:
    """Return a file's size without its unit."""
    return f"{model.size_bytes / 1e6:.2f}"
