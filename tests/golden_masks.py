"""Golden masks: what the shipped models answer to a few pictures, and how near to that other precisions must come.

    python tests/golden_masks.py [CONVERTED]

makes them anew. CONVERTED holds a folder for each shipped model, called as it is, with what `edge-seg convert` wrote;
without it the record has no floors for the precisions that do not ship.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict
from skimage.data import chelsea

from edge_seg.files import write_text
from edge_seg.images import ClassMap, RgbImage, read_image, read_mask, write_mask
from edge_seg.metrics import confusion_matrix, scores
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import shipped_models

FOLDER = Path(__file__).parent / "golden"
RECORD = FOLDER / "golden.json"
INT8_FLOOR = 0.99
"""For the shipped file on any machine and runtime."""
FLOOR_SLACK = 0.02
"""How far below what was measured the floor of another precision lies."""
OTHER_PRECISIONS = {"float32", "float16", "dynamic"}
_LEAST_SHARE = 0.02
_NO_ID = 255
_INPUTS = "inputs"


class Golden(BaseModel):
    """What is recorded of the masks of one model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    """Of the shipped file."""
    floors: dict[str, float]
    """The lowest mIoU with the golden masks that a precision may have."""
    measured: dict[str, float]
    """What it had when the masks were made."""


class Record(BaseModel):
    """golden.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    litert: str
    """The version that the masks were made with."""
    models: dict[str, Golden]


def pictures() -> dict[str, RgbImage]:
    """Return the pictures by name: a photograph under CC0 and drawn ones, of different shapes."""
    drawn = {path.stem: read_image(path) for path in sorted((FOLDER / _INPUTS).glob("*.png"))}
    return {"cat": chelsea(), **drawn}


def read_record() -> Record:
    """Return what is recorded."""
    return Record.model_validate_json(RECORD.read_bytes())


def golden_mask(model: str, picture: str) -> ClassMap:
    """Return the mask that a shipped model gave."""
    return read_mask(_mask_path(model, picture))


def likeness(segmenter: Segmenter, model: str, change: Callable[[RgbImage], RgbImage] = np.ascontiguousarray) -> float:
    """Return the mIoU of a model's masks with the golden ones of `model`, over the pixels of all pictures.

    Args:
        segmenter: gives the masks.
        model: name of a shipped model of the same classes.
        change: done to each picture before it is segmented.
    """
    count = len(segmenter.classes)
    matrices = [
        confusion_matrix(golden_mask(model, name), segmenter.segment(change(image)).class_map, count, _NO_ID)
        for name, image in pictures().items()
    ]
    return scores(np.sum(matrices, axis=0)).miou


def converted(folder: Path, model: str) -> Iterator[tuple[str, Path]]:
    """Give the precisions that `edge-seg convert` wrote for a model, and their files, except int8, which ships."""
    for path in sorted((folder / model).glob("*.tflite")):
        precision = path.stem.rpartition("_")[2]
        if precision != "int8":
            yield precision, path


def _mask_path(model: str, picture: str) -> Path:
    return FOLDER / model / f"{picture}.png"


def _write_masks(shipped: Path) -> None:
    segmenter = Segmenter.load(shipped)
    colours = [item.rgb for item in segmenter.classes]
    telling = 0
    for name, image in pictures().items():
        mask = segmenter.segment(image).class_map
        write_mask(_mask_path(shipped.stem, name), mask, colours)
        telling += int(np.sum(np.bincount(mask.ravel()) > _LEAST_SHARE * mask.size) > 1)
    if not telling:
        sys.exit(f"{shipped.stem}: sees one class in every picture, so that its masks tell nothing; add a picture")


def _describe(shipped: Path, folder: Path | None) -> Golden:
    files = dict(converted(folder, shipped.stem)) if folder else {}
    if folder and files.keys() != OTHER_PRECISIONS:
        where = folder / shipped.stem
        sys.exit(f"{where}: holds {', '.join(files) or 'no model'}; type  edge-seg convert RUN --out {where}")
    measured = {name: round(likeness(Segmenter.load(path), shipped.stem), 4) for name, path in files.items()}
    floors = {name: round(value - FLOOR_SLACK, 4) for name, value in measured.items()}
    return Golden(sha256=sha256(shipped), floors={"int8": INT8_FLOOR, **floors}, measured=measured)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(folder: Path | None) -> None:
    """Make all masks and the record anew."""
    for mask in FOLDER.glob("*/*.png"):
        if mask.parent.name != _INPUTS:
            mask.unlink()
    models: dict[str, Golden] = {}
    for shipped in shipped_models():
        _write_masks(shipped)
        models[shipped.stem] = _describe(shipped, folder)
        sys.stdout.write(f"{shipped.stem}: {models[shipped.stem].measured}\n")
    record = Record(litert=version("ai-edge-litert"), models=models)
    write_text(RECORD, record.model_dump_json(indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
