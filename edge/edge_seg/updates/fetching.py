"""Fetching a new model: its manifest first, then, when everything in it suits this device, the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_seg.updates.store import Candidate, ModelStore


@dataclass(frozen=True)
class Limits:
    """What a server may cost."""

    connect_s: float = 10.0
    """For the name, the connection and the encryption, each."""
    window_s: float = 30.0
    """After every window a server must have given `lowest_bytes_per_s` throughout it, or it is given up."""
    lowest_bytes_per_s: float = 500.0
    keep_free_bytes: int = 64 * 2**20
    """What stays free of the disk."""


def fetch(
    url: str,
    public_key: Ed25519PublicKey,
    store: ModelStore,
    *,
    device: str,
    classes: Sequence[str] | None = None,
    ca_file: Path | None = None,
    plaintext: bool = False,
    limits: Limits = Limits(),
) -> Candidate | None:
    """Return a newer model than the one that runs, fetched and verified, or None when there is none.

    Args:
        url: of the model; its manifest is at the same path with ".manifest.json" behind it.
        public_key: which manifests must be signed with.
        store: knows what this device has had; the candidate lies in its download folder.
        device: as `device_class.this_device` names it.
        classes: names that a model must have, in this order; None for a device that has no model yet.
        ca_file: certificates to trust beside the system's.
        plaintext: allow http:// to public addresses.
        limits: of time and space.

    Raises:
        UpdateError: one sentence, the same for the same cause; nothing of the device has changed.
    """
    raise NotImplementedError
