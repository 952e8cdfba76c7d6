"""The public API of the device: a model that turns images into class maps.

segmenter = Segmenter.load("pets.tflite")  # a file, or the name of a shipped model
segmentation = segmenter.segment(image)
segmentation.area_share        # {"pet": 0.31, "background": 0.61, "border": 0.08}
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import IGNORE_ID, SegmentationClass, make_classes
from edge_seg.errors import DatasetError, ModelError
from edge_seg.images import ClassMap, RgbImage
from edge_seg.model_identity import ModelIdentity, identify
from edge_seg.model_info import ModelInfo, read_labels, read_model_info
from edge_seg.model_spec import InputFormat, OutputFormat, input_format, output_format, parse_input_range
from edge_seg.resampling import (
    class_map_from_probability,
    class_map_from_scores,
    count_pixels,
    enlarge_class_map,
    shrink_image,
)
from edge_seg.runtimes import DEFAULT_RUNTIME, Engine, load_engine
from edge_seg.scores import ScoreMap
from edge_seg.shipped import find_model

_LABELS_CURE = "give the right list with the --labels of run, camera or eval"


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a model saw in one image."""

    class_map: ClassMap
    """[height, width] uint8 class ids, at the image's size."""
    classes: tuple[SegmentationClass, ...]
    preprocess_ms: float
    invoke_ms: float
    postprocess_ms: float
    scores: ScoreMap | None = None
    """What the class map was made of, at network resolution; None for a model that gives class ids alone."""

    @property
    def latency_ms(self) -> float:
        """Time spent on this image, all three stages."""
        return self.preprocess_ms + self.invoke_ms + self.postprocess_ms

    @cached_property
    def area_share(self) -> dict[str, float]:
        """Share of the pixels per class name, 0 to 1; the shares add up to 1."""
        counts = count_pixels(self.class_map, len(self.classes))
        return {item.name: counts[item.id] / self.class_map.size for item in self.classes}


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image at network size, encoded as the model's input."""

    tensor: NDArray[Any]
    size: tuple[int, int]
    """(height, width) of the image it came from."""
    preprocess_ms: float


@dataclass(frozen=True, eq=False)
class RawOutput:
    """What the model answered, not yet a class map."""

    tensor: NDArray[Any]
    size: tuple[int, int]
    preprocess_ms: float
    invoke_ms: float
    layout: OutputFormat
    """How it lies; that of one model is one object."""


class Segmenter:
    """A loaded model. `infer` belongs to one thread; `prepare` and `finish` may run in others."""

    def __init__(
        self,
        engine: Engine,
        *,
        name: str = "model",
        info: ModelInfo | None = None,
        labels: Sequence[str] = (),
        input_range: str | None = None,
        identity: ModelIdentity | None = None,
    ) -> None:
        """Wrap an engine; most callers want `Segmenter.load`.

        Raises:
            ModelError: the model's layout cannot be run correctly; the sentence has no path in it.
        """
        limits = None if input_range is None else parse_input_range(input_range)
        self._engine = engine
        self._input: InputFormat = input_format(engine.inputs, limits, raw_bytes=info is not None)
        self._output: OutputFormat = output_format(engine.outputs, self._input)
        self._open_ended = self._output.kind == "classes" and info is None and not labels
        self.name = name
        self.info = info
        self.identity = identity
        self.classes = _classes_of(self._output, info, labels)

    @classmethod
    def load(
        cls,
        model: Path | str,
        *,
        runtime: str = DEFAULT_RUNTIME,
        threads: int = 1,
        labels: Sequence[str] | None = None,
        input_range: str | None = None,
        identity: ModelIdentity | None = None,
    ) -> "Segmenter":
        """Load a .tflite file.

        Args:
            model: the file, or the name of a shipped model; one that edge-seg made needs nothing else.
            runtime: one of edge_seg.runtimes.RUNTIMES.
            threads: CPU threads for inference.
            labels: class names in the order of the scores; they go before names packed into the file.
            input_range: "-1,1", "0,1" or "0,255", for a float model that does not say it itself.
            identity: which model it is, where that is known; else the file is called by its own name.

        Raises:
            ModelError: not a model, not an image segmentation model, or something about it is unsaid.
            MissingExtraError: the runtime is not installed.
        """
        path = find_model(model)
        engine = load_engine(path, runtime=runtime, threads=threads)
        identity = identity or identify(path)
        try:
            return cls(
                engine,
                name=identity.name,
                info=read_model_info(path),
                labels=labels or read_labels(path),
                input_range=input_range,
                identity=identity,
            )
        except ModelError as error:
            sentence = str(error)
            raise ModelError(sentence if sentence.startswith(str(path)) else f"{path}: {sentence}") from None

    @property
    def output_format(self) -> OutputFormat:
        """What the model's output holds, and how it lies."""
        return self._output

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) that images are stretched to."""
        return self._input.height, self._input.width

    def segment(self, image: RgbImage) -> Segmentation:
        """Segment one image.

        Args:
            image: [height, width, 3] uint8 RGB, any size.

        Raises:
            ModelError: not such an array, or the output holds what its layout rules out.
        """
        return self.finish(self.infer(self.prepare(image)))

    def prepare(self, image: RgbImage) -> PreparedImage:
        """Stretch an image [h, w, 3] uint8 RGB to the network's size and encode it."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ModelError(f"an image is uint8 RGB [height, width, 3], not {image.dtype} {list(image.shape)}")
        started = time.perf_counter()
        tensor = self._input.encode(shrink_image(image, *self.input_size))
        return PreparedImage(tensor, (image.shape[0], image.shape[1]), _ms_since(started))

    def infer(self, prepared: PreparedImage) -> RawOutput:
        """Run the network."""
        started = time.perf_counter()
        self._engine.set_input(prepared.tensor)
        self._engine.invoke()
        output = self._engine.output()
        return RawOutput(output, prepared.size, prepared.preprocess_ms, _ms_since(started), self._output)

    def finish(self, raw: RawOutput) -> Segmentation:
        """Turn the network's answer into a class map at the image's size."""
        started = time.perf_counter()
        values = self._output.decode(raw.tensor)
        class_map = _class_map(self._output, values, len(self.classes), raw.size)
        classes = self.classes[: int(class_map.max()) + 1] if self._open_ended else self.classes
        scores = None if self._output.kind == "classes" else ScoreMap.of(values, self._engine.outputs[0])
        return Segmentation(class_map, classes, raw.preprocess_ms, raw.invoke_ms, _ms_since(started), scores)


def _class_map(output: OutputFormat, values: NDArray[Any], class_count: int, size: tuple[int, int]) -> ClassMap:
    if output.kind == "scores":
        return class_map_from_scores(_as_scores(values), *size)
    if output.kind == "probability":
        _check_probability(values)
        return class_map_from_probability(_as_scores(values)[:, :, 0], _stored_threshold(output, values), *size)
    if values.min() < 0 or values.max() >= class_count:
        raise ModelError(
            f"the model's class map holds ids from {values.min()} to {values.max()}, but there are "
            f"{class_count} class names; {_LABELS_CURE}"
        )
    return enlarge_class_map(values[:, :, 0].astype(np.uint8), *size)


def _as_scores(values: NDArray[Any]) -> NDArray[Any]:
    """Shift int8 to uint8, which keeps the order; OpenCV does not resize int8."""
    return values.view(np.uint8) ^ np.uint8(0x80) if values.dtype == np.int8 else values


def _stored_threshold(output: OutputFormat, values: NDArray[Any]) -> float:
    return output.threshold + (128 if values.dtype == np.int8 else 0)


def _check_probability(values: NDArray[Any]) -> None:
    if values.dtype == np.float32 and (values.min() < -0.001 or values.max() > 1.001):
        raise ModelError(
            f"the model's single channel holds {values.min():.3g} to {values.max():.3g}, so it is no "
            "probability; export it with a sigmoid at its end"
        )


def _classes_of(output: OutputFormat, info: ModelInfo | None, labels: Sequence[str]) -> tuple[SegmentationClass, ...]:
    classes = info.classes if info and not labels else _named(labels or _default_names(output))
    expected = {"scores": output.channels, "probability": 2, "classes": len(classes)}[output.kind]
    if len(classes) != expected:
        raise ModelError(
            f"its output has {expected} classes, but there are {len(classes)} class names "
            f"({', '.join(item.name for item in classes[:4])}…); {_LABELS_CURE}"
        )
    return classes


def _default_names(output: OutputFormat) -> list[str]:
    if output.kind == "probability":
        return ["background", "foreground"]
    count = output.channels if output.kind == "scores" else IGNORE_ID
    return [f"class {index}" for index in range(count)]


def _named(labels: Sequence[str]) -> tuple[SegmentationClass, ...]:
    try:
        return make_classes(labels)
    except DatasetError as error:
        raise ModelError(f"{error}; {_LABELS_CURE}") from None


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
