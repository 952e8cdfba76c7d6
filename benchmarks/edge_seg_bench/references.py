"""Which float32 model a model is held against: the one of the same network among those that are measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from edge_seg.errors import ModelError
from edge_seg.model_info import ModelInfo, Precision, read_model_info

_FLOAT: Precision = "float32"


@dataclass(frozen=True)
class _Origin:
    """Where a model comes from: equal networks are of one network, whatever their precision."""

    network: tuple[str, ...]
    precision: str


def float_references(models: Sequence[Path]) -> dict[Path, Path]:
    """Return the float32 model of each model's network, for those that have one; of two, the first.

    Two files are of one network when their descriptions name the same run with the same SHA-256; without such
    descriptions, when they are called NAME_PRECISION.tflite in one folder. The reference is its own reference.
    """
    origins = {model: _origin(model) for model in models}
    floats: dict[tuple[str, ...], Path] = {}
    for model, origin in origins.items():
        if origin is not None and origin.precision == _FLOAT:
            floats.setdefault(origin.network, model)
    return {
        model: floats[origin.network]
        for model, origin in origins.items()
        if origin is not None and origin.network in floats
    }


@dataclass(frozen=True)
class Family:
    """Models that are held against the first of them, or one model alone."""

    models: tuple[Path, ...]
    has_reference: bool


def families(models: Sequence[Path]) -> list[Family]:
    """Group models by their float32 reference; a model without one is alone."""
    references = float_references(models)
    grouped: dict[Path, list[Path]] = {}
    for model in models:
        grouped.setdefault(references.get(model, model), []).append(model)
    return [
        Family((first, *(member for member in members if member != first)), first in references)
        for first, members in grouped.items()
    ]


def _origin(model: Path) -> _Origin | None:
    """Return where a model comes from, or None when neither its description nor its name says so."""
    info = _info(model)
    if info is not None and info.source:
        return _Origin((info.source,), info.precision)
    name, _, precision = model.stem.rpartition("_")
    return _Origin((str(model.parent), name), precision) if precision in get_args(Precision) else None


def _info(model: Path) -> ModelInfo | None:
    """Return a model's description; for a damaged one none: whoever loads the model says so."""
    try:
        return read_model_info(model) if model.is_file() else None
    except ModelError:
        return None
