"""What decides a training run: one schema for flags, for recipe files and for the config.toml of a run."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edge_seg.errors import EdgeSegError
from edge_seg.validation import first_fault

Decoder = Literal["separable", "transpose"]
InputRange = Literal["-1,1", "0,1"]
Loss = Literal["cross-entropy", "focal", "dice", "tversky", "lovasz"]
ClassWeights = Literal["none", "balanced"]
CacheKind = Literal["auto", "memory", "disk", "off"]
StrategyKind = Literal["auto", "one", "mirrored", "multiworker"]

SIZE_STEP = 32
SMALLEST_SIZE, LARGEST_SIZE = 96, 512
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
MOST_EPOCHS = 1_000_000


def _as_text(path: Path) -> Path:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{str(path)!a} is no UTF-8, which a configuration is written in; rename it") from None
    return path


FilePath = Annotated[Path, Field(strict=False), AfterValidator(_as_text)]


class RunConfig(BaseModel):
    """Everything that decides what a training run gives; written resolved into the run as config.toml.

    Attributes:
        data: data set folder.
        width, height: network input in pixels.
        alpha: width multiplier of MobileNetV2 (Sandler et al. 2018).
        decoder: "separable" (ours) or "transpose" (the published tutorial network).
        epochs: at most this many.
        batch_size: pictures per step over all devices together.
        learning_rate: highest rate of the decoder; warm-up, then cosine decay.
        encoder_rate: the encoder's learning rate as a share of the decoder's.
        weight_decay: decoupled (Loshchilov & Hutter 2019), convolution kernels alone.
        dropout: share of decoder channels' values dropped.
        fine_tune: train the encoder too.
        frozen_epochs: the encoder's weights stay as they are for so many epochs first; its BatchNorm statistics too,
            if they are frozen.
        freeze_norm: the encoder's BatchNorm keeps the statistics it was loaded with.
        encoder_weights: "imagenet", "none", or a .weights.h5 file.
        start_from: run folder whose best weights the whole network starts from, whatever its input size.
        input_range: what the first layer scales bytes to.
        augment: vary geometry and colour of the training pictures.
        loss: what is minimised; see edge_seg_train.losses.
        class_weights: "balanced" weighs classes by the inverse square root of their share of the pixels.
        average: momentum of the moving average of the weights, which is what is validated and kept; 0 for none.
        teacher: run folder of a model to learn from as well (distillation, Hinton et al. 2015).
        teacher_weight: share of the teacher's part in the loss.
        patience: end after so many epochs without a better validation mIoU; 0 for never.
        cache: where decoded pictures are kept.
        strategy: devices and machines that share the work.
        mixed_precision: float16 computation.
        jit: compile the step with XLA.
        seed: of every random choice.
    """

    # Strict, so that what depends on a value sees it as it is: "40" is no number of epochs.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    data: FilePath
    width: int = 128
    height: int = 128
    alpha: float = 1.0
    decoder: Decoder = "separable"
    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = 40
    batch_size: Annotated[int, Field(ge=1)] = 16
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    encoder_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    fine_tune: bool = True
    frozen_epochs: Annotated[int, Field(ge=0)] = 0
    freeze_norm: bool = False
    encoder_weights: str = "imagenet"
    start_from: FilePath | None = None
    input_range: InputRange = "-1,1"
    augment: bool = True
    loss: Loss = "lovasz"
    class_weights: ClassWeights = "none"
    average: Annotated[float, Field(ge=0, lt=1)] = 0.997
    teacher: FilePath | None = None
    teacher_weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    patience: Annotated[int, Field(ge=0)] = 0
    cache: CacheKind = "auto"
    strategy: StrategyKind = "auto"
    mixed_precision: bool = False
    jit: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @model_validator(mode="after")
    def _keeps_an_epoch_for_fine_tuning(self) -> "RunConfig":
        if self.fine_tune and self.frozen_epochs >= self.epochs:
            raise ValueError(
                f"frozen_epochs {self.frozen_epochs} leaves none of {self.epochs} epochs to fine-tune the encoder; "
                "take fewer, or freeze it altogether with fine_tune = false"
            )
        return self

    @field_validator("width", "height")
    @classmethod
    def _fits_the_encoder(cls, value: int) -> int:
        if value % SIZE_STEP or not SMALLEST_SIZE <= value <= LARGEST_SIZE:
            raise ValueError(
                f"a side is a multiple of {SIZE_STEP} from {SMALLEST_SIZE} to {LARGEST_SIZE}, not {value}; "
                f"try {_nearest_side(value)}"
            )
        return value

    @field_validator("alpha")
    @classmethod
    def _is_published(cls, value: float) -> float:
        if value not in ALPHAS:
            raise ValueError(f"MobileNetV2 comes with alpha {', '.join(map(str, ALPHAS))}, not {value}")
        return value

    def to_toml(self) -> str:
        """Return the resolved configuration as a recipe that `read_config` takes."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def read_options(path: Path) -> dict[str, Any]:
    """Read the options that a recipe file gives, unchecked.

    Raises:
        EdgeSegError: no such file, or not TOML.
    """
    if not path.is_file():
        raise EdgeSegError(f"{path}: no such file; a configuration is a TOML file like the config.toml of a run")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EdgeSegError(f"{path}: is not TOML ({error}); correct that line") from None


def read_config(path: Path) -> RunConfig:
    """Read and check a configuration.

    Raises:
        EdgeSegError: no such file, not TOML, an unknown key or a value that does not fit.
    """
    try:
        return RunConfig.model_validate(read_options(path))
    except ValidationError as error:
        raise EdgeSegError(f"{path}: {first_fault(error)}; correct it") from None


def _nearest_side(value: int) -> int:
    return min(max(round(value / SIZE_STEP) * SIZE_STEP, SMALLEST_SIZE), LARGEST_SIZE)
