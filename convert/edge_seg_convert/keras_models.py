"""Opening Keras models and SavedModels, whoever made them, as networks that take raw bytes."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_seg.errors import ConversionError

SAVED_MODEL_FILE = "saved_model.pb"
_KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
_SIGNATURE = "serving_default"
_DTYPES = ("float32", "uint8")


def is_model(path: Path) -> bool:
    """Tell a Keras file or SavedModel folder from anything else, by its name."""
    return path.suffix.lower() in _KERAS_SUFFIXES or (path / SAVED_MODEL_FILE).is_file()


def load_image_model(path: Path, input_range: tuple[float, float] | None) -> Any:
    """Load a keras.Model that takes uint8 RGB [n, height, width, 3] and gives [n, height, width, classes].

    Args:
        path: a .keras or .h5 file, or a SavedModel folder.
        input_range: the numbers that the bytes 0 and 255 become, for a model that takes floats.

    Raises:
        ConversionError: it cannot be loaded, or is not such a network.
    """
    model = _load_saved_model(path) if path.is_dir() else _load_keras_file(path)
    if not model.built:
        raise ConversionError(
            "has no defined inputs yet; build it with keras.Input((height, width, 3)) and save it again"
        )
    model = _computing_in_float32(_with_one_output(model))
    _check_input(model)
    _check_output(model)
    return _taking_bytes(model, input_range)


def _load_keras_file(path: Path) -> Any:
    import keras

    if path.suffix.lower() == ".keras" and not zipfile.is_zipfile(path):
        raise ConversionError("is no whole .keras archive; save or copy it again")
    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # noqa: BLE001 - Keras raises whatever a layer raises
        raise ConversionError(
            f"Keras cannot load it ({_reason(error)}); save it without custom layers, or as a SavedModel "
            "(model.export(FOLDER)), which needs none of their code"
        ) from None


def _reason(error: Exception) -> str:
    """Find what is wrong in a message that may hold the whole model."""
    message = str(error)
    unknown = re.search(r"Could not locate class '(\w+)'|Unknown layer: '?(\w+)", message)
    if unknown:
        return f"it does not know the layer '{unknown[1] or unknown[2]}'"
    if "`Lambda`" in message:
        return "it runs no code from a file, and this one holds a Lambda layer"
    return f"{type(error).__name__}: {message.strip().split(chr(10))[0][:160]}"


def _load_saved_model(path: Path) -> Any:
    import keras
    import tensorflow as tf

    try:
        function = tf.saved_model.load(path).signatures[_SIGNATURE]  # pyright: ignore
    except (OSError, KeyError, AttributeError, ValueError) as error:
        raise ConversionError(
            f"is no SavedModel with a signature '{_SIGNATURE}' ({error}); save it with model.export(FOLDER)"
        ) from None
    specs: Sequence[Any] = list(function.structured_input_signature[1].values())
    if len(specs) != 1:
        raise ConversionError(f"takes {len(specs)} inputs; only models with one image input can be converted")
    if specs[0].shape.rank is None:
        raise ConversionError("leaves its input's shape open; export it with a fixed height and width")
    image = keras.Input(batch_shape=tuple(specs[0].shape), dtype=specs[0].dtype.name)
    outputs = keras.layers.TFSMLayer(path, call_endpoint=_SIGNATURE)(image)
    named = list(outputs.values()) if isinstance(outputs, dict) else [outputs]
    return keras.Model(image, named[0] if len(named) == 1 else named)


def _with_one_output(model: Any) -> Any:
    """Take the output out of a dictionary or a list of one."""
    import keras

    if isinstance(model.output, dict | list | tuple) and len(model.outputs) == 1:
        return keras.Model(model.inputs, model.outputs[0])
    return model


def _computing_in_float32(model: Any) -> Any:
    """Undo mixed precision, which is for training on GPUs; its weights are float32 already."""
    import keras

    if all(layer.compute_dtype in _DTYPES for layer in _layers(model)):
        return model

    def in_float32(layer: Any) -> Any:
        dtype = layer.compute_dtype if layer.compute_dtype in _DTYPES else "float32"
        return type(layer).from_config({**layer.get_config(), "dtype": dtype})

    floating = keras.models.clone_model(model, clone_function=in_float32, recursive=True)
    floating.set_weights(model.get_weights())
    return floating


def _layers(model: Any) -> list[Any]:
    """Return all layers, those of models inside too."""
    inner = [_layers(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers]
    return [layer for part in inner for layer in part]


def _check_input(model: Any) -> None:
    if len(model.inputs) != 1:
        raise ConversionError(f"takes {len(model.inputs)} inputs; only models with one image input can be converted")
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4 or shape[3] != 3:
        raise ConversionError(f"takes {_written(shape)}; an image input is [n, height, width, 3]")
    if None in shape[1:]:
        raise ConversionError(
            f"leaves its input size open ({_written(shape)}); save it with a fixed height and width, "
            "such as keras.Input((128, 128, 3))"
        )
    if model.inputs[0].dtype not in ("float32", "uint8"):
        raise ConversionError(f"takes {model.inputs[0].dtype}; only float32 and uint8 images can be converted")


def _check_output(model: Any) -> None:
    if len(model.outputs) != 1:
        raise ConversionError(f"gives {len(model.outputs)} outputs; save a model with the segmentation output alone")
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 4 or None in shape[1:]:
        raise ConversionError(f"gives {_written(shape)}; a segmentation is [n, height, width, classes]")


def _taking_bytes(model: Any, input_range: tuple[float, float] | None) -> Any:
    import keras

    if model.inputs[0].dtype == "uint8":
        if input_range is not None:
            raise ConversionError("takes bytes already, so its scaling is inside; leave --input-range out")
        return model
    if input_range is None:
        raise ConversionError(
            "takes floats and does not say which range; give --input-range -1,1  or 0,1  or 0,255, "
            "whichever it was trained with"
        )
    low, high = input_range
    image = keras.Input(tuple(model.inputs[0].shape[1:]), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling((high - low) / 255, low, name="scaling")(image)
    return keras.Model(image, model(scaled, training=False), name="segmentation")


def _written(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
