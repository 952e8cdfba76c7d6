"""`edge-seg alert`: try the ways alerts go, without waiting for one."""

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from edge_seg.cli.alert_options import (
    DEFAULT_FOLDER,
    AlertOption,
    CaFileOption,
    CommandOption,
    DeviceNameOption,
    MqttOption,
    PlaintextOption,
    RegionOption,
    WebhookOption,
    alert_settings,
)
from edge_seg.cli.options import JsonOption
from edge_seg.errors import AlertError

if TYPE_CHECKING:
    from edge_seg.alerts.trial import Trial

alert = typer.Typer(no_args_is_help=True)

_SAMPLE_RULE = "test: anything > 2%"


@alert.callback()
def _group() -> None:
    """Try the ways that alerts go.

    Example:  edge-seg alert test --mqtt mqtt://homeassistant.local
    """


@alert.command("test")
def try_out(
    *,
    rule: AlertOption = None,
    region: RegionOption = None,
    mqtt: MqttOption = None,
    webhook: WebhookOption = None,
    on_alert: CommandOption = None,
    ca_file: CaFileOption = None,
    plaintext: PlaintextOption = False,
    device_name: DeviceNameOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send one event of the kind "test" to every receiver and say how each took it.

    Give the same options as to edge-seg camera. The exit code is 1 unless all took it.

    Example:  edge-seg alert test --mqtt mqtt://homeassistant.local --webhook https://example.org/hook
    """
    from edge_seg.alerts.event import Origin, sample_event
    from edge_seg.alerts.trial import try_receivers

    settings = alert_settings(
        rules=rule or [_SAMPLE_RULE],
        regions=region,
        folder=DEFAULT_FOLDER,
        mqtt=mqtt,
        webhooks=webhook,
        webhook_pictures=False,
        commands=on_alert,
        ca_file=ca_file,
        plaintext=plaintext,
        device_name=device_name,
    )
    if settings is None or not (mqtt or webhook or on_alert):
        raise AlertError("there is nobody to tell: give --mqtt, --webhook or --on-alert")
    event = sample_event(settings.rules[0], Origin(settings.device, "test"), time.time())
    trials: list[Trial] = []
    for trial in try_receivers(settings, event):
        trials.append(trial)
        if not as_json:
            _show(trial)
    if as_json:
        typer.echo(json.dumps({"event": event.record(), "receivers": [asdict(trial) for trial in trials]}, indent=2))
    if any(trial.fault for trial in trials):
        raise typer.Exit(1)


def _show(trial: "Trial") -> None:
    if trial.fault is None:
        typer.echo(f"{trial.receiver}: took it in {trial.seconds:.2f} s")
    else:
        typer.secho(f"{trial.receiver}: {trial.fault}", fg=typer.colors.RED, err=True)
