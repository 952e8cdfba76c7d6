"""What the table of a comparison means, in sentences."""

from edge_seg_train.comparison.experiments import BASE, TARGET_SHARE, VARIANTS, Comparison


def sentences(comparison: Comparison) -> list[str]:
    """Say what was compared, how to read the table, and what speaks against believing it."""
    return [_design(), _budget(comparison), _measures(), _target(comparison), *_caveats(comparison)]


def _design() -> str:
    return (
        f"The {BASE.name} is our network (separable decoder, input in [-1,1], no dropout) trained with its encoder "
        "frozen, as TensorFlow's segmentation tutorial does. Every other variant changes one named thing of it, but "
        f"for {VARIANTS[-1].name}, which changes two to show whether they add up."
    )


def _budget(comparison: Comparison) -> str:
    config = comparison.config
    return (
        f"All have the same seed ({config.seed}), {config.epochs} epochs and batches of {config.batch_size}. One seed "
        "does not tell a small difference from chance: repeat with another --seed before you believe it."
    )


def _measures() -> str:
    return (
        "mIoU is of the validation split at full image resolution, after the best epoch. Seconds per epoch are the "
        "median, with validation. Parameters trained are those that gradients change, once fine-tuning has begun."
    )


def _target(comparison: Comparison) -> str:
    target = comparison.target_miou
    if target is None:
        return f"No time to reach a mIoU is given, as {BASE.name} was not run: run it, or give --target-miou."
    base = next((run.result.best.scores.miou for run in comparison.runs if run.variant is BASE), None)
    is_default = base is not None and target == TARGET_SHARE * base
    origin = f"{TARGET_SHARE:.0%} of the best of {BASE.name}" if is_default else "as asked for"
    return (
        f"The time to reach a mIoU of {target:.3f} ({origin}) adds up whole epochs until one is as good, "
        "the first with its compilation."
    )


def _caveats(comparison: Comparison) -> list[str]:
    told: list[str] = []
    if comparison.config.encoder_weights == "none":
        told.append(
            "The encoders began with random weights, and a frozen one has learned nothing: this is no fair "
            "comparison of frozen with fine-tuned encoders. Give --encoder-weights."
        )
    names = [run.variant.name for run in comparison.runs]
    absent = [variant.name for variant in VARIANTS if variant.name not in names]
    return [*told, f"Not in this report, as they are not finished: {', '.join(absent)}."] if absent else told
