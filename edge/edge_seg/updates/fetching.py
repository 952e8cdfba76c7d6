"""Fetching a new model: its manifest first, then, when everything in it suits this device, the model."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_seg.errors import UpdateError
from edge_seg.updates.acceptance import check_wanted, is_current
from edge_seg.updates.address import Address, parse_model_address
from edge_seg.updates.connection import Client
from edge_seg.updates.downloading import Download
from edge_seg.updates.limits import Limits
from edge_seg.updates.manifest import LARGEST_MANIFEST_BYTES, Manifest
from edge_seg.updates.signing import verified
from edge_seg.updates.state import telling_faults
from edge_seg.updates.store import Candidate, ModelStore

_NOT_MODIFIED = 304
_WHAT = "manifest"


@dataclass(frozen=True)
class Offer:
    """A newer model than the one that runs, of which the device knows the manifest alone."""

    client: Client
    address: Address
    manifest: Manifest
    url: str
    etag: str

    def download(self, store: ModelStore, keep_free_bytes: int) -> Candidate:
        """Fetch the model into the store's download folder.

        Raises:
            UpdateError: one sentence, the same for the same cause; the models in the store are as they were.
        """
        with telling_faults(store.folder):
            path = Download(self.client, self.address, self.manifest, store.download_folder).run(keep_free_bytes)
        return Candidate(path, self.manifest, self.url, self.etag)


def ask(
    url: str,
    public_key: Ed25519PublicKey,
    store: ModelStore,
    *,
    device: str,
    classes: Sequence[str] | None = None,
    ca_file: Path | None = None,
    plaintext: bool = False,
    limits: Limits = Limits(),
    stopping: threading.Event | None = None,
) -> Offer | None:
    """Return what is offered instead of the model that runs, its manifest verified, or None for the same model.

    Args:
        url: of the model, with user and password in it if need be; its manifest is at the same path with
            ".manifest.json" behind it.
        public_key: which manifests must be signed with.
        store: knows what this device has had.
        device: as `device_class.this_device` names it.
        classes: names that a model must have, in this order; None for a device that has no model yet.
        ca_file: certificates to trust beside the system's.
        plaintext: allow http:// to public addresses.
        limits: of time and space.
        stopping: set to end fetching within a second, as an UpdateError.

    Raises:
        RefusedBeforeError: what is offered was refused here before.
        UpdateError: one sentence, the same for the same cause; the models in the store are as they were.
    """
    address = parse_model_address(url, plaintext=plaintext)
    client = Client(limits, ca_file, stopping or threading.Event())
    is_new_device = not (store.current() or store.refused)  # an ETag that it knows all the same is of nothing it has
    known = "" if is_new_device else store.etag(url)
    found = _ask_for_manifest(client, address.manifest, known)
    if found is None:
        return None
    text, etag = found
    manifest = _wanted(text, public_key, store, address, device, classes)
    if manifest is None:
        store.remember_etag(url, etag)
        return None
    return Offer(client, address, manifest, url, etag)


def _ask_for_manifest(client: Client, address: Address, known_etag: str) -> tuple[bytes, str] | None:
    """Return the manifest's text with its ETag, or None when it is the known one."""
    with client.get(address, {"If-None-Match": known_etag} if known_etag else {}) as answer:
        if answer.status == _NOT_MODIFIED and known_etag:
            return None
        if answer.status != 200:
            raise answer.refusal(_WHAT)
        text = bytearray()
        for piece in answer.pieces(_WHAT):
            text += piece
            if len(text) > LARGEST_MANIFEST_BYTES:
                raise UpdateError(
                    f"{answer.place}: its manifest has more than {LARGEST_MANIFEST_BYTES / 1e6:.0f} MB, so it is none; "
                    "make it with  edge-seg models sign"
                )
        if text.lstrip().startswith(b"<"):
            raise UpdateError(
                f"{answer.place}: answers with a web page instead of the manifest; does the network ask for a login? "
                "Else check the address"
            )
        return bytes(text), answer.etag


def _wanted(
    text: bytes,
    public_key: Ed25519PublicKey,
    store: ModelStore,
    address: Address,
    device: str,
    classes: Sequence[str] | None,
) -> Manifest | None:
    """Return the manifest in a signed text, or None when it is that of the model that runs."""
    try:
        manifest = verified(text, public_key)
        if is_current(manifest, store):
            return None
        check_wanted(manifest, store, device=device, classes=classes)
    except UpdateError as error:
        raise type(error)(f"{address.shown}: {error}") from None
    return manifest
