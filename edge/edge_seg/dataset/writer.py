"""Writing a data set folder, all or nothing."""

import errno
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.folder import Sample
from edge_seg.dataset.manifest import Manifest, SplitPolicy, write_manifest
from edge_seg.dataset.splitting import random_split
from edge_seg.errors import DatasetError
from edge_seg.files import make_folder, remove_empty
from edge_seg.images import ClassMap, RgbImage, write_image, write_mask


class DatasetWriter:
    """Builds a data set in a temporary folder beside `folder` and renames it when it is whole.

    A context manager: leaving it by an exception removes the temporary folder.

    Raises:
        DatasetError: `folder` exists and is not empty, no sample was added, or two share a stem.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        classes: Sequence[SegmentationClass],
        source: str = "",
        licence: str = "",
        split: SplitPolicy | None = None,
    ) -> None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DatasetError(f"{folder}: exists already; name another folder or remove it first")
        self._folder = folder
        self._temporary = folder.with_name(f".{folder.name}.part")
        self._manifest = Manifest(
            name=name, classes=tuple(classes), source=source, licence=licence, split=split or SplitPolicy()
        )
        self._made: Sequence[Path] = ()
        self._names: list[str] = []
        self._stems: set[str] = set()

    def __enter__(self) -> "DatasetWriter":
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._made = make_folder(self._folder.parent)
        try:
            for part in ("images", "masks", "splits"):
                (self._temporary / part).mkdir(parents=True)
        except OSError:
            self._clear()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            error.filename = str(self._folder)  # shutil names the file it copied from
        try:
            if kind is None:
                self._finish()
        finally:
            self._clear()

    def _clear(self) -> None:
        """Remove the temporary folder, and the parents that were made if the data set did not come to be."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        remove_empty(self._made)

    def add_file(self, image_path: Path, mask: ClassMap) -> None:
        """Add a picture by copying its file byte for byte, and its mask (class ids, uint8)."""
        name = self._claim(image_path.name)
        shutil.copyfile(image_path, self._temporary / "images" / name)
        self._write_mask(name, mask)

    def add_array(self, name: str, image: RgbImage, mask: ClassMap) -> None:
        """Add a picture from an array (RGB uint8 [h, w, 3]) under the file name `name`."""
        write_image(self._temporary / "images" / self._claim(name), image)
        self._write_mask(name, mask)

    def place(self, name: str) -> Sample:
        """Return where a picture and its mask belong, for another process to write before `record`."""
        stem = Path(name).stem
        return Sample(self._temporary / "images" / name, self._temporary / "masks" / f"{stem}.png")

    def record(self, name: str) -> None:
        """Count a picture in that was written to its `place`."""
        self._claim(name)

    def use_splits(self, splits: Mapping[str, Sequence[str]], policy: SplitPolicy) -> None:
        """Take given lists of image names in place of the random split."""
        self._manifest = self._manifest.model_copy(update={"split": policy})
        self._write_splits(splits)

    def _claim(self, name: str) -> str:
        stem = Path(name).stem
        if stem in self._stems:
            raise DatasetError(f"two images are called '{stem}'; masks go by that name, so rename one")
        self._stems.add(stem)
        self._names.append(name)
        return name

    def _write_mask(self, name: str, mask: ClassMap) -> None:
        colours = [item.rgb for item in self._manifest.classes]
        write_mask(self._temporary / "masks" / Path(name).with_suffix(".png").name, mask, colours)

    def _write_splits(self, splits: Mapping[str, Sequence[str]]) -> None:
        for split, names in splits.items():
            text = "".join(f"{name}\n" for name in names)
            (self._temporary / "splits" / f"{split}.txt").write_text(text, encoding="utf-8")

    def _finish(self) -> None:
        if not self._names:
            raise DatasetError(f"{self._folder}: no annotated image was found, so no data set was made")
        if not any((self._temporary / "splits").iterdir()):
            self._write_splits(random_split(self._names, self._manifest.split))
        write_manifest(self._temporary, self._manifest)
        if self._folder.exists():
            self._folder.rmdir()
        self._temporary.rename(self._folder)
