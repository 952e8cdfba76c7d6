"""What every annotation format is read into: pictures with regions, in drawing order.

A format module reads its files lazily, one picture at a time, and leaves shapes as its file writes
them. They are parsed where they are drawn, in a worker process, so that a file of any length needs
little memory and both cores have work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edge_seg.importers.shapes import Shape


@dataclass(frozen=True)
class Region:
    """One drawn shape.

    Attributes:
        number: its place in the picture, counted from 1, as annotation tools show it.
        attributes: attribute name to value, as the file writes them; one of them names the class.
        geometry: what the format's `shape` makes a shape of.
        layer: regions of higher layers are drawn over those of lower ones.
    """

    number: int
    attributes: Mapping[str, object]
    geometry: Any
    layer: int = 0


@dataclass(frozen=True)
class AnnotatedPicture:
    """A picture's file name, as the annotation writes it, and its regions.

    Attributes:
        file_name: a name or a path of any kind; nothing is opened by it (see `pictures.py`).
        regions: in the order of the file.
        size: (width, height) that the annotation states, where it does.
        size_bytes: length of the picture's file that the annotation states, where it does.
        complete: further entries for the same picture are an error, not further regions.
    """

    file_name: str
    regions: tuple[Region, ...]
    size: tuple[int, int] | None = None
    size_bytes: int | None = None
    complete: bool = True


@dataclass(frozen=True)
class DrawingStyle:
    """How shapes without an area of their own are drawn.

    Attributes:
        line_width: width of polylines in pixels.
        fill_polylines: take polylines as polygons, for outlines traced with that tool.
        point_radius: radius in pixels of the discs that points become; 0 leaves them out, None makes them an error.
        fill_boxes: fill the bounding box of a region that has no outline.
    """

    line_width: int = 5
    fill_polylines: bool = False
    point_radius: int | None = None
    fill_boxes: bool = False


@dataclass(frozen=True)
class AnnotationFile:
    """What one annotation file says beside its pictures: the order of its classes, where it has one."""

    class_order: tuple[str, ...] = ()
    pictures: Iterator[AnnotatedPicture] = field(default_factory=lambda: iter(()))


class AnnotationFormat(Protocol):
    """One annotation format; implementations hold no state, so that they travel to worker processes."""

    @property
    def name(self) -> str:
        """The word after `edge-seg data import`."""
        ...

    @property
    def title(self) -> str:
        """What its users call it."""
        ...

    @property
    def suffixes(self) -> frozenset[str]:
        """Suffixes of its files, for the search through a folder."""
        ...

    @property
    def label_attribute(self) -> str | None:
        """The attribute that names the class; None where the user's own attributes do."""
        ...

    def recognises(self, path: Path) -> bool:
        """True when the content of the file `path` is of this format; never raises AnnotationError."""
        ...

    def read(self, path: Path) -> AnnotationFile:
        """Read one file lazily.

        Raises:
            AnnotationError: at once or while iterating, when the file is not of this format.
        """
        ...

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a shape of a region's geometry; None when the style leaves it out.

        Args:
            geometry: a region's.
            size: (width, height) of the picture the coordinates are meant for.
            style: how shapes without an area are drawn.
            where: file, picture and region, to begin an error with.

        Raises:
            AnnotationError: no shape that can be drawn.
        """
        ...
