"""What is converted: a training run, or a network that somebody else trained."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_seg.classes import SegmentationClass, make_classes
from edge_seg.dataset import Dataset
from edge_seg.errors import ConversionError
from edge_seg.model_spec import InputRange
from edge_seg.run_folder import RunFolder
from edge_seg_convert.keras_models import SAVED_MODEL_FILE, is_model


@dataclass(frozen=True)
class Source:
    """A trained network and what is known of it."""

    model: Path
    """A .keras or .h5 file, or a SavedModel folder."""
    name: str
    classes: tuple[SegmentationClass, ...]
    dataset: Dataset | None
    """Where int8 is calibrated and all are verified; none for somebody else's model without --data."""
    input_range: InputRange | None = None
    """What the bytes 0 and 255 become, for a model that does not scale by itself."""
    seed: int = 0
    training: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    @property
    def provenance(self) -> str:
        """The name and the SHA-256 of the network."""
        file = self.model / SAVED_MODEL_FILE if self.model.is_dir() else self.model
        with file.open("rb") as opened:
            return f"{self.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}"


def open_source(
    path: Path, *, data: Path | None, labels: Sequence[str] | None, input_range: InputRange | None
) -> Source:
    """Find out what `path` is.

    Args:
        path: a run folder, a .keras or .h5 file, or a SavedModel folder.
        data: a data set folder; a run knows its own.
        labels: class names in the order of the scores, for a model that is not a run.
        input_range: for a model that takes floats.

    Raises:
        EdgeSegError: nothing that can be converted, or something about it is unsaid.
        DatasetError: the data set is gone or its classes are others than the model's.
    """
    if is_model(path):
        return _model_source(path, data, labels, input_range)
    if labels or input_range:
        raise ConversionError(f"{path}: a run knows its classes and scaling; leave out --labels and --input-range")
    return _run_source(RunFolder(path), data)


def _run_source(run: RunFolder, data: Path | None) -> Source:
    config, classes = run.read_config(), run.read_manifest().classes
    if data is None and not config.data.is_dir():
        raise ConversionError(f"{config.data}: the run's data set is gone; name the folder it is in now with --data")
    training = config.model_dump(mode="json", exclude={"data", "encoder_weights", "start_from", "teacher"})
    return Source(
        model=run.best_model_path,
        name=run.path.resolve().name,
        classes=classes,
        dataset=_open_dataset(data or config.data, classes, "the run learned"),
        seed=config.seed,
        training={**training, "encoder_weights": Path(config.encoder_weights).name},
    )


def _model_source(
    path: Path, data: Path | None, labels: Sequence[str] | None, input_range: InputRange | None
) -> Source:
    if not path.exists():
        raise ConversionError(f"{path}: no such model file; give a run folder, a .keras file or a SavedModel folder")
    if not labels:
        raise ConversionError(f"{path}: does not say its classes; give --labels FILE, one name per line")
    classes = make_classes(labels)
    dataset = _open_dataset(data, classes, "--labels names") if data else None
    return Source(path, path.resolve().stem, classes, dataset, input_range)


def _open_dataset(folder: Path, classes: Sequence[SegmentationClass], who_says: str) -> Dataset:
    """Open a data set of these classes and tell, before minutes of exporting, what is missing."""
    dataset = Dataset.open(folder)
    wanted = tuple(item.name for item in classes)
    if dataset.manifest.class_names != wanted:
        raise ConversionError(
            f"{dataset.folder}: has the classes {', '.join(dataset.manifest.class_names)}, but {who_says} "
            f"{', '.join(wanted)}; give its own data set with --data"
        )
    for split in ("train", "val"):
        dataset.samples(split)
    return dataset
