"""`edge-seg models keys`, `sign` and `verify`: models that cameras take over the air."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import InputRangeOption, JsonOption, LabelsOption, RuntimeOption, load_segmenter
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_seg.updates.describing import Check
    from edge_seg.updates.manifest import Manifest

ModelArgument = Annotated[Path, typer.Argument(help="The .tflite file.", show_default=False)]


def keys(
    out: Annotated[Path, typer.Option(help="Folder for private.pem and public.pem.", show_default=False)],
) -> None:
    """Make the pair of Ed25519 keys that models are signed and verified with.

    The private key signs and stays with whoever makes models; the public one goes onto every device.

    Example:  edge-seg models keys --out keys
    """
    _require_updates()
    from edge_seg.updates.signing import make_keys

    private, public = make_keys(out)
    typer.echo(f"{private}  signs models; keep it secret, and a copy of it safe")
    typer.echo(f"{public}  verifies them; copy it onto the devices")


def sign(
    model: ModelArgument,
    *,
    key: Annotated[list[Path], typer.Option(help="Private key, PEM; give it twice to sign with an old and a new one.")],
    version: Annotated[int, typer.Option(min=1, help="Higher than every one that devices have had.")],
    golden: Annotated[
        Path, typer.Option(help="A picture of what devices see; each must make the same of it as this machine.")
    ],
    device_class: Annotated[
        str, typer.Option(help="Devices it is for: any, raspberry-pi, raspberry-pi-5, x86-64, …")
    ] = "any",
    slowest: Annotated[
        str | None, typer.Option(help="What one inference may take on the device, as 50ms.", show_default="no limit")
    ] = None,
    least_agreement: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share of the golden picture's pixels that must be the same.")
    ] = 0.99,
    any_golden: Annotated[
        bool, typer.Option("--any-golden", help="Take also a golden picture in which one class is found alone.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="The model's name.", show_default="the file's")] = None,
    out: Annotated[Path | None, typer.Option(help="The signed manifest.", show_default="MODEL.manifest.json")] = None,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
) -> None:
    """Write a signed manifest of a model, which cameras ask for before they fetch the model.

    Example:  edge-seg models sign fire.tflite --key keys/private.pem --version 3 --golden photo.jpg
    """
    _require_updates()
    from edge_seg.files import write_text
    from edge_seg.images import read_image
    from edge_seg.updates.describing import Promise, describe_model
    from edge_seg.updates.signing import exposed, load_private_key
    from edge_seg.updates.signing import sign as signed

    target = out or _manifest_beside(model)
    _check_overwrites_none(target, (model, golden, *key))
    private_keys = [load_private_key(path) for path in key]
    for warning in filter(None, map(exposed, key)):
        typer.secho(f"edge-seg: {warning}", fg=typer.colors.YELLOW, err=True)
    slowest_ms = None if slowest is None else _milliseconds(slowest)
    promise = Promise(version, name or model.stem, device_class, slowest_ms, least_agreement, any_golden)
    segmenter = load_segmenter(model, runtime=runtime, threads=1, labels=labels, input_range=input_range)
    manifest = describe_model(model, segmenter, read_image(golden), promise)
    write_text(target, signed(manifest, *private_keys))
    typer.echo(f"{target}: version {manifest.version} of {manifest.name}, for {_devices(manifest)}")
    typer.echo(f"golden picture: {_shares(manifest)}")
    typer.echo(f"upload {model.name} first, then {target.name} beside it")


def verify(
    model: ModelArgument,
    *,
    key: Annotated[Path, typer.Option(help="Public key, PEM.")],
    manifest: Annotated[
        Path | None, typer.Option(help="The signed manifest.", show_default="MODEL.manifest.json")
    ] = None,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    as_json: JsonOption = False,
) -> None:
    """Check signature, size, SHA-256 and classes of a model, and what it makes of the golden picture here.

    Ends with 1 unless all of it is as signed.

    Example:  edge-seg models verify fire.tflite --key keys/public.pem
    """
    _require_updates()
    from edge_seg.updates.describing import Check, checks_of_answer, checks_of_file

    described = _verified(manifest or _manifest_beside(model), key)
    checks = [Check("signature", True, f"by the key of {key}"), *checks_of_file(model, described)]
    if all(check.passed for check in checks):  # bytes that nobody signed are not run
        segmenter = load_segmenter(model, runtime=runtime, threads=1, labels=labels, input_range=input_range)
        checks += checks_of_answer(segmenter, described)
    if as_json:
        typer.echo(json.dumps(_as_dict(described, checks), indent=2, ensure_ascii=False))
    else:
        _show(described, checks)
    if not all(check.passed for check in checks):
        raise typer.Exit(1)


def _require_updates() -> None:
    from edge_seg.extras import require_extra

    require_extra("updates", purpose="signing and verifying models")


def _check_overwrites_none(target: Path, inputs: "Sequence[Path]") -> None:
    from edge_seg.errors import UpdateError

    if target.exists() and any(path.exists() and path.samefile(target) for path in inputs):
        raise UpdateError(f"{target}: is read for the manifest and cannot be overwritten by it; give another --out")


def _milliseconds(text: str) -> float:
    from edge_seg.durations import parse_duration
    from edge_seg.errors import UpdateError

    if text[-1:].isdigit():
        raise UpdateError(f"--slowest {text}: is without a unit; write milliseconds, as in 50ms")
    return parse_duration(text) * 1000


def _manifest_beside(model: Path) -> Path:
    from edge_seg.updates.manifest import MANIFEST_SUFFIX

    return model.with_name(model.name + MANIFEST_SUFFIX)


def _verified(path: Path, key: Path) -> "Manifest":
    from edge_seg.errors import UpdateError
    from edge_seg.updates.signing import load_public_key, verified

    public_key = load_public_key(key)
    try:
        return verified(path.read_bytes(), public_key)
    except UpdateError as error:
        raise UpdateError(f"{path}: {error}") from None


def _as_dict(manifest: "Manifest", checks: "list[Check]") -> dict[str, object]:
    return {
        "passed": all(check.passed for check in checks),
        "checks": {check.name: {"passed": check.passed, "found": check.found} for check in checks},
        "manifest": manifest.model_dump(mode="json", exclude={"golden"}),
        "golden": _golden_shares(manifest),
    }


def _show(manifest: "Manifest", checks: "list[Check]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        mark = Text("ok", "green") if check.passed else Text("no", "bold red")
        table.add_row(mark, Text(check.name, "bold"), Text(check.found))
    for title, value in _facts(manifest):
        table.add_row("", Text(title, "bold"), Text(value))
    Console(highlight=False).print(table)


def _facts(manifest: "Manifest") -> list[tuple[str, str]]:
    return [
        ("model", f"version {manifest.version} of {manifest.name}, signed {manifest.created}"),
        ("devices", _devices(manifest)),
        ("slowest", "no limit" if manifest.slowest_ms is None else f"{manifest.slowest_ms:g} ms for one inference"),
        ("in the picture", _shares(manifest)),
    ]


def _devices(manifest: "Manifest") -> str:
    return "all devices" if manifest.device_class == "any" else manifest.device_class


def _shares(manifest: "Manifest") -> str:
    return ", ".join(f"{name} {share:.1%}" for name, share in _golden_shares(manifest).items())


def _golden_shares(manifest: "Manifest") -> dict[str, float]:
    from edge_seg.updates.describing import golden_shares

    return golden_shares(manifest.golden, manifest.classes)
