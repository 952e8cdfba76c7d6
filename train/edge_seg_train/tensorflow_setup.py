"""TensorFlow, imported late and quietly."""

import os

from edge_seg.extras import require_extra
from edge_seg.runtimes.quiet import quiet_stderr


def prepare_tensorflow() -> None:
    """Import TensorFlow with its C++ chatter off; memory of a GPU is taken as needed.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    require_extra("train", purpose="training")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        import keras  # noqa: F401 - speaks too when it is first imported
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def device_name() -> str:
    """Name what TensorFlow computes on, for people."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return f"{len(gpus)} GPU" if gpus else "CPU"
