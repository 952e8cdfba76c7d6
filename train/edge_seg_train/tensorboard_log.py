"""TensorBoard's logs of a run: scalars, sample pictures and the graph of the network.

Every epoch has a file of its own, named after its number. An epoch that is done again after a kill replaces its file,
so that nothing shows twice; and no name tells the machine, which TensorFlow's own writers put into every name.
"""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from edge_seg.files import write_bytes
from edge_seg.images import RgbImage
from edge_seg_train.history import Epoch

_FILE_VERSION = "brain.Event:2"
_JPEG_QUALITY = 90
_GRAPH_NUMBER = 0  # TensorBoard reads files in the order of their names; epochs count from 1


class TensorBoardLog:
    """Writes event files into a folder that `tensorboard --logdir` opens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def has_graph(self) -> bool:
        """True when the graph is written."""
        return self._path(_GRAPH_NUMBER).is_file()

    def graph(self, model: keras.Model) -> None:
        """Write the graph of the network."""
        self._write(_GRAPH_NUMBER, Event(wall_time=time.time(), graph_def=serialised_graph(model)))

    def epoch(self, epoch: Epoch, class_names: Sequence[str], sheet: RgbImage) -> None:
        """Write what one epoch measured, and its sample pictures [h, w, 3] uint8."""
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars(epoch, class_names).items()]
        summary = Summary(value=[*values, Summary.Value(tag="validation pictures", image=_picture(sheet))])
        self._write(epoch.number, Event(wall_time=time.time(), step=epoch.number, summary=summary))

    def _write(self, number: int, event: Any) -> None:
        records = io.BytesIO()
        writer = RecordWriter(records)
        writer.write(Event(wall_time=event.wall_time, file_version=_FILE_VERSION).SerializeToString())
        writer.write(event.SerializeToString())
        write_bytes(self._path(number), records.getvalue())

    def _path(self, number: int) -> Path:
        return self._folder / f"epoch_{number:05d}.tfevents"


def scalars(epoch: Epoch, class_names: Sequence[str]) -> dict[str, float]:
    """Return what TensorBoard plots of one epoch, by tag."""
    return {
        "loss/training": epoch.loss,
        "loss/validation": epoch.val_loss,
        "validation/mIoU": epoch.scores.miou,
        "validation/pixel accuracy": epoch.scores.pixel_accuracy,
        **{f"IoU/{name}": value for name, value in zip(class_names, epoch.scores.iou, strict=True)},
        "learning rate": epoch.learning_rate,
        "seconds/epoch": epoch.seconds,
        "seconds/waiting for pictures": epoch.waiting_seconds,
    }


def serialised_graph(model: keras.Model) -> bytes:
    """Return the graph that `model` predicts with, traced once, as a serialised GraphDef."""
    predict = tf.function(lambda images: model(images, training=False))
    traced = predict.get_concrete_function(tf.TensorSpec(model.input.shape, model.input.dtype))
    return traced.graph.as_graph_def().SerializeToString()


def _picture(image: RgbImage) -> Any:
    encoded = io.BytesIO()
    Image.fromarray(image).save(encoded, "JPEG", quality=_JPEG_QUALITY)
    height, width, channels = image.shape
    return Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded.getvalue())
