"""What annotations call the ids of a class map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.classes import IGNORE_ID, IGNORE_NAME, SegmentationClass
from edge_seg.errors import DatasetError

_CANVAS_NAME = "background"


@dataclass(frozen=True)
class Labels:
    """Names of ids, and the id of what no annotation covers.

    Attributes:
        names: every id an exported class map may hold: classes, canvas and ignore id.
        canvas_id: the background class; where there is none, an id of its own.
        ignore_id: what neither trains nor scores, named "ignore".
    """

    names: Mapping[int, str]
    canvas_id: int
    ignore_id: int

    @classmethod
    def of(cls, classes: Sequence[SegmentationClass], ignore_id: int = IGNORE_ID) -> "Labels":
        """Name the ids of `classes`.

        Raises:
            DatasetError: a class has the name of what is ignored, or there is no id left for the canvas.
        """
        names = {item.id: item.name for item in classes}
        if IGNORE_NAME in names.values():
            raise DatasetError(
                f"the class '{IGNORE_NAME}' has the name that annotations give to ignored pixels; rename the class"
            )
        canvas_id = _canvas_id(classes, ignore_id)
        return cls({canvas_id: _CANVAS_NAME} | names | {ignore_id: IGNORE_NAME}, canvas_id, ignore_id)

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names of the classes that annotations outline, in the order of their ids."""
        unnamed = (self.canvas_id, self.ignore_id)
        return tuple(name for item, name in sorted(self.names.items()) if item not in unnamed)

    @property
    def canvas(self) -> str:
        """Name of what no annotation covers."""
        return self.names[self.canvas_id]


def _canvas_id(classes: Sequence[SegmentationClass], ignore_id: int) -> int:
    taken = {item.id for item in classes} | {ignore_id}
    background = (item.id for item in classes if item.is_background)
    free = (item for item in range(256) if item not in taken)
    found = next(background, None)
    found = next(free, None) if found is None else found
    if found is None:
        raise DatasetError(f"{len(classes)} classes of which none is a background leave no id for one; name one so")
    return found


def refuse_existing(path: Path) -> None:
    """Raise DatasetError if there is something at `path`: an export overwrites nothing."""
    if path.exists() or path.is_symlink():
        raise DatasetError(f"{path}: exists already; name another output or remove it first")
