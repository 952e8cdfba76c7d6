"""The model of a running pipeline, which can be exchanged between two frames.

What one model prepared, the same model answers and finishes: each image carries its model along, so that an
exchange loses no frame and mixes none. The model before stands by until the new one is kept: when the new one fails
on an image, the one before answers that image, and all that follow.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from edge_seg.images import RgbImage
from edge_seg.segmenter import PreparedImage, RawOutput, Segmentation, Segmenter

T = TypeVar("T", PreparedImage, RawOutput)


@dataclass(frozen=True, eq=False)
class InFlight(Generic[T]):
    """An image on its way through a model."""

    model: Segmenter
    image: RgbImage
    made: T
    """What the model made of it so far."""


class Probation(Protocol):
    """Told how a new model does while the one before stands by; from the pipeline's threads, so it must be quick."""

    def answered(self, segmentation: Segmentation) -> None:
        """Take note of an image that went well."""
        ...

    def failed(self, error: Exception) -> None:
        """Take note that the new model failed; the one before runs again already."""
        ...


@dataclass(frozen=True, eq=False)
class _Trial:
    new: Segmenter
    before: Segmenter | None
    probation: Probation


class ModelSlot:
    """Holds the model that the next image goes through. An exchange may come from any thread."""

    on_change: Callable[[Segmenter], None]
    """Told of another model right before its first result is, by the same thread."""

    def __init__(self, segmenter: Segmenter) -> None:
        """Begin with a model."""
        self.on_change = lambda _: None
        self._current = segmenter
        self._last_finished = segmenter
        self._trial: _Trial | None = None
        self._exchanging = threading.Lock()
        self._engine = threading.Lock()

    @property
    def current(self) -> Segmenter:
        """The model of the next image."""
        return self._current

    def exchange(self, segmenter: Segmenter, probation: Probation) -> None:
        """Have another model from the next image on, with the present one standing by until `keep` or `roll_back`."""
        with self._exchanging:
            self._trial = _Trial(segmenter, self._current, probation)
            self._current = segmenter

    def watch(self, probation: Probation) -> None:
        """Have the present model watched until `keep`, with none standing by."""
        with self._exchanging:
            self._trial = _Trial(self._current, None, probation)

    def keep(self) -> bool:
        """Let the model before go; return False where the new one failed meanwhile and is gone itself."""
        with self._exchanging:
            kept = self._trial is not None
            self._trial = None
            return kept

    def roll_back(self) -> bool:
        """Have the model before again from the next image on; return False where none stands by."""
        with self._exchanging:
            trial, self._trial = self._trial, None
            if trial is None or trial.before is None:
                return False
            self._current = trial.before
            return True

    def prepare(self, image: RgbImage) -> InFlight[PreparedImage]:
        """Prepare an image [h, w, 3] uint8 RGB for the present model."""
        model = self._current
        return InFlight(model, image, model.prepare(image))

    def infer(self, item: InFlight[PreparedImage]) -> InFlight[RawOutput]:
        """Run the model that prepared the image."""
        try:
            return InFlight(item.model, item.image, self._invoke(item.model, item.made))
        except Exception as error:  # noqa: BLE001 whatever it is, the model before is known to work
            model = self._instead_of(item.model, error)
            return InFlight(model, item.image, self._invoke(model, model.prepare(item.image)))

    def finish(self, item: InFlight[RawOutput]) -> Segmentation:
        """Turn the answer into a class map, by the model that gave it."""
        model = item.model
        try:
            segmentation = model.finish(item.made)
        except Exception as error:  # noqa: BLE001 as above
            model = self._instead_of(model, error)
            segmentation = model.finish(self._invoke(model, model.prepare(item.image)))
        if model is not self._last_finished:
            self._last_finished = model
            self.on_change(model)
        trial = self._trial
        if trial is not None and trial.new is model:
            trial.probation.answered(segmentation)
        return segmentation

    def _invoke(self, model: Segmenter, prepared: PreparedImage) -> RawOutput:
        with self._engine:  # of a model that failed to finish, the finishing thread runs the one before
            return model.infer(prepared)

    def _instead_of(self, model: Segmenter, error: Exception) -> Segmenter:
        """Return what is to answer for a model that failed; raise the error where there is none."""
        with self._exchanging:
            trial = self._trial if self._trial is not None and self._trial.new is model else None
            if trial is not None:
                self._trial = None
                self._current = trial.before or model
        if trial is not None:
            trial.probation.failed(error)
        if model is self._current:
            raise error
        return self._current
