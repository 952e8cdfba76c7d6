"""What int8 loses, by how it is made: `python -m edge_seg_convert.int8_study RUN... --out int8_study.json`.

For every run: each step of the way to int8 left out or varied, TensorFlow's converter, and calibration sets of
different size and choice. The results are in benchmarks/results/int8_study.json, what follows from them in
docs/int8.md.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.dataset import Dataset
from edge_seg.files import write_text
from edge_seg.images import RgbImage
from edge_seg_convert import biases
from edge_seg_convert.activations import measure
from edge_seg_convert.calibration import calibration_set, read_candidates
from edge_seg_convert.detours import without_float_detours
from edge_seg_convert.equalisation import SHARE, equalise
from edge_seg_convert.graph_ends import with_uint8_input, without_input_scaling
from edge_seg_convert.keras_export import FLOAT_MODEL_FILE, MASKS_FOLDER, Request, export, export_int8
from edge_seg_convert.polyphase import rewrite
from edge_seg_convert.quantisation import (
    Calibrated,
    integer_model,
    quantise,
    rounded_core,
    scaled,
    with_whole_input,
)
from edge_seg_convert.ranges import tensor_ranges
from edge_seg_convert.sources import Source, open_source
from edge_seg_convert.verification import verify

COUNTS = (1, 5, 10, 25, 50, 100)
SEEDS = (0, 1, 2)
STANDARD_COUNT = 50
ALL_STEPS = f"equalised by {SHARE} (all)"
"""As `edge-seg convert` does it."""


_Way = Callable[[Sequence[RgbImage]], bytes]
"""Makes an int8 model on calibration images."""


@dataclass(frozen=True)
class Trial:
    """One way to make int8, and what it lost."""

    run: str
    steps: str
    images: int
    choice: str
    seed: int
    drop_points: float
    """Points of mIoU below Keras, at full image resolution."""
    agreement: float
    """Share of the pixels that get Keras's class."""
    size_bytes: int
    seconds: float
    """To calibrate and quantise, the pictures read already."""


class _Study:
    """The trials of one run."""

    def __init__(self, source: Source, dataset: Dataset, work: Path) -> None:
        self._source, self._dataset, self._work = source, dataset, work
        self._exported = export(Request(str(source.model), str(dataset.folder)), work)
        self._float_model = (work / FLOAT_MODEL_FILE).read_bytes()

    def trials(self) -> Iterator[Trial]:
        """Vary the steps on one calibration set, then the set with all steps."""
        images = self._images("cover", STANDARD_COUNT, 0)
        for name, make in self._ways().items():
            yield self._trial(name, make, images, "cover", 0)
        for count in COUNTS:
            for choice in ("cover", "random"):
                for seed in SEEDS:
                    yield self._trial("all", self._all, self._images(choice, count, seed), choice, seed)

    def _ways(self) -> dict[str, _Way]:
        return {
            "litert-quantizer alone": lambda images: self._partial(images, 0.0, room=False, correct=False),
            "with room for biases": lambda images: self._partial(images, 0.0, room=True, correct=False),
            "with corrected biases": lambda images: self._partial(images, 0.0, room=True, correct=True),
            "equalised by 1/4": lambda images: self._partial(images, 0.25, room=True, correct=True),
            ALL_STEPS: self._all,
            "equalised by 3/4": lambda images: self._partial(images, 0.75, room=True, correct=True),
            "equalised whole": lambda images: self._partial(images, 1.0, room=True, correct=True),
            "equalised, biases as they are": lambda images: self._partial(images, SHARE, room=True, correct=False),
            "TensorFlow's converter": self._tensorflow,
        }

    def _all(self, images: Sequence[RgbImage]) -> bytes:
        return quantise(self._float_model, "int8", images)

    def _partial(self, images: Sequence[RgbImage], share: float, *, room: bool, correct: bool) -> bytes:
        core, scaling = without_input_scaling(self._float_model)
        core, activations = equalise(core, measure(core, [scaled(image, scaling) for image in images]), share)
        core = rewrite(biases.with_room(core, activations) if room else core, "auto")
        calibrated = with_whole_input(Calibrated(core, scaling, activations, tensor_ranges(core, activations)))
        if correct:
            return integer_model(calibrated)
        return with_uint8_input(without_float_detours(rounded_core(calibrated)))

    def _tensorflow(self, images: Sequence[RgbImage]) -> bytes:
        return export_int8(Request(str(self._source.model)), images, self._work)

    def _images(self, choice: str, count: int, seed: int) -> list[RgbImage]:
        size = self._exported.height, self._exported.width
        if choice == "random":
            return [item.image for item in read_candidates(self._dataset, count, *size, seed)]
        return [item.image for item in calibration_set(self._dataset, count, *size, seed)]

    def _trial(self, steps: str, make: _Way, images: Sequence[RgbImage], choice: str, seed: int) -> Trial:
        began = time.perf_counter()
        model = make(images)
        seconds = time.perf_counter() - began
        path = self._work / "trial.tflite"
        path.write_bytes(model)
        _, verified = verify({"int8": path}, self._dataset, self._work / MASKS_FOLDER, lambda: None)
        return Trial(
            run=self._source.name,
            steps=steps,
            images=len(images),
            choice=choice,
            seed=seed,
            drop_points=round(100 * verified["int8"].drop, 3),
            agreement=round(verified["int8"].agreement, 5),
            size_bytes=len(model),
            seconds=round(seconds, 2),
        )


def main(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    out: Annotated[Path, typer.Option(help="Result file.")],
    data: Annotated[list[Path] | None, typer.Option(help="Data set folder of each run, in order.")] = None,
) -> None:
    """Try every way to int8 on every run."""
    trials: list[Trial] = []
    for run, folder in zip(runs, data or [None] * len(runs), strict=True):
        source = open_source(run, data=folder, labels=None, input_range=None)
        assert source.dataset is not None
        with tempfile.TemporaryDirectory(prefix="edge-seg-") as work:
            for trial in _Study(source, source.dataset, Path(work)).trials():
                trials.append(trial)
                typer.echo(
                    f"{trial.run} {trial.steps} {trial.images} {trial.choice}: {trial.drop_points:+.2f}", err=True
                )
                write_text(out, json.dumps([asdict(item) for item in trials], indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
