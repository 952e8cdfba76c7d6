"""Which pictures of an archive are still to be done."""

from collections.abc import Iterator

from edge_seg.archive.arrow import Column, Table, pa, pc
from edge_seg.archive.place import Place
from edge_seg.archive.storage import picture_names
from edge_seg.folder_run.outputs import unique_stems

MASKS = "masks"
"""The folder below the output."""


def pictures_of(source: Place) -> Table:
    """Return `path` of every picture, sorted, and `mask`: what its mask is called below the output.

    Masks keep the pictures' folders, and in a flat folder have the names that `edge-seg run --out masks:` gives.

    Raises:
        SourceError: there is no picture, or the source cannot be listed.
    """
    paths = picture_names(source)
    masks = (f"{MASKS}/{stem}.png" for stem in unique_stems(paths))
    return pa.table({"path": pa.array(paths, pa.string()), "mask": pa.array(masks, pa.string())})


def pending_pictures(pictures: Table, done: Table, output: Place) -> Table:
    """Return those of `pictures` that have no row in `done`, or whose mask is not there or would be another's now.

    Args:
        pictures: as `pictures_of` returns them.
        done: `path` and `mask` of pictures that were segmented.
        output: where the masks are.

    Raises:
        SourceError: the masks cannot be listed.
    """
    masks = pa.array(_whole_masks(output), pa.string())
    is_done = pc.and_(pc.is_in(_pairs(pictures), value_set=_pairs(done)), pc.is_in(pictures["mask"], value_set=masks))
    return pictures.filter(pc.invert(is_done))


def _pairs(pictures: Table) -> Column:
    return pc.binary_join_element_wise(pictures["path"], pictures["mask"], "\n")


def _whole_masks(output: Place) -> Iterator[str]:
    """Yield the masks that are there; not those that a power cut left empty on a disk."""
    for name in output.each_name(MASKS):
        if not output.local or (output.folder / name).stat().st_size > 0:
            yield name
