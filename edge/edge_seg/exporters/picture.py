"""What an annotation file says of a picture beside its regions."""

from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import DatasetError
from edge_seg.images import ClassMap


@dataclass(frozen=True)
class Picture:
    """A picture file: name, size in pixels as displayed (EXIF orientation applied), size in bytes."""

    file_name: str
    width: int
    height: int
    size_bytes: int

    @classmethod
    def of(cls, path: Path, class_map: ClassMap) -> "Picture":
        """Describe the file at `path`, which `class_map` [h, w] belongs to.

        Raises:
            DatasetError: its name is not Unicode, so no JSON can hold it.
        """
        try:
            path.name.encode()
        except UnicodeEncodeError:
            raise DatasetError(f"{str(path)!a}: its name is not Unicode text; rename the file") from None
        height, width = class_map.shape
        return cls(path.name, width, height, path.stat().st_size)
