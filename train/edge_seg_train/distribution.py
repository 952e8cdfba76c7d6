"""Devices and machines that share the work of a run."""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated, Literal

import tensorflow as tf
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, model_validator
from tensorflow.python.eager import context

from edge_seg.errors import LostMachineError, TrainingError
from edge_seg.run_config import StrategyKind
from edge_seg.validation import first_fault
from edge_seg_train.lifeline import Lifeline
from edge_seg_train.rendezvous import AnotherRunError, MissingMachinesError, wait_for_all, wait_for_first

WAIT_FOR_MACHINES_S = 600
_CONNECTED_WITHIN_S = 120
_NAMED_WITHIN_S = 2

_CLUSTER_VARIABLE = "TF_CONFIG"
_EXAMPLE = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'


def _with_real_port(address: str) -> str:
    if not 0 < int(address.rpartition(":")[2]) < 2**16:
        raise ValueError("a port is a number from 1 to 65535")
    return address


_Address = Annotated[str, StringConstraints(pattern=r"^\S+:\d{1,5}$"), AfterValidator(_with_real_port)]


def make_strategy(kind: StrategyKind, batch_size: int) -> tf.distribute.Strategy:
    """Make the strategy that `kind` names.

    "auto" takes several machines where TF_CONFIG describes them, else several GPUs where there are, else one device.
    "mirrored" uses every GPU, or every logical CPU device where there is no GPU.

    Raises:
        TrainingError: no TF_CONFIG, or a batch that the devices cannot share equally.
    """
    chosen = _chosen(kind)
    if chosen == "multiworker":
        strategy = _several_machines()
    elif chosen == "mirrored":
        strategy = tf.distribute.MirroredStrategy([device.name for device in _devices()])
    else:
        strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise TrainingError(
            f"the batch size {batch_size} cannot be shared equally by {replicas} devices; "
            f"try --batch-size {max(1, round(batch_size / replicas)) * replicas}"
        )
    return strategy


@contextmanager
def gathered(kind: StrategyKind, run_id: Callable[[], str]) -> Generator[Lifeline]:
    """Wait for all machines of the run, if it has several, and yield what holds them together until they leave.

    `run_id`, asked for only where there are several, tells two runs apart: machines that are about to do different ones
    do not begin.

    Raises:
        LostMachineError: a machine did not come, or ended inside.
        TrainingError: a TF_CONFIG that describes no machines, machines that were told to do different runs.
    """
    several = _chosen(kind) == "multiworker"
    lifeline = _gather(_described(), run_id()) if several else Lifeline({})
    try:
        yield lifeline
    except tf.errors.OpError as error:
        raise (loss_behind(error, lifeline) or error) from None
    finally:
        lifeline.close()


def loss_behind(error: tf.errors.OpError, lifeline: Lifeline) -> LostMachineError | None:
    """Return what tells of the lost machine that `error` comes from, if it comes from one."""
    if not lifeline.has_peers or not isinstance(error, tf.errors.UnavailableError | tf.errors.DeadlineExceededError):
        return None
    return LostMachineError(_loss(lifeline.wait_for_loss(_NAMED_WITHIN_S) or "another"))


def check_no_loss(lifeline: Lifeline) -> None:
    """Raise LostMachineError when a machine is lost."""
    if lifeline.lost is not None:
        raise LostMachineError(_loss(lifeline.lost))


def _loss(name: str) -> str:
    return (
        f"{name} of the machines in {_CLUSTER_VARIABLE} has ended, or is out of reach; its own output tells why; "
        "begin again on all of them"
    )


def check_one_machine(what: str) -> None:
    """Raise TrainingError where TF_CONFIG describes a cluster, which `what` does not run on."""
    if _CLUSTER_VARIABLE in os.environ:
        raise TrainingError(f"{what} runs on one machine; unset {_CLUSTER_VARIABLE}, which describes several")


def is_chief(kind: StrategyKind) -> bool:
    """True for the process that writes the run folder: the only one, or the first of a cluster.

    Raises:
        TrainingError: a TF_CONFIG that describes no machines.
    """
    if _chosen(kind) != "multiworker":
        return True
    task, machines = (here := _described()).task, here.cluster
    return task.type == "chief" or (not machines.chief and task.index == 0)


def _chosen(kind: StrategyKind) -> StrategyKind:
    """Return what "auto" stands for on this machine; any other kind as it is."""
    if kind != "auto":
        return kind
    if _CLUSTER_VARIABLE in os.environ:
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "one"


def _devices() -> list[tf.config.LogicalDevice]:
    return tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")


class _Machines(BaseModel):
    chief: Annotated[list[_Address], Field(max_length=1)] = []
    worker: list[_Address] = []


class _Task(BaseModel):
    type: Literal["chief", "worker"]
    index: Annotated[int, Field(ge=0)]


class _Cluster(BaseModel):
    """What TF_CONFIG holds of interest; TensorFlow reads it by itself and is content with anything."""

    cluster: _Machines
    task: _Task

    @model_validator(mode="after")
    def _task_is_in_cluster(self) -> "_Cluster":
        if self.task.index >= len(getattr(self.cluster, self.task.type)):
            raise ValueError("the task is none of the cluster's")
        return self


def _described() -> _Cluster:
    text = os.environ.get(_CLUSTER_VARIABLE)
    if text is None:
        raise TrainingError(f"--strategy multiworker needs the machines in {_CLUSTER_VARIABLE}, such as {_EXAMPLE}")
    try:
        return _Cluster.model_validate_json(text)
    except ValidationError as error:
        seen, fault = " ".join(text.split())[:80], first_fault(error)
        raise TrainingError(f"{_CLUSTER_VARIABLE} '{seen}' describes no machines; write {_EXAMPLE} ({fault})") from None


def _several_machines() -> tf.distribute.Strategy:
    _described()
    # Where a machine ends in this moment, TensorFlow waits an hour with Python locked: the kernel alone can end that.
    signal.alarm(_CONNECTED_WITHIN_S)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except (tf.errors.OpError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(
            f"the machines in {_CLUSTER_VARIABLE} cannot work together ({reason:.200}); "
            "give each an address the others can reach"
        ) from None
    finally:
        signal.alarm(0)
    # TensorFlow has put a handler of its own in the place of ours, which notes the signal and trains on.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return strategy


def _gather(described: _Cluster, run_id: str) -> Lifeline:
    """Wait until all machines have begun the run; from then on each notices when another ends."""
    machines, task = described.cluster, described.task
    first, *others = [*machines.chief, *machines.worker]
    own = getattr(machines, task.type)[task.index]
    host, _, port = first.rpartition(":")
    try:
        if own == first:
            guests = wait_for_all(int(port), others, run_id, WAIT_FOR_MACHINES_S)
            return Lifeline(guests, is_first=True, when_lost=_end_collectives)
        connection = wait_for_first((host, int(port)), own, run_id, WAIT_FOR_MACHINES_S)
        return Lifeline({first: connection}, is_first=False, when_lost=_end_collectives)
    except MissingMachinesError as missing:
        raise LostMachineError(
            f"of the machines in {_CLUSTER_VARIABLE}, {missing} did not come within {WAIT_FOR_MACHINES_S} seconds; "
            "begin the run on all of them, each with an address the others can reach"
        ) from None
    except AnotherRunError as other:
        raise TrainingError(
            f"{other} and {own} were not told to do the same run; begin it on all machines of {_CLUSTER_VARIABLE} "
            "with the same options, the same data set, and the same run folder if it goes on with one"
        ) from None
    except OSError as error:
        raise TrainingError(f"{own}: cannot listen there ({error.strerror}); choose another port") from None


def _end_collectives(lost: str) -> None:
    """Free the main thread from waiting for the machine that is lost, as TensorFlow's own check of health does."""
    context.context().abort_collective_ops(tf.errors.UNAVAILABLE, f"{lost} is lost")
