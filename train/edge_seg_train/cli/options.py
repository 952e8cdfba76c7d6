"""Options of a run on the command line: one for each field of RunConfig, given or left to it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from edge_seg.errors import TrainingError
from edge_seg.run_config import (
    CacheKind,
    ClassWeights,
    Decoder,
    InputRange,
    Loss,
    RunConfig,
    StrategyKind,
    read_options,
)

_NETWORK, _LEARNING, _DEVICES = "Network", "Learning", "Devices"


def _option(field: str, help_text: str, *flags: str, panel: str, default: str | None = None, **more: Any) -> Any:
    """Describe the option of a field; its default is RunConfig's own, which is shown but not passed on."""
    shown = str(RunConfig.model_fields[field].default) if default is None else default
    return typer.Option(*flags, help=help_text, show_default=shown, rich_help_panel=panel, **more)


def _switch(field: str, help_text: str, on: str, off: str, panel: str) -> Any:
    """Describe the pair of flags of a field that is true or false."""
    default = on if RunConfig.model_fields[field].default else off
    return _option(field, help_text, f"--{on}/--{off}", panel=panel, default=default)


Size = Annotated[
    str | None,
    _option("width", "Network input: one side, or WIDTHxHEIGHT; multiples of 32.", "--size", panel=_NETWORK),
]
Alpha = Annotated[
    float | None, _option("alpha", "Width of the encoder: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4.", panel=_NETWORK)
]
DecoderName = Annotated[
    Decoder | None,
    _option("decoder", "separable: fast. transpose: the published tutorial network.", panel=_NETWORK),
]
InputRangeName = Annotated[InputRange | None, _option("input_range", "[-1,1] suits ImageNet weights.", panel=_NETWORK)]
Dropout = Annotated[float | None, _option("dropout", "Share dropped in the decoder, e.g. 0.5.", panel=_NETWORK)]
EncoderWeights = Annotated[
    str | None, _option("encoder_weights", "imagenet (downloads once), none, or a .weights.h5 file.", panel=_NETWORK)
]
StartFrom = Annotated[
    Path | None,
    _option("start_from", "Run to take all weights from; its size may differ.", panel=_NETWORK, default="no run"),
]

Epochs = Annotated[int | None, _option("epochs", "At most so many.", panel=_LEARNING)]
BatchSize = Annotated[int | None, _option("batch_size", "Pictures per step, over all devices.", panel=_LEARNING)]
LearningRate = Annotated[
    float | None, _option("learning_rate", "Highest rate; warm-up, then cosine decay.", panel=_LEARNING)
]
EncoderRate = Annotated[
    float | None,
    _option("encoder_rate", "The encoder's rate as a share of that.", panel=_LEARNING),
]
WeightDecay = Annotated[float | None, _option("weight_decay", "Of convolution kernels.", panel=_LEARNING)]
FineTune = Annotated[
    bool | None,
    _switch("fine_tune", "Train the encoder too, or keep it as it is.", "fine-tune", "freeze", _LEARNING),
]
FrozenEpochs = Annotated[
    int | None,
    _option("frozen_epochs", "Epochs before the encoder trains.", panel=_LEARNING),
]
FreezeNorm = Annotated[
    bool | None,
    _switch(
        "freeze_norm",
        "Keep the encoder's BatchNorm statistics.",
        "freeze-norm",
        "adapt-norm",
        _LEARNING,
    ),
]
Augment = Annotated[
    bool | None,
    _switch("augment", "Vary geometry and colour of the training pictures.", "augment", "no-augment", _LEARNING),
]
LossName = Annotated[
    Loss | None, _option("loss", "What is minimised; dice, tversky and lovasz beside cross-entropy.", panel=_LEARNING)
]
ClassWeightsName = Annotated[
    ClassWeights | None,
    _option("class_weights", "balanced: rare classes count more.", panel=_LEARNING),
]
Average = Annotated[
    float | None, _option("average", "Momentum of the moving average of weights; 0: none.", panel=_LEARNING)
]
TeacherRun = Annotated[
    Path | None,
    _option(
        "teacher", "Run of a larger or finer model to learn from.", "--teacher", panel=_LEARNING, default="no teacher"
    ),
]
TeacherWeight = Annotated[float | None, _option("teacher_weight", "Its share of the loss.", panel=_LEARNING)]
Patience = Annotated[
    int | None, _option("patience", "End after so many epochs without a better one.", panel=_LEARNING, default="never")
]
Seed = Annotated[int | None, _option("seed", "Of every random choice.", panel=_LEARNING, min=0)]

Cache = Annotated[CacheKind | None, _option("cache", "Where decoded pictures are kept.", panel=_DEVICES)]
Strategy = Annotated[
    StrategyKind | None,
    _option("strategy", "mirrored: all GPUs; multiworker: the machines in TF_CONFIG.", panel=_DEVICES),
]
MixedPrecision = Annotated[
    bool | None,
    _switch("mixed_precision", "float16, for GPUs that gain from it.", "mixed-precision", "full-precision", _DEVICES),
]
Jit = Annotated[bool | None, _switch("jit", "Compile with XLA: for GPUs.", "jit", "no-jit", _DEVICES)]


def resolved_config(recipe: Path | None, given: dict[str, Any]) -> RunConfig:
    """Put together what a recipe file says and what the command line does, which wins.

    Args:
        recipe: TOML file with fields of RunConfig, or None.
        given: fields by name, and "size"; None for what was not given.

    Raises:
        EdgeSegError: a recipe that cannot be read, an unknown key, a value that does not fit.
    """
    options = _with_sides({name: value for name, value in given.items() if value is not None})
    merged = _with_sides(read_options(recipe) if recipe else {}) | options
    if "data" not in merged:
        raise TrainingError("no data set to train on; name its folder with --data")
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        raise TrainingError(_sentence(error, recipe, options)) from None


def _with_sides(options: dict[str, Any]) -> dict[str, Any]:
    """Put width and height in the place of "size", which recipes may have as the command line does."""
    sides = dict(options)
    if "size" in sides:
        sides["width"], sides["height"] = parse_size(str(sides.pop("size")))
    return sides


def parse_size(text: str) -> tuple[int, int]:
    """Read (width, height) from `128` or `256x192`."""
    sides = text.lower().split("x")
    if not 1 <= len(sides) <= 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise TrainingError(f"--size '{text}' is no size; write one side like 128, or WIDTHxHEIGHT like 256x192")
    return int(sides[0]), int(sides[-1])


def _sentence(error: ValidationError, recipe: Path | None, options: dict[str, Any]) -> str:
    first = error.errors()[0]
    reason = first["msg"].removeprefix("Value error, ")
    name = str(first["loc"][0]) if first["loc"] else ""
    if recipe is not None and name not in options:
        return f"{recipe}: {name}: {reason}; correct it" if name else f"{recipe}: {reason}"
    flag = "size" if name in ("width", "height") else name.replace("_", "-")
    return f"--{flag}: {reason}" if flag else reason
