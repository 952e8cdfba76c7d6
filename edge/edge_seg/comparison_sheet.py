"""A sheet of photograph, truth and answer beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_seg.classes import SegmentationClass
from edge_seg.contact_sheet import contact_sheet, tile
from edge_seg.drawing import draw_overlay
from edge_seg.images import ClassMap, RgbImage

_PICTURES_OF_EXAMPLE = 3


@dataclass(frozen=True, eq=False)
class Example:
    """A photograph, what is on it, and what a model says is on it.

    `image` is RGB uint8 [h, w, 3], `truth` and `answer` are class ids, uint8 [h, w].
    """

    image: RgbImage
    truth: ClassMap
    answer: ClassMap
    captions: tuple[str, str, str] = ("photograph", "truth", "prediction")


def comparison_sheet(
    examples: Sequence[Example],
    classes: Sequence[SegmentationClass],
    *,
    tile_width: int,
    examples_per_row: int = 1,
    note: str = "",
) -> RgbImage:
    """Lay examples out, three pictures each, with a legend of the classes.

    Args:
        examples: at least one.
        classes: the classes, by id.
        tile_width: mean width of a picture on the page, in pixels.
        examples_per_row: how many stand beside each other.
        note: a sentence underneath, e.g. whose photographs these are.

    Returns:
        RGB uint8 [height, width, 3].
    """
    tiles = [tile(picture, tile_width) for example in examples for picture in _pictures(example, classes)]
    captions = [caption for example in examples for caption in example.captions]
    columns = _PICTURES_OF_EXAMPLE * min(examples_per_row, len(examples))
    return contact_sheet(tiles, columns, tile_width, captions, classes, note)


def _pictures(example: Example, classes: Sequence[SegmentationClass]) -> tuple[RgbImage, RgbImage, RgbImage]:
    return (
        example.image,
        draw_overlay(example.image, example.truth, classes),
        draw_overlay(example.image, example.answer, classes),
    )
