"""What keeps a converted model from being written unless it is forced."""

from edge_seg_convert.polyphase import RewriteChoice
from edge_seg_convert.results import Converted

WARNING_DROP, FAILING_DROP = 0.01, 0.03
"""Loss of mIoU against Keras (as a share, 0.01 = one point) that warns, and that fails."""


LEAST_FLOAT_AGREEMENT = 0.9
"""Share of the pixels with Keras's class below which a float model computes something else: it overflowed."""


def obstacle(model: Converted, *, transposed: int, rewriting: RewriteChoice) -> str | None:
    """Say in a few words why `model` is not written, or None.

    Args:
        model: what was made, measured.
        transposed: how many transposed convolutions its graph has.
        rewriting: what was done with them.
    """
    agreement = model.verified.agreement if model.verified else 1.0
    if model.precision in ("float32", "float16") and agreement < LEAST_FLOAT_AGREEMENT:
        return (
            f"gives Keras's class to {100 * agreement:.1f} % of the pixels only, so its numbers overflow or are lost; "
            "look at the size of the network's weights"
        )
    if model.precision == "dynamic" and transposed:
        cure = "leave out --rewrite off, or take int8" if rewriting == "off" else "take int8"
        return (
            f"has transposed convolutions ({transposed}), which tflite_runtime 2.14 cannot load in dynamic range and "
            f"older runtimes compute in seconds ({model.latency_ms:,.2f} ms a frame here, {model.slowdown:.1f} times "
            f"as long as float32); {cure}"
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
