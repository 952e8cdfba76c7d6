"""Measure whether the input pipeline keeps up:  python -m edge_seg_train.input_speed --data DIR [--size 128]

Pictures a second that the pipeline delivers, reading files and from its cache, and that the learner consumes. Rounds of
the three take turns, so that a machine that gets slower or busier slows all of them.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.reporting import reporting

if TYPE_CHECKING:
    from edge_seg.dataset import Dataset
    from edge_seg.run_config import CacheKind, RunConfig
    from edge_seg_train.input_pipeline import TrainingStream
    from edge_seg_train.learner import Learner


@dataclass(frozen=True)
class Speed:
    """Pictures a second over the rounds: the median, and the lowest and highest of them."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Speed":
        """Summarise one figure per round."""
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({self.lowest:,.0f}–{self.highest:,.0f})"


@dataclass(frozen=True)
class InputSpeed:
    """What was measured.

    Attributes:
        files: the pipeline, decoding every picture.
        cached: the pipeline, once it has every picture.
        learner: the training step alone, on one batch again and again.
    """

    files: Speed
    cached: Speed
    learner: Speed

    @property
    def ratio(self) -> float:
        """How many times as fast as the learner the pipeline is, from the second epoch on."""
        return self.cached.median / self.learner.median

    def markdown(self) -> str:
        """Return a table of one line."""
        return (
            "| pictures/s: files, first epoch | cached | learner | cached ÷ learner |\n|---|---|---|---|\n"
            f"| {self.files} | {self.cached} | {self.learner} | {self.ratio:.1f} |"
        )


def pictures_per_second(step: Callable[[], object], steps: int, batch_size: int) -> float:
    """Time `steps` calls that take `batch_size` pictures each, after one that sets things up."""
    step()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * batch_size / (time.perf_counter() - began)


def measure(config: "RunConfig", rounds: int, steps: int) -> InputSpeed:
    """Measure the pipeline and the learner of a configuration in `rounds` of `steps` batches.

    Raises:
        EdgeSegError: a data set that cannot be read, or is smaller than a batch.
    """
    from edge_seg.dataset import Dataset
    from edge_seg_train.training import make_learner

    dataset = Dataset.open(config.data)
    learner = make_learner(config, dataset)
    files, cached = (_stream(config, dataset, learner, kind) for kind in ("off", "memory"))
    for index in range(len(cached)):
        cached.read(index)

    def read(stream: "TrainingStream") -> float:
        # A pipeline that is left alone goes on until its buffers are full: it would be slower for the learner, and
        # faster for itself afterwards. So each round has a new one.
        batches = iter(learner.distributed(stream, 0))
        return pictures_per_second(lambda: next(batches), steps, config.batch_size)

    batch = next(iter(learner.distributed(cached, 0)))
    learn = learner.step_of(config.epochs - 1)
    turns: dict[str, Callable[[], float]] = {
        "files": lambda: read(files),
        "cached": lambda: read(cached),
        "learner": lambda: pictures_per_second(lambda: float(learn(batch)), steps, config.batch_size),
    }
    found = [{name: turn() for name, turn in turns.items()} for _ in range(rounds)]
    return InputSpeed(**{name: Speed.of([each[name] for each in found]) for name in turns})


def _stream(config: "RunConfig", dataset: "Dataset", learner: "Learner", kind: "CacheKind") -> "TrainingStream":
    from edge_seg_train.input_pipeline import TrainingStream, stored_size
    from edge_seg_train.sample_store import open_store

    store = open_store(dataset, dataset.samples("train"), *stored_size(config, learner.picture_size), kind, Path())
    return TrainingStream(store, config, learner.picture_size, dataset.ignore_id)


def command(
    data: Annotated[Path, typer.Option(help="Data set folder.")],
    size: Annotated[int, typer.Option(help="Side of the network input.")] = 128,
    alpha: Annotated[float, typer.Option(help="Width of the encoder.")] = 1.0,
    batch_size: Annotated[int, typer.Option(help="Pictures per step.", min=1)] = 16,
    rounds: Annotated[int, typer.Option(help="Of each measurement, in turn.", min=1)] = 5,
    steps: Annotated[int, typer.Option(help="Batches in a round.", min=1)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of the table.")] = False,
) -> None:
    """Measure how many times as fast the input pipeline is as the learner; five times is the aim."""
    from edge_seg_train.cli.options import resolved_config
    from edge_seg_train.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow()
    given = {"data": data, "size": str(size), "alpha": alpha, "batch_size": batch_size}
    # So many epochs that the pipelines do not end; weights of no training are as fast as any.
    config = resolved_config(None, given | {"epochs": 1_000_000, "encoder_weights": "none"})
    found = measure(config, rounds, steps)
    typer.echo(json.dumps(asdict(found) | {"ratio": found.ratio}) if as_json else found.markdown())


if __name__ == "__main__":
    typer.run(reporting(command))
