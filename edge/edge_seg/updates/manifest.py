"""What a manifest says of a model: which bytes, which version, for which devices, and what it must answer."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_seg.errors import UpdateError
from edge_seg.validation import first_fault

MANIFEST_SUFFIX = ".manifest.json"
"""Follows the model's whole name: model.tflite.manifest.json."""

LARGEST_MODEL_BYTES = 2**30
LARGEST_MANIFEST_BYTES = 8 * 2**20
"""A golden picture of a megapixel takes some 3 MB."""

LEAST_AGREEMENT = 0.99
ANY_DEVICE = "any"

_LONGEST_FAULT = 200
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
_DEVICE_CLASS = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class Golden(BaseModel):
    """A picture, and what the model must make of it on every device.

    The picture has the network's input size, so that no shrinking comes between: an int8 network answers the same
    bytes bit-identically on all processors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture_png: str = Field(min_length=1, repr=False)
    """Base64 of a PNG [height, width, 3], RGB."""
    class_map_png: str = Field(min_length=1, repr=False)
    """Base64 of a PNG [height, width], one class id a pixel."""
    least_agreement: float = Field(default=LEAST_AGREEMENT, gt=0, le=1)
    """Share of the pixels that must be of the class expected."""


class Manifest(BaseModel):
    """Everything that a device must know of a new model before it trusts it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    name: str = Field(pattern=_NAME)
    """The model's; a part of file names on the device."""
    version: int = Field(ge=1, lt=2**53, strict=True)
    """Grows: a device takes only what is newer than what it has had."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the model's file."""
    size_bytes: int = Field(ge=1, le=LARGEST_MODEL_BYTES, strict=True)
    classes: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=2, max_length=255)
    """Names in the order of their ids; rules and receivers on the device depend on them."""
    device_class: str = Field(default=ANY_DEVICE, pattern=_DEVICE_CLASS)
    """"any", or the beginning of what `device_class.this_device` calls the devices it is for."""
    slowest_ms: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """What one inference may take on the device."""
    golden: Golden
    created: str = Field(max_length=40)
    """When it was signed, ISO 8601; for people."""


def parse_manifest(text: str | bytes) -> Manifest:
    """Read a manifest's JSON.

    Raises:
        UpdateError: it is none, or of a later format.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = first_fault(error)
        told = fault if fault.isprintable() and len(fault) <= _LONGEST_FAULT else "a field of an odd name"
        raise UpdateError(
            f"the manifest cannot be understood ({told}); sign the model again with this edge-seg, or "
            "update edge-seg on the device"
        ) from None


def manifest_json(manifest: Manifest) -> bytes:
    """Return the JSON that `parse_manifest` reads."""
    return manifest.model_dump_json().encode()
