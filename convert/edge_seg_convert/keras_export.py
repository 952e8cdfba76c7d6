"""The step that needs TensorFlow, in a process of its own: Keras model in, .tflite and Keras's masks out."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.errors import ConversionError, EdgeSegError
from edge_seg.images import RgbImage, write_mask
from edge_seg.resampling import class_map_from_probability, class_map_from_scores, shrink_image
from edge_seg_convert.child_process import run_module
from edge_seg_convert.graph_ends import with_signature
from edge_seg_convert.keras_models import load_image_model

FLOAT_MODEL_FILE = "float32.tflite"
TENSORFLOW_INT8_FILE = "tensorflow_int8.tflite"
MASKS_FOLDER = "masks"
REQUEST_FILE, EXPORT_FILE = "request.json", "export.json"
BATCH_SIZE = 16


@dataclass(frozen=True)
class Request:
    """What to export."""

    model: str
    """A .keras or .h5 file, or a SavedModel folder."""
    data: str | None = None
    """The data set whose validation pictures Keras is to segment."""
    input_range: tuple[float, float] | None = None
    """The numbers that the bytes 0 and 255 become for a model that does not scale by itself."""
    calibration: str | None = None
    """A .npy of images [n, height, width, 3] uint8: TensorFlow quantises to int8 on them too."""


@dataclass(frozen=True)
class Exported:
    """What was exported."""

    height: int
    width: int
    channels: int
    """Scores per pixel."""
    versions: dict[str, str]


def export(request: Request, out: Path) -> Exported:
    """Run this module in a child process; `out` receives the float32 model and what else was asked for.

    Raises:
        ConversionError: the child failed; the sentence is its last line.
    """
    (out / REQUEST_FILE).write_text(json.dumps(asdict(request)), encoding="utf-8")
    run_module(__name__, out, failure=request.model)
    float_model = out / FLOAT_MODEL_FILE
    float_model.write_bytes(with_signature(float_model.read_bytes()))
    return Exported(**json.loads((out / EXPORT_FILE).read_text(encoding="utf-8")))


def export_int8(request: Request, images: Sequence[RgbImage], out: Path) -> bytes:
    """Let TensorFlow's converter quantise to int8 on calibration images [height, width, 3] uint8.

    Raises:
        ConversionError: as `export`.
    """
    file = out / "calibration.npy"
    np.save(file, np.stack(images))
    export(replace(request, calibration=str(file)), out)
    return (out / TENSORFLOW_INT8_FILE).read_bytes()


def _main(out: Path) -> None:
    request = Request(**json.loads((out / REQUEST_FILE).read_text(encoding="utf-8")))
    model = load_image_model(Path(request.model), request.input_range)
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise ConversionError("its weights hold NaN or infinity, so training failed; train it again")
    (out / FLOAT_MODEL_FILE).write_bytes(_float_model(model))
    if request.calibration:
        (out / TENSORFLOW_INT8_FILE).write_bytes(_int8_model(model, np.load(request.calibration)))
    if request.data:
        _write_masks(model, Dataset.open(Path(request.data)), out / MASKS_FOLDER)
    _, height, width, _ = model.input.shape
    exported = Exported(height, width, model.output.shape[-1], _versions())
    (out / EXPORT_FILE).write_text(json.dumps(asdict(exported)), encoding="utf-8")


def _versions() -> dict[str, str]:
    import keras
    import tensorflow as tf

    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def _float_model(model: Any) -> bytes:
    """Convert for one image at a time, which is what a device runs.

    Variables become constants first: `from_keras_model` writes and reads a SavedModel instead, four times slower.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    image = tf.TensorSpec((1, *model.input.shape[1:]), model.input.dtype, name="image")
    traced = tf.function(lambda image: model(image, training=False)).get_concrete_function(image)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(traced)])
    try:
        return converter.convert()
    except Exception as error:  # noqa: BLE001 - the converter's own kinds of error are private
        lines = [line.strip() for line in str(error).splitlines() if "error:" in line] or ["no reason given"]
        raise ConversionError(
            f"TensorFlow's converter cannot make a .tflite of it ({lines[0][:200]}); leave the operation out that it "
            "names, and save the network in float32"
        ) from None


def _int8_model(model: Any, images: Sequence[RgbImage]) -> bytes:
    """Quantise by TensorFlow's own converter: bytes in, int8 scores out."""
    import keras
    import tensorflow as tf

    # Its calibration takes floats alone; Rescaling and the rest do not mind.
    image = keras.Input(batch_shape=(1, *model.input.shape[1:]), dtype="float32", name="image")
    floating = keras.models.clone_model(model, input_tensors=image)
    floating.set_weights(model.get_weights())
    converter = tf.lite.TFLiteConverter.from_keras_model(floating)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type, converter.inference_output_type = tf.uint8, tf.int8
    converter.representative_dataset = lambda: _whole_range(images)
    return converter.convert()


def _whole_range(images: Sequence[RgbImage]) -> Iterator[list[np.ndarray]]:
    """Yield the images as floats; one pixel is black and one white, so that the input's scale is one byte."""
    for image in images:
        values = image.astype(np.float32)
        values[0, 0], values[0, 1] = 0, 255
        yield [values[None]]


def _write_masks(model: Any, dataset: Dataset, folder: Path) -> None:
    """Write Keras's own class map of every validation picture, at image resolution."""
    folder.mkdir()
    height, width = model.input.shape[1:3]
    samples = dataset.samples("val")
    for start in range(0, len(samples), BATCH_SIZE):
        chosen = samples[start : start + BATCH_SIZE]
        images = [dataset.read(sample)[0] for sample in chosen]
        outputs = model.predict_on_batch(np.stack([shrink_image(image, height, width) for image in images]))
        for sample, image, scores in zip(chosen, images, np.asarray(outputs, np.float32), strict=True):
            write_mask(folder / sample.mask_path.name, _class_map(scores, *image.shape[:2]))


def _class_map(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    if scores.shape[-1] == 1:
        return class_map_from_probability(scores[..., 0], 0.5, height, width)
    return class_map_from_scores(scores, height, width)


if __name__ == "__main__":
    try:
        _main(Path(sys.argv[1]))
    except EdgeSegError as error:
        sys.exit(str(error))
