"""What was measured of the models beside their rows, as tables."""

from collections.abc import Sequence

from edge_seg_bench.columns import Column
from edge_seg_bench.results import Board, Model
from edge_seg_bench.road_messages import STAGES
from edge_seg_bench.wording import NONE, latency_words, ms, ratio_words, thread_words


def accuracy_columns(models: Sequence[Model]) -> list[Column]:
    """Return mIoU and agreement with float32 of models; no columns when none was scored."""
    scored = [model.accuracy for model in models]
    if not any(scored):
        return []
    return [
        Column("mIoU", tuple(NONE if accuracy is None else f"{accuracy.miou:.3f}" for accuracy in scored)),
        Column("as float32", tuple(_agreement_words(model) for model in models)),
    ]


def accuracy_sentence(board: Board) -> str | None:
    """Return on what the models were scored, or None when none was."""
    accuracy = next((model.accuracy for model in board.models if model.accuracy), None)
    if accuracy is None:
        return None
    return (
        f"mIoU: of {accuracy.images} pictures of {accuracy.data} ({accuracy.split}), at their full size, in "
        f"{accuracy.runtime}; as float32: share of their pixels to which the float32 model of the same network gives "
        "the same class"
    )


def stage_columns(board: Board) -> tuple[list[Column], list[Column], list[Column]]:
    """Return the models that have stages, median ms of each stage, and the whole road beside bare inference."""
    measured = [(model.name, model.stages) for model in board.models if model.stages]
    if not measured:
        return [], [], []
    found = [stages for _, stages in measured]
    return (
        [Column("model", tuple(name for name, _ in measured))],
        [Column(name, tuple(ms(stages.stages[name].p50_ms) for stages in found)) for name in STAGES],
        [
            Column("whole ms", tuple(latency_words(stages.whole) for stages in found)),
            Column("bare ms", tuple(latency_words(stages.bare_invoke) for stages in found)),
            Column("whole / bare", tuple(ratio_words(stages.over_bare, "{:.2f}".format) for stages in found)),
        ],
    )


def stage_sentence(board: Board) -> str | None:
    """Return how the stages were measured, or None when they were not."""
    stages = next((model.stages for model in board.models if model.stages), None)
    if stages is None:
        return None
    return (
        f"stages: median ms from a picture file to an overlay file, {stages.pictures} pictures of {stages.width}×"
        f"{stages.height} in turn, {stages.runtime}, {thread_words(stages.threads)}; whole and bare inference ± their "
        "MAD, from blocks that alternate in one process, and the ratio of their medians with its bootstrap interval"
    )


def _agreement_words(model: Model) -> str:
    accuracy = model.accuracy
    if accuracy is None or accuracy.agreement is None:
        return NONE
    return "reference" if accuracy.reference == model.name else f"{accuracy.agreement:.2%}"
