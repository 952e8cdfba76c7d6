"""Manifests: what is signed, what is verified, and the commands that do both."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skimage.data import chelsea
from typer.testing import CliRunner, Result

from edge_seg.cli.app import build_app
from edge_seg.errors import UpdateError
from edge_seg.images import write_image
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import find_model
from edge_seg.updates.device_class import fits, this_device
from edge_seg.updates.golden import agreement, golden_class_map, golden_picture, make_golden
from edge_seg.updates.manifest import Golden, Manifest, manifest_json, parse_manifest
from edge_seg.updates.signing import (
    PAYLOAD_TYPE,
    exposed,
    load_private_key,
    load_public_key,
    make_keys,
    sign,
    verified,
)
from update_fixtures import GOLDEN, KEY, OTHER_KEY, manifest, model_bytes, png

DESCRIBED = manifest(model_bytes(1))


# Signing -----------------------------------------------------------------------------------------------------------


def test_what_was_signed_is_what_is_verified() -> None:
    assert verified(sign(DESCRIBED, KEY), KEY.public_key()) == DESCRIBED


def test_either_of_two_keys_verifies_what_both_have_signed() -> None:
    both = sign(DESCRIBED, KEY, OTHER_KEY)
    assert verified(both, KEY.public_key()) == verified(both, OTHER_KEY.public_key()) == DESCRIBED


def test_the_encoding_is_that_of_the_specification() -> None:
    """DSSE's protocol.md: PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body."""
    envelope = json.loads(sign(DESCRIBED, KEY))
    payload = base64.b64decode(envelope["payload"])
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    assert json.loads(payload) == DESCRIBED.model_dump(mode="json")
    signed = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload
    KEY.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)


def test_openssl_makes_keys_and_verifies_signatures(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    openssl("genpkey", "-algorithm", "ed25519", "-out", private)
    openssl("pkey", "-in", private, "-pubout", "-out", public)
    envelope = json.loads(sign(DESCRIBED, load_private_key(private)))
    assert verified(json.dumps(envelope), load_public_key(public)) == DESCRIBED
    payload = base64.b64decode(envelope["payload"])
    signed, signature = tmp_path / "signed", tmp_path / "signature"
    signed.write_bytes(f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload)
    signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", signed, "-sigfile", signature)


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300))
def test_no_byte_of_a_signed_manifest_can_be_changed(noise: bytes) -> None:
    text = sign(DESCRIBED, KEY).encode()
    place = int.from_bytes(noise[:2], "big") % len(text)
    changed = text[:place] + noise[2:] + text[place + len(noise[2:]) :]
    with suppress(UpdateError):
        assert verified(changed, KEY.public_key()) == DESCRIBED  # a space more, say


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=100) | st.binary(max_size=100) | _JSON.map(json.dumps))
def test_anything_else_is_no_signed_manifest(text: str | bytes) -> None:
    with pytest.raises(UpdateError, match="no signed manifest"):
        verified(text, KEY.public_key())


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(Manifest.model_fields)), _JSON)
def test_a_manifest_with_anything_in_a_field_is_read_or_refused(field: str, value: Any) -> None:
    content = DESCRIBED.model_dump(mode="json") | {field: value}
    with suppress(UpdateError):
        read = parse_manifest(json.dumps(content))
        assert parse_manifest(manifest_json(read)) == read


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../../etc/passwd"),
        ("name", ".hidden"),
        ("name", "a" * 65),
        ("version", 0),
        ("version", True),
        ("version", 2**53),
        ("sha256", "A" * 64),
        ("size_bytes", 2**30 + 1),
        ("classes", ("fire",)),
        ("classes", ("fire", "")),
        ("device_class", "Raspberry Pi 5"),
        ("device_class", ""),
        ("slowest_ms", 0),
        ("slowest_ms", float("inf")),
        ("format", 2),
        ("more", 1),
    ],
)
def test_what_no_manifest_may_say(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Manifest(**{**DESCRIBED.model_dump(), field: value})


# Keys --------------------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    assert private.stat().st_mode & 0o777 == 0o600
    assert exposed(private) is None
    assert verified(sign(DESCRIBED, load_private_key(private)), load_public_key(public)) == DESCRIBED
    private.chmod(0o640)
    assert "chmod 600" in str(exposed(private))
    before = private.read_bytes()
    with pytest.raises(UpdateError, match="is there already"):
        make_keys(tmp_path / "keys")
    assert private.read_bytes() == before


def pem(key: Any, password: bytes | None = None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)


def public_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


ELLIPTIC = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("load", "content", "pattern"),
    [
        (load_private_key, None, "cannot be read"),
        (load_private_key, b"", "no key in PEM"),
        (load_private_key, b"\x00\xff", "no key in PEM"),
        (load_private_key, pem(ELLIPTIC), "but of another kind; make a pair with  edge-seg models keys"),
        (load_private_key, public_pem(KEY), "but the public one"),
        (load_private_key, pem(KEY, b"word"), "protected by a password; type  openssl pkey"),
        (load_public_key, None, "cannot be read"),
        (load_public_key, b"ssh-ed25519 AAAA", "no key in PEM"),
        (load_public_key, public_pem(ELLIPTIC), "but of another kind"),
        (load_public_key, pem(KEY), "but the private one, which belongs on no device"),
    ],
)
def test_another_kind_of_key(
    load: Callable[[Path], object], content: bytes | None, pattern: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(UpdateError, match=pattern):
        load(tmp_path / "key.pem")


# Devices and golden pictures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device_class", "device", "expected"),
    [
        ("any", "anything", True),
        ("raspberry-pi-5", "raspberry-pi-5-model-b-rev-1-0", True),
        ("raspberry-pi-5", "Raspberry Pi 5 Model B Rev 1.0", True),
        ("raspberry-pi-5", "raspberry-pi-5", True),
        ("raspberry-pi", "raspberry-pi-zero-2-w-rev-1-0", True),
        ("raspberry-pi-5", "raspberry-pi-500", False),
        ("raspberry-pi-5", "raspberry-pi-4-model-b", False),
        ("raspberry-pi-5-model-b", "raspberry-pi-5", False),
    ],
)
def test_which_devices_a_model_is_for(device_class: str, device: str, expected: bool) -> None:
    assert fits(device_class, device) is expected


def test_this_device_is_one_that_a_model_can_be_signed_for() -> None:
    assert manifest(model_bytes(1), device_class=this_device()).device_class == this_device()


def test_the_golden_picture_is_what_the_model_sees_and_answers() -> None:
    segmenter = Segmenter.load("pets-fast")
    golden = make_golden(segmenter, chelsea())
    picture = golden_picture(golden)
    assert picture.shape == (*segmenter.input_size, 3)
    assert agreement(golden, segmenter.segment(picture).class_map) == 1.0
    other = golden_class_map(golden).copy()
    other[: len(other) // 2] = 255
    assert agreement(golden, other) == 0.5


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"class_map_png": "%%%"}, "cannot be decoded"),
        ({"class_map_png": "bm8gcGljdHVyZQ=="}, "cannot be decoded"),
        ({"class_map_png": GOLDEN.picture_png}, "cannot be decoded"),
        ({"class_map_png": png(np.zeros((4, 4), np.uint8))}, "4×4 pixels, but the model gives 3×2"),
    ],
)
def test_a_golden_picture_that_is_damaged(changes: dict[str, str], pattern: str) -> None:
    golden = Golden(**{**GOLDEN.model_dump(), **changes})
    with pytest.raises(UpdateError, match=pattern):
        agreement(golden, np.zeros((2, 3), np.uint8))


# Commands ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model, a picture and keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    shutil.copy(find_model("pets-fast"), "pets.tflite")
    write_image(Path("cat.png"), chelsea())
    make_keys(Path("keys"))
    return tmp_path


def models(*words: object) -> Result:
    return CliRunner().invoke(build_app("models"), ["models", *map(str, words)])


def signed(*more: object) -> Result:
    return models("sign", "pets.tflite", "--key", "keys/private.pem", "--version", 3, "--golden", "cat.png", *more)


def test_signing_and_verifying(folder: Path) -> None:
    done = signed("--device-class", "raspberry-pi-5", "--slowest", "50ms")
    assert done.exit_code == 0, done.output
    assert "pets.tflite.manifest.json: version 3 of pets, for raspberry-pi-5" in done.output
    text = (folder / "pets.tflite.manifest.json").read_text()
    described = verified(text, load_public_key(Path("keys/public.pem")))
    assert described.slowest_ms == 50.0
    assert described.classes == ("pet", "background", "border")
    assert described.size_bytes == Path("pets.tflite").stat().st_size
    shown = models("verify", "pets.tflite", "--key", "keys/public.pem")
    assert shown.exit_code == 0
    assert shown.output.count("ok  ") == 5
    assert "100.00% of the pixels as signed" in shown.output
    assert "50 ms for one inference" in shown.output
    as_json = json.loads(models("verify", "pets.tflite", "--key", "keys/public.pem", "--json").stdout)
    assert as_json["passed"] is True
    assert as_json["manifest"]["version"] == 3
    assert sum(as_json["golden"].values()) == pytest.approx(1)


def test_a_model_that_was_changed_is_not_run(folder: Path) -> None:
    signed()
    model = bytearray(Path("pets.tflite").read_bytes())
    model[1000] ^= 1
    Path("pets.tflite").write_bytes(model)
    done = models("verify", "pets.tflite", "--key", "keys/public.pem", "--json")
    assert done.exit_code == 1
    passed = {name: check["passed"] for name, check in json.loads(done.stdout)["checks"].items()}
    assert passed == {"signature": True, "size": True, "SHA-256": False}


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda it: {"classes": ("a", "b", "c")}, "no  classes         pet, background, border"),
        (lambda it: {"golden": upside_down(it.golden)}, r"no  golden picture  \d+\.\d+% of the pixels as signed"),
    ],
)
def test_a_model_that_is_otherwise_than_signed(
    change: Callable[[Manifest], dict[str, Any]], row: str, folder: Path
) -> None:
    signed()
    path = folder / "pets.tflite.manifest.json"
    described = verified(path.read_text(), load_public_key(Path("keys/public.pem")))
    changed = described.model_copy(update=change(described))
    path.write_text(sign(changed, load_private_key(Path("keys/private.pem"))))
    done = models("verify", "pets.tflite", "--key", "keys/public.pem")
    assert done.exit_code == 1
    assert_says(done, row)


def upside_down(golden: Golden) -> Golden:
    """Expect ids that no class has."""
    return golden.model_copy(update={"class_map_png": png(255 - golden_class_map(golden))})


def test_old_and_new_key_while_a_fleet_changes(folder: Path) -> None:
    make_keys(folder / "new")
    signed("--key", "new/private.pem")
    for key in ("keys/public.pem", "new/public.pem"):
        assert models("verify", "pets.tflite", "--key", key).exit_code == 0


REFUSALS: dict[str, tuple[tuple[object, ...], str]] = {
    "plain golden": (("--golden", "grey.png"), "proves nothing: the model finds 100.0% background in it"),
    "no unit": (("--slowest", "50"), "is without a unit; write milliseconds, as in 50ms"),
    "no number": (("--slowest", "fast"), "'fast' is no span of time"),
    "name": (("--name", "my model"), "'my model' is no name"),
    "device": (("--device-class", "Raspberry Pi 5"), "'Raspberry Pi 5' is no device class, .* as raspberry-pi-5"),
    "version": (("--version", 2**53), "is no version"),
    "key": (("--key", "keys/public.pem"), "not the private Ed25519 key that is needed but the public one"),
    "picture": (("--golden", "absent.png"), "absent.png: no such image"),
    "onto the model": (("--out", "pets.tflite"), "pets.tflite: is read for the manifest and cannot be overwritten"),
    "onto the key": (("--out", "keys/../keys/private.pem"), "private.pem: is read for the manifest"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_signed(name: str, folder: Path) -> None:
    write_image(Path("grey.png"), np.full((30, 40, 3), 128, np.uint8))
    words, pattern = REFUSALS[name]
    done = signed(*words)
    assert done.exit_code == 1
    assert_says(done, pattern)
    assert not (folder / "pets.tflite.manifest.json").exists()


def test_a_plain_golden_picture_when_told_so_and_a_key_that_others_can_read(folder: Path) -> None:
    write_image(Path("grey.png"), np.full((30, 40, 3), 128, np.uint8))
    Path("keys/private.pem").chmod(0o644)
    done = signed("--golden", "grey.png", "--any-golden", "--out", "out/manifest.json")
    assert done.exit_code == 0
    assert_says(done, "chmod 600 'keys/private.pem'")
    assert (folder / "out/manifest.json").exists()


def test_verifying_with_another_key_or_without_a_manifest(folder: Path) -> None:
    assert_says(models("verify", "pets.tflite", "--key", "keys/public.pem"), "manifest.json: No such file")
    signed()
    make_keys(folder / "new")
    done = models("verify", "pets.tflite", "--key", "new/public.pem")
    assert done.exit_code == 1
    assert_says(done, "pets.tflite.manifest.json: the manifest is not signed by the key that is trusted here")


def test_keys_from_the_command(folder: Path) -> None:
    assert models("keys", "--out", "more").exit_code == 0
    assert_says(models("keys", "--out", "more"), "more/private.pem: is there already")


def assert_says(done: Result, pattern: str) -> None:
    assert re.search(pattern, done.output), done.output
