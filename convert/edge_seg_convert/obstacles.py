"""What keeps a converted model from being written unless it is forced."""

from edge_seg_convert.results import Converted

WARNING_DROP, FAILING_DROP = 0.01, 0.03
"""Loss of mIoU against Keras (as a share, 0.01 = one point) that warns, and that fails."""


def obstacle(model: Converted, *, transposed: int) -> str | None:
    """Say in a few words why `model` is not written, or None.

    Args:
        model: what was made, measured.
        transposed: how many transposed convolutions its graph has.
    """
    if model.precision == "dynamic" and transposed:
        return (
            f"has {transposed} transposed convolutions, which tflite_runtime 2.14 cannot load in dynamic range and "
            f"older runtimes compute in seconds ({model.latency_ms:,.0f} ms a frame here, {model.slowdown:.1f} times "
            "as long as float32); leave out --rewrite off, or take int8"
        )
    if model.misses_target and model.target_drop is not None:
        kept = len(model.mixed.float_layers) if model.mixed else 0
        return (
            f"still loses {model.drop * 100:.2f} points of mIoU, more than the {model.target_drop * 100:g} wanted, "
            f"with {kept} layers in float; allow more with --target-drop, or take float16"
        )
    if model.drop > FAILING_DROP:
        return (
            f"{model.drop * 100:.1f} points of mIoU below Keras; calibrate on more or other pictures "
            "(--calibration-images), see what hurts with --debug, or keep it in float with --target-drop 1"
        )
    return None
