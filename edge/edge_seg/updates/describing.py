"""Writing a manifest of a model, and holding a model to its manifest; where models are made, not on the device."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from edge_seg.errors import UpdateError
from edge_seg.images import RgbImage
from edge_seg.model_identity import file_sha256
from edge_seg.segmenter import Segmenter
from edge_seg.updates.golden import agreement, golden_class_map, golden_picture, make_golden
from edge_seg.updates.manifest import ANY_DEVICE, LEAST_AGREEMENT, Golden, Manifest


@dataclass(frozen=True)
class Promise:
    """What whoever signs a model says of it, beside what the model says itself."""

    version: int
    name: str
    device_class: str = ANY_DEVICE
    slowest_ms: float | None = None
    least_agreement: float = LEAST_AGREEMENT
    any_golden: bool = False
    """Also a golden picture that a broken model could pass."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    passed: bool
    found: str


def describe_model(path: Path, segmenter: Segmenter, picture: RgbImage, promise: Promise) -> Manifest:
    """Return the manifest of a model that answers a golden picture now.

    Args:
        path: the model's file.
        segmenter: the same, loaded.
        picture: [height, width, 3] uint8 RGB, any size.
        promise: what cannot be found in the file.

    Raises:
        UpdateError: a name, version or device class that cannot be, or a golden picture that proves nothing.
    """
    golden = make_golden(segmenter, picture, promise.least_agreement)
    if not promise.any_golden:
        _check_telling(golden, [item.name for item in segmenter.classes])
    try:
        return Manifest(
            name=promise.name,
            version=promise.version,
            sha256=file_sha256(path),
            size_bytes=path.stat().st_size,
            classes=tuple(item.name for item in segmenter.classes),
            device_class=promise.device_class,
            slowest_ms=promise.slowest_ms,
            golden=golden,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    except ValidationError as error:
        raise _unfit(path, error) from None


def checks_of_file(path: Path, manifest: Manifest) -> list[Check]:
    """Hold a file's bytes to a manifest.

    Raises:
        OSError: it cannot be read.
    """
    size_bytes, sha256 = path.stat().st_size, file_sha256(path)
    return [
        Check("size", size_bytes == manifest.size_bytes, f"{size_bytes} of {manifest.size_bytes} bytes"),
        Check("SHA-256", sha256 == manifest.sha256, f"{sha256}{_OTHER_BYTES if sha256 != manifest.sha256 else ''}"),
    ]


def checks_of_answer(segmenter: Segmenter, manifest: Manifest) -> list[Check]:
    """Hold a loaded model to a manifest: its classes, and what it makes of the golden picture.

    Raises:
        UpdateError: the golden picture cannot be decoded.
    """
    names = tuple(item.name for item in segmenter.classes)
    share = agreement(manifest.golden, segmenter.segment(golden_picture(manifest.golden)).class_map)
    return [
        Check("classes", names == manifest.classes, ", ".join(names)),
        Check("golden picture", share >= manifest.golden.least_agreement, f"{share:.2%} of the pixels as signed"),
    ]


def golden_shares(golden: Golden, classes: Sequence[str]) -> dict[str, float]:
    """Return the share of each class in the golden picture's class map, 0 to 1, those alone that are there."""
    ids, counts = np.unique(golden_class_map(golden), return_counts=True)
    names = dict(enumerate(classes))
    return {
        names.get(int(index), f"class {index}"): float(count / counts.sum())
        for index, count in zip(ids, counts, strict=True)
    }


def _check_telling(golden: Golden, classes: Sequence[str]) -> None:
    """Refuse a golden picture that a model passes which answers the same class everywhere."""
    name, share = max(golden_shares(golden, classes).items(), key=lambda item: item[1])
    if share >= golden.least_agreement:
        raise UpdateError(
            f"the golden picture proves nothing: the model finds {share:.1%} {name} in it, so a broken one that finds "
            f"nothing but {name} would pass; give a picture with more to find, or --any-golden"
        )


def _unfit(path: Path, error: ValidationError) -> UpdateError:
    fault = error.errors()[0]
    field = str(fault["loc"][0])
    rule = _RULES.get(field, f"cannot be its {field} ({fault['msg']})")
    return UpdateError(f"{path}: cannot be signed, {fault['input']!r} {rule}")


_OTHER_BYTES = ", of other bytes than those that were signed"
_RULES = {
    "name": "is no name, which is of letters, digits and . _ - ; give one with --name",
    "device_class": "is no device class, which is of small letters and digits with - between, as raspberry-pi-5",
    "version": "is no version, which is a whole number from 1 to 9007199254740991",
    "size_bytes": "bytes are more than the gigabyte that a model may have; convert it to int8",
}
