"""The pictures that a model gets most wrong, to look at."""

from collections.abc import Sequence

from edge_seg.comparison_sheet import Example, comparison_sheet
from edge_seg.dataset import Dataset
from edge_seg.evaluate import PictureScores
from edge_seg.images import RgbImage
from edge_seg.segmenter import Segmenter

_TILE_WIDTH = 144
_EXAMPLES_PER_ROW = 2


def failure_sheet(segmenter: Segmenter, dataset: Dataset, pictures: Sequence[PictureScores]) -> RgbImage:
    """Segment pictures once more and draw them: photograph, truth and answer, with name and mIoU.

    Underneath stand the source and the licence that the data set states: the sheet shows other people's photographs.

    Args:
        segmenter: the model that they were scored with.
        dataset: the data set that they are from.
        pictures: at least one.

    Returns:
        RGB uint8 [height, width, 3].
    """
    examples = [_example(segmenter, dataset, picture) for picture in pictures]
    return comparison_sheet(
        examples, dataset.classes, tile_width=_TILE_WIDTH, examples_per_row=_EXAMPLES_PER_ROW, note=_credit(dataset)
    )


def _example(segmenter: Segmenter, dataset: Dataset, picture: PictureScores) -> Example:
    image, truth = dataset.read(picture.sample)
    captions = (picture.sample.name, "truth", f"answer, mIoU {picture.scores.miou:.2f}")
    return Example(image, truth, segmenter.segment(image).class_map, captions)


def _credit(dataset: Dataset) -> str:
    manifest = dataset.manifest
    stated = [words for words in (manifest.source, manifest.licence) if words]
    return f"Photographs: {'; '.join(stated)}. Shrunk, with masks drawn over them." if stated else ""
