"""One training run: build, learn, validate each epoch, keep the best, leave a run folder that can be resumed."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import tensorflow as tf

from edge_seg.allocator import keep_all_freed_memory
from edge_seg.dataset import Dataset
from edge_seg.dataset.content_hash import content_hash
from edge_seg.dataset.manifest import write_manifest
from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig, read_config
from edge_seg.run_folder import RunFolder
from edge_seg_train.class_balance import check_has_classes
from edge_seg_train.distribution import check_no_loss, gathered, loss_behind, make_strategy
from edge_seg_train.environment import check_same_sources, write_environment
from edge_seg_train.history import Epoch, as_written, best_epoch, is_over, read_history, stopped_early
from edge_seg_train.input_pipeline import TrainingStream, steps_per_epoch, stored_size
from edge_seg_train.learner import Learner
from edge_seg_train.lifeline import Lifeline
from edge_seg_train.network_picture import draw_network
from edge_seg_train.recorder import Recorder
from edge_seg_train.report import write_report
from edge_seg_train.run_faults import telling_what_is_kept
from edge_seg_train.run_ownership import existing_folder, new_folder
from edge_seg_train.run_status import is_begun, whole_epochs
from edge_seg_train.sample_store import SampleStore, open_store
from edge_seg_train.starting_weights import check_alike, copy_weights
from edge_seg_train.training_state import restore_state, run_id
from edge_seg_train.validation import ValidationSet


class Progress(Protocol):
    """What a run tells while it goes; the command line draws it."""

    def begin(self, config: RunConfig, steps_per_epoch: int, done: Sequence[Epoch]) -> None:
        """The run starts, or goes on after the epochs that are done."""
        ...

    def step(self, loss: float) -> None:
        """One batch is done; `loss` is the epoch's mean so far."""
        ...

    def epoch(self, epoch: Epoch, is_best: bool) -> None:
        """One epoch is validated."""
        ...


@dataclass
class Run:
    """A run under way: its epochs so far, and whether it was interrupted.

    Attributes:
        folder: what this process writes; of several machines' only that of the first lasts.
        out: the run folder as the user named it.
    """

    folder: RunFolder
    out: Path
    config: RunConfig
    machines: Lifeline
    epochs: list[Epoch] = field(default_factory=list)
    interrupted: bool = False

    @property
    def is_kept(self) -> bool:
        """True for the process whose folder is the run's; what the others write is thrown away."""
        return self.folder.path == self.out

    @property
    def stopped_early(self) -> bool:
        """True when `patience` epochs have passed without a better one."""
        return stopped_early(self.epochs, self.config.patience)

    @property
    def is_over(self) -> bool:
        """True when no epoch is left to do."""
        return is_over(self.epochs, self.config.epochs, self.config.patience)


def start(config: RunConfig, out: Path, progress: Progress) -> Run:
    """Train and write the run folder `out`; Ctrl-C ends the run with all that is done kept.

    Raises:
        TrainingError: an output folder in use, weights that do not load, a batch larger than the data set,
            a loss that is no number, a data set that changes on the way, a full disk.
        DatasetError: a data set that does not keep its contract.
    """
    dataset = Dataset.open(config.data)
    check_has_classes(dataset)
    _check_batch_fits(config, dataset)
    with new_folder(out, config.strategy) as folder:
        folder.write_config(config)
        with gathered(config.strategy, lambda: run_id(config, content_hash(dataset), folder.state_path)) as machines:
            return _begin(Run(folder, out, config, machines), dataset, progress)


def resume(out: Path, progress: Progress, moved: Mapping[str, Any] | None = None) -> Run:
    """Go on with the run in `out` after its last whole epoch, to the result it would have had uninterrupted.

    `moved` has fields of RunConfig that do not decide the result: where the data set is now, the cache, the strategy.

    Raises:
        TrainingError: not a run, a run that is finished, a damaged one, one that another process is training in,
            or a data set that changed since; and as `start`.
    """
    there = RunFolder(out)
    if not is_begun(there):
        raise TrainingError(f"{out}: no run to resume (no {there.config_path.name}); begin one with --data and --out")
    config = read_config(there.config_path).model_copy(update=dict(moved or {}))
    dataset = Dataset.open(config.data)
    with existing_folder(out, config.strategy) as folder:
        _check_can_go_on(there, config)
        if there.environment_path.is_file() or there.state_path.is_file():
            check_same_sources(there, dataset, config.teacher)
        folder.write_config(config)
        with gathered(config.strategy, lambda: run_id(config, content_hash(dataset), there.state_path)) as machines:
            run, has_state = Run(folder, out, config, machines), there.state_path.is_file()
            return _go_on(run, there, dataset, progress) if has_state else _begin(run, dataset, progress)


def _check_batch_fits(config: RunConfig, dataset: Dataset) -> None:
    count = len(dataset.samples("train"))
    if config.batch_size > count:
        raise TrainingError(
            f"the batch size {config.batch_size} is larger than the {count} training pictures; "
            f"try --batch-size {max(1, count // 4)}"
        )


def _check_can_go_on(folder: RunFolder, config: RunConfig) -> None:
    """Refuse a run that is finished, and one whose state is lost: it would begin anew over what it has."""
    epochs = whole_epochs(folder)
    if folder.state_path.is_file() or not epochs:
        return
    if is_over(epochs, config.epochs, config.patience):
        raise TrainingError(f"{folder.path}: is finished already; train into another folder to go further")
    raise TrainingError(
        f"{folder.path}: has {len(epochs)} epochs but no {folder.state_path.name} to go on from; put that file back, "
        f"or begin another run with --start-from {folder.path}"
    )


def _begin(run: Run, dataset: Dataset, progress: Progress) -> Run:
    learner = _learner_at_start(run.config, dataset)
    learner.begin()
    write_manifest(run.folder.path, dataset.manifest)
    write_environment(run.folder, dataset, run.config.teacher)
    draw_network(learner.model, run.folder.network_path)
    return _learn(run, dataset, learner, progress)


def _learner_at_start(config: RunConfig, dataset: Dataset) -> Learner:
    if config.start_from is None:
        return make_learner(config, dataset)
    check_alike(config.start_from, config)
    learner = make_learner(config.model_copy(update={"encoder_weights": "none"}), dataset)
    copy_weights(config.start_from, learner.model)
    return learner


def _go_on(run: Run, there: RunFolder, dataset: Dataset, progress: Progress) -> Run:
    # Every weight comes out of the state, so the file that the encoder started from may be gone.
    learner = make_learner(run.config.model_copy(update={"encoder_weights": "none"}), dataset)
    done = restore_state(there.state_path, learner.variables, run.config)
    run.epochs = read_history(there.history_path)[:done]
    if len(run.epochs) != done or not there.best_model_path.is_file():
        raise TrainingError(
            f"{there.path}: {there.history_path.name} or {there.best_model_path.name} lacks the {done} epochs that "
            f"{there.state_path.name} has behind it; put them back, or train again into another folder"
        )
    return _learn(run, dataset, learner, progress)


def make_learner(config: RunConfig, dataset: Dataset) -> Learner:
    """Build what learns, on the devices the configuration names, with every random choice set by its seed.

    Raises:
        TrainingError: weights or devices that are not there.
    """
    keep_all_freed_memory()
    strategy = make_strategy(config.strategy, config.batch_size)
    keras.utils.set_random_seed(config.seed)
    return Learner(config, dataset, steps_per_epoch(len(dataset.samples("train")), config.batch_size), strategy)


def _learn(run: Run, dataset: Dataset, learner: Learner, progress: Progress) -> Run:
    """Do the epochs that are left, and write the report."""
    with telling_what_is_kept(RunFolder(run.out), run.epochs):
        store = _open_store(run, dataset, learner)
        validation = ValidationSet(dataset, run.config, run.folder.path)
        validation.read_all()
        try:
            _do_epochs(
                run,
                learner,
                TrainingStream(store, run.config, learner.picture_size, dataset.ignore_id),
                Recorder(run.folder, dataset, validation, learner),
                progress,
            )
        except KeyboardInterrupt:
            run.interrupted = True
        # After a resume the best model may be in the run folder alone.
        if run.epochs and run.is_kept:
            write_report(run.folder, run.epochs, run.config, dataset, validation)
    if run.is_over:
        run.folder.state_path.unlink(missing_ok=True)
        run.machines.finish()
        check_no_loss(run.machines)
    return run


def _open_store(run: Run, dataset: Dataset, learner: Learner) -> SampleStore:
    stored = stored_size(run.config, learner.picture_size)
    return open_store(dataset, dataset.samples("train"), *stored, run.config.cache, run.folder.path)


def _do_epochs(run: Run, learner: Learner, stream: TrainingStream, recorder: Recorder, progress: Progress) -> None:
    steps = steps_per_epoch(len(stream), run.config.batch_size)
    progress.begin(run.config, steps, run.epochs)
    try:
        batches = iter(learner.distributed(stream, len(run.epochs)))
        while not run.is_over:
            epoch = _one_epoch(run, learner, batches, steps, recorder, progress)
            epochs = [*run.epochs, epoch]
            is_best = best_epoch(epochs) is epoch
            recorder.record(epochs, is_best=is_best)
            # Not before it is on disk: what is interrupted above is done again by a resume.
            run.epochs.append(epoch)
            progress.epoch(epoch, is_best)
    except tf.errors.OpError as error:
        raise (stream.fault or loss_behind(error, run.machines) or error) from None


def _one_epoch(
    run: Run, learner: Learner, batches: Iterator[Any], steps: int, recorder: Recorder, progress: Progress
) -> Epoch:
    began, number = time.monotonic(), len(run.epochs) + 1
    loss, waiting_seconds, computing_seconds = _learn_from(batches, steps, learner.step_of(number - 1), progress)
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss became {loss} in epoch {number}")
    result = recorder.validate()
    if not math.isfinite(result.loss):  # the last step of an epoch can ruin the weights, and its own loss not tell
        raise FloatingPointError(f"the validation loss became {result.loss} in epoch {number}")
    return as_written(
        Epoch(
            number=number,
            loss=loss,
            val_loss=result.loss,
            scores=result.scores,
            learning_rate=learner.learning_rate,
            seconds=time.monotonic() - began,
            waiting_seconds=waiting_seconds,
            computing_seconds=computing_seconds,
            steps=steps,
        )
    )


def _learn_from(batches: Iterator[Any], steps: int, learn: Any, progress: Progress) -> tuple[float, float, float]:
    """Do `steps`, or stop where the loss is no number.

    Returns:
        The mean loss, the seconds spent waiting for batches, and those spent computing.
    """
    waiting_seconds, computing_seconds, total = 0.0, 0.0, 0.0
    for step in range(1, steps + 1):
        asked = time.monotonic()
        batch = next(batches)
        given = time.monotonic()
        total += float(learn(batch))
        waiting_seconds += given - asked
        computing_seconds += time.monotonic() - given
        if not math.isfinite(total):
            return total, waiting_seconds, computing_seconds
        progress.step(total / step)
    return total / steps, waiting_seconds, computing_seconds
