"""One training run: build, fit, validate each epoch, keep the best, leave a whole run folder behind."""

import math
import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras

from edge_seg.dataset import Dataset
from edge_seg.dataset.manifest import write_manifest
from edge_seg.errors import TrainingError
from edge_seg.files import atomic_path, check_can_write, make_folder, remove_empty
from edge_seg.run_folder import RunConfig, RunFolder
from edge_seg_train.history import Epoch, best_epoch, write_history
from edge_seg_train.input_pipeline import training_batches
from edge_seg_train.network import build_unet
from edge_seg_train.network_picture import draw_network
from edge_seg_train.plots import draw_curves, draw_samples
from edge_seg_train.report import write_report
from edge_seg_train.validation import ValidationSet

WARM_UP_SHARE = 0.05
FINAL_RATE_SHARE = 0.02
GRADIENT_CLIP_NORM = 1.0
SAMPLE_COUNT = 4


class Progress(Protocol):
    """What a run tells while it goes; the command line draws it."""

    def begin(self, epochs: int, steps_per_epoch: int) -> None:
        """The run starts."""
        ...

    def step(self, loss: float) -> None:
        """One batch is done; `loss` is the epoch's mean so far."""
        ...

    def epoch(self, epoch: Epoch, is_best: bool) -> None:
        """One epoch is validated."""
        ...


@dataclass
class Run:
    """A run under way: its epochs so far, and whether it was interrupted."""

    folder: RunFolder
    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False


def train(config: RunConfig, out: Path, progress: Progress) -> Run:
    """Train and write the run folder `out`; Ctrl-C ends the run with the best epoch so far kept, if there is one.

    Raises:
        TrainingError: an output folder in use, weights that do not load, a batch larger than the data set,
            a loss that is no number.
        DatasetError: a data set that does not keep its contract.
    """
    _check_new(out)
    dataset = Dataset.open(config.data)
    steps = _steps_per_epoch(dataset, config)
    keras.utils.set_random_seed(config.seed)
    keras.mixed_precision.set_global_policy("mixed_float16" if config.mixed_precision else "float32")
    model = build_unet(config, len(dataset.classes))
    kept = _float32_copy(config, len(dataset.classes)) if config.mixed_precision else model
    _compile(model, config, steps, dataset.ignore_id)
    validation = ValidationSet(dataset, config)
    with _new_folder(out) as folder:
        run = Run(folder)
        folder.write_config(config)
        write_manifest(folder.path, dataset.manifest)
        draw_network(model, folder.network_path)
        callback = _EpochEnd(run, dataset, validation, kept, progress)
        progress.begin(config.epochs, steps)
        try:
            model.fit(
                training_batches(dataset, config),
                epochs=config.epochs,
                steps_per_epoch=steps,
                callbacks=[callback],
                shuffle=False,  # the pipeline shuffles
                verbose=0,
            )
        except KeyboardInterrupt:
            run.interrupted = True
        if run.epochs:
            write_report(folder, run.epochs, config, dataset.manifest)
        return run


def _float32_copy(config: RunConfig, class_count: int) -> keras.Model:
    """Build the same network in float32: what is kept of a mixed-precision run, and converted."""
    keras.mixed_precision.set_global_policy("float32")
    return build_unet(config.model_copy(update={"encoder_weights": "none"}), class_count)


def _steps_per_epoch(dataset: Dataset, config: RunConfig) -> int:
    count = len(dataset.samples("train"))
    if config.batch_size > count:
        raise TrainingError(
            f"the batch size {config.batch_size} is larger than the {count} training pictures; "
            f"try --batch-size {max(1, count // 4)}"
        )
    if len(dataset.classes) < 2:
        raise TrainingError(f"{dataset.folder}: has one class; segmentation needs two, background among them")
    return math.ceil(count / config.batch_size)


def _check_new(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise TrainingError(f"{out}: exists already; name another run folder or remove it first")
    check_can_write(out)


@contextmanager
def _new_folder(out: Path) -> Generator[RunFolder]:
    """Make the run folder; when no model came of the run it is emptied, and removed if it was not there."""
    folder, made = RunFolder(out), make_folder(out)
    try:
        yield folder
    finally:
        if not folder.best_model_path.is_file():
            _empty(out)
            remove_empty(made)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _compile(model: keras.Model, config: RunConfig, steps_per_epoch: int, ignore_id: int) -> None:
    steps = config.epochs * steps_per_epoch
    warm_up = max(1, round(steps * WARM_UP_SHARE))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=config.learning_rate * FINAL_RATE_SHARE,
        decay_steps=max(1, steps - warm_up),
        alpha=FINAL_RATE_SHARE,
        warmup_target=config.learning_rate,
        warmup_steps=warm_up,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule, global_clipnorm=GRADIENT_CLIP_NORM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignore_id),
    )


class _EpochEnd(keras.callbacks.Callback):
    """After every epoch: validate, keep the best, write what people look at."""

    def __init__(
        self, run: Run, dataset: Dataset, validation: ValidationSet, kept: keras.Model, progress: Progress
    ) -> None:
        super().__init__()
        self._run, self._dataset, self._validation, self._progress = run, dataset, validation, progress
        self._kept = kept
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {len(self._run.epochs) + 1}; try a lower --learning-rate"
            )
        self._progress.step(loss)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        result = self._validation.evaluate(self.model)
        measured = Epoch(
            number=epoch + 1,
            loss=float((logs or {})["loss"]),
            val_loss=result.loss,
            scores=result.scores,
            learning_rate=float(self.model.optimizer.learning_rate),
            seconds=time.monotonic() - self._began,
        )
        self._run.epochs.append(measured)
        is_best = best_epoch(self._run.epochs) is measured
        if is_best:
            if self._kept is not self.model:
                self._kept.set_weights(self.model.get_weights())
            with atomic_path(self._run.folder.best_model_path) as temporary:
                self._kept.save(temporary)
        self._write_pictures(measured)
        self._progress.epoch(measured, is_best)

    def _write_pictures(self, epoch: Epoch) -> None:
        folder, classes = self._run.folder, self._dataset.classes
        write_history(folder.history_path, self._run.epochs, self._dataset.manifest.class_names)
        draw_curves(self._run.epochs, self._dataset.manifest.class_names, folder.curves_path)
        examples = self._validation.examples(self.model, SAMPLE_COUNT)
        draw_samples(examples, classes, folder.sample_path(epoch.number))


def summary_rows(epochs: Sequence[Epoch], class_names: Sequence[str]) -> list[tuple[str, str]]:
    """Say the best epoch in a few labelled figures."""
    best = best_epoch(epochs)
    rows = [("best epoch", f"{best.number} of {len(epochs)}"), ("validation mIoU", f"{best.scores.miou:.4f}")]
    rows += [(f"IoU {name}", f"{value:.4f}") for name, value in zip(class_names, best.scores.iou, strict=True)]
    return [*rows, ("pixel accuracy", f"{best.scores.pixel_accuracy:.4f}")]
