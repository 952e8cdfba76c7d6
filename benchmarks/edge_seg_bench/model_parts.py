"""Stage times and accuracy of the models, put into their board."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from edge_seg_bench.results import Accuracy, Board, Model, Stages

Part = Literal["stages", "accuracy"]
_WORDS: dict[Part, str] = {"stages": "stages not measured", "accuracy": "accuracy not measured"}


def with_part(board: Board, part: Part, found: Mapping[Path, Stages | Accuracy | str]) -> Board:
    """Return the board with what was found of its models; a sentence becomes a note of the model."""
    by_path = {str(path): value for path, value in found.items()}
    models = tuple(_with_part(model, part, by_path.get(model.path)) for model in board.models)
    return board.model_copy(update={"models": models})


def noted(model: Model, note: str) -> Model:
    """Return the model with one note more, unless it has that already."""
    return model.model_copy(update={"notes": tuple(dict.fromkeys([*model.notes, note]))})


def _with_part(model: Model, part: Part, value: Stages | Accuracy | str | None) -> Model:
    if isinstance(value, str):
        return noted(model, f"{_WORDS[part]}: {value}")
    return model if value is None else model.model_copy(update={part: value})
