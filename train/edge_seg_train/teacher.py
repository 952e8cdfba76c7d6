"""Learning from another model: its network may be larger, and its input two or more times as fine."""

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from edge_seg.dataset import Manifest
from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.kept_network import load_network

_SMALLEST = 1e-7


class Teacher:
    """A trained model that says what it sees in the pictures a student learns from."""

    def __init__(self, model: keras.Model, student_size: tuple[int, int]) -> None:
        """Let `model` teach a student whose input is `student_size` (height, width)."""
        self._model, self._student_size = model, student_size
        self.size: tuple[int, int] = tuple(model.input.shape[1:3])
        """(height, width) of the pictures it looks at."""

    def lesson(self, images: Any, masks: Any) -> tuple[Any, Any, Any]:
        """Return images, masks and what the teacher expects, as logits, at the student's size.

        Args:
            images: [n, h, w, 3] uint8 at the teacher's size.
            masks: [n, h, w] uint8.
        """
        logits = tf.stop_gradient(self._expected(images))
        if self.size == self._student_size:
            return images, masks, logits
        factor = self.size[0] // self._student_size[0]
        small = tf.image.resize(images, self._student_size, method="area")
        middle = slice(factor // 2, None, factor)
        return (
            tf.cast(tf.round(small), tf.uint8),
            masks[:, middle, middle],
            tf.image.resize(logits, self._student_size, method="area"),
        )

    def _expected(self, images: Any) -> Any:
        """Average what it sees in the pictures and in their mirror images, which is right more often than either."""
        seen = tf.nn.softmax(self._model(images, training=False))
        mirrored = tf.nn.softmax(self._model(tf.reverse(images, [2]), training=False))
        return tf.math.log((seen + tf.reverse(mirrored, [2])) / 2.0 + _SMALLEST)


def load_teacher(run: Path, config: RunConfig, manifest: Manifest) -> Teacher:
    """Load the best model of `run` to teach the run of `config`.

    Raises:
        EdgeSegError: not a run with a model.
        TrainingError: other classes, or an input that is no whole multiple of the student's.
    """
    folder = RunFolder(run)
    folder.read_config()
    taught = folder.read_manifest().class_names
    if taught != manifest.class_names:
        raise TrainingError(
            f"{run}: its model knows {', '.join(taught)}, but the data set has {', '.join(manifest.class_names)}; "
            "choose a teacher of the same classes"
        )
    model = load_network(folder)
    model.trainable = False
    (teacher_height, teacher_width), height, width = model.input.shape[1:3], config.height, config.width
    factor = teacher_height // height
    if factor < 1 or (teacher_height, teacher_width) != (factor * height, factor * width):
        raise TrainingError(
            f"{run}: its input is {teacher_width}×{teacher_height}, which is no whole multiple of {width}×{height}; "
            "choose a teacher of the same size, or of twice the size"
        )
    return Teacher(model, (height, width))
