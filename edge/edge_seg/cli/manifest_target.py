"""Where `edge-seg models sign` writes a manifest, and what it must not overwrite there."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_seg.errors import UpdateError
from edge_seg.model_identity import file_sha256
from edge_seg.updates.manifest import MANIFEST_SUFFIX, Manifest
from edge_seg.updates.signing import verified


def manifest_beside(named: str, file: Path) -> Path:
    """Return where the manifest of a model lies: beside its file, and in the working folder for a shipped model."""
    return Path(named).with_name(file.name + MANIFEST_SUFFIX)


def check_target(target: Path, inputs: Sequence[Path]) -> None:
    """Refuse to write over an input, into a folder that is not there, or what no camera would ask for.

    Raises:
        UpdateError: it is one of these.
    """
    if target.exists() and any(path.exists() and path.samefile(target) for path in inputs):
        raise UpdateError(f"{target}: is read for the manifest and cannot be overwritten by it; give another --out")
    if not target.name.removesuffix(MANIFEST_SUFFIX) or not target.name.endswith(MANIFEST_SUFFIX):
        raise UpdateError(
            f"{target}: no camera would find it; they ask for the model's whole name with {MANIFEST_SUFFIX} behind it, "
            f"as fire.tflite{MANIFEST_SUFFIX}"
        )
    if not target.parent.is_dir():
        raise UpdateError(f"{target.parent}: no such folder; make it first, or give another --out")


def check_version(target: Path, model: Path, version: int, keys: Sequence[Ed25519PrivateKey]) -> None:
    """Refuse to replace a manifest by one that no device takes which has had the other.

    The same file may be signed again as the same version, by another key, say.

    Raises:
        UpdateError: the manifest there has a higher version, or this one for another file; or none of the keys has
            signed it.
    """
    if not target.exists():
        return
    before = _signed_before(target, keys)
    if before.version > version:
        raise UpdateError(
            f"{target}: is version {before.version} already, and no device goes back to {version}; give a higher "
            "--version, or remove that file"
        )
    if before.version == version and before.sha256 != file_sha256(model):
        raise UpdateError(
            f"{target}: is version {version} of another file already, and devices take each version once; give a "
            "higher --version, or remove that file"
        )


def upload_advice(model: Path, target: Path) -> str:
    """Say what belongs on the server, under which names."""
    served = target.name.removesuffix(MANIFEST_SUFFIX)
    renamed = "" if served == model.name else f" as {served}"
    return f"upload {model}{renamed} first, then {target} beside it"


def _signed_before(target: Path, keys: Sequence[Ed25519PrivateKey]) -> Manifest:
    for key in keys:
        try:
            return verified(target.read_bytes(), key.public_key())
        except UpdateError:
            continue
    raise UpdateError(
        f"{target}: is there already and not signed by this key, so its version cannot be told; remove it, or give "
        "another --out"
    )
