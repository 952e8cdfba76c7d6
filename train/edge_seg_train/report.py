"""report.html of a run: what it measured, what it sees and what it was made with, on one page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import SegmentationClass
from edge_seg.contact_sheet import tile
from edge_seg.dataset import Dataset, SplitPolicy
from edge_seg.drawing import draw_overlay
from edge_seg.files import write_text
from edge_seg.metrics import ConfusionMatrix
from edge_seg.pages import data_uri, embedded, embedded_file, render
from edge_seg.resampling import shrink_mask
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.environment import read_environment
from edge_seg_train.history import Epoch, best_epoch, duration, step_time
from edge_seg_train.kept_network import load_network
from edge_seg_train.paper import DARK, LIGHT
from edge_seg_train.plots import curves_svg
from edge_seg_train.validation import Example, ScoredPicture, ValidationSet

PICTURES_SHOWN = 6
_PICTURE_WIDTH = 440
_ORIGINS = {
    "random": "drawn at random",
    "stratified": "drawn so that every class has its share in every split",
    "given lists": "taken from lists that came with the pictures",
}


@dataclass(frozen=True)
class Row:
    """One validation picture on the page; its three pictures are data URIs."""

    name: str
    miou: float
    photograph: str
    truth: str
    prediction: str


def write_report(
    folder: RunFolder, epochs: Sequence[Epoch], config: RunConfig, dataset: Dataset, validation: ValidationSet
) -> None:
    """Evaluate the best model of a run once more, and write report.html."""
    model = load_network(folder)
    result = validation.evaluate(model)
    worst, best = extremes(result.pictures, PICTURES_SHOWN)

    def rows(pictures: Sequence[ScoredPicture]) -> list[Row]:
        # One at a time: they are decoded at full size.
        return [
            picture_row(picture, validation.examples(model, [picture.sample])[0], dataset.classes)
            for picture in pictures
        ]

    page = render(
        "run_report.html",
        package="edge_seg_train",
        name=folder.path.resolve().name,
        manifest=dataset.manifest,
        best=best_epoch(epochs),
        epochs=epochs,
        planned_epochs=config.epochs,
        train_count=len(dataset.samples("train")),
        val_count=len(result.pictures),
        parameters=model.count_params(),
        time=time_sentence(epochs),
        split=split_sentence(dataset.manifest.split),
        is_grouped=bool(dataset.manifest.split.grouped_by),
        data_folder=dataset.folder,
        curves=data_uri(curves_svg(epochs, dataset.classes, LIGHT), ".svg"),
        dark_curves=data_uri(curves_svg(epochs, dataset.classes, DARK), ".svg"),
        shares=truth_shares(result.confusion),
        pixel_shares=result.confusion.sum(axis=1) / max(1, result.confusion.sum()),
        worst=rows(worst),
        best_rows=rows(best),
        network=embedded_file(folder.network_path),
        config=list(flat(config.model_dump(exclude_none=True))),
        environment=list(flat(read_environment(folder))),
    )
    write_text(folder.report_path, as_text(page))


def extremes(pictures: Sequence[ScoredPicture], count: int) -> tuple[Sequence[ScoredPicture], Sequence[ScoredPicture]]:
    """Return up to `count` pictures of the lowest mIoU, rising, and of the highest, falling; none is in both.

    Pictures of ignored pixels alone have no mIoU and are left out.
    """
    ordered = sorted((each for each in pictures if not np.isnan(each.miou)), key=lambda each: each.miou)
    worst = ordered[: min(count, (len(ordered) + 1) // 2)]
    return worst, ordered[len(worst) :][-count:][::-1]


def truth_shares(confusion: ConfusionMatrix) -> NDArray[np.float64]:
    """Return what share of the pixels of each true class (rows) was given which class; NaN rows for absent classes."""
    totals = confusion.sum(axis=1, keepdims=True)
    return np.divide(confusion, totals, out=np.full(confusion.shape, np.nan), where=totals > 0)


def picture_row(picture: ScoredPicture, example: Example, classes: Sequence[SegmentationClass]) -> Row:
    """Draw truth and prediction over the photograph, at the size of the page."""
    photograph = tile(example[0], _PICTURE_WIDTH)
    height, width = photograph.shape[:2]
    truth, prediction = (draw_overlay(photograph, shrink_mask(each, height, width), classes) for each in example[1:])
    images = (embedded(each, widest=_PICTURE_WIDTH) for each in (photograph, truth, prediction))
    return Row(picture.sample.name, picture.miou, *images)


def time_sentence(epochs: Sequence[Epoch]) -> str:
    """Say how long the epochs took, and where the time of a step went."""
    seconds = sum(epoch.seconds for epoch in epochs)
    step = step_time(epochs)
    where = f"; one step: {step}" if step else ""
    return f"{duration(seconds)} in all, {duration(seconds / len(epochs))} an epoch{where}."


def split_sentence(split: SplitPolicy) -> str:
    """Say how the validation pictures were chosen."""
    origin = _ORIGINS.get(split.policy, f"divided {split.policy}")
    seed = "" if split.policy == "given lists" else f" (seed {split.seed})"
    together = f"; kept together in one split: {split.grouped_by}" if split.grouped_by else ""
    return f"The validation pictures were {origin}{seed}{together}."


def flat(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of a table of TOML, and of the tables in it."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value)
        else:
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def as_text(page: str) -> str:
    """Return a page that UTF-8 can hold: bytes of file names that are no text become escapes."""
    return page.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
