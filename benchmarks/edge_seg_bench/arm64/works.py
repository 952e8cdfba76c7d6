"""The work of one frame, part by part (see parts.py), ready to be counted. Runs emulated."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_seg import Segmentation, Segmenter
from edge_seg.errors import ModelError
from edge_seg.model_info import read_labels, read_model_info
from edge_seg.result import Result
from edge_seg.runtimes import Engine, TensorSpec
from edge_seg.runtimes.engine import Tensor
from edge_seg.sinks.lines import open_events
from edge_seg.sinks.sink import overlay_painter
from edge_seg.sources import Frame
from edge_seg_bench.arm64.parts import Part
from edge_seg_bench.inputs import random_input

_PICTURE = TensorSpec("picture", (480, 640, 3), np.dtype(np.uint8), 0.0, 0)

Work = Callable[[], object]


class Answered:
    """An engine that has its answer already: what goes on around `invoke` can be counted without it."""

    def __init__(self, engine: Engine, answer: Tensor) -> None:
        self.inputs, self.outputs = engine.inputs, engine.outputs
        self.tensors, self.operations = engine.tensors, engine.operations
        self.set_input = engine.set_input
        self._answer = answer

    def invoke(self) -> None:
        """Do nothing."""

    def output(self, index: int = 0) -> Tensor:
        """Copy the answer out, as an engine does."""
        del index
        return self._answer.copy()


@dataclass(frozen=True)
class Subject:
    """What is worked on."""

    engine: Engine
    model: Path
    scratch: Path
    """A folder to write into."""
    closing: ExitStack
    """Gets what is to be closed when the work is done."""


def make_work(part: Part, subject: Subject) -> Work:
    """Return the work of one frame, ready to be done over and over.

    Raises:
        ModelError: the model cannot be segmented with.
    """
    return _WORKS[part](subject)


def _invoke(subject: Subject) -> Work:
    subject.engine.set_input(random_input(subject.engine.inputs[0]))
    return subject.engine.invoke


def _segment(subject: Subject) -> Work:
    segmenter, image = _answered_segmenter(subject), random_input(_PICTURE)
    return lambda: segmenter.segment(image).area_share


def _overlay(subject: Subject) -> Work:
    result = _result(subject)
    paint = overlay_painter(result.segmentation.classes)
    return lambda: paint(result)


def _event(subject: Subject) -> Work:
    result, sink = _result(subject), open_events(subject.scratch / "events.jsonl", None)
    subject.closing.callback(sink.close)
    return lambda: sink.write(result)


_WORKS: Mapping[Part, Callable[[Subject], Work]] = {
    "invoke": _invoke,
    "segment": _segment,
    "overlay": _overlay,
    "event": _event,
}


def _answered_segmenter(subject: Subject) -> Segmenter:
    """Return a Segmenter that has its scores already."""
    model, answered = subject.model, Answered(subject.engine, random_input(subject.engine.outputs[0]))
    try:
        segmenter = Segmenter(answered, name=model.stem, info=read_model_info(model), labels=read_labels(model))
        if segmenter.output_format.kind == "classes":
            raise ModelError("it gives class ids and no scores")
    except ModelError as error:
        raise ModelError(f"{model}: {error}; count its network alone with --part invoke") from None
    return segmenter


def _result(subject: Subject) -> Result:
    """Return a result whose figures are always of the same length, and whose areas are known, as `segment` left it."""
    image = random_input(_PICTURE)
    segmentation: Segmentation = replace(
        _answered_segmenter(subject).segment(image), preprocess_ms=1.234, invoke_ms=45.678, postprocess_ms=2.345
    )
    assert segmentation.area_share
    return Result(Frame(image, 1234, 1_700_000_000.123, "camera_001234"), segmentation, fps=9.87, age_ms=65.4)
