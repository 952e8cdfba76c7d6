"""What ends a run before its last epoch, in one sentence that names what is kept of it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import tensorflow as tf

from edge_seg.errors import EdgeSegError, LostMachineError, TrainingError
from edge_seg.run_folder import RunFolder
from edge_seg_train.history import Epoch

_DISK_FULL = "No space left on device"


@contextmanager
def telling_what_is_kept(folder: RunFolder, epochs: Sequence[Epoch]) -> Generator[None]:
    """Turn what goes wrong inside into TrainingError; `epochs` are those that are whole by then."""
    try:
        yield
    except FloatingPointError as error:
        cure = "train into another folder with a lower --learning-rate"
        raise TrainingError(f"{error}; {cure}{_kept(folder, epochs)}") from None
    except (EdgeSegError, OSError, tf.errors.OpError) as error:
        again = f"; then go on with  edge-seg train --resume {folder.path}" if epochs else ""
        kind = LostMachineError if isinstance(error, LostMachineError) else TrainingError
        raise kind(f"{reason_of(error)}{_kept(folder, epochs)}{again}") from None


def reason_of(error: EdgeSegError | OSError | tf.errors.OpError) -> str:
    """Say what went wrong, and the cure where it is known."""
    if isinstance(error, EdgeSegError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}; make room, or put it right"
    message = (error.message or type(error).__name__).strip().splitlines()[0]
    if isinstance(error, tf.errors.ResourceExhaustedError) and _DISK_FULL not in message:
        return "memory ran out; end other programs, or train into another folder with a smaller --batch-size or --size"
    return f"TensorFlow could not go on ({message})"


def _kept(folder: RunFolder, epochs: Sequence[Epoch]) -> str:
    if not epochs:
        return ""
    count = f"{len(epochs)} epochs" if len(epochs) > 1 else "one epoch"
    return f"; the best of {count} is kept as {folder.best_model_path}"
