"""Whether a device wants the model that a manifest describes; asked before a byte of it is fetched."""

from collections.abc import Sequence

from edge_seg.errors import UpdateError
from edge_seg.updates.device_class import fits
from edge_seg.updates.manifest import Manifest
from edge_seg.updates.store import ModelStore


class RefusedBeforeError(UpdateError):
    """This device has refused the version that is offered, and said why then."""


def refused_before(store: ModelStore, version: int) -> RefusedBeforeError:
    """Say that a version is offered that was refused here, and why that was."""
    return RefusedBeforeError(
        f"offers version {version}, which was refused here ({store.refused[version]}); sign what is better with a "
        "higher --version, or, where this device was at fault, give it another --model-folder"
    )


def is_current(manifest: Manifest, store: ModelStore) -> bool:
    """Whether it is the model that runs.

    Raises:
        UpdateError: it has that one's version, and is another.
    """
    current = store.current()
    if current is None or current.manifest.version != manifest.version:
        return False
    if current.manifest.sha256 != manifest.sha256:
        raise UpdateError(
            f"offers another model as version {manifest.version} than the one that runs here; sign it with a higher "
            "--version"
        )
    return True


def check_wanted(manifest: Manifest, store: ModelStore, *, device: str, classes: Sequence[str] | None) -> None:
    """Check a model that is not the current one.

    Args:
        manifest: the model's.
        store: knows what was here.
        device: what this is, as `device_class.this_device` names it.
        classes: names it must have, in this order; None for any.

    Raises:
        RefusedBeforeError: it was refused here.
        UpdateError: it is older than what was here, or is for other devices or other classes.
    """
    if manifest.version < store.highest_version:
        raise UpdateError(
            f"offers version {manifest.version}, but version {store.highest_version} was here already; to go back, "
            "sign the old model with a higher --version"
        )
    if manifest.version in store.refused:
        raise refused_before(store, manifest.version)
    if not fits(manifest.device_class, device):
        raise UpdateError(
            f"offers a model for {manifest.device_class}, and this device is {device}; give this one an address of "
            "its own, or sign with another --device-class"
        )
    if classes is not None and tuple(classes) != manifest.classes:
        raise UpdateError(
            f"offers a model with the classes {', '.join(manifest.classes)}, but rules and outputs here were made for "
            f"{', '.join(classes)}; start the camera anew with another --model-folder"
        )
