"""An ONNX model beside the .tflite it came from: ONNX Runtime, in a process of its own, on the same pictures."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_seg.images import RgbImage
from edge_seg.runtimes import load_engine
from edge_seg.runtimes.engine import Tensor
from edge_seg_convert.child_process import run_module


def agreement(onnx_model: Path, float_model: Path, pictures: Sequence[RgbImage], work: Path) -> float:
    """Return the share of pixels that both models give the same class, at network size.

    Args:
        onnx_model: the ONNX model; scores or class ids out.
        float_model: the .tflite; scores or class ids out.
        pictures: [height, width, 3] uint8 at network size.
        work: folder for files on their way.

    Raises:
        ConversionError: ONNX Runtime cannot run the model.
    """
    given, found = work / "onnx_pictures.npy", work / "onnx_class_maps.npy"
    np.save(given, np.stack(pictures))
    run_module(__name__, onnx_model, given, found, failure=f"{onnx_model.name}: ONNX Runtime cannot run it")
    return float(np.mean(np.load(found) == _class_maps(float_model, pictures)))


def _class_maps(model: Path, pictures: Sequence[RgbImage]) -> np.ndarray:
    engine = load_engine(model)
    class_maps: list[np.ndarray] = []
    for picture in pictures:
        engine.set_input(picture[None])
        engine.invoke()
        class_maps.append(_class_map(engine.output()[0]))
    return np.stack(class_maps)


def _class_map(output: Tensor) -> np.ndarray:
    """Return class ids [height, width] of those, of scores [height, width, classes], or of one probability."""
    if output.ndim == 2:
        return output
    return output[..., 0] > 0.5 if output.shape[-1] == 1 else output.argmax(axis=-1)


def _main(model: Path, pictures: Path, class_maps: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found = [_class_map(session.run(None, {"image": picture[None]})[0][0]) for picture in np.load(pictures)]
    np.save(class_maps, np.stack(found))


if __name__ == "__main__":
    _main(*map(Path, sys.argv[1:]))
