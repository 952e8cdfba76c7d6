"""Which pictures of an archive are still to be done."""

from collections.abc import Iterable, Iterator, Sequence

from edge_seg.archive.arrow import Column, Table, pa, pc
from edge_seg.archive.place import Place
from edge_seg.archive.storage import MASKS, picture_names
from edge_seg.folder_run.outputs import unique_stems


def pictures_of(source: Place) -> Table:
    """Return the pictures of an archive as `named_masks` does.

    Raises:
        SourceError: there is none, or the source cannot be listed.
    """
    return named_masks(picture_names(source))


def named_masks(paths: Sequence[str]) -> Table:
    """Return `path` of every picture, sorted as they come, and `mask`: what its mask is called below the output.

    Masks keep the pictures' folders, and in a flat folder have the names that `edge-seg run --out masks:` gives. The
    mask of x.jpg beside a folder x.png is x_jpg.png: a disk has no file and folder of one name.
    """
    masks = (f"{MASKS}/{stem}.png" for stem in unique_stems(paths, taken=_folder_stems(paths)))
    return pa.table({"path": pa.array(paths, pa.string()), "mask": pa.array(masks, pa.string())})


def _folder_stems(paths: Iterable[str]) -> Iterator[str]:
    """Yield what masks may not be called, as a folder has the name."""
    for path in paths:
        start = path.find(".png/")
        while start >= 0:
            yield path[:start]
            start = path.find(".png/", start + 1)


def pending_pictures(pictures: Table, done: Table, output: Place) -> Table:
    """Return those of `pictures` that are not done, as `not_done` tells by the masks that an output holds.

    Raises:
        SourceError: the masks cannot be listed.
    """
    return not_done(pictures, done, pa.array(_whole_masks(output), pa.string()))


def not_done(pictures: Table, done: Table, masks: Column) -> Table:
    """Return those of `pictures` that have no row in `done`, or whose mask is not there or would be another's now.

    Args:
        pictures: `path` and `mask`.
        done: the same, of pictures that were segmented.
        masks: those that are there.
    """
    has_row = pc.is_in(_pairs(pictures), value_set=_pairs(done))
    return pictures.filter(pc.invert(pc.and_(has_row, pc.is_in(pictures["mask"], value_set=masks))))


def _pairs(pictures: Table) -> Column:
    return pc.binary_join_element_wise(pictures["path"], pictures["mask"], "\n")


def _whole_masks(output: Place) -> Iterator[str]:
    """Yield the masks that are there; not those that a power cut left empty on a disk."""
    for name in output.each_name(MASKS):
        if not output.local or (output.folder / name).stat().st_size > 0:
            yield name
