"""Which devices a model is for, and which of them this one is."""

import platform

from edge_seg.alerts.slugs import slug
from edge_seg.machine import board_model
from edge_seg.updates.manifest import ANY_DEVICE

_KNOWN = ("raspberry-pi", "nvidia-jetson", "x86-64", "aarch64", "armv7l")
"""How names begin: device trees say "Raspberry Pi 5 Model B Rev 1.0", "NVIDIA Jetson Orin Nano Developer Kit"."""


def this_device() -> str:
    """Return what this device is: "raspberry-pi-5-model-b-rev-1-0"; without a board's name its processor, "x86-64"."""
    return _slug(board_model() or platform.machine())


def fits(device_class: str, device: str) -> bool:
    """Whether a model for `device_class` is for `device`.

    "any" fits all, "raspberry-pi" every Raspberry Pi, "raspberry-pi-5" the fifth of all revisions.
    """
    return device_class == ANY_DEVICE or f"{_slug(device)}-".startswith(f"{device_class}-")


def doubts_about(device_class: str) -> str | None:
    """Say in one sentence that no device is known which a model for `device_class` would be for, or None."""
    if any(fits(device_class, device) or fits(device, device_class) for device in (*_KNOWN, this_device())):
        return None
    return (
        f"--device-class {device_class}: no device is known whose name begins so, as {', '.join(_KNOWN)} do; only "
        "cameras started with this --device-class will take the model"
    )


def _slug(text: str) -> str:
    return slug(text).replace("_", "-")
