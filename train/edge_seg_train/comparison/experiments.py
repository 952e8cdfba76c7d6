"""The classic experiments on one data set: what each changes, and what came of it. No TensorFlow, no drawing."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from statistics import median
from typing import Any

from edge_seg.classes import SegmentationClass
from edge_seg.run_config import RunConfig
from edge_seg_train.history import Epoch, best_epoch

TARGET_SHARE = 0.95
"""Share of the base's best mIoU that counts as reached, unless the caller says another mIoU."""


class VariantName(StrEnum):
    """Names of run folders and choices on the command line."""

    BASE = "base"
    DROPOUT = "dropout"
    FINE_TUNED = "fine-tuned"
    INPUT_0_1 = "input-0-1"
    TRANSPOSE = "transpose"
    DROPOUT_FINE_TUNED = "dropout-fine-tuned"


@dataclass(frozen=True)
class Variant:
    """One experiment.

    Attributes:
        name: of its run folder.
        difference: from the base, for people.
        options: fields of RunConfig that make the difference; all others are shared.
    """

    name: VariantName
    difference: str
    options: Mapping[str, Any]


_FROZEN = {"fine_tune": False}
_DROPOUT = {"dropout": 0.5}

BASE = Variant(VariantName.BASE, "–", _FROZEN)
"""The tutorial's way of training, a frozen encoder, on our network: each other variant changes one thing of it, but
for the last, which shows whether two of the changes add up."""

VARIANTS = (
    BASE,
    Variant(VariantName.DROPOUT, "dropout 0.5 in the decoder", _FROZEN | _DROPOUT),
    Variant(VariantName.FINE_TUNED, "the encoder is trained too", {"fine_tune": True}),
    Variant(VariantName.INPUT_0_1, "input scaled to [0,1], not [-1,1]", _FROZEN | {"input_range": "0,1"}),
    Variant(VariantName.TRANSPOSE, "transpose decoder, not separable", _FROZEN | {"decoder": "transpose"}),
    Variant(VariantName.DROPOUT_FINE_TUNED, "dropout and fine-tuned together", {"fine_tune": True} | _DROPOUT),
)


@dataclass(frozen=True)
class Result:
    """One run as it was left: its configuration, the classes, and at least one epoch."""

    name: str
    config: RunConfig
    classes: Sequence[SegmentationClass]
    epochs: Sequence[Epoch]
    finished: bool = True

    @property
    def best(self) -> Epoch:
        """The epoch with the highest validation mIoU."""
        return best_epoch(self.epochs)

    @property
    def seconds_per_epoch(self) -> float:
        """Median, so that the first epoch, which compiles, does not count."""
        return median(epoch.seconds for epoch in self.epochs)

    @property
    def iou_by_class(self) -> dict[str, float]:
        """IoU of the best epoch by class name; NaN for a class that is nowhere."""
        return {item.name: value for item, value in zip(self.classes, self.best.scores.iou, strict=True)}


@dataclass(frozen=True)
class ComparedRun:
    """A row of the table.

    Attributes:
        variant: what was changed.
        result: what came of it.
        gain: best mIoU minus the base's; None for the base, and without one.
        seconds_to_target: None when the target was not reached, or there is none.
        trained_parameters: weights that gradients change.
    """

    variant: Variant
    result: Result
    gain: float | None
    seconds_to_target: float | None
    trained_parameters: int


@dataclass(frozen=True)
class Comparison:
    """The whole table; `target_miou` is None when neither the user nor a base gave one."""

    runs: tuple[ComparedRun, ...]
    target_miou: float | None

    @property
    def classes(self) -> Sequence[SegmentationClass]:
        """The classes, which all runs share."""
        return self.runs[0].result.classes

    @property
    def config(self) -> RunConfig:
        """A configuration, of which the shared settings are of interest."""
        return self.runs[0].result.config


def chosen_variants(names: Collection[VariantName]) -> tuple[Variant, ...]:
    """Return the variants of these names in the order of VARIANTS; all of them when none is named."""
    return tuple(variant for variant in VARIANTS if not names or variant.name in names)


def compare(
    results: Mapping[str, Result], trained_parameters: Mapping[str, int], target_miou: float | None = None
) -> Comparison:
    """Make the table.

    Args:
        results: by the name of their variant; at least one.
        trained_parameters: by the same names.
        target_miou: the quality whose time is asked for; None for TARGET_SHARE of the base's best.
    """
    base = results.get(BASE.name)
    if target_miou is None and base is not None:
        target_miou = TARGET_SHARE * base.best.scores.miou
    runs = [
        ComparedRun(
            variant=variant,
            result=results[variant.name],
            gain=_gain(results[variant.name], base),
            seconds_to_target=seconds_to_reach(results[variant.name].epochs, target_miou),
            trained_parameters=trained_parameters[variant.name],
        )
        for variant in VARIANTS
        if variant.name in results
    ]
    return Comparison(tuple(runs), target_miou)


def seconds_to_reach(epochs: Sequence[Epoch], target_miou: float | None) -> float | None:
    """Add up the seconds, validation included, of the epochs until one reaches the target; None if none does."""
    if target_miou is None:
        return None
    elapsed = accumulate(epoch.seconds for epoch in epochs)
    return next((at for epoch, at in zip(epochs, elapsed, strict=True) if epoch.scores.miou >= target_miou), None)


def differing_fields(configs: Sequence[RunConfig]) -> list[str]:
    """Name the fields of RunConfig that are not the same in all `configs`, in the order of the schema."""
    return [name for name in RunConfig.model_fields if len({getattr(config, name) for config in configs}) > 1]


def as_records(comparison: Comparison) -> dict[str, Any]:
    """Return the table as values that JSON has; null for what is not there."""
    return {"target_miou": comparison.target_miou, "variants": [_record(run) for run in comparison.runs]}


def result_record(result: Result) -> dict[str, Any]:
    """Return what one run measured as values that JSON has."""
    return {
        "best_miou": finite(result.best.scores.miou),
        "best_epoch": result.best.number,
        "epochs": len(result.epochs),
        "pixel_accuracy": finite(result.best.scores.pixel_accuracy),
        "iou": {name: finite(value) for name, value in result.iou_by_class.items()},
        "seconds_per_epoch": result.seconds_per_epoch,
    }


def finite(value: float) -> float | None:
    """Return the number, or None for NaN."""
    return None if math.isnan(value) else value


def _record(run: ComparedRun) -> dict[str, Any]:
    return {
        "name": run.variant.name,
        "difference": "" if run.variant is BASE else run.variant.difference,
        **result_record(run.result),
        "gain": run.gain,
        "seconds_to_target": run.seconds_to_target,
        "trained_parameters": run.trained_parameters,
    }


def _gain(result: Result, base: Result | None) -> float | None:
    if base is None or result is base:
        return None
    return result.best.scores.miou - base.best.scores.miou
