"""Signed manifests: Ed25519 over the exact bytes that are parsed afterwards.

The envelope is DSSE (https://github.com/secure-systems-lab/dsse, protocol 1.0.2):

    {"payload": base64 of the manifest's JSON, "payloadType": …, "signatures": [{"sig": base64}]}

Each signature is over "DSSEv1", the type and the payload with their lengths, so that nothing that was signed for
another purpose passes for a manifest. Nothing of the payload is parsed before a signature holds. With several
signatures, one by the device's key is enough: this is how a fleet changes its key.
"""

import base64
import binascii
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_seg.errors import UpdateError
from edge_seg.updates.manifest import Manifest, manifest_json, parse_manifest

PAYLOAD_TYPE = "application/vnd.edge-seg.model-manifest+json"
_MOST_SIGNATURES = 16
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


class _Signature(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sig: str
    keyid: str = ""
    """A hint in DSSE, which is not needed here."""


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    payload: str
    payloadType: str  # noqa: N815  as DSSE spells it
    signatures: tuple[_Signature, ...] = Field(min_length=1, max_length=_MOST_SIGNATURES)


def sign(manifest: Manifest, *keys: Ed25519PrivateKey) -> str:
    """Return the signed manifest's text, with a signature by each of `keys`."""
    payload = manifest_json(manifest)
    signatures = tuple(_Signature(sig=_base64(key.sign(_signed_bytes(payload)))) for key in keys)
    envelope = _Envelope(payload=_base64(payload), payloadType=PAYLOAD_TYPE, signatures=signatures)
    return envelope.model_dump_json(exclude_defaults=True) + "\n"


def verified(text: str | bytes, public_key: Ed25519PublicKey) -> Manifest:
    """Return the manifest of a signed text.

    Raises:
        UpdateError: no signed manifest, not signed by that key, or not understood.
    """
    envelope = _envelope(text)
    payload = _bytes(envelope.payload)
    if envelope.payloadType != PAYLOAD_TYPE:
        raise _no_envelope()
    signed = _signed_bytes(payload)
    if not any(_holds(public_key, _bytes(signature.sig), signed) for signature in envelope.signatures):
        raise UpdateError(
            "the manifest is not signed by the key that is trusted here, or was changed afterwards; sign it with the "
            "private key that belongs to it, or trust the right one here"
        )
    return parse_manifest(payload)


def make_keys(folder: Path) -> tuple[Path, Path]:
    """Make a pair of keys and write private.pem, for its owner alone, and public.pem into `folder`; return where.

    Raises:
        UpdateError: one of them is there already.
        OSError: they cannot be written.
    """
    private, public = folder / "private.pem", folder / "public.pem"
    for path in (private, public):
        if path.exists():
            raise UpdateError(f"{path}: is there already, and models may be signed with it; name another folder")
    key = Ed25519PrivateKey.generate()
    folder.mkdir(parents=True, exist_ok=True)
    private.touch(mode=0o600, exist_ok=False)
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return private, public


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read the key that signs, PEM without a password.

    Raises:
        UpdateError: no such file, or another kind of key.
    """
    key = _read_key(path, lambda data: serialization.load_pem_private_key(data, password=None), "private")
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong_key(path, "private", "of another kind")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read the key that verifies, PEM.

    Raises:
        UpdateError: no such file, or another kind of key.
    """
    key = _read_key(path, serialization.load_pem_public_key, "public")
    if not isinstance(key, Ed25519PublicKey):
        raise _wrong_key(path, "public", "of another kind")
    return key


def exposed(path: Path) -> str | None:
    """Say in one sentence that others can read a private key, or None."""
    if not path.stat().st_mode & _READABLE_BY_OTHERS:
        return None
    return f"{path}: other users of this machine can read the private key; type  chmod 600 '{path}'"


def _read_key(path: Path, load: Callable[[bytes], object], kind: str) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UpdateError(f"{path}: the {kind} key cannot be read ({error.strerror}); check the path") from None
    if kind == "public" and b"PRIVATE KEY" in data:
        raise _wrong_key(path, kind, "the private one, which belongs on no device")
    if kind == "private" and b"PUBLIC KEY" in data:
        raise _wrong_key(path, kind, "the public one")
    try:
        return load(data)
    except TypeError:
        raise UpdateError(
            f"{path}: the key is protected by a password; type  openssl pkey -in '{path}' -out plain.pem  first"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong_key(path, kind, "no key in PEM") from None


def _wrong_key(path: Path, wanted: str, is_instead: str) -> UpdateError:
    return UpdateError(
        f"{path}: is not the {wanted} Ed25519 key that is needed but {is_instead}; make a pair with  "
        "edge-seg models keys --out FOLDER"
    )


def _envelope(text: str | bytes) -> _Envelope:
    try:
        return _Envelope.model_validate_json(text)
    except ValidationError:  # its words are those of whoever sent it
        raise _no_envelope() from None


def _no_envelope() -> UpdateError:
    return UpdateError("is no signed manifest; make it with  edge-seg models sign  and serve that file unchanged")


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b" ".join((b"DSSEv1", b"%d" % len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), b"%d" % len(payload), payload))


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _no_envelope() from None
