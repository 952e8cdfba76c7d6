"""The step that needs TensorFlow, in a process of its own: Keras model in, float32 .tflite and masks out."""

import json
import sys
from pathlib import Path

import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.errors import EdgeSegError
from edge_seg.images import write_mask
from edge_seg.resampling import class_map_from_scores, shrink_image
from edge_seg_convert.child_process import run_module

FLOAT_MODEL_FILE = "float32.tflite"
MASKS_FOLDER = "masks"
VERSIONS_FILE = "versions.json"
BATCH_SIZE = 16


def export(keras_model: Path, data: Path, out: Path) -> None:
    """Run this module in a child process; `out` receives the float32 model, Keras's masks and the versions.

    Raises:
        ConversionError: the child failed; the sentence is its last line.
    """
    run_module(__name__, keras_model, data, out, failure=f"{keras_model}: TensorFlow could not export it")


def _main(keras_model: Path, data: Path, out: Path) -> None:
    import keras
    import tensorflow as tf

    model = keras.models.load_model(keras_model, compile=False)
    converter = tf.lite.TFLiteConverter.from_keras_model(_fixed_batch(model))
    (out / FLOAT_MODEL_FILE).write_bytes(converter.convert())
    (out / VERSIONS_FILE).write_text(json.dumps({"tensorflow": tf.__version__, "keras": keras.__version__}))
    _write_masks(model, Dataset.open(data), out / MASKS_FOLDER)


def _fixed_batch(model):
    """Wrap a Keras model for one image at a time, which is what a device runs."""
    import keras

    image = keras.Input(batch_shape=(1, *model.input.shape[1:]), dtype=model.input.dtype, name="image")
    return keras.Model(image, model(image, training=False))


def _write_masks(model, dataset: Dataset, folder: Path) -> None:
    """Write Keras's own class map of every validation picture, at image resolution."""
    folder.mkdir()
    height, width = model.input.shape[1:3]
    samples = dataset.samples("val")
    for start in range(0, len(samples), BATCH_SIZE):
        chosen = samples[start : start + BATCH_SIZE]
        images = [dataset.read(sample)[0] for sample in chosen]
        logits = model.predict_on_batch(np.stack([shrink_image(image, height, width) for image in images]))
        for sample, image, scores in zip(chosen, images, logits, strict=True):
            class_map = class_map_from_scores(np.asarray(scores, np.float32), *image.shape[:2])
            write_mask(folder / sample.mask_path.name, class_map)


if __name__ == "__main__":
    try:
        _main(*map(Path, sys.argv[1:]))
    except EdgeSegError as error:
        sys.exit(str(error))
