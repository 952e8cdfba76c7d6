"""The options of `edge-seg camera` about its model: a file, or an address that new versions come from."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from edge_seg.cli.live_status import tell
from edge_seg.cli.times import seconds_of
from edge_seg.errors import UpdateError
from edge_seg.extras import require_extra
from edge_seg.updates.slowest import Slowest, parse_slowest

if TYPE_CHECKING:
    from edge_seg.loading import Loading
    from edge_seg.model_slot import ModelSlot
    from edge_seg.pipeline import OnResult
    from edge_seg.segmenter import Segmenter
    from edge_seg.telemetry import Telemetry
    from edge_seg.updates.settings import UpdateSettings
    from edge_seg.updates.updater import Updater

_PANEL = "New models over the air"
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)

MODELS_FOLDER = Path("models")
LOOK_EVERY_S = 3600.0
_MOST_OFTEN_S, _LEAST_OFTEN_S = 1.0, 365 * 86400.0


def look_every_of(text: str | float) -> float:
    """Read 10m, 1h or 1d; a default is given as a number of seconds."""
    seconds = seconds_of(text)
    if not _MOST_OFTEN_S <= seconds <= _LEAST_OFTEN_S:
        raise typer.BadParameter(f"'{text}' is too often or too seldom; give between 1s and 365d")
    return seconds


def slowest_of(text: str) -> Slowest:
    """Read 1.5x or 50ms."""
    try:
        return parse_slowest(text)
    except UpdateError as error:
        raise typer.BadParameter(str(error)) from None


CameraModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="FILE|NAME|URL",
        help="A .tflite file, a name that `edge-seg models` lists, or https://host/model.tflite, which is then looked "
        "at for new versions; pets when left out.",
    ),
]
ModelKeyOption = Annotated[
    Path | None,
    typer.Option(help="Public key, PEM, that new models must be signed for.", rich_help_panel=_PANEL),
]
ModelFolderOption = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Where they are kept; of this camera alone.", rich_help_panel=_PANEL),
]
ModelEveryOption = Annotated[
    float,
    typer.Option(
        parser=look_every_of,
        metavar="TIME",
        help="How often to look: 10m, 1h, 1d.",
        show_default="1h",
        rich_help_panel=_PANEL,
    ),
]
ModelSlowestOption = Annotated[
    Slowest | None,
    typer.Option(
        parser=slowest_of,
        metavar="TIMES|TIME",
        help="Refuse a model that is slower: 1.5x, of the one before, or 50ms.",
        show_default="what its manifest allows",
        rich_help_panel=_PANEL,
    ),
]
ModelMeanwhileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|NAME",
        help="Model to run until the first one was fetched; left out, the camera ends when it cannot be.",
        rich_help_panel=_PANEL,
    ),
]
DeviceClassOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What kind of device this is to manifests, such as raspberry-pi-5.",
        show_default="what the board calls itself",
        rich_help_panel=_PANEL,
    ),
]


def is_address(model: Path | str | None) -> bool:
    """Whether a --model is an address."""
    return isinstance(model, str) and _ADDRESS.match(model) is not None


def update_settings(
    model: str | None,
    loading: "Loading",
    *,
    key: Path | None,
    every_s: float,
    slowest: Slowest | None,
    meanwhile: Path | None,
    device_class: str | None,
    needs_scores: bool,
    ca_file: Path | None,
    plaintext: bool,
) -> "UpdateSettings | None":
    """Return what is asked of new models; None where the model is a file.

    Raises:
        UpdateError: no address, or one without a key, an option that belongs to an address, or no key in the file.
        AlertError: no certificates in the file.
        MissingExtraError: the extra `updates` is not installed.
    """
    if model is None or not is_address(model):
        _refuse_options({"key": key, "slowest": slowest, "meanwhile": meanwhile}, device_class)
        return None
    if key is None:
        raise UpdateError(
            "--model is an address, and nothing says whose models are trusted; give the public key that they are "
            "signed for, as  --model-key public.pem"
        )
    require_extra("updates", purpose="fetching models")
    from edge_seg.alerts.network import tls_context
    from edge_seg.updates.address import parse_model_address
    from edge_seg.updates.device_class import this_device
    from edge_seg.updates.settings import UpdateSettings
    from edge_seg.updates.signing import load_public_key

    # What is typed wrong is told now, not at the first look of a camera that has a model.
    parse_model_address(model, plaintext=plaintext)
    tls_context(ca_file)
    return UpdateSettings(
        url=model,
        key=load_public_key(key),
        device=device_class or this_device(),
        loading=loading,
        every_s=every_s,
        slowest=slowest,
        needs_scores=needs_scores,
        ca_file=ca_file,
        plaintext=plaintext,
    )


@contextmanager
def opened_model(
    model: str | None,
    loading: "Loading",
    updates: "UpdateSettings | None",
    *,
    folder: Path,
    meanwhile: Path | None,
    doing: Callable[[str], None],
) -> "Generator[tuple[ModelSlot, Updater | None]]":
    """Load the model; give with it what looks for new ones, where that is asked.

    `doing` is told what takes long. Raises what `open_updates` and `Loading.load` do.
    """
    from edge_seg.shipped import find_model

    if updates is None:
        from edge_seg.model_slot import ModelSlot

        yield ModelSlot(loading.load(find_model(model))), None
        return
    from edge_seg.updates.starting import open_updates

    standing_in = None if meanwhile is None else find_model(meanwhile)
    with open_updates(updates, folder, tell, meanwhile=standing_in, doing=doing) as updater:
        yield updater.slot, updater


def begin_updates(updater: "Updater | None", telemetry: "Telemetry") -> "list[OnResult]":
    """Look for new models from now on, and have telemetry told; return what the pipeline is to call."""
    if updater is None:
        return []

    from edge_seg.updates.updater import Outcome

    def changed(segmenter: "Segmenter") -> None:
        if segmenter.identity is not None:
            telemetry.model_changed(segmenter.identity)

    telemetry.watch_updates(get_args(Outcome))
    updater.slot.on_change, updater.on_outcome = changed, telemetry.model_update
    updater.start()
    return [updater.observe]


def _refuse_options(options: dict[str, object], device_class: str | None) -> None:
    given = [f"--model-{name}" for name, value in options.items() if value is not None]
    given += [] if device_class is None else ["--device-class"]
    if given:
        raise UpdateError(
            f"{given[0]} is for models that are fetched; give the address of one, as  --model https://host/model.tflite"
        )
