"""mIoU at full image resolution, and agreement with the float32 model of the same network.

Each model has a process of its own. The models of one network go through the pictures together, so that one class
map is kept at a time, however many pictures there are.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_seg.dataset import Dataset, Sample
from edge_seg_bench.accuracy_messages import (
    OpenScoring,
    PictureScored,
    ScorePicture,
    ScoringOpened,
    SummedUp,
    SumUp,
)
from edge_seg_bench.assembly import display_names
from edge_seg_bench.pictures import spread
from edge_seg_bench.references import families
from edge_seg_bench.results import Accuracy
from edge_seg_bench.turns import OnStep, take_turns
from edge_seg_bench.worker_process import WorkerProcess

ACCURACY_WORKER = "edge_seg_bench.accuracy_worker"
_CLASS_MAP_FILE = "reference.png"


@dataclass(frozen=True)
class PictureList:
    """Pictures of one split of a data set."""

    dataset: Dataset
    split: str
    samples: tuple[Sample, ...]

    @property
    def paths(self) -> list[Path]:
        """The pictures' files."""
        return [sample.image_path for sample in self.samples]


@dataclass
class ScoringRun:
    """What is known of one model so far."""

    model: Path
    worker: WorkerProcess
    error: str | None = None
    pixels: int = 0
    agreeing: int = 0
    """Pixels with the reference's class; 0 without a reference."""
    summed_up: SummedUp | None = None


def list_pictures(folder: Path, split: str, most: int | None = None) -> PictureList:
    """Choose the pictures to score on: all of a split, or `most` of them at equal distances in its list.

    Raises:
        DatasetError: no data set, no such split, or one that names absent files.
    """
    dataset = Dataset.open(folder)
    return PictureList(dataset, split, tuple(spread(dataset.samples(split), most)))


def measure_accuracy(
    models: Sequence[Path],
    pictures: PictureList,
    runtime: str,
    threads: int,
    on_progress: OnStep = lambda _name: None,
    *,
    start_worker: Callable[[str], WorkerProcess] = WorkerProcess,
) -> dict[Path, Accuracy | str]:
    """Return what each model reaches, or the sentence why that is not known, as for a model of other classes.

    Args:
        models: .tflite files; each is held against the float32 model of its network among them, if there is one.
        pictures: what they are scored on.
        runtime: of all of them.
        threads: CPU threads of each inference.
        on_progress: called accuracy_steps(...) times.
        start_worker: starts a process of the module it is given.
    """
    names = dict(zip(models, display_names(models), strict=True))
    opening = partial(_opening, pictures, runtime, threads)
    found: dict[Path, Accuracy | str] = {}
    for family in families(models):
        with ExitStack() as stack, TemporaryDirectory(prefix="edge-seg-bench-") as folder:
            runs = [ScoringRun(model, stack.enter_context(start_worker(ACCURACY_WORKER))) for model in family.models]
            class_map = Path(folder, _CLASS_MAP_FILE) if family.has_reference else None
            _score(runs, pictures, class_map, opening, lambda run: on_progress(run.model.name))
        reference = runs[0] if family.has_reference and runs[0].error is None else None
        found |= {run.model: run.error or _accuracy(run, pictures, runtime, reference, names) for run in runs}
    return {model: found[model] for model in models}


def accuracy_steps(models: Sequence[Path], pictures: PictureList) -> int:
    """Return the number of progress steps of measure_accuracy."""
    return len(models) * (len(pictures.samples) + 2)


def _score(
    runs: Sequence[ScoringRun],
    pictures: PictureList,
    class_map: Path | None,
    opening: Callable[[Path], OpenScoring],
    on_progress: Callable[[ScoringRun], None],
) -> None:
    """Take the models through the pictures side by side; the first leaves its `class_map` for the others."""
    take_turns(runs, lambda run: _open(run, opening(run.model)), on_progress)
    for sample in pictures.samples:
        take_turns(
            runs[:1], partial(_score_picture, name=sample.name, keep=class_map, reference=class_map), on_progress
        )
        reference = class_map if runs[0].error is None else None
        take_turns(runs[1:], partial(_score_picture, name=sample.name, keep=None, reference=reference), on_progress)
    take_turns(runs, _sum_up, on_progress)


def _opening(pictures: PictureList, runtime: str, threads: int, model: Path) -> OpenScoring:
    return OpenScoring(str(model), runtime, threads, str(pictures.dataset.folder), pictures.split)


def _open(run: ScoringRun, request: OpenScoring) -> None:
    run.worker.ask(request, ScoringOpened)


def _score_picture(run: ScoringRun, *, name: str, keep: Path | None, reference: Path | None) -> None:
    request = ScorePicture(name, keep and str(keep), reference and str(reference))
    scored = run.worker.ask(request, PictureScored)
    run.pixels += scored.pixels
    run.agreeing += scored.agreeing or 0


def _sum_up(run: ScoringRun) -> None:
    run.summed_up = run.worker.ask(SumUp(), SummedUp)


def _accuracy(
    run: ScoringRun, pictures: PictureList, runtime: str, reference: ScoringRun | None, names: Mapping[Path, str]
) -> Accuracy:
    assert run.summed_up is not None
    return Accuracy(
        data=pictures.dataset.manifest.name,
        split=pictures.split,
        images=run.summed_up.images,
        runtime=runtime,
        miou=run.summed_up.miou,
        iou=run.summed_up.iou,
        reference=names[reference.model] if reference else None,
        agreement=run.agreeing / run.pixels if reference else None,
    )
