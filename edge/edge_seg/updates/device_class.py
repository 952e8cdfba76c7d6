"""Which devices a model is for, and which of them this one is."""

import platform

from edge_seg.alerts.slugs import slug
from edge_seg.machine import board_model
from edge_seg.updates.manifest import ANY_DEVICE


def this_device() -> str:
    """Return what this device is: "raspberry-pi-5-model-b-rev-1-0"; without a board's name its processor, "x86-64"."""
    return _slug(board_model() or platform.machine())


def fits(device_class: str, device: str) -> bool:
    """Whether a model for `device_class` is for `device`.

    "any" fits all, "raspberry-pi" every Raspberry Pi, "raspberry-pi-5" the fifth of all revisions.
    """
    return device_class == ANY_DEVICE or f"{_slug(device)}-".startswith(f"{device_class}-")


def _slug(text: str) -> str:
    return slug(text).replace("_", "-")
